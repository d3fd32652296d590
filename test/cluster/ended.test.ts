import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import { desk, makeCluster, meanwhile, pass } from "./nodes.js"

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** How many of them are still in memory. */
const kept = (all: ReadonlyArray<WeakRef<object>>) =>
  Effect.gen(function* () {
    for (let times = 0; times < 5; times += 1) {
      yield* turn
      collectGarbage()
    }
    return all.filter((one) => one.deref() !== undefined).length
  })

const names = Array.from({ length: 20 }, (_, at) => `call-${at}`)

describe("Of calls that are over, a node keeps", () => {
  it.scoped("nothing when they have ended, and nothing when they went to another node", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const turns = names.map(() => [ScriptedModel.say("Good day!")])
      const options = { lease: "3 seconds" } as const
      const one = yield* cluster.node(1, { agent: desk, turns, options })
      const two = yield* cluster.node(2, { agent: desk, options })
      const begun: Array<WeakRef<object>> = []
      yield* meanwhile(
        Effect.forEach(names, (callId) =>
          Effect.gen(function* () {
            begun.push(new WeakRef(yield* one.host.start({ callId })))
            yield* cluster.calls.get(callId).sendText("Hello.")
          })
        )
      )
      yield* pass(1)
      expect(yield* kept(begun)).toBe(names.length)
      const [ended, moved] = [names.slice(0, 10), names.slice(10)]
      yield* meanwhile(Effect.forEach(ended, (callId) => cluster.calls.get(callId).close))
      yield* meanwhile(Effect.forEach(moved, (callId) => Effect.asVoid(two.host.adopt(callId))))
      yield* pass(1)
      expect(yield* one.host.count).toBe(0)
      expect(yield* two.host.count).toBe(moved.length)
      expect(yield* kept(begun)).toBe(0)
    })
  )
})
