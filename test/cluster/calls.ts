/** What the checks do with calls: through the nodes, as an application would. */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type { CallStatus } from "../../src/cluster/Command.js"
import type { NoAnswer } from "./control.js"
import type { CallFacts } from "./facts.js"
import type { Machines, Node } from "./machines.js"
import { type Wanted, words } from "./mind.js"
import type { Query } from "./postgres.js"

/** It did not come to this in time. */
export class TooLate extends Data.TaggedError("TooLate")<{ readonly message: string }> {}

/** A command as it came out, and how long it took in the process that sent it. */
export interface Outcome {
  readonly call: string
  readonly at: number
  readonly ms: number
  readonly value?: unknown
  readonly error?: { readonly _tag: string; readonly message: string }
}

export type Said =
  | { readonly _tag: "SendText"; readonly text: string }
  | { readonly _tag: "Approve" | "Reject"; readonly toolCallId: string }
  | { readonly _tag: "UpdateAgent"; readonly agent: string }
  | { readonly _tag: "Interrupt" | "Close" | "Status" }

export interface Owned {
  readonly call: string
  readonly node: Node
}

/** Starts calls on each of these nodes, and gives them in turn: one of the first node, one of the second, … */
export const startCalls = (
  nodes: ReadonlyArray<Node>,
  perNode: number,
  prefix: string
): Effect.Effect<ReadonlyArray<Owned>, NoAnswer> =>
  Effect.forEach(
    nodes,
    (node) => {
      const calls = Array.from({ length: perNode }, (_, at) => `${prefix}-${node.name}-${at + 1}`)
      return Effect.as(
        node.ask("start", { calls }),
        calls.map((call) => ({ call, node }))
      )
    },
    { concurrency: "unbounded" }
  ).pipe(Effect.map((all) => Array.from({ length: perNode }, (_, at) => all.flatMap((own) => own[at] ?? [])).flat()))

/** Sends a command through a node, whichever has the call. */
export const command = (
  through: Node,
  call: string,
  said: Said,
  options: { readonly itemId?: string; readonly deadlineMs?: number } = {}
): Effect.Effect<Outcome, NoAnswer> => through.ask("command", { call, said, ...options })

/** Like `command`, and a failure of the command is a defect. */
export const must = (through: Node, call: string, said: Said): Effect.Effect<Outcome, NoAnswer> =>
  Effect.tap(command(through, call, said), ({ error }) =>
    error === undefined ? Effect.void : Effect.dieMessage(`${said._tag} to ${call}: ${error._tag}: ${error.message}`)
  )

export const say = (
  through: Node,
  call: string,
  turn: number,
  wanted: ReadonlyArray<Wanted> = []
): Effect.Effect<Outcome, NoAnswer> => must(through, call, { _tag: "SendText", text: words(call, turn, wanted) })

export const status = (through: Node, call: string): Effect.Effect<CallStatus, NoAnswer> =>
  // The border with JSON: the node's own answer.
  Effect.map(must(through, call, { _tag: "Status" }), ({ value }) => value as CallStatus)

/** Waits until something is true, and says what it was if it never is. */
export const until = <A, E, R>(
  what: string,
  withinMs: number,
  look: Effect.Effect<A, E, R>,
  isSo: (seen: A) => boolean,
  everyMs = 100
): Effect.Effect<A, E | TooLate, R> =>
  Effect.gen(function* () {
    const end = Date.now() + withinMs
    while (true) {
      const seen = yield* look
      if (isSo(seen)) return seen
      if (Date.now() > end) {
        const text = JSON.stringify(seen) ?? ""
        return yield* new TooLate({
          message: `Not within ${withinMs / 1000} s: ${what}. It was: ${text.slice(0, 2000)}`
        })
      }
      yield* Effect.sleep(everyMs)
    }
  })

const undone = (facts: ReadonlyArray<CallFacts>, calls: ReadonlyArray<string>, turn: number): ReadonlyArray<string> =>
  calls.filter((call) => {
    const turns = facts.find((one) => one.call === call)?.turns ?? []
    return !turns.some((one) => one.turn === turn && one.isDone)
  })

/** Waits until the model has come to the end of a turn in all these calls. */
export const untilDone = (
  machines: Machines,
  calls: ReadonlyArray<string>,
  turn: number,
  withinMs = 60_000
): Effect.Effect<void, TooLate> =>
  Effect.asVoid(
    until(
      `turn ${turn} is done in every call`,
      withinMs,
      Effect.map(machines.facts, (facts) => undone(facts, calls, turn)),
      (left) => left.length === 0
    )
  )

/** What the directory says of a call. */
export interface Row {
  readonly call: string
  readonly nodeId: string
  /** `host:port` of the node, if the directory has it still. */
  readonly address: string | undefined
  readonly epoch: number
  readonly state: string
}

export const directory = (query: Query): Effect.Effect<ReadonlyArray<Row>> =>
  Effect.map(
    query(
      `SELECT c.call_id, c.node_id, n.address, c.epoch, c.state
       FROM effect_realtime_call c LEFT JOIN effect_realtime_node n ON n.node_id = c.node_id ORDER BY c.call_id`
    ),
    (rows) =>
      rows.map((row) => ({
        call: String(row["call_id"]),
        nodeId: String(row["node_id"]),
        address: row["address"] === null ? undefined : String(row["address"]),
        epoch: Number(row["epoch"]),
        state: String(row["state"])
      }))
  )

/** Waits until these calls are live at another node, and gives how long after `since` each of them was. */
export const untilTaken = (
  query: Query,
  calls: ReadonlyArray<string>,
  from: Node,
  since: number,
  withinMs = 60_000
): Effect.Effect<ReadonlyArray<number>, TooLate> =>
  Effect.gen(function* () {
    const own = `${from.host}:${from.port}`
    const taken = new Map<string, number>()
    yield* until(
      "every call has a new node",
      withinMs,
      Effect.map(directory(query), (rows) => {
        for (const { address, call, state } of rows) {
          if (state === "live" && address !== own && calls.includes(call) && !taken.has(call))
            taken.set(call, Date.now() - since)
        }
        return calls.filter((call) => !taken.has(call))
      }),
      (left) => left.length === 0,
      30
    )
    return [...taken.values()]
  })

/** Calls whose decision is awaited, seen through a node. */
export const untilPending = (
  through: Node,
  calls: ReadonlyArray<string>,
  withinMs = 60_000
): Effect.Effect<ReadonlyArray<{ readonly call: string; readonly toolCallId: string }>, TooLate | NoAnswer> =>
  Effect.forEach(
    calls,
    (call) =>
      Effect.map(
        until(
          `${call} waits for an approval`,
          withinMs,
          status(through, call),
          (seen) => seen.pendingApprovals.length > 0
        ),
        ({ pendingApprovals }) => pendingApprovals.map(({ toolCallId }) => ({ call, toolCallId }))
      ),
    { concurrency: 8 }
  ).pipe(Effect.map((all) => all.flat()))

/** Lets a node ask for the status of calls, each again and again, until the effect is over; gives what it met. */
export const whileProbing = <A, E, R>(
  through: Node,
  calls: ReadonlyArray<string>,
  everyMs: number,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<readonly [A, ReadonlyArray<Outcome>], E | NoAnswer, R> =>
  Effect.gen(function* () {
    yield* through.ask("probe", { calls, everyMs })
    const value = yield* effect
    return [value, yield* through.ask<ReadonlyArray<Outcome>>("probed")] as const
  })

/** What is wrong with these calls as the model had them: nothing, if no output is missing or doubled. */
export const findings = (machines: Machines, calls: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(machines.facts, (facts) =>
    calls.flatMap((call) => {
      const own = facts.find((one) => one.call === call)
      if (own === undefined) return [`${call}: the model never heard of it.`]
      const unanswered = own.outputs.flatMap(({ callId, output, tool }) =>
        output === undefined ? [`${call}: ${tool} (${callId}) has no output.`] : []
      )
      return [...own.violations, ...unanswered]
    })
  )

/** Tools that must not run twice and did. The others have a key, by which whoever is asked twice does it once. */
export const doneTwice = (machines: Machines, prefix: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.map(machines.acts, (acts) => {
    const once = acts.filter(({ call, tool }) => call.startsWith(prefix) && ["book", "note", "pay"].includes(tool))
    const keys = once.map(({ key, tool }) => `${tool} ${key}`)
    return keys.flatMap((key, at) => (keys.indexOf(key) === at ? [] : [`${key} was done twice.`]))
  })
