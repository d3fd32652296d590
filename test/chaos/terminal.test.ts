import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { numRuns } from "../runs.js"
import { replayOf, terminal, world } from "./zoo.js"

const maxSteps = 10
/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 600_000

describe("The laws, over random programs of whole sessions", () => {
  it.live(
    "hold for tools whose failure ends the session",
    () =>
      Testing.chaos(terminal, { ...world(), runs: numRuns(300), maxSteps }).pipe(
        Effect.tapErrorTag("LawsBroken", (broken) =>
          Effect.sync(() => console.error(replayOf("terminal", { ...broken, maxSteps })))
        ),
        Effect.map(({ programs }) => expect(programs).toBeGreaterThanOrEqual(numRuns(300)))
      ),
    patience
  )
})
