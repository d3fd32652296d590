import * as Cause from "effect/Cause"
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
  ToolNotFound,
  ToolRejected
} from "../ToolError.js"
import { always, orDisabled } from "./enabled.js"
import { type FailureNotEncoded, notNeeded, type Prepare, type Prepared } from "./Prepared.js"
import type { ToolCall } from "./ToolCall.js"

/** How a call ended. */
export type Settlement<E> =
  | { readonly _tag: "Succeeded"; readonly output: string }
  | {
      readonly _tag: "Failed"
      readonly error: ToolError<E>
      /** Why the typed failure could not be encoded, if it could not. */
      readonly notEncoded?: string
    }

/** The application's decision on a call that needs approval. */
export type Decision =
  | { readonly _tag: "Approved" }
  | { readonly _tag: "Rejected"; readonly reason: string; readonly by: ToolRejected["by"] }

/** Callbacks to the session while a call runs. */
export interface Hooks {
  readonly incidentId: () => string
  readonly approvalCheckFailed: Effect.Effect<void>
  /** The check whether the tool is enabled failed, so it is not. */
  readonly enabledCheckFailed: (cause: Cause.Cause<unknown>) => Effect.Effect<void>
  /** The names of the functions that the model has. */
  readonly available: () => ReadonlyArray<string>
  /** Only asked if the call needs approval. The session limits the time. */
  readonly decide: Effect.Effect<Decision>
  /** The time limit of the handler begins. */
  readonly started: Effect.Effect<void>
}

/**
 * Runs a call to its end. It always returns a settlement, whatever the handler does, even if this fiber is interrupted.
 * The session measures the time of all its calls with one timer: it answers a call that timed out or that it
 * interrupts, even if the handler does not react and goes on.
 */
export const settle = <E, R>(
  tool: { readonly prepare: Prepare<E, R>; readonly isEnabled: Effect.Effect<boolean, unknown, R> },
  call: ToolCall,
  hooks: Hooks
): Effect.Effect<Settlement<E>, never, R> =>
  Effect.uninterruptibleMask((restore) =>
    restore(
      Effect.flatMap(Effect.zipRight(enabled(tool, call, hooks), tool.prepare(call)), (prepared) =>
        approve(prepared, call, hooks).pipe(Effect.zipRight(hooks.started), Effect.zipRight(prepared.run))
      )
    ).pipe(
      Effect.map((output): Settlement<E> => ({ _tag: "Succeeded", output })),
      Effect.catchAllCause((cause) => Effect.sync(() => failed(cause, call, hooks)))
    )
  )

const identity = ({ callId, tool, agent }: ToolCall) => ({ callId, tool, agent })

/** The tool may have been disabled since the model was offered it. */
const enabled = <R>(
  { isEnabled }: { readonly isEnabled: Effect.Effect<boolean, unknown, R> },
  call: ToolCall,
  hooks: Hooks
): Effect.Effect<void, ToolNotFound, R> =>
  isEnabled === always
    ? Effect.void
    : Effect.flatMap(orDisabled(isEnabled, hooks.enabledCheckFailed), (isThere) =>
        isThere
          ? Effect.void
          : new ToolNotFound({
              ...identity(call),
              available: hooks.available().filter((name) => name !== call.tool)
            })
      )

/** Fails closed: if the check fails or dies, the call needs approval. */
const approve = <E, R>(prepared: Prepared<E, R>, call: ToolCall, hooks: Hooks): Effect.Effect<void, ToolRejected, R> =>
  prepared.needsApproval === notNeeded
    ? Effect.void
    : prepared.needsApproval.pipe(
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

type Expected<E> =
  | ToolFailure<E>
  | HandoffFailed<E>
  | InvalidArguments
  | InvalidOutput
  | ToolNotFound
  | ToolRejected
  | ToolBlocked

/** As everywhere in Effect, a defect wins over the failure before it and the interruption that it caused. */
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
