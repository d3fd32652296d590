import * as Effect from "effect/Effect"
import { doneTwice, findings, say, startCalls, until, untilDone } from "../calls.js"
import { milliseconds } from "../figures.js"
import { type Check, expect, specs } from "./Check.js"

export const durable: Check = {
  name: "durable",
  title: "the nodes of a durable tool and of its call are killed at once: one output, each part done once",
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll(specs(3))
      const [owner, ...others] = nodes
      if (owner === undefined) return yield* Effect.dieMessage("It takes three nodes.")
      const calls = (yield* startCalls([owner], stage.isSmall ? 2 : 8, stage.prefix)).map(({ call }) => call)
      yield* Effect.forEach(calls, (call) => say(owner, call, 1, [{ tool: "ship", ms: 4000 }]))
      const begun = yield* until(
        "every workflow has done its first part",
        30_000,
        Effect.map(stage.machines.acts, (acts) =>
          acts.filter(({ call, tool }) => calls.includes(call) && tool === "pack")
        ),
        (acts) => acts.length >= calls.length,
        30
      )
      // The owner, and one that runs workflows: of three nodes, one lives on.
      const running = others.find(({ name }) => begun.some(({ node }) => node === name)) ?? others[0]
      const since = Date.now()
      yield* Effect.forEach([owner, ...(running === undefined ? [] : [running])], ({ kill }) => kill, {
        concurrency: "unbounded"
      })
      yield* untilDone(stage.machines, calls, 1, 120_000)
      const tookMs = Date.now() - since
      const acts = (yield* stage.machines.acts).filter(({ call }) => calls.includes(call))
      const runs = (tool: string) => acts.filter((act) => act.tool === tool).length
      /** Whoever is asked to pack something again has its key. */
      const effects = (tool: string) => new Set(acts.flatMap((act) => (act.tool === tool ? act.key : []))).size
      const parts = ["pack", "carry"]
      return {
        figures: [
          `${calls.length} durable calls, two of three nodes killed: all answered ${milliseconds(tookMs)} later`,
          ...parts.map((part) => `${part}: ${effects(part)} effects, ${runs(part)} runs`)
        ],
        violations: [
          ...(yield* findings(stage.machines, calls)),
          ...(yield* doneTwice(stage.machines, stage.prefix)),
          ...parts.flatMap((part) =>
            expect(effects(part) === calls.length, `${part}: ${effects(part)} effects of ${calls.length}.`)
          )
        ]
      }
    })
}
