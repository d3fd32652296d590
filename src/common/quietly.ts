import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"

/**
 * Effect logs the cause that ends a fiber, at the level Debug and into the span, because nobody may be waiting for it.
 * Here somebody is waiting, and a defect of the application must not be logged. Code in `theirs` logs as before.
 */
export const quietly = <A, E, R>(
  ours: (theirs: <A2, E2, R2>(effect: Effect.Effect<A2, E2, R2>) => Effect.Effect<A2, E2, R2>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.flatMap(FiberRef.get(FiberRef.unhandledErrorLogLevel), (level) =>
    Effect.withUnhandledErrorLogLevel(
      ours((effect) => Effect.withUnhandledErrorLogLevel(effect, level)),
      Option.none()
    )
  )

/** Waits so long for code of the application, even if that cannot be interrupted. A defect in it is not logged. */
export const quietlyWithin = <A, E, R, E2>(
  theirs: Effect.Effect<A, E, R>,
  limit: { readonly duration: Duration.DurationInput; readonly onTimeout: () => E2 }
): Effect.Effect<A, E | E2, R> => quietly((as) => Effect.timeoutFail(Effect.disconnect(as(theirs)), limit))
