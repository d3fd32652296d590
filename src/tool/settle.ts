import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import {
  type HandoffFailed,
  type InvalidArguments,
  type InvalidOutput,
  type ToolBlocked,
  ToolDefect,
  type ToolError,
  type ToolFailure,
  ToolInterrupted,
  ToolRejected,
  ToolTimedOut
} from "../ToolError.js"
import type { FailureNotEncoded, Prepare, Prepared } from "./Prepared.js"
import { quietly } from "./quietly.js"
import type { ToolCall } from "./ToolCall.js"

/** How a call ended. */
export type Settlement<E> =
  | { readonly _tag: "Succeeded"; readonly output: string }
  | {
      readonly _tag: "Failed"
      readonly error: ToolError<E>
      /** Why the typed failure could not be encoded, where it could not. */
      readonly notEncoded?: string
    }

/** What the application said of a call that needs its approval. */
export type Decision =
  | { readonly _tag: "Approved" }
  | { readonly _tag: "Rejected"; readonly reason: string; readonly by: ToolRejected["by"] }

/** What a call tells the session, and asks of it, on its way. */
export interface Hooks {
  readonly incidentId: () => string
  readonly approvalCheckFailed: Effect.Effect<void>
  /** Asked only where the call needs approval; bounded by the session. */
  readonly decide: Effect.Effect<Decision>
  readonly started: Effect.Effect<void>
  /** Goes around the handler: it ends when the handler does, however deaf that is. */
  readonly handling: <A, E, R>(run: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** A handler ended, so many milliseconds after its time was over. */
  readonly discarded: (lateMs: number) => void
  readonly now: () => number
}

/** What of a tool its calls are run by. */
interface Runnable<E, R> {
  readonly prepare: Prepare<E, R>
  readonly policy: { readonly timeout: Duration.Duration }
}

/**
 * Runs a call to its end. Total: whatever the handler does, there is a settlement, also when this very fiber is
 * interrupted.
 */
export const settle = <E, R>(
  tool: Runnable<E, R>,
  call: ToolCall,
  hooks: Hooks
): Effect.Effect<Settlement<E>, never, R> =>
  quietly((theirs) =>
    Effect.uninterruptibleMask((restore) =>
      restore(
        theirs(tool.prepare(call)).pipe(
          Effect.tap((prepared) => approve(prepared, call, hooks)),
          Effect.tap(() => hooks.started),
          Effect.flatMap((prepared) => inTime(theirs(prepared.run), tool.policy.timeout, call, hooks))
        )
      ).pipe(
        Effect.map((output): Settlement<E> => ({ _tag: "Succeeded", output })),
        Effect.catchAllCause((cause) => Effect.sync(() => failed(cause, call, hooks)))
      )
    )
  )

const identity = ({ callId, tool, agent }: ToolCall) => ({ callId, tool, agent })

/** Fails closed: a check that fails or dies counts as a need for approval. */
const approve = <E, R>(prepared: Prepared<E, R>, call: ToolCall, hooks: Hooks): Effect.Effect<void, ToolRejected, R> =>
  prepared.needsApproval.pipe(
    Effect.catchAllCause((cause) =>
      Cause.isInterruptedOnly(cause) ? Effect.interrupt : Effect.as(hooks.approvalCheckFailed, true)
    ),
    Effect.flatMap((needed) => (needed ? hooks.decide : Effect.succeed<Decision>({ _tag: "Approved" }))),
    Effect.flatMap((decision) =>
      decision._tag === "Approved"
        ? Effect.void
        : new ToolRejected({ ...identity(call), reason: decision.reason, by: decision.by })
    )
  )

/** A handler that stops within this time of being told to has done what it should. */
const lingersAfterMs = 100

/**
 * The deadline holds even for a handler that is deaf to interruption: `disconnect` lets it go on alone. What it still
 * returns can not be seen, for an interrupted fiber ends as such; that it went on is reported when it ends.
 */
const inTime = <A, E, R>(
  run: Effect.Effect<A, E, R>,
  timeout: Duration.Duration,
  call: ToolCall,
  hooks: Hooks
): Effect.Effect<A, E | ToolTimedOut, R> => {
  let expiredAt = Number.POSITIVE_INFINITY
  const alone = hooks.handling(run).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        const lateMs = hooks.now() - expiredAt
        if (lateMs >= lingersAfterMs) hooks.discarded(lateMs)
      })
    ),
    Effect.disconnect
  )
  if (!Duration.isFinite(timeout)) return alone
  return Effect.timeoutFail(alone, {
    duration: timeout,
    onTimeout: () => {
      expiredAt = hooks.now()
      return new ToolTimedOut({ ...identity(call), afterMs: Duration.toMillis(timeout) })
    }
  })
}

type Expected<E> =
  | ToolFailure<E>
  | HandoffFailed<E>
  | InvalidArguments
  | InvalidOutput
  | ToolTimedOut
  | ToolRejected
  | ToolBlocked

/** As everywhere in Effect, a defect wins: over the failure that it followed, and the interruption that it caused. */
const failed = <E>(
  cause: Cause.Cause<Expected<E> | FailureNotEncoded<E>>,
  call: ToolCall,
  hooks: Hooks
): Settlement<E> => {
  const failure = Option.getOrUndefined(Cause.failureOption(cause))
  if (failure !== undefined && !Cause.isDie(cause)) {
    return failure._tag === "FailureNotEncoded"
      ? { _tag: "Failed", error: failure.error, notEncoded: failure.issue }
      : { _tag: "Failed", error: failure }
  }
  return {
    _tag: "Failed",
    error:
      Cause.isInterruptedOnly(cause) && !Cause.isEmpty(cause)
        ? new ToolInterrupted(identity(call))
        : new ToolDefect({ ...identity(call), incidentId: hooks.incidentId(), defect: cause })
  }
}
