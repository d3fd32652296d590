import * as Effect from "effect/Effect"
import { say, startCalls, untilDone } from "../calls.js"
import { quantile, spread } from "../figures.js"
import type { Used } from "../usage.js"
import { type Check, expect, within } from "./Check.js"

export const speed: Check = {
  name: "speed",
  title: "commands from another process are quick, and no audio passes between the nodes",
  isAlone: true,
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll()
      const [owner, other] = nodes
      if (owner === undefined || other === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const calls = (yield* startCalls([owner], 4, stage.prefix)).map(({ call }) => call)
      yield* Effect.forEach(calls, (call) => say(other, call, 1))
      yield* untilDone(stage.machines, calls, 1)
      const times = (through: typeof owner, tag: string, count: number) =>
        through.ask<ReadonlyArray<number>>("bench", { calls, said: { _tag: tag }, count })
      const count = stage.isSmall ? 200 : 2000
      // The first ones load what is needed, and open the way.
      yield* times(other, "Interrupt", 50)
      const interrupt = yield* times(other, "Interrupt", count)
      const status = yield* times(other, "Status", count)
      const near = yield* times(owner, "Interrupt", count)
      yield* Effect.forEach(nodes, (node) => node.ask("usage"))
      yield* owner.ask("speak", { calls })
      yield* Effect.sleep("5 seconds")
      const carried = yield* Effect.forEach(nodes, (node) => node.ask<Used>("usage"))
      const cluster = carried.reduce((sum, { clusterBytes }) => sum + clusterBytes, 0)
      const audio = carried.reduce((sum, { audioBytes }) => sum + audioBytes, 0)
      const [p50, p99] = [quantile(interrupt, 0.5), quantile(interrupt, 0.99)]
      return {
        figures: [
          `interrupt, from another process: ${spread(interrupt)}`,
          `interrupt, in the same process: ${spread(near)}`,
          `status, from another process: ${spread(status)}`,
          `5 s of talk in ${calls.length} calls: ${audio} bytes of audio; ${cluster} bytes between the nodes`
        ],
        violations: [
          ...within(stage, p50, 3, "The p50 of interrupt"),
          ...within(stage, p99, 20, "The p99 of interrupt"),
          ...expect(audio > 500_000, `Only ${audio} bytes of audio were heard.`),
          ...expect(cluster < audio / 20, `${cluster} bytes passed between the nodes.`)
        ]
      }
    })
}
