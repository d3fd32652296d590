import * as Effect from "effect/Effect"
import { findings, must, say, startCalls, untilDone, whileProbing } from "../calls.js"
import { milliseconds, spread } from "../figures.js"
import { type Check, expect } from "./Check.js"
import { failed } from "./kill.js"

export const join: Check = {
  name: "join",
  title: "a node joins and leaves while calls talk: no session ends, no command fails",
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll()
      const [through] = nodes
      if (through === undefined) return yield* Effect.dieMessage("It takes a node.")
      const calls = yield* startCalls(nodes, stage.perNode, stage.prefix)
      const names = calls.map(({ call }) => call)
      const talk = (turn: number) =>
        Effect.zipRight(
          Effect.forEach(names, (call) => say(through, call, turn, [{ tool: "note", ms: 300 }]), {
            concurrency: 8,
            discard: true
          }),
          untilDone(stage.machines, names, turn)
        )
      let joinedMs = 0
      const visit = Effect.gen(function* () {
        const guest = yield* stage.start({ name: "guest" })
        yield* guest.untilReady
        const [own] = yield* startCalls([guest], 1, stage.prefix)
        const began = Date.now()
        if (own !== undefined) {
          yield* must(through, own.call, { _tag: "Status" })
          joinedMs = Date.now() - began
          // From the guest to calls of all others.
          yield* Effect.forEach(names, (call) => must(guest, call, { _tag: "Status" }), { concurrency: 8 })
          yield* must(through, own.call, { _tag: "Close" })
        }
        yield* guest.signal("SIGTERM")
        return yield* guest.ended
      })
      const [[ending], probed] = yield* whileProbing(
        through,
        names,
        500,
        Effect.all([visit, Effect.forEach(stage.isSmall ? [1, 2] : [1, 2, 3, 4], talk)], { concurrency: "unbounded" })
      )
      const facts = yield* stage.machines.facts
      const moved = facts.filter(({ call, connections }) => names.includes(call) && connections.length !== 1)
      return {
        figures: [
          `the first command to a call of the new node, from another: ${milliseconds(joinedMs)}`,
          `commands meanwhile: ${spread(probed.map(({ ms }) => ms))}, ${failed(probed).length} failed`
        ],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...failed(probed),
          ...moved.map(({ call, connections }) => `${call} had ${connections.length} connections.`),
          ...expect(ending.code === 0, `The node that left ended with ${ending.code ?? ending.signal}.`)
        ]
      }
    })
}
