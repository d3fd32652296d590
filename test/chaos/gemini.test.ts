import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { isDeep, numRuns } from "../runs.js"
import { anew, resuming } from "./gemini.js"
import { geminiZoo, replayOf, world } from "./zoo.js"

const runs = isDeep ? numRuns(100) : 10
const maxSteps = 10
/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 900_000

describe("The laws, over random programs with Gemini", () => {
  it.live.each([
    { title: "where each connection begins a new conversation", name: "gemini", stage: anew },
    { title: "where the conversation lives on", name: "gemini-resumes", stage: resuming }
  ])(
    "hold for a server that makes the responses, takes calls back, and knows no truncation, $title",
    ({ name, stage }) =>
      Testing.chaos(geminiZoo, { ...world(), runs, maxSteps }).pipe(
        Effect.provide(stage),
        Effect.tapErrorTag("LawsBroken", (broken) =>
          Effect.sync(() => console.error(replayOf(name, { ...broken, maxSteps })))
        ),
        Effect.map(({ programs }) => expect(programs).toBe(runs))
      ),
    patience
  )
})
