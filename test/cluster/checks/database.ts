/** Bad days of the database: it is slow, it was restored from a backup, somebody deleted a row by hand. */
import * as Effect from "effect/Effect"
import { command, directory, findings, must, say, startCalls, until, untilDone, untilTaken } from "../calls.js"
import { milliseconds, spread } from "../figures.js"
import { words } from "../mind.js"
import * as Proxy from "../proxy.js"
import { type Check, specs, within } from "./Check.js"

export const slowDatabase: Check = {
  name: "slow-database",
  title: "the database takes 300 ms longer for each answer, and a node joins: calls talk on, nobody is declared dead",
  run: (stage) =>
    Effect.gen(function* () {
      const proxy = yield* Proxy.make(stage.machines.postgres)
      const slow = new URL(stage.database.url)
      slow.hostname = "127.0.0.1"
      slow.port = String(proxy.port)
      const [first, second] = specs(2).map((spec) => ({ ...spec, leaseMs: 6000, databaseUrl: slow.href }))
      if (first === undefined || second === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const [through] = yield* stage.startAll([first])
      if (through === undefined) return yield* Effect.dieMessage("It takes a node.")
      const names = (yield* startCalls([through], 3, stage.prefix)).map(({ call }) => call)
      yield* proxy.delay(150)
      // It takes shards from the first one, which must renew its locks meanwhile.
      yield* stage.startAll([second])
      const turns = stage.isSmall ? [1, 2] : [1, 2, 3, 4, 5]
      const times: Array<number> = []
      for (const turn of turns) {
        const outcomes = yield* Effect.forEach(names, (call) => say(through, call, turn, [{ tool: "note", ms: 0 }]), {
          concurrency: "unbounded"
        })
        times.push(...outcomes.map(({ ms }) => ms))
        yield* untilDone(stage.machines, names, turn)
      }
      yield* Effect.sleep(stage.isSmall ? 0 : 12_000)
      const rows = yield* directory(stage.database.query)
      return {
        figures: [`commands: ${spread(times)}`],
        violations: [
          ...(yield* findings(stage.machines, names)),
          ...rows
            .filter(({ epoch, state }) => epoch !== 1 || state !== "live")
            .map(({ call, epoch, state }) => `${call} is ${state} in epoch ${epoch}.`)
        ]
      }
    })
}

export const restored: Check = {
  name: "restored",
  title: "the database is restored from a backup: calls that it knows go on, later ones end, and nothing hangs",
  isAlone: true,
  skipped: (process.env["DATABASE_URL"] ?? "") === "" ? undefined : "the server of DATABASE_URL is not ours to restore",
  run: (stage) =>
    Effect.gen(function* () {
      const { own } = stage.machines.postgres
      const nodes = yield* stage.startAll(specs(2))
      const [owner, other] = nodes
      if (own === undefined || owner === undefined || other === undefined) {
        return yield* Effect.dieMessage("It takes a database of its own, and two nodes.")
      }
      const [before] = (yield* startCalls([owner], 1, `${stage.prefix}-before`)).map(({ call }) => call)
      if (before === undefined) return yield* Effect.dieMessage("It takes a call.")
      yield* say(other, before, 1)
      yield* untilDone(stage.machines, [before], 1)
      yield* own.backUp
      yield* Effect.sleep(stage.leaseMs)
      const [after] = (yield* startCalls([owner], 1, `${stage.prefix}-after`)).map(({ call }) => call)
      if (after === undefined) return yield* Effect.dieMessage("It takes a call.")
      yield* say(other, after, 1)
      yield* say(other, before, 2)
      yield* untilDone(stage.machines, [before, after], 1)
      yield* untilDone(stage.machines, [before], 2)
      yield* own.restore
      const back = Date.now()
      const known = yield* must(other, before, { _tag: "Status" })
      const knownMs = Date.now() - back
      const forgotten = yield* command(other, after, { _tag: "SendText", text: words(after, 2) }, { deadlineMs: 5000 })
      yield* say(other, before, 3)
      yield* untilDone(stage.machines, [before], 3)
      // Its journal is not there any more: the next record, at the latest, ends it. Its node may add its row again first.
      const [ended, { endedAt }] = yield* until(
        "the call begun since the backup has ended",
        30_000,
        Effect.zip(
          command(other, after, { _tag: "SendText", text: words(after, 3) }, { deadlineMs: 5000 }),
          Effect.map(stage.machines.facts, (facts) => ({
            endedAt: facts.find(({ call }) => call === after)?.connections.map((one) => one.endedAt)
          }))
        ),
        ([{ error }, { endedAt }]) =>
          ["CallEnded", "CallUnknown"].includes(error?._tag ?? "") && endedAt?.includes(undefined) === false,
        500
      )
      const endedMs = Math.max(...(endedAt ?? []).map((at) => at ?? Number.POSITIVE_INFINITY)) - back
      return {
        figures: [
          `a call that the backup has: answers again after ${milliseconds(knownMs)} (${milliseconds(known.ms)})`,
          `a call begun since the backup: words met ${forgotten.error?._tag ?? "no error"} after ${milliseconds(forgotten.ms)}; it left the model after ${milliseconds(endedMs)}, and then words met ${ended.error?._tag}`
        ],
        violations: [
          ...(yield* findings(stage.machines, [before])),
          ...within(stage, forgotten.ms, 6000, "The command to a call begun since the backup")
        ]
      }
    })
}

export const deletedRow: Check = {
  name: "deleted-row",
  title: "somebody deletes the row of a call by hand: its node adds it again, and the call goes on",
  run: (stage) =>
    Effect.gen(function* () {
      const nodes = yield* stage.startAll(specs(2))
      const [owner, other] = nodes
      if (owner === undefined || other === undefined) return yield* Effect.dieMessage("It takes two nodes.")
      const names = (yield* startCalls([owner], 2, stage.prefix)).map(({ call }) => call)
      yield* Effect.forEach(names, (call) => say(other, call, 1))
      yield* untilDone(stage.machines, names, 1)
      const [deleted = ""] = names
      const since = Date.now()
      yield* stage.database.query("DELETE FROM effect_realtime_call WHERE call_id = $1", [deleted])
      yield* until(
        "the row is there again",
        10_000,
        directory(stage.database.query),
        (rows) => rows.some(({ call, state }) => call === deleted && state === "live"),
        30
      )
      const againMs = Date.now() - since
      yield* Effect.forEach(names, (call) => say(other, call, 2))
      yield* untilDone(stage.machines, names, 2)
      // It can be taken over as before.
      const killedAt = Date.now()
      yield* owner.kill
      const taken = yield* untilTaken(stage.database.query, names, owner, killedAt)
      yield* Effect.forEach(names, (call) => say(other, call, 3))
      yield* untilDone(stage.machines, names, 3)
      return {
        figures: [`the row is there again after ${milliseconds(againMs)}; then a kill: taken over ${spread(taken)}`],
        violations: yield* findings(stage.machines, names)
      }
    })
}
