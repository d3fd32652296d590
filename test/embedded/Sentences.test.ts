import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { Sentences } from "../../src/embedded/Sentences.js"
import { numRuns } from "../runs.js"

const cut = (pieces: ReadonlyArray<string>): ReadonlyArray<string> => {
  const sentences = new Sentences()
  return [...pieces.flatMap((piece) => sentences.push(piece)), ...sentences.end()]
}

describe("Sentences", () => {
  it("gives a sentence as soon as the next one begins, and the rest at the end", () => {
    const sentences = new Sentences()
    expect(sentences.push("It is")).toEqual([])
    expect(sentences.push(" sunny.")).toEqual([])
    expect(sentences.push(" An")).toEqual(["It is sunny. "])
    expect(sentences.push("d warm! Isn't it?! Ye")).toEqual(["And warm! ", "Isn't it?! "])
    expect(sentences.end()).toEqual(["Ye"])
    expect(sentences.end()).toEqual([])
  })

  it("cuts text that has no end between two words, and never in the middle of a character", () => {
    expect(cut(["word ".repeat(100)])).toEqual(["word ".repeat(80), "word ".repeat(20)])
    expect(cut([`x${"🙂".repeat(300)}`]).filter((piece) => /^[\uDC00-\uDFFF]|[\uD800-\uDBFF]$/.test(piece))).toEqual([])
    const long = "x".repeat(1_000_000)
    expect(cut([long]).join("")).toBe(long)
  })

  const text = fc.array(fc.oneof(fc.constantFrom(". ", "!", "?! ", " ", "\n", "🙂", "word ".repeat(90)), fc.string()), {
    maxLength: 30
  })

  it("loses nothing, and cuts at the same places however the text is divided", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(40), { maxLength: 60 }), (pieces, lengths) => {
        const whole = pieces.join("")
        const divided: Array<string> = []
        let at = 0
        for (const length of lengths) {
          divided.push(whole.slice(at, at + length))
          at += length
        }
        divided.push(whole.slice(at))
        expect(cut(divided)).toEqual(cut([whole]))
        expect(cut(divided).join("")).toBe(whole)
        for (const sentence of cut([whole])) expect(sentence.length).toBeLessThanOrEqual(400)
      }),
      { numRuns: numRuns(300) }
    )
  })
})
