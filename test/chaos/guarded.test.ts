import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { numRuns } from "../runs.js"
import { guarded, judges, replayOf, world } from "./zoo.js"

const maxSteps = 10
/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 600_000

describe("The laws, over random programs of whole sessions", () => {
  it.live(
    "hold where guardrails stop what the user and the model say",
    () =>
      Testing.chaos(guarded, { ...world([judges]), runs: numRuns(100), maxSteps }).pipe(
        Effect.tapErrorTag("LawsBroken", (broken) =>
          Effect.sync(() => console.error(replayOf("guarded", { ...broken, maxSteps })))
        ),
        Effect.map(({ programs }) => expect(programs).toBeGreaterThanOrEqual(numRuns(100)))
      ),
    patience
  )
})
