import * as Effect from "effect/Effect"
import {
  doneTwice,
  findings,
  must,
  type Outcome,
  type Owned,
  say,
  startCalls,
  until,
  untilDone,
  untilPending,
  untilTaken,
  whileProbing
} from "../calls.js"
import { quantile, spread } from "../figures.js"
import type { Wanted } from "../mind.js"
import { type Check, type Stage, within } from "./Check.js"

/** One call in four for each way in which a call of a tool can outlive its node, or not. */
export const kinds = ["book", "look", "ship", "pay"] as const

export const kindOf = (at: number): (typeof kinds)[number] => kinds[at % kinds.length] ?? "book"

export const wantedOf = (kind: (typeof kinds)[number], ms: number): ReadonlyArray<Wanted> => [
  { tool: kind, ms: kind === "pay" ? 0 : ms }
]

/** Calls on all nodes, each in the midst of a tool call of its kind; those with `pay` wait for an approval. */
export const inTheMidst = (stage: Stage, ms: number) =>
  Effect.gen(function* () {
    const nodes = yield* stage.startAll()
    const [victim, ...others] = nodes
    const through = others.at(-1)
    if (victim === undefined || through === undefined) return yield* Effect.dieMessage("It takes two nodes.")
    // In turn for each node, so that each has all kinds.
    const calls = yield* startCalls(nodes, stage.perNode, stage.prefix)
    const kindByCall = new Map(calls.map(({ call }, at) => [call, kindOf(Math.floor(at / nodes.length))]))
    const kind = (call: string) => kindByCall.get(call) ?? "book"
    yield* Effect.forEach(calls, ({ call }) => say(through, call, 1), { concurrency: 8, discard: true })
    yield* untilDone(
      stage.machines,
      calls.map(({ call }) => call),
      1
    )
    yield* Effect.forEach(calls, ({ call }) => say(through, call, 2, wantedOf(kind(call), ms)), {
      concurrency: 8,
      discard: true
    })
    const paying = calls.filter(({ call }) => kind(call) === "pay").map(({ call }) => call)
    yield* until(
      "every tool has begun",
      30_000,
      Effect.map(stage.machines.acts, (acts) =>
        calls.filter(({ call }) => kind(call) !== "pay" && !acts.some((act) => act.call === call && act.turn === 2))
      ),
      (left) => left.length === 0,
      30
    )
    yield* untilPending(through, paying)
    return { nodes, victim, through, calls, kind, paying }
  })

/** Approves what waits, ends the turn, and takes one more, in which nothing may go wrong. */
export const goOn = (
  stage: Stage,
  through: Parameters<typeof must>[0],
  calls: ReadonlyArray<Owned>,
  paying: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const names = calls.map(({ call }) => call)
    for (const { call, toolCallId } of yield* untilPending(through, paying)) {
      yield* must(through, call, { _tag: "Approve", toolCallId })
    }
    yield* untilDone(stage.machines, names, 2, 90_000)
    yield* Effect.forEach(names, (call) => say(through, call, 3, [{ tool: "note", ms: 0 }]), {
      concurrency: 8,
      discard: true
    })
    yield* untilDone(stage.machines, names, 3)
  })

export const failed = (outcomes: ReadonlyArray<Outcome>): ReadonlyArray<string> =>
  outcomes.flatMap(({ call, error }) => (error === undefined ? [] : `${call}: ${error._tag}: ${error.message}`))

export const kill: Check = {
  name: "kill",
  title: "a node is killed with calls of four kinds open: nothing lost, nothing twice, the others notice nothing",
  run: (stage) =>
    Effect.gen(function* () {
      const { calls, kind, paying, through, victim } = yield* inTheMidst(stage, stage.isSmall ? 6000 : 12_000)
      const orphans = calls.filter(({ node }) => node === victim).map(({ call }) => call)
      const healthy = calls.filter(({ node }) => node !== victim).map(({ call }) => call)
      const since = Date.now()
      const killed = Effect.zipRight(victim.kill, untilTaken(stage.database.query, orphans, victim, since))
      const reached = Effect.forEach(orphans, (call) => must(through, call, { _tag: "Status" }), {
        concurrency: "unbounded"
      })
      const [[taken, again], probed] = yield* whileProbing(
        through,
        healthy,
        500,
        Effect.all([killed, Effect.delay(reached, 200)], { concurrency: "unbounded" })
      )
      yield* goOn(stage, through, calls, paying)
      const acts = yield* stage.machines.acts
      const runs = acts.filter(({ call, tool }) => kind(call) === "look" && orphans.includes(call) && tool === "look")
      const slowest = quantile(
        probed.map(({ ms }) => ms),
        0.95
      )
      const p95 = quantile(taken, 0.95)
      return {
        figures: [
          `taken over after the kill, lease ${stage.leaseMs / 1000} s: ${spread(taken)}`,
          `commands to these calls, sent 0.2 s after the kill: ${spread(again.map(({ ms }) => ms))}`,
          `commands to calls of other nodes meanwhile: ${spread(probed.map(({ ms }) => ms))}, ${failed(probed).length} failed`,
          `idempotent tools of the dead node: ${new Set(runs.map(({ key }) => key)).size} calls, ${runs.length} runs`
        ],
        violations: [
          ...(yield* findings(
            stage.machines,
            calls.map(({ call }) => call)
          )),
          ...(yield* doneTwice(stage.machines, stage.prefix)),
          ...failed(probed),
          ...within(stage, p95, stage.leaseMs + 1000, "The p95 of the take-over"),
          ...within(stage, slowest, 1000, "The p95 of commands to calls of other nodes")
        ]
      }
    })
}
