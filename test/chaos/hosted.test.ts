import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { isDeep, numRuns } from "../runs.js"
import { hosted, replayOf, world } from "./zoo.js"

const runs = isDeep ? numRuns(600) : 40
const maxSteps = 10
/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 600_000

describe("The laws, over random programs of agents with hosted servers", () => {
  it.live(
    "hold for imports that are slow, fail or never end, and for calls that the server makes itself",
    () =>
      Testing.chaos(hosted, { ...world(), runs, maxSteps }).pipe(
        Effect.tapErrorTag("LawsBroken", (broken) =>
          Effect.sync(() => console.error(replayOf("hosted", { ...broken, maxSteps })))
        ),
        Effect.map(({ programs }) => expect(programs).toBeGreaterThanOrEqual(runs))
      ),
    patience
  )
})
