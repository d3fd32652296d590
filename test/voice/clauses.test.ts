import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { clausesOf } from "../../src/voice/clauses.js"
import { numRuns } from "../runs.js"

describe("The clauses of a sentence", () => {
  it("end at a comma, a colon or a dash, unless one of the two parts would be short", () => {
    expect(clausesOf("It is sunny in Paris today, and it rains in London.")).toEqual([
      "It is sunny in Paris today, ",
      "and it rains in London."
    ])
    expect(clausesOf("Sorry, it rains in London.")).toEqual(["Sorry, it rains in London."])
    expect(clausesOf("The total of the bill is 1,250.50 euros.")).toEqual(["The total of the bill is 1,250.50 euros."])
  })

  it("are short enough to be spoken soon, and lose no text", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", ", ", " ", "—", "😀", "b; "), maxLength: 400 }),
        (sentence) => {
          const clauses = clausesOf(sentence)
          expect(clauses.join("")).toBe(sentence)
          for (const clause of clauses) expect(clause.length).toBeLessThanOrEqual(140)
          for (const clause of clauses) expect(() => encodeURIComponent(clause)).not.toThrow()
        }
      ),
      { numRuns: numRuns(200) }
    )
  })
})
