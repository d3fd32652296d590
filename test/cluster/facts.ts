/** What came of each call, as the model saw it on all connections that nodes opened for the call. */
import * as Effect from "effect/Effect"
import type * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { doneBy, turnOf } from "./mind.js"

export interface CallFacts {
  readonly call: string
  /** When a node connected for it, and when that connection ended, in milliseconds since 1970. */
  readonly connections: ReadonlyArray<{
    readonly number: number
    readonly at: number
    readonly endedAt: number | undefined
  }>
  /** The turns of its last conversation: what the caller said, and whether the model came to its end. */
  readonly turns: ReadonlyArray<{ readonly turn: number; readonly isDone: boolean }>
  /** Calls of tools in its last conversation, with the one output that each should have. */
  readonly outputs: ReadonlyArray<{
    readonly callId: string
    readonly tool: string
    readonly output: string | undefined
    /** When an output for it first came, on any connection. */
    readonly answeredAt: number | undefined
  }>
  /** Each is a sentence: there should be none. */
  readonly violations: ReadonlyArray<string>
}

const repeated = <A>(all: ReadonlyArray<A>): ReadonlyArray<A> => [
  ...new Set(all.filter((one, at) => all.indexOf(one) !== at))
]

const callOf = (items: ReadonlyArray<EmbeddedRealtime.ServerItem>): string | undefined => {
  for (const item of items) {
    const turn = turnOf(item)
    if (turn !== undefined) return turn.call
  }
  return undefined
}

/** A caller says each turn once, and every call of a tool has one output: on each connection, and in the end. */
const violationsOf = (
  call: string,
  connections: ReadonlyArray<EmbeddedRealtime.ServerConnection>,
  items: ReadonlyArray<EmbeddedRealtime.ServerItem>
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const violations: Array<string> = []
    for (const { number, outputs, refused } of connections) {
      for (const callId of repeated((yield* outputs).map((output) => output.callId))) {
        violations.push(`${call}: ${callId} was answered twice on connection ${number}.`)
      }
      for (const { refusal } of yield* refused) violations.push(`${call}: the model refused: ${refusal.message}`)
    }
    const turns = items.flatMap((item) => turnOf(item)?.turn ?? [])
    for (const turn of repeated(turns)) violations.push(`${call}: turn ${turn} was said twice.`)
    const answered = items.flatMap((item) => (item.type === "function_call_output" ? item.call_id : []))
    for (const callId of repeated(answered)) violations.push(`${call}: ${callId} has two outputs.`)
    return violations
  })

/** When what was seen first, in milliseconds since 1970: by the number of a connection, and by the id of a tool's call. */
export interface Times {
  readonly connectedAt: ReadonlyMap<number, number>
  readonly endedAt: ReadonlyMap<number, number>
  readonly answeredAt: ReadonlyMap<string, number>
}

export const factsOf = (
  connections: ReadonlyArray<EmbeddedRealtime.ServerConnection>,
  { answeredAt, connectedAt, endedAt }: Times
): Effect.Effect<ReadonlyArray<CallFacts>> =>
  Effect.gen(function* () {
    const byCall = new Map<
      string,
      Array<readonly [EmbeddedRealtime.ServerConnection, ReadonlyArray<EmbeddedRealtime.ServerItem>]>
    >()
    for (const connection of connections) {
      const items = yield* connection.conversation
      const call = callOf(items)
      if (call !== undefined) byCall.set(call, [...(byCall.get(call) ?? []), [connection, items]])
    }
    return yield* Effect.forEach(byCall, ([call, all]) =>
      Effect.map(
        violationsOf(
          call,
          all.map(([connection]) => connection),
          all.at(-1)?.[1] ?? []
        ),
        (violations): CallFacts => {
          const items = all.at(-1)?.[1] ?? []
          const done = new Set(items.flatMap((item) => doneBy(item) ?? []))
          const outputOf = (callId: string) =>
            items.flatMap((item) =>
              item.type === "function_call_output" && item.call_id === callId ? item.output : []
            )[0]
          return {
            call,
            connections: all.map(([{ number }]) => ({
              number,
              at: connectedAt.get(number) ?? 0,
              endedAt: endedAt.get(number)
            })),
            turns: items.flatMap((item) => {
              const turn = turnOf(item)?.turn
              return turn === undefined ? [] : { turn, isDone: done.has(turn) }
            }),
            outputs: items.flatMap((item) =>
              item.type === "function_call"
                ? {
                    callId: item.call_id,
                    tool: item.name,
                    output: outputOf(item.call_id),
                    answeredAt: answeredAt.get(item.call_id)
                  }
                : []
            ),
            violations
          }
        }
      )
    )
  })
