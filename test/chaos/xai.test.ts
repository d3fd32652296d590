import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { isDeep, numRuns } from "../runs.js"
import { stage } from "./xai.js"
import { replayOf, world, zoo } from "./zoo.js"

const runs = isDeep ? numRuns(150) : 15
const maxSteps = 10
/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 600_000

describe("The laws, over random programs with the dialect of xAI", () => {
  it.live(
    "hold for responses without an end, items without an id, and a ping now and then",
    () =>
      Testing.chaos(zoo, { ...world(), runs, maxSteps }).pipe(
        Effect.provide(stage),
        Effect.tapErrorTag("LawsBroken", (broken) =>
          Effect.sync(() => console.error(replayOf("xai", { ...broken, maxSteps })))
        ),
        Effect.map(({ programs }) => expect(programs).toBeGreaterThanOrEqual(runs))
      ),
    patience
  )
})
