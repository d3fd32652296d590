import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { byTree, itemOrder } from "../../src/journal/itemOrder.js"
import { numRuns } from "../runs.js"

type Links = ReadonlyMap<string, string | undefined>
const orderOf = (links: Links) => itemOrder(links, (previous) => previous)
const order = (...links: ReadonlyArray<readonly [id: string, previous?: string]>) =>
  orderOf(new Map(links.map(([id, previous]) => [id, previous])))

/** Each item after one of those before it, after none that is known, or first. */
const insertions = fc
  .array(fc.tuple(fc.nat(), fc.constantFrom("after", "last", "first")), { maxLength: 20 })
  .map((choices) =>
    choices.map(([choice, place], index): readonly [string, string | undefined] => {
      const previous = place === "first" ? "root" : index === 0 || place === "last" ? undefined : `i${choice % index}`
      return [`i${index}`, previous]
    })
  )

describe("The order of items", () => {
  it("puts an item after the one it names, however late that becomes final", () => {
    expect(order(["answer", "question"], ["question"])).toEqual(["question", "answer"])
    expect(order(["c", "b"], ["b", "a"], ["a"])).toEqual(["a", "b", "c"])
  })

  it("puts an item last that names none, or one that never comes", () => {
    expect(order(["a"], ["b", "a"], ["c"], ["d", "lost"])).toEqual(["a", "b", "c", "d"])
  })

  it("puts what follows items that never come in the order in which anything of it came", () => {
    const said = order(["a", "root"], ["c", "b"], ["e", "lost"], ["f", "e"], ["b", "gone"])
    expect(said).toEqual(["a", "b", "c", "e", "f"])
  })

  it("puts an item first that says so", () => {
    expect(order(["a"], ["b", "a"], ["first", "root"])).toEqual(["first", "a", "b"])
  })

  it("is that of a list into which each was inserted when it came", () => {
    fc.assert(
      fc.property(insertions, (links) => {
        const list: Array<string> = []
        for (const [id, previous] of links) {
          const at = previous === "root" ? 0 : previous === undefined ? list.length : list.indexOf(previous) + 1
          list.splice(at, 0, id)
        }
        expect(orderOf(new Map(links))).toEqual(list)
        expect(byTree(new Map(links), (previous) => previous)).toEqual(list)
      }),
      { numRuns: numRuns(1000) }
    )
  })

  it("of a conversation does not depend on when its items become final", () => {
    const finals = fc.nat(20).chain((length) => {
      const ids = Array.from({ length }, (_, index) => `i${index}`)
      return fc.tuple(fc.constant(ids), fc.shuffledSubarray(ids, { minLength: length }))
    })
    fc.assert(
      fc.property(finals, ([ids, finals]) => {
        const links = finals.map((id) => [id, ids[ids.indexOf(id) - 1]] as const)
        expect(orderOf(new Map(links))).toEqual(ids)
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("has each item once, also of those that name each other", () => {
    const id = fc.constantFrom("a", "b", "c", "d", "root")
    fc.assert(
      fc.property(fc.array(fc.tuple(id, fc.option(id, { nil: undefined }))), (links) => {
        const previous = new Map(links)
        expect(Array.from(orderOf(previous)).sort()).toEqual(Array.from(previous.keys()).sort())
      }),
      { numRuns: numRuns(1000) }
    )
  })

  it("of 100,000 items in a row needs no deep stack", () => {
    const links = Array.from({ length: 100_000 }, (_, index) => [`i${index}`, `i${index - 1}`] as const)
    expect(orderOf(new Map(links.toReversed())).at(-1)).toBe("i99999")
  })
})
