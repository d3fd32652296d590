import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { numRuns } from "../runs.js"
import { stage } from "./calls.js"
import { replayOf, world, zoo } from "./zoo.js"

const maxSteps = 10
/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 600_000

describe("The laws, over random programs of sessions beside a call", () => {
  it.live(
    "hold where the server keeps the conversation, plays the audio, and goes on while nobody is connected",
    () =>
      Testing.chaos(zoo, { ...world(), runs: numRuns(100), maxSteps }).pipe(
        Effect.provide(stage),
        Effect.tapErrorTag("LawsBroken", (broken) =>
          Effect.sync(() => console.error(replayOf("calls", { ...broken, maxSteps })))
        ),
        Effect.map(({ programs }) => expect(programs).toBeGreaterThanOrEqual(numRuns(100)))
      ),
    patience
  )
})
