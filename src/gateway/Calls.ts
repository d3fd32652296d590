/**
 * All calls of a gateway: how many there may be, who may resume which call, and how they end when the gateway stops.
 */
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { RealtimeModel } from "../RealtimeModel.js"
import type { Close } from "../serving/Close.js"
import { equal, secret } from "../serving/secrets.js"
import type { Identity } from "./Authentication.js"
import { begin, type Ending, type LiveCall } from "./LiveCall.js"
import type { Limits, Options } from "./Options.js"
import { closeCodes, type Resume, type Start } from "./Protocol.js"

export interface Calls<in I> {
  /** The number of calls, including those that are about to begin. */
  readonly size: () => number
  readonly isDraining: () => boolean
  readonly start: (identity: I, start: typeof Start.Type) => Effect.Effect<LiveCall, Close>
  readonly resume: (identity: I, resume: typeof Resume.Type) => Effect.Effect<LiveCall, Close>
  /** Accepts no more calls, lets the current ones continue for `drainWithin`, and then ends those that are left. */
  readonly drain: Effect.Effect<void>
}

const full: Close = { code: closeCodes.full, reason: "There are too many calls. Try again later." }
const draining: Close = { code: closeCodes.full, reason: "The gateway is about to stop. Try again later." }
const notFound: Close = { code: closeCodes.notFound, reason: "There is no such call." }
const failed: Close = { code: closeCodes.failed, reason: "The call could not begin. The log of the gateway says why." }

const shutDown: Ending = { reason: "ShutDown", message: "The gateway has stopped." }

/** The calls end with the scope. */
export const make = <I extends Identity, E, R, RA, RC>(
  options: Options<I, E, R, RA, RC>,
  limits: Limits
): Effect.Effect<Calls<I>, never, Scope.Scope | RealtimeModel | R | RC> =>
  Effect.gen(function* () {
    const context = yield* Effect.context<RealtimeModel | R | RC>()
    // A separate scope for all calls: in the gateway's own scope, the latest call would end before the gateway is drained.
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.parallel)
    const calls = new Map<string, LiveCall>()
    let beginning = 0
    let state: "Open" | "Draining" = "Open"

    /** The session of each call has its own scope, which is a child of the gateway's. */
    const open = (identity: I, start: typeof Start.Type) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const call = yield* restore(options.call(identity))
          const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
          const live = yield* restore(begin(secret(), secret(), identity, call, start, limits)).pipe(
            Scope.extend(own),
            Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
          )
          calls.set(live.id, live)
          yield* live.ended.pipe(
            Effect.zipRight(Effect.sync(() => calls.delete(live.id))),
            Effect.zipRight(Scope.close(own, Exit.void)),
            Effect.interruptible,
            Effect.forkIn(scope)
          )
          return live
        })
      ).pipe(
        Effect.provide(context),
        Effect.catchAll((error) =>
          error._tag === "CallRefused"
            ? Effect.fail<Close>({ code: closeCodes.failed, reason: error.message })
            : Effect.zipRight(Effect.logWarning(`A call could not begin. ${error.message}`), Effect.fail(failed))
        )
      )

    const drain = Effect.gen(function* () {
      state = "Draining"
      const all = [...calls.values()]
      for (const call of all) call.tell({ _tag: "Draining", withinMs: limits.drainWithin })
      yield* Effect.forEach(all, ({ ended }) => ended, { concurrency: "unbounded", discard: true }).pipe(
        // A finalizer is uninterruptible, and so its wait would be too.
        Effect.interruptible,
        Effect.timeoutOption(limits.drainWithin)
      )
      yield* Effect.forEach(calls.values(), (call) => call.end(shutDown), { concurrency: "unbounded", discard: true })
    })

    return {
      size: () => calls.size + beginning,
      isDraining: () => state === "Draining",
      start: (identity, start) =>
        Effect.suspend(() => {
          if (state === "Draining") return Effect.fail(draining)
          if (calls.size + beginning >= limits.maxCalls) return Effect.fail(full)
          beginning += 1
          return Effect.ensuring(
            open(identity, start),
            Effect.sync(() => {
              beginning -= 1
            })
          )
        }),
      resume: (identity, { callId, key, received }) =>
        Effect.gen(function* () {
          const call = calls.get(callId)
          if (call === undefined || !(yield* equal(call.key, key)) || call.identity.id !== identity.id) {
            return yield* Effect.fail(notFound)
          }
          return call.hasSent(received) ? call : yield* Effect.fail(notFound)
        }),
      drain
    }
  })
