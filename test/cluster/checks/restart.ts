import * as Effect from "effect/Effect"
import { must, type Owned, startCalls } from "../calls.js"
import { spread } from "../figures.js"
import { type Check, within } from "./Check.js"

export const restart: Check = {
  name: "restart",
  title: "a killed node starts again at its address at once: every pair of nodes reaches the other",
  run: (stage) =>
    Effect.gen(function* () {
      const started = yield* stage.startAll()
      let nodes = started
      const first = yield* startCalls(started, 1, `${stage.prefix}-0`)
      const calls: Array<Owned> = [...first]
      const readyMs: Array<number> = []
      const reachedMs: Array<number> = []
      const rounds = stage.isSmall ? 2 : 20
      for (let round = 1; round <= rounds; round += 1) {
        const at = round % nodes.length
        const before = nodes[at]
        if (before === undefined) break
        yield* before.kill
        const again = yield* stage.start(before.spec)
        yield* again.untilReady
        readyMs.push(Date.now() - again.startedAt)
        nodes = nodes.with(at, again)
        calls.push(...(yield* startCalls([again], 1, `${stage.prefix}-${round}`)))
        // Each call, from each node: those of the node that was killed are by now with another one.
        const since = Date.now()
        yield* Effect.forEach(
          nodes,
          (node) =>
            Effect.forEach(calls, ({ call }) => must(node, call, { _tag: "Status" }), { concurrency: "unbounded" }),
          { concurrency: "unbounded" }
        )
        reachedMs.push(Date.now() - since)
      }
      return {
        figures: [
          `${rounds} restarts, ready again after ${spread(readyMs)}`,
          `every call from every node, once it is ready: ${spread(reachedMs)}`
        ],
        violations: reachedMs.flatMap((ms) => within(stage, ms, 5000, "Every call from every node"))
      }
    })
}
