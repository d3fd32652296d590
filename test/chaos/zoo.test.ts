import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { numRuns } from "../runs.js"
import { LedgerLive, secret, zoo } from "./zoo.js"

describe("The laws, over random programs of whole sessions", () => {
  it.live(
    "hold for tools of every temper, agents in a circle, and a network that fails",
    () =>
      Effect.map(
        Testing.chaos(zoo, { runs: numRuns(1700), maxSteps: 10, layer: LedgerLive, secrets: [secret] }),
        ({ programs }) => expect(programs).toBeGreaterThanOrEqual(numRuns(1700))
      ),
    180_000
  )
})
