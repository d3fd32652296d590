import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import * as Instruction from "../../../src/embedded/router/Instruction.js"
import { numRuns } from "../../runs.js"

const say = (words: string) => ({ _tag: "Say", words })

describe("An instruction to the router", () => {
  it.each([
    ["Tell the caller, in a few words: I am looking at the map.", say("I am looking at the map.")],
    ["Say: we close in five minutes", say("We close in five minutes.")],
    ['Politely decline, and reply with "Not today!" only.', say("Not today!")],
    ["Tell the user that you cannot discuss prices.", say("I cannot discuss prices.")],
    ["Explain that you're closed and your colleague is out. Be kind.", say("I'm closed and my colleague is out.")],
    ["Let them know that the order has shipped", say("The order has shipped.")],
    ["Greet the caller warmly.", { _tag: "Greet" }],
    ["Introduce yourself as the billing desk.", { _tag: "Greet" }],
    ["Apologise for the wait.", { _tag: "Apologise" }],
    ["Ask the caller for their booking number.", { _tag: "AskFor", what: "your booking number" }],
    ["Do not speak of Paris. Offer another city.", { _tag: "Decline" }],
    ["Do not say: we are closed", { _tag: "Decline" }],
    ["Don't greet the caller again.", { _tag: "Decline" }],
    ["Be brief.", { _tag: "Unknown" }],
    ["Summarize the call: at most two sentences.", { _tag: "Unknown" }]
  ])("%s", (text, instruction) => {
    expect(Instruction.read(text)).toEqual(instruction)
  })

  it("is read in a moment, whatever it says, and never makes the router say nothing", () => {
    const word = fc.constantFrom(
      "say",
      "tell the caller",
      "that",
      ":",
      ' "',
      "you",
      "not",
      "ask them for",
      ".",
      " ",
      "\n"
    )
    fc.assert(
      fc.property(fc.array(word, { maxLength: 2_000 }), (words) => {
        const instruction = Instruction.read(words.join(" "))
        if (instruction._tag === "Say") expect(instruction.words.trim()).not.toBe("")
        if (instruction._tag === "AskFor") expect(instruction.what.trim()).not.toBe("")
      }),
      { numRuns: numRuns(200) }
    )
  })
})
