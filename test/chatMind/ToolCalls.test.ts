import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { parse } from "../../src/chatMind/Chunk.js"
import { ToolCalls } from "../../src/chatMind/ToolCalls.js"

/** Assembles the `tool_calls` of chunks, as they travel. */
const assembled = (...chunks: ReadonlyArray<ReadonlyArray<object>>) => {
  const calls = new ToolCalls()
  for (const tool_calls of chunks) {
    const chunk = parse(JSON.stringify({ choices: [{ index: 0, delta: { tool_calls } }] }))
    if (chunk._tag === "Delta") for (const delta of chunk.calls) calls.push(delta)
  }
  return calls.all
}

describe("ToolCalls", () => {
  it("assembles two calls whose pieces alternate", () => {
    expect(
      assembled(
        [{ index: 0, id: "a", type: "function", function: { name: "look", arguments: "" } }],
        [{ index: 1, id: "b", type: "function", function: { name: "book", arguments: '{"at"' } }],
        [
          { index: 0, function: { arguments: '{"city":' } },
          { index: 1, function: { arguments: ":8}" } }
        ],
        [{ index: 0, function: { arguments: '"Paris"}' } }]
      )
    ).toEqual([
      { name: "look", arguments: '{"city":"Paris"}' },
      { name: "book", arguments: '{"at":8}' }
    ])
  })

  it.each<[name: string, first: object, second: object]>([
    ["have the same index", { index: 0, id: "a" }, { index: 0, id: "b" }],
    ["have no index", { id: "a" }, { id: "b" }],
    ["have no id", { index: 0 }, { index: 1 }]
  ])("tells two calls apart that %s", (_, first, second) => {
    expect(
      assembled(
        [{ ...first, function: { name: "look", arguments: '{"city":' } }],
        [{ ...first, function: { arguments: '"Paris"}' } }],
        [{ ...second, function: { name: "look", arguments: '{"city":"Rome"}' } }]
      )
    ).toEqual([
      { name: "look", arguments: '{"city":"Paris"}' },
      { name: "look", arguments: '{"city":"Rome"}' }
    ])
  })

  it("takes a name once that is said with each piece of the arguments", () => {
    expect(
      assembled(
        [{ index: 0, id: "a", function: { name: "look", arguments: null } }],
        [{ index: 0, id: "a", function: { name: "look", arguments: "{}" } }],
        [{ index: 0, id: "a", function: { name: "look", arguments: "" } }]
      )
    ).toEqual([{ name: "look", arguments: "{}" }])
  })

  it("gives a call without arguments an empty object, and takes arguments that are an object", () => {
    expect(
      assembled(
        [{ index: 1, id: "b", function: { name: "b", arguments: { at: 8 } } }],
        [{ index: 0, id: "a", function: { name: "a", arguments: " " } }]
      )
    ).toEqual([
      { name: "a", arguments: "{}" },
      { name: "b", arguments: '{"at":8}' }
    ])
  })

  it("gives the same call wherever its name and its arguments are split", () => {
    const text = FastCheck.string({ minLength: 1, unit: "grapheme" })
    const cuts = FastCheck.array(FastCheck.nat({ max: 40 }))
    const pieces = (whole: string, places: ReadonlyArray<number>) => {
      const at = [0, ...places.filter((place) => place < whole.length), whole.length].toSorted((a, b) => a - b)
      return at.slice(1).map((end, index) => whole.slice(at[index], end))
    }
    FastCheck.assert(
      FastCheck.property(FastCheck.json(), cuts, text, (args, places, city) => {
        const whole = JSON.stringify({ city, args })
        const begins = [{ index: 0, id: "a", function: { name: "get_wea" } }]
        const named = [{ index: 0, function: { name: "ther", arguments: "" } }]
        const chunks = pieces(whole, places).map((piece) => [{ index: 0, function: { arguments: piece } }])
        expect(assembled(begins, named, ...chunks)).toEqual([{ name: "get_weather", arguments: whole }])
      })
    )
  })
})
