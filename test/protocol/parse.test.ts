import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { parse } from "../../src/protocol/parse.js"
import { numRuns } from "../runs.js"

const type = "response.output_audio.delta"
/** Longer than what is parsed whole. */
const long = (text: string) => text.padEnd(5000, "A")

/** What `JSON.parse` reads, or that it throws. */
const attempt = (read: (text: string) => unknown, text: string) => {
  try {
    return { json: read(text) }
  } catch (error) {
    return { error: error instanceof SyntaxError }
  }
}

const audio = fc.nat(9000).map((bytes) => Buffer.alloc(bytes, bytes).toString("base64"))
const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom("~", type, 'a"delta":"b', '\\"audio": "'))
const event = fc
  .tuple(
    fc.constantFrom(type, "input_audio_buffer.append", "response.output_text.delta"),
    fc.constantFrom("delta", "audio"),
    fc.oneof({ weight: 3, arbitrary: audio }, fc.string(), value),
    fc.dictionary(fc.constantFrom("event_id", "delta", "audio", '"delta', "item", "type"), value)
  )
  .chain(([type, key, audio, others]) =>
    fc.shuffledSubarray(Object.entries({ type, [key]: audio, ...others }), { minLength: 1 })
  )

describe("parse", () => {
  it("reads what JSON.parse reads, wherever the audio stands, cut anywhere and with whatever follows", () => {
    const spaced = fc.boolean()
    const cut = fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { freq: 3 })
    fc.assert(
      fc.property(event, spaced, cut, fc.constantFrom("", "}", " \n", ",1"), (entries, isSpaced, at, tail) => {
        const [comma, colon] = isSpaced ? [", ", ": "] : [",", ":"]
        // By hand: a key may come twice.
        const body = entries.map(([key, value]) => `${JSON.stringify(key)}${colon}${JSON.stringify(value)}`).join(comma)
        const whole = `{${body}}${tail}`
        const text = at === null ? whole : whole.slice(0, at * whole.length)
        expect(attempt(parse, text)).toEqual(attempt(JSON.parse, text))
      }),
      { numRuns: numRuns(3000) }
    )
  })

  const base64 = long("")
  it.each([
    ["audio with escaped slashes", `{"type":"${type}","delta":"${base64}\\/"}`],
    ["audio twice", `{"type":"${type}","delta":"${base64}","delta":"BBBB"}`],
    ["audio twice, the longer one last", `{"type":"${type}","delta":"BBBB","delta":"${base64}"}`],
    ["audio of something within", `{"type":"${type}","part":{"delta":"${base64}"},"delta":"AAAA"}`],
    ["audio of something within alone", `{"type":"${type}","part":{"delta":"${base64}"}}`],
    [
      "audio of something within, beside what stands in for it",
      `{"type":"${type}","part":{"delta":"${base64}"},"delta":"~"}`
    ],
    ["the same with an escape", `{"type":"${type}","part":{"delta":"${base64}"},"delta":"\\u007e"}`],
    ["a key that ends in another", `{"type":"${type}","a\\"delta":"${base64}"}`],
    ["audio that is a number", `{"type":"${type}","delta":${"1".repeat(5000)}}`],
    ["audio that never ends", `{"type":"${type}","delta":"${base64}`],
    ["a key without a value", `{"type":"${type}","delta":`.padEnd(5000, " ")],
    ["an array of events", `[{"type":"${type}","delta":"${base64}"}]`],
    ["a prototype", `{"type":"${type}","__proto__":{"x":1},"delta":"${base64}"}`]
  ])("reads %s as JSON.parse does", (_, text) => {
    expect(attempt(parse, text)).toEqual(attempt(JSON.parse, text))
  })

  it("keeps the order of the keys", () => {
    const text = `{"type":"${type}","delta":"${base64}","event_id":"event_1"}`
    expect(JSON.stringify(parse(text))).toBe(text)
  })
})
