import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { isDeep, numRuns } from "../runs.js"
import { replayOf, world, zoo } from "./zoo.js"

/** Each is a whole conversation: some ten in a second. */
const runs = isDeep ? numRuns(1700) : 60
const maxSteps = 10
/** Many times the usual duration, in milliseconds: the machine may be busy. */
const patience = 600_000

describe("The laws, over random programs of whole sessions", () => {
  it.live(
    "hold for tools of every kind, agents in a cycle, and a network that fails",
    () =>
      Testing.chaos(zoo, { ...world(), runs, maxSteps }).pipe(
        Effect.tapErrorTag("LawsBroken", (broken) =>
          Effect.sync(() => console.error(replayOf("zoo", { ...broken, maxSteps })))
        ),
        Effect.map(({ programs }) => expect(programs).toBeGreaterThanOrEqual(runs))
      ),
    patience
  )
})
