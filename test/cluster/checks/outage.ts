import * as Effect from "effect/Effect"
import { directory, findings, must, say, startCalls, untilDone } from "../calls.js"
import { milliseconds } from "../figures.js"
import { type Check, within } from "./Check.js"

export const outage: Check = {
  name: "outage",
  title: "the database stops and comes back: no session ends, nobody is declared dead, commands work again",
  isAlone: true,
  skipped: (process.env["DATABASE_URL"] ?? "") === "" ? undefined : "the server of DATABASE_URL is not ours to stop",
  run: (stage) =>
    Effect.gen(function* () {
      const { own } = stage.machines.postgres
      const nodes = yield* stage.startAll()
      const [through] = nodes
      if (own === undefined || through === undefined) return yield* Effect.dieMessage("It takes a database of its own.")
      const calls = yield* startCalls(nodes, stage.perNode, stage.prefix)
      const names = calls.map(({ call }) => call)
      yield* Effect.forEach(names, (call) => say(through, call, 1), { concurrency: 8 })
      yield* untilDone(stage.machines, names, 1)
      yield* own.stop
      const awayMs = stage.isSmall ? 8000 : 20_000
      yield* Effect.sleep(awayMs)
      yield* own.start
      const back = Date.now()
      yield* Effect.forEach(names, (call) => must(through, call, { _tag: "Status" }), { concurrency: "unbounded" })
      const againMs = Date.now() - back
      yield* Effect.forEach(names, (call) => say(through, call, 2, [{ tool: "note", ms: 0 }]), { concurrency: 8 })
      yield* untilDone(stage.machines, names, 2)
      // Whoever was wrongly declared dead would be taken over by now.
      yield* Effect.sleep(2 * stage.leaseMs)
      const rows = yield* directory(stage.database.query)
      const facts = yield* stage.machines.facts
      return {
        figures: [`away for ${awayMs / 1000} s; every call answers again after ${milliseconds(againMs)}`],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...rows
            .filter(({ epoch, state }) => epoch !== 1 || state !== "live")
            .map(({ call, epoch, state }) => `${call} is ${state} in epoch ${epoch}.`),
          ...facts
            .filter(({ call, connections }) => names.includes(call) && connections.length !== 1)
            .map(({ call }) => `${call} was connected to the model again.`),
          ...within(stage, againMs, 2000, "Commands work again")
        ]
      }
    })
}
