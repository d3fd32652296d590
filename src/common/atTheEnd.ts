import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** How long a scope that closes waits for `onEnd`. */
const within = "10 seconds"

/**
 * Runs the option `onEnd` of an application, which hears that a call is over. Whoever is interrupted meanwhile waits for
 * it, within a limit. If it dies, the log says so, without what it died with.
 */
export const atTheEnd = <R>(callId: string, onEnd: Effect.Effect<void, never, R>): Effect.Effect<void, never, R> =>
  Effect.suspend(() => {
    const heard = Effect.catchAllCause(onEnd, (cause) =>
      Cause.isInterruptedOnly(cause)
        ? Effect.void
        : Effect.annotateLogs(Effect.logWarning("The option `onEnd` died. A phone call is over all the same."), {
            callId
          })
    )
    return Effect.flatMap(Effect.forkDaemon(Effect.interruptible(heard)), (fiber) =>
      Effect.interruptible(Fiber.join(fiber)).pipe(
        Effect.onInterrupt(() =>
          Effect.zipRight(
            Effect.timeoutOption(Effect.interruptible(Fiber.await(fiber)), within),
            Fiber.interruptFork(fiber)
          )
        )
      )
    )
  }).pipe(Effect.uninterruptible)
