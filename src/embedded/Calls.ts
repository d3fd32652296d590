/** The calls of one embedded server. */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import * as Scope from "effect/Scope"
import { type Call, type CallOptions, type EmbeddedCall, make as makeCall } from "./Call.js"
import type { JsonObject, Refusal } from "./Shape.js"

/** How many calls are remembered, of those that are over. */
const REMEMBERED = 1_000

export type Begun =
  | { readonly _tag: "Begun"; readonly call: Call }
  | { readonly _tag: "Refused"; readonly refusal: Refusal }

export interface Calls {
  /** A live or ringing call. */
  readonly find: (id: string) => Call | undefined
  /** A call that is under way at once, as over WebRTC. */
  readonly begin: (session: JsonObject) => Effect.Effect<Begun, never, Scope.Scope>
  /** A call that waits for `accept`, as over SIP. */
  readonly ring: Effect.Effect<Call, never, Scope.Scope>
  /** The next call that began: the first effect gives the first one, and so on. */
  readonly next: Effect.Effect<EmbeddedCall>
}

export const make = (options: Omit<CallOptions, "number" | "isRinging">): Effect.Effect<Calls> =>
  Effect.gen(function* () {
    const calls = new Map<string, Call>()
    const begun = yield* Mailbox.make<Call>({ capacity: REMEMBERED, strategy: "sliding" })
    let count = 0

    const add = (isRinging: boolean): Effect.Effect<Call, never, Scope.Scope> =>
      Effect.gen(function* () {
        count += 1
        const around = yield* Effect.scope
        // What is over costs nothing any more, however long the server lives.
        const scope = yield* Scope.fork(around, ExecutionStrategy.sequential)
        const call = yield* Scope.extend(makeCall({ ...options, number: count, isRinging }), scope)
        yield* Effect.forkIn(Effect.zipRight(call.view.ended, Scope.close(scope, Exit.void)), around)
        calls.set(call.id, call)
        for (const [id, { state }] of calls) {
          if (calls.size <= REMEMBERED) break
          if (state === "Over") calls.delete(id)
        }
        return call
      })

    return {
      find: (id) => {
        const call = calls.get(id)
        return call?.state === "Over" ? undefined : call
      },
      begin: (session) =>
        Effect.map(add(false), (call) => {
          const refusal = call.begin(session)
          if (refusal === undefined) {
            begun.unsafeOffer(call)
            return { _tag: "Begun", call }
          }
          call.end({ _tag: "HungUp", by: "server" })
          return { _tag: "Refused", refusal }
        }),
      ring: add(true),
      // The mailbox is never ended, so taking from it cannot fail.
      next: Effect.map(Effect.orDie(begun.take), ({ view }) => view)
    }
  })
