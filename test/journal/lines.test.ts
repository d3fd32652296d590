import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as lines from "../../src/journal/lines.js"
import { numRuns } from "../runs.js"

/** What stands in lines: JSON. */
const texts = fc.array(
  fc.fullUnicodeString().map((text) => JSON.stringify({ text })),
  { minLength: 1, maxLength: 8 }
)

const read = (bytes: Uint8Array) => Either.getOrThrow(lines.decode(bytes))
const textsOf = (bytes: Uint8Array) => read(bytes).lines.map(({ text }) => text)

const concat = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Uint8Array.from(parts.flatMap((part) => [...part]))

describe("Lines of a journal", () => {
  it("are read as they were written", () => {
    fc.assert(
      fc.property(texts, (texts) => {
        const bytes = lines.encode(texts)
        expect(textsOf(bytes)).toEqual(texts)
        expect(read(bytes)).toMatchObject({ end: bytes.length, lineBreak: "Written" })
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("do not exist in an empty file", () => {
    expect(read(new Uint8Array())).toEqual({ lines: [], end: 0, lineBreak: "Written" })
  })

  it("can be read without this library", () => {
    expect(new TextDecoder().decode(lines.encode(['{"a":"é"}']))).toBe('0000000a 20f000a5 {"a":"é"}\n')
  })

  it("leave out a last one that is cut off at any byte, and only that", () => {
    fc.assert(
      fc.property(texts, fc.fullUnicodeString(), (before, last) => {
        const head = lines.encode(before)
        const tail = lines.encode([JSON.stringify(last)])
        for (let cut = 0; cut < tail.length - 1; cut += 1) {
          const bytes = concat(head, tail.subarray(0, cut))
          expect(textsOf(bytes)).toEqual(before)
          expect(read(bytes)).toMatchObject({ end: head.length, lineBreak: "Written" })
        }
      }),
      { numRuns: numRuns(50) }
    )
  })

  it("keep a last one that lacks its line break only", () => {
    const bytes = lines.encode(['"a"', '"b"'])
    expect(textsOf(bytes.subarray(0, -1))).toEqual(['"a"', '"b"'])
    expect(read(bytes.subarray(0, -1))).toMatchObject({ end: bytes.length - 1, lineBreak: "Missing" })
  })

  it("leave out the zeros of a file that grew before its bytes came", () => {
    fc.assert(
      fc.property(texts, fc.nat(30), fc.nat(100), (texts, cut, zeros) => {
        const head = lines.encode(texts)
        const torn = lines.encode(['"the last record"']).subarray(0, cut)
        const bytes = concat(head, torn, new Uint8Array(zeros))
        expect(textsOf(bytes)).toEqual(texts)
        expect(read(bytes).end).toBe(head.length)
      }),
      { numRuns: numRuns(200) }
    )
  })

  it("tell which one is damaged by a changed byte, wherever it is", () => {
    fc.assert(
      fc.property(texts, fc.nat(), fc.integer({ min: 1, max: 255 }), (texts, position, difference) => {
        const bytes = lines.encode(texts)
        const at = position % bytes.length
        const lineOf = read(bytes).lines.filter(({ offset }) => offset <= at).length
        const changed = bytes.slice()
        changed[at] = (changed[at] ?? 0) ^ difference
        // The last line break, when it reads as a byte that never came, is the one that is not missed.
        if (at === bytes.length - 1 && changed[at] === 0) {
          expect(textsOf(changed)).toEqual(texts)
          return
        }
        const damage = Either.getOrThrow(Either.flip(lines.decode(changed)))
        expect(damage.line).toBe(lineOf)
        expect(damage.offset).toBe(read(bytes).lines[lineOf - 1]?.offset)
      }),
      { numRuns: numRuns(2000) }
    )
  })

  it("are never read as lines that were not written, however the file was damaged", () => {
    fc.assert(
      fc.property(texts, fc.uint8Array({ minLength: 1, maxLength: 60 }), fc.nat(), (texts, noise, position) => {
        const bytes = lines.encode(texts)
        const at = position % (bytes.length + 1)
        const found = lines.decode(concat(bytes.subarray(0, at), noise, bytes.subarray(at)))
        if (Either.isRight(found)) {
          const texts_ = found.right.lines.map(({ text }) => text)
          expect(texts.slice(0, texts_.length)).toEqual(texts_)
        }
      }),
      { numRuns: numRuns(1000) }
    )
  })
})
