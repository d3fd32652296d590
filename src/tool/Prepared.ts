import * as Effect from "effect/Effect"
import type { HandoffFailed, InvalidArguments, InvalidOutput, ToolBlocked, ToolFailure } from "../ToolError.js"
import type { ToolCall } from "./ToolCall.js"

/**
 * A call with valid arguments: it can be approved and run.
 *
 * @since 0.1.0
 * @category models
 */
export interface Prepared<out E, out R> {
  readonly needsApproval: Effect.Effect<boolean, unknown, R>
  /** Runs the handler once, and encodes its result as the text of the output. */
  readonly run: Effect.Effect<
    string,
    ToolFailure<E> | InvalidOutput | FailureNotEncoded<E> | HandoffFailed<E> | ToolBlocked,
    R
  >
}

/** A typed failure that the tool's own `failure` schema cannot encode. */
export interface FailureNotEncoded<out E> {
  readonly _tag: "FailureNotEncoded"
  readonly error: ToolFailure<E>
  readonly issue: string
}

/** Turns the arguments that the model wrote into a call that can run. */
export type Prepare<E, R> = (call: ToolCall) => Effect.Effect<Prepared<E, R>, InvalidArguments | ToolBlocked, R>

/** A call that needs no approval: nothing is run to find out. */
export const notNeeded: Effect.Effect<boolean> = Effect.succeed(false)
