import { describe, expect, it } from "@effect/vitest"
import { tooLong } from "../../src/mcp/http.js"

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** All ways of cutting a text into two pieces, and the way of cutting it into single characters. */
const cuts = (text: string): ReadonlyArray<ReadonlyArray<string>> => [
  ...Array.from({ length: text.length + 1 }, (_, at) => [text.slice(0, at), text.slice(at)]),
  [...text]
]

describe("A stream of many small events", () => {
  const ends = ["\n\n", "\r\r", "\r\n\r\n", "\n\r\n", "\r\n\n", "\n\r"]
  it.each(ends)("that end with %j is not one long message, wherever it is cut", (end) => {
    const text = `event: message\ndata: 123456789${end}`.repeat(3)
    for (const pieces of cuts(text)) {
      const isTooLong = tooLong(32, true)
      expect(pieces.map((piece) => isTooLong(bytesOf(piece)))).not.toContain(true)
    }
  })

  it.each(["\n", "\r", "\r\n"])(
    "with a long one among them, whose lines end with %j, is broken off, wherever it is cut",
    (end) => {
      const text = `data: 1${end}${end}${`data: 123${end}`.repeat(5)}${end}data: 3${end}${end}`
      for (const pieces of cuts(text)) {
        const isTooLong = tooLong(32, true)
        expect(pieces.map((piece) => isTooLong(bytesOf(piece)))).toContain(true)
      }
    }
  )
})

describe("An answer that is no stream", () => {
  it("is one message, whatever lines it has", () => {
    const isTooLong = tooLong(10, false)
    expect(["[1,\n\n", "2,\n\n", "3]"].map((piece) => isTooLong(bytesOf(piece)))).toEqual([false, false, true])
  })
})
