/**
 * All calls of a gateway: how many there may be, who may resume which call, and how they end when the gateway stops.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import type * as Agent from "../Agent.js"
import { tell } from "../common/tell.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import * as Session from "../Session.js"
import type { SessionError } from "../SessionError.js"
import type { Close } from "../serving/Close.js"
import { equal, proof, secret } from "../serving/secrets.js"
import type { Identity } from "./Authentication.js"
import type { Sessions, Unavailable } from "./Home.js"
import { begin, type Ending, type LiveCall, type Origin } from "./LiveCall.js"
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
const elsewhere: Close = { code: closeCodes.moved, reason: "The call cannot be had here now. Resume it again." }
const failed: Close = { code: closeCodes.failed, reason: "The call could not begin. The log of the gateway says why." }

const shutDown: Ending = { reason: "ShutDown", message: "The gateway has stopped." }

/** Why a session could not be had. */
type Failure = SessionError | Unavailable

/** The client hears as much as of a session that could not begin, and the log nothing of the defect. */
class CallDied implements Unavailable {
  readonly _tag = "CallDied"
  readonly message = "The option `call` died. `onFailed` gets what it died with."
  constructor(readonly defect: unknown) {}
}

const isOver = ({ _tag }: Failure): boolean => _tag === "CallUnknown" || _tag === "CallEnded"

/** The calls end with the scope. */
export const make = <I extends Identity, E, R, RA, RC>(
  options: Options<I, E, R, RA, RC>,
  limits: Limits
): Effect.Effect<Calls<I>, never, Scope.Scope | RealtimeModel | R | RC> =>
  Effect.gen(function* () {
    const { home } = options
    const context = yield* Effect.context<RealtimeModel | R | RC>()
    // A separate scope for all calls: in the gateway's own scope, the latest call would end before the gateway is drained.
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.parallel)
    const calls = new Map<string, LiveCall>()
    let beginning = 0
    let state: "Open" | "Draining" = "Open"

    /** Known to each gateway of this home, for this client alone. */
    const keyOf = (callId: string, identity: I) =>
      home === undefined
        ? Effect.sync(secret)
        : proof(Redacted.value(home.secret), JSON.stringify([callId, identity.id]))

    const originOf = (callId: string, agent: Agent.Agent<E, R>): Origin<E, Failure, Scope.Scope | RealtimeModel | R> =>
      home === undefined
        ? { session: (given) => Session.make(agent, given), outlives: false, hasMoved: Effect.succeed(false) }
        : {
            // From its beginning, it is heard by the functions in its options.
            session: ({ journal: _journal, sessionId: _sessionId, ...session }) =>
              Effect.tap(home.calls.start({ callId, session }), () => home.calls.attend(callId)),
            outlives: true,
            hasMoved: home.calls.hasMoved(callId)
          }

    /** The session of each call has its own scope, which is a child of the gateway's. */
    const open = (
      callId: string,
      identity: I,
      start: typeof Start.Type,
      more: Partial<Origin<E, Failure, Scope.Scope | RealtimeModel | R>> = {}
    ) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const call = yield* restore(
            Effect.catchAllDefect(
              Effect.suspend(() => options.call(identity)),
              (defect) => Effect.fail(new CallDied(defect))
            )
          )
          const key = yield* keyOf(callId, identity)
          const own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
          const origin = { ...originOf(callId, call.agent), ...more }
          const live = yield* restore(begin(callId, key, identity, call, start, limits, origin)).pipe(
            Scope.extend(own),
            Effect.onError((cause) => Scope.close(own, Exit.failCause(cause)))
          )
          calls.set(live.id, live)
          yield* live.ended.pipe(
            Effect.zipRight(
              Effect.sync(() => {
                if (calls.get(live.id) === live) calls.delete(live.id)
              })
            ),
            Effect.zipRight(Scope.close(own, Exit.void)),
            Effect.interruptible,
            Effect.forkIn(scope)
          )
          return live
        })
      ).pipe(
        Effect.provide(context),
        Effect.catchAll((error) => {
          if (error._tag === "CallRefused")
            return Effect.fail<Close>({ code: closeCodes.failed, reason: error.message })
          if (more.received !== undefined) return Effect.fail(isOver(error) ? notFound : elsewhere)
          const { onFailed } = options
          const cause = error instanceof CallDied ? Cause.die(error.defect) : Cause.fail(error)
          if (onFailed !== undefined) tell(onFailed, { _tag: "NotBegun", identity, cause }, () => undefined)
          return Effect.zipRight(Effect.logWarning(`A call could not begin. ${error.message}`), Effect.fail(failed))
        })
      )

    /** One at a time: a client may have two sockets. */
    const adopting = new Map<string, Deferred.Deferred<LiveCall, Close>>()

    /** Has a call here that another process had. */
    const adopt = (sessions: Sessions<E>, identity: I, { callId, key, received }: typeof Resume.Type) =>
      Effect.gen(function* () {
        if (!(yield* equal(yield* keyOf(callId, identity), key))) return yield* Effect.fail(notFound)
        if (state === "Draining" || calls.size + beginning >= limits.maxCalls) return yield* Effect.fail(elsewhere)
        const underWay = adopting.get(callId)
        if (underWay !== undefined) return yield* Deferred.await(underWay)
        const done = yield* Deferred.make<LiveCall, Close>()
        adopting.set(callId, done)
        beginning += 1
        // What its client reports as heard counts; until it does, the session estimates it.
        const opened = open(
          callId,
          identity,
          { _tag: "Start", playback: "estimated" },
          {
            received,
            session: ({ onAudio, onEvent }) =>
              Effect.tap(sessions.adopt(callId), () =>
                sessions.attend(callId, {
                  ...(onEvent === undefined ? {} : { onEvent }),
                  ...(onAudio === undefined ? {} : { onAudio })
                })
              )
          }
        )
        return yield* opened.pipe(
          Effect.onExit((exit) =>
            Effect.suspend(() => {
              beginning -= 1
              adopting.delete(callId)
              return Deferred.done(done, exit)
            })
          )
        )
      })

    const drain = Effect.gen(function* () {
      state = "Draining"
      const all = [...calls.values()]
      for (const call of all) call.tell({ _tag: "Draining", withinMs: limits.drainWithin })
      // The sessions go on elsewhere, and their clients follow them.
      if (home !== undefined) yield* Effect.ignore(home.calls.drain())
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
            open(secret(), identity, start),
            Effect.sync(() => {
              beginning -= 1
            })
          )
        }),
      resume: (identity, resume) =>
        Effect.gen(function* () {
          const { callId, key, received } = resume
          const call = calls.get(callId)
          if (call === undefined && home !== undefined) return yield* adopt(home.calls, identity, resume)
          if (call === undefined || !(yield* equal(call.key, key)) || call.identity.id !== identity.id) {
            return yield* Effect.fail(notFound)
          }
          return call.hasSent(received) ? call : yield* Effect.fail(notFound)
        }),
      drain
    }
  })
