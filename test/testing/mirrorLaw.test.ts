import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Item } from "../../src/Conversation.js"
import { judge } from "../../src/testing/Law.js"
import { mirror } from "../../src/testing/mirrorLaw.js"
import type { Testing } from "../../src/testing.js"
import { observed } from "./observed.js"

const text = "This is a sentence that takes its time, and is heard for seconds."

const writes: Testing.Action = { _tag: "UserWrites", text: "Go." }
const cut = await observed(text, "audio", [writes, { _tag: "Waits", ms: 1_000 }, { _tag: "Interrupts" }])
const moved = await observed(text, "audio", [writes, { _tag: "ConnectionDrops" }, { _tag: "Waits", ms: 1_000 }, writes])

type AtRest = Extract<Testing.Moment, { readonly _tag: "AtRest" }>

const broken = (observation: Testing.Observation) =>
  Effect.runSync(judge(mirror, observation)).map(({ message }) => message)

/** The law's message if one side differed at rest. */
const doctored = (observation: Testing.Observation, change: (moment: AtRest) => AtRest) =>
  broken({
    ...observation,
    timeline: observation.timeline.map((moment) => (moment._tag === "AtRest" ? change(moment) : moment))
  })

const withItems = (observation: Testing.Observation, change: (items: ReadonlyArray<Item>) => ReadonlyArray<Item>) =>
  doctored(observation, (moment) => ({ ...moment, mirror: { items: change(moment.mirror.items) } }))

describe("Mirror", () => {
  it("holds where all is well, on the first connection and on the next", () => {
    expect(cut.timeline.filter(({ _tag }) => _tag === "AtRest").length).toBeGreaterThan(3)
    expect(broken(cut)).toEqual([])
    expect(broken(moved)).toEqual([])
    const rested = moved.timeline.flatMap((moment) => (moment._tag === "AtRest" ? [moment.mirror.items.length] : []))
    expect(rested).toEqual([2, 2, 2, 4, 4])
  })

  it("sees an item that one side does not have", () => {
    expect(withItems(moved, (items) => items.slice(1))[0]).toMatch(
      /^The server has itm_\w+, but the session does not\.$/
    )
    expect(doctored(moved, (moment) => ({ ...moment, conversation: moment.conversation.slice(0, 1) }))[0]).toBe(
      "The session has item_1_1, but the server does not."
    )
  })

  it("sees another order", () => {
    expect(withItems(moved, (items) => items.toReversed())[0]).toMatch(/^The session has item_1_1, itm_\w+; the server/)
  })

  it("sees other words, another role, and what one side holds for unfinished", () => {
    const changed = (change: Partial<Extract<Item, { readonly _tag: "Message" }>>) =>
      withItems(moved, (items) => items.map((item) => (item._tag === "Message" ? { ...item, ...change } : item))).join()
    expect(changed({ content: [{ _tag: "Text", text: "Stop." }] })).toContain('says "Stop.", but on the server "Go."')
    expect(changed({ role: "system" })).toContain("has the role system, but on the server user")
    expect(changed({ status: "in_progress" })).toContain("is in_progress, but on the server completed")
  })

  it("sees words that one side has cut, or otherwise than the other", () => {
    const heard = (heardMs: number | undefined) =>
      withItems(cut, (items) =>
        items.map((item) =>
          item._tag === "Message" && item.role === "assistant"
            ? {
                ...item,
                content: item.content.map((part) => ({
                  _tag: "Audio",
                  transcript: part._tag === "Audio" ? part.transcript : "",
                  ...(heardMs === undefined ? {} : { cut: { heardMs } })
                }))
              }
            : item
        )
      ).join()
    expect(heard(1_000)).toContain("item_1_1 has 1000 ms of it, but the server has 3900")
    expect(heard(500)).toContain("item_1_1 has 500 ms of it, but the server has 1000")
    expect(heard(undefined)).toContain("item_1_1 has all of it, but the server has 1000 ms")
    const uncut = cut.timeline.filter(
      (moment) => moment._tag !== "Answered" || moment.event["type"] !== "conversation.item.truncated"
    )
    expect(broken({ ...cut, timeline: uncut }).join()).toContain("item_1_1 has 1000 ms of it, but the server has 3900")
  })
})
