import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/** The check of a tool that is always there: nothing is run to find out. */
export const always: Effect.Effect<boolean> = Effect.succeed(true)

/** A check that fails counts as disabled. */
export const orDisabled = <R>(
  isEnabled: Effect.Effect<boolean, unknown, R>,
  failed: (cause: Cause.Cause<unknown>) => Effect.Effect<void>
): Effect.Effect<boolean, never, R> =>
  Effect.catchAllCause(isEnabled, (cause) =>
    Cause.isInterruptedOnly(cause) ? Effect.interrupt : Effect.as(failed(cause), false)
  )
