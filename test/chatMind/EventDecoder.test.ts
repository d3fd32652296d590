import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { EventDecoder } from "../../src/chatMind/EventDecoder.js"

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)

/** What is read from a stream that arrives in pieces, split at `cuts`. */
const read = (text: string, cuts: ReadonlyArray<number> = []): ReadonlyArray<string> => {
  const bytes = bytesOf(text)
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((one, other) => one - other)
  const decoder = new EventDecoder()
  const events = places.slice(1).flatMap((end, index) => decoder.push(bytes.slice(places[index], end)))
  return [...events, ...decoder.end()]
}

describe("EventDecoder", () => {
  it.each<[name: string, text: string, events: ReadonlyArray<string>]>([
    ["two events", "data: a\n\ndata: b\n\n", ["a", "b"]],
    ["lines that end as on Windows", "data: a\r\n\r\ndata: b\r\n\r\n", ["a", "b"]],
    ["lines that end as on an old Mac", "data: a\r\rdata: b\r\r", ["a", "b"]],
    ["comments, alone and within an event", ": hello\n\n:\ndata: a\n: still here\ndata: b\n\n", ["a\nb"]],
    ["data without a space, and with two", "data:a\n\ndata:  b\n\n", ["a", " b"]],
    ["other fields, and none of them known", "id: 7\nevent: x\nretry: 9\nunknown\ndata: a\n\n", ["a"]],
    ["an event without data", "event: ping\n\ndata: a\n\n", ["a"]],
    ["empty data", "data\n\ndata:\n\n", ["", ""]],
    ["a byte order mark", "\uFEFFdata: a\n\n", ["a"]],
    ["more empty lines than needed", "\n\n\ndata: a\n\n\n\n", ["a"]],
    ["an end in place of the empty line", "data: a\n\ndata: b\n", ["a", "b"]],
    ["an end in place of the line's end", "data: a\n\ndata: b", ["a", "b"]],
    ["nothing", "", []]
  ])("reads %s", (_, text, events) => {
    expect(read(text)).toEqual(events)
  })

  const line = FastCheck.oneof(
    FastCheck.string({ unit: "grapheme" }).map((text) => `data: ${text.replaceAll(/[\r\n]/g, "")}`),
    FastCheck.constantFrom(": comment", "event: x", "", "data:", "data: 🎈é")
  )
  const stream = FastCheck.array(
    FastCheck.tuple(line, FastCheck.constantFrom("\n", "\r\n", "\r")).map(([text, end]) => text + end)
  ).map((lines) => lines.join(""))

  it("decodes the same events wherever the bytes are split", () => {
    FastCheck.assert(
      FastCheck.property(stream, FastCheck.array(FastCheck.nat()), (text, cuts) => {
        expect(read(text, cuts)).toEqual(read(text))
      })
    )
  })
})
