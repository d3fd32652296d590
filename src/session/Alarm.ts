import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** One timer for all that the machines wait for: it rings at the earliest time, and is set anew when that comes first. */
export const make = (now: () => number, ring: () => void) => {
  let armed: { readonly at: number; readonly fiber: Fiber.RuntimeFiber<void> } | undefined
  const stop = Effect.suspend(() => {
    const before = armed
    armed = undefined
    return before === undefined ? Effect.void : Fiber.interruptFork(before.fiber)
  })
  return {
    stop,
    set: (at: number | undefined) =>
      Effect.suspend(() => {
        if (at === undefined || (armed !== undefined && armed.at <= at)) return Effect.void
        return Effect.zipRight(
          stop,
          // In whole milliseconds: a rounding error too early, it would be set again for no time at all, for ever.
          Effect.sleep(Math.ceil(Math.max(0, at - now()))).pipe(
            Effect.zipRight(
              Effect.sync(() => {
                armed = undefined
                ring()
              })
            ),
            Effect.forkDaemon,
            Effect.tap((fiber) =>
              Effect.sync(() => {
                armed = { at, fiber }
              })
            )
          )
        )
      })
  }
}
