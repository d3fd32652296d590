import * as Effect from "effect/Effect"
import { directory, doneTwice, findings, say, startCalls, until, untilDone, untilTaken } from "../calls.js"
import { spread } from "../figures.js"
import { type Check, within } from "./Check.js"

export const pause: Check = {
  name: "pause",
  title: "a node is paused for longer than its lease, and wakes up: its calls are elsewhere, and its ghosts end",
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll()
      const [sleeper, ...others] = nodes
      const through = others.at(-1)
      if (sleeper === undefined || through === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const calls = yield* startCalls(nodes, Math.min(stage.perNode, 8), stage.prefix)
      const names = calls.map(({ call }) => call)
      const paused = calls.filter(({ node }) => node === sleeper).map(({ call }) => call)
      yield* Effect.forEach(names, (call) => say(through, call, 1, [{ tool: "book", ms: 4000 }]), { concurrency: 8 })
      yield* until(
        "every tool has begun",
        30_000,
        Effect.map(stage.machines.acts, (acts) => names.filter((call) => !acts.some((act) => act.call === call))),
        (left) => left.length === 0
      )
      const since = Date.now()
      yield* sleeper.signal("SIGSTOP")
      const taken = yield* untilTaken(stage.database.query, paused, sleeper, since)
      yield* untilDone(stage.machines, names, 1)
      // So long that its handlers would be done, had it not slept.
      yield* Effect.sleep(Math.max(0, 3 * stage.leaseMs - (Date.now() - since)))
      const wokenAt = Date.now()
      yield* sleeper.signal("SIGCONT")
      const ended = yield* until(
        "the ghosts' connections are over",
        20_000,
        Effect.map(stage.machines.facts, (facts) =>
          facts.flatMap(({ call, connections }) => (paused.includes(call) ? (connections[0]?.endedAt ?? 0) : []))
        ),
        (all) => all.every((at) => at > 0),
        50
      )
      const ghostMs = ended.map((at) => Math.max(0, at - wokenAt))
      yield* Effect.forEach(names, (call) => say(through, call, 2), { concurrency: 8 })
      yield* untilDone(stage.machines, names, 2)
      const rows = yield* directory(stage.database.query)
      return {
        figures: [`taken over: ${spread(taken)}`, `the ghosts ended after the node woke: ${spread(ghostMs)}`],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...(yield* doneTwice(stage.machines, stage.prefix)),
          ...rows.filter(({ state }) => state !== "live").map(({ call, state }) => `${call} is ${state}.`),
          ...within(stage, Math.max(...ghostMs), 2000, "The last ghost lived on")
        ]
      }
    })
}
