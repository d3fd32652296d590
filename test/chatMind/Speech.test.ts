import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { Speech } from "../../src/chatMind/Speech.js"

const said = (...pieces: ReadonlyArray<string>): string => {
  const speech = new Speech()
  return [...pieces.map((piece) => speech.push(piece)), speech.end()].join("")
}

describe("Speech", () => {
  it.each<[written: string, heard: string]>([
    ["Good day.", "Good day."],
    ["\n\n Good day.\n", "Good day.\n"],
    ["<think>\nA guest. Greet her.\n</think>\n\nGood day.", "Good day."],
    ["<think></think><think>Again.</think>Good day.", "Good day."],
    ["<think>I never come to an end", ""],
    ["<thing> is no word.", "<thing> is no word."],
    ["<thi", "<thi"],
    ["Say <think>this</think> aloud.", "Say <think>this</think> aloud."],
    [" \n ", ""]
  ])("of %j is %j, also if it comes letter by letter", (written, heard) => {
    expect(said(written)).toBe(heard)
    expect(said(...written)).toBe(heard)
  })

  it("is the same wherever the text is split", () => {
    const piece = FastCheck.oneof(
      FastCheck.constantFrom("<think>", "</think>", "<", ">", "think", "/", " ", "\n", "a"),
      FastCheck.string({ maxLength: 3 })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(piece), (pieces) => {
        expect(said(...pieces)).toBe(said(pieces.join("")))
      })
    )
  })

  it("does not wait for the end of what it says", () => {
    const speech = new Speech()
    expect([speech.push("Good"), speech.push(" day")]).toEqual(["Good", " day"])
  })
})
