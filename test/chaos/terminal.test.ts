import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Testing } from "../../src/testing.js"
import { numRuns } from "../runs.js"
import { LedgerLive, secret, terminal } from "./zoo.js"

describe("The laws, over random programs of whole sessions", () => {
  it.live(
    "hold for tools whose failure ends the session",
    () =>
      Effect.map(
        Testing.chaos(terminal, { runs: numRuns(300), maxSteps: 10, layer: LedgerLive, secrets: [secret] }),
        ({ programs }) => expect(programs).toBeGreaterThanOrEqual(numRuns(300))
      ),
    180_000
  )
})
