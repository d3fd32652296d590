import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SessionError } from "../../SessionError.js"
import { tagOf } from "./tagOf.js"

const isSessionError = Schema.is(SessionError)

interface Line {
  /** Other errors of the library's than those of a session. */
  readonly isOwn?: (error: unknown) => error is Error
  /** The option that gets the cause, which is not printed. */
  readonly hook?: string
  /** Default: that the call has failed, unless it was only interrupted. */
  readonly what?: string | undefined
}

/**
 * One line for a call of a telephone that has failed, whether or not anybody else is told. Only the library's own words
 * are in it, and nothing of what the application failed with but its tag.
 */
export const logFailedCall = (
  callId: string,
  cause: Cause.Cause<unknown>,
  { hook, isOwn = isSessionError, what }: Line = {}
): Effect.Effect<void> => {
  if (what === undefined && Cause.isInterruptedOnly(cause)) return Effect.void
  const error = Option.getOrUndefined(Cause.failureOption(cause))
  const tag = tagOf(cause)
  const isPrinted = isOwn(error) || isSessionError(error)
  const withheld = hook === undefined ? [] : [`What it failed with is not printed: \`${hook}\` gets it.`]
  const words = isPrinted ? [error.message] : withheld
  const line =
    tag === "CallGone"
      ? // The caller gave up, or somebody else has answered.
        Effect.logInfo("A phone call was gone.", ...words)
      : Effect.logWarning(what ?? "A phone call has failed.", ...words)
  return Effect.annotateLogs(line, { callId, error: tag })
}
