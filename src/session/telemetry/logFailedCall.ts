import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { SessionError } from "../../SessionError.js"
import { tagOf } from "./tagOf.js"

const isSessionError = Schema.is(SessionError)

/**
 * One line for a call of a telephone that has failed, whether or not anybody else is told. Only the library's own words
 * are in it, and nothing of what the application failed with but its tag.
 *
 * @param isOwn other errors of the library's than those of a session
 */
export const logFailedCall = (
  callId: string,
  cause: Cause.Cause<unknown>,
  isOwn: (error: unknown) => error is Error = isSessionError
): Effect.Effect<void> => {
  if (Cause.isInterruptedOnly(cause)) return Effect.void
  const error = Option.getOrUndefined(Cause.failureOption(cause))
  const words = isOwn(error) || isSessionError(error) ? [error.message] : []
  const tag = tagOf(cause)
  const line =
    tag === "CallGone"
      ? // The caller gave up, or somebody else has answered.
        Effect.logInfo("A phone call was gone.", ...words)
      : Effect.logWarning("A phone call has failed.", ...words)
  return Effect.annotateLogs(line, { callId, error: tag })
}
