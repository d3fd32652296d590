import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Alignment from "../../src/machine/Alignment.js"
import { numRuns } from "../runs.js"

const whole = (heardMs: number, receivedMs: number) => ({ heardMs, receivedMs, isComplete: true })
const partial = (heardMs: number, receivedMs: number) => ({ heardMs, receivedMs, isComplete: false })

describe("Alignment", () => {
  it("goes by the time where all words came before the audio, or all behind it, or none by piece", () => {
    for (const receivedMs of [0, 4_000]) {
      const alignment = new Alignment.Alignment()
      alignment.said("a", 0, 40, receivedMs)
      expect(alignment.heard("a", 0, 40, whole(1_000, 4_000))).toBe(10)
      expect(alignment.heard("a", 0, 40, whole(4_000, 4_000))).toBe(40)
    }
    expect(new Alignment.Alignment().heard("a", 0, 40, whole(1_000, 4_000))).toBe(10)
  })

  it("takes no word for heard that came behind audio which was not", () => {
    const alignment = new Alignment.Alignment()
    alignment.said("a", 0, 5, 0)
    alignment.said("a", 0, 95, 3_000)
    // By the time alone, it would be 25.
    expect(alignment.heard("a", 0, 100, whole(1_000, 4_000))).toBe(1)
    expect(alignment.heard("a", 0, 100, whole(3_500, 4_000))).toBe(52)
  })

  it("of a part that is still made, takes no more for heard than can be said in the time", () => {
    const alignment = new Alignment.Alignment()
    alignment.said("a", 0, 1_000, 0)
    expect(alignment.heard("a", 0, 1_000, partial(1_000, 2_000))).toBe(12)
    alignment.said("b", 0, 40, 0)
    expect(alignment.heard("b", 0, 40, whole(10_000, 10_000))).toBe(40)
    alignment.forget((itemId) => (itemId === "b" ? whole(10_000, 10_000) : undefined))
    expect(alignment.heard("a", 0, 1_000, partial(1_000, 2_000))).toBe(4)
  })

  it("never takes a word for heard whose sound was not, wherever the words come ahead of it", () => {
    // A speaker at a steady pace; of each word, the server says so and so much ahead of its sound.
    const word = fc.record({ length: fc.integer({ min: 1, max: 12 }), ahead: fc.integer({ min: 0, max: 3_000 }) })
    const property = fc.property(
      fc.array(word, { minLength: 1, maxLength: 300 }),
      // The pace of a part that is still being generated is unknown: a slow speaker has said less.
      fc.integer({ min: 40, max: 83 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.boolean(),
      (words, msPerCharacter, share, isComplete) => {
        const alignment = new Alignment.Alignment()
        const total = words.reduce((sum, { length }) => sum + length, 0)
        const totalMs = total * msPerCharacter
        const receivedMs = isComplete ? totalMs : totalMs * share
        let begins = 0
        let said = 0
        let arrives = 0
        for (const { ahead, length } of words) {
          arrives = Math.max(arrives, begins * msPerCharacter - ahead)
          if (arrives > receivedMs) break
          alignment.said("a", 0, length, arrives)
          begins += length
          said += length
        }
        const heardMs = receivedMs * (isComplete ? share : 0.7)
        const heard = alignment.heard("a", 0, said, { heardMs, receivedMs, isComplete })
        // A word may be late by less than its own length.
        expect(heard * msPerCharacter).toBeLessThanOrEqual(heardMs + 1e-6)
      }
    )
    fc.assert(property, { numRuns: numRuns(300) })
  })

  it("remembers a bounded amount", () => {
    const alignment = new Alignment.Alignment()
    for (let ms = 0; ms < 100_000; ms += 100) alignment.said("a", 0, 2, ms)
    expect(alignment.heard("a", 0, 2_000, whole(50_000, 100_000))).toBeGreaterThan(990)
    for (let index = 0; index < 64; index += 1) alignment.said(`b${index}`, 0, 2, 1_000)
    // What is forgotten goes by the time.
    expect(alignment.heard("a", 0, 2_000, whole(50_000, 100_000))).toBe(1_000)
  })
})

describe("The words within a length", () => {
  it("are whole ones, also in languages without spaces", () => {
    const text = "Your code is 7429, isn't it?"
    expect([0, 3, 4, 5, 8, 9, 15, 17, 18, 24, 99].map((length) => Alignment.wordsWithin(text, length))).toEqual([
      "",
      "",
      "Your",
      "Your",
      "Your",
      "Your code",
      "Your code is",
      "Your code is 7429",
      "Your code is 7429,",
      "Your code is 7429, isn't",
      text
    ])
    expect(Alignment.wordsWithin("你好，欢迎来到我们的餐厅。", 4)).toBe("你好，")
    expect(Alignment.wordsWithin("👋🏽👋🏽", 3)).toBe("")
  })
})
