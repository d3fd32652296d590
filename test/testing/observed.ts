import * as Effect from "effect/Effect"
import * as Agent from "../../src/Agent.js"
import { run } from "../../src/testing/run.js"
import * as VirtualTime from "../../src/testing/VirtualTime.js"
import type { Testing } from "../../src/testing.js"

/** What happens where the model says a text, in each response, and these things happen around it. */
export const observed = (
  text: string,
  modality: "text" | "audio",
  actions: ReadonlyArray<Testing.Action>
): Promise<Testing.Observation> => {
  const program: Testing.Program = {
    beginning: { _tag: "Afresh" },
    listens: "at once",
    toolChoice: "auto",
    modality,
    rolloverAfterMs: 3_300_000,
    journal: "preferred",
    transcribes: "never",
    imports: { outcome: "completed", item: "behind", ms: 0 },
    replies: [[{ _tag: "Says", text }]],
    steps: actions.map((action) => ({ action, thenRuns: "all" }))
  }
  const agent = Agent.make("Desk", { instructions: "" })
  const time = VirtualTime.make()
  return new Promise((resolve) =>
    Effect.runFork(Effect.map(run(agent, program, time, {}), resolve), { scheduler: time.scheduler })
  )
}
