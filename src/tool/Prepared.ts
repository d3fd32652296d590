import * as Effect from "effect/Effect"
import type { HandoffFailed, InvalidArguments, InvalidOutput, ToolBlocked, ToolFailure } from "../ToolError.js"
import type { ToolCall } from "./ToolCall.js"

/**
 * A call whose arguments fit: what is left is to ask for approval, and to run it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Prepared<out E, out R> {
  readonly needsApproval: Effect.Effect<boolean, unknown, R>
  /** Runs the handler once and encodes its result to the text of the output. */
  readonly run: Effect.Effect<
    string,
    ToolFailure<E> | InvalidOutput | FailureNotEncoded<E> | HandoffFailed<E> | ToolBlocked,
    R
  >
}

/** A typed failure that the tool's own `failure` schema does not encode. */
export interface FailureNotEncoded<out E> {
  readonly _tag: "FailureNotEncoded"
  readonly error: ToolFailure<E>
  readonly issue: string
}

/** The way from what the model wrote to a call that can run. */
export type Prepare<E, R> = (call: ToolCall) => Effect.Effect<Prepared<E, R>, InvalidArguments | ToolBlocked, R>

/** A call that needs no approval: nobody is asked, and nothing is run to find out. */
export const notNeeded: Effect.Effect<boolean> = Effect.succeed(false)
