import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { isDeep, numRuns } from "../runs.js"
import { anew, mistakes, resuming } from "./gemini.js"
import { geminiZoo, world } from "./zoo.js"

const runs = isDeep ? numRuns(100) : 10
/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 900_000

describe("The laws, over random programs with Gemini", () => {
  it.live.each([
    { title: "where each connection begins a new conversation", stage: anew },
    { title: "where the conversation lives on", stage: resuming }
  ])(
    "hold for a server that makes the responses, takes calls back, and knows no truncation, $title",
    ({ stage }) =>
      Testing.chaos(geminiZoo, { ...world(), runs, maxSteps: 10 }).pipe(
        Effect.provide(stage),
        Effect.map(({ programs }) => expect([programs, mistakes]).toEqual([runs, []]))
      ),
    patience
  )
})
