import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/** One timer for all that the machines wait for: it rings at the earliest time, and is set anew when that comes first. */
export class Alarm {
  #armed: { readonly at: number; readonly fiber: Fiber.RuntimeFiber<void> } | undefined

  constructor(
    private readonly now: () => number,
    private readonly ring: () => void
  ) {}

  /** Whether there is anything to do to have it ring by this time. */
  isLaterThan(at: number | undefined): at is number {
    return at !== undefined && (this.#armed === undefined || this.#armed.at > at)
  }

  set(at: number): Effect.Effect<void> {
    // In whole milliseconds: a rounding error too early, it would be set again for no time at all, for ever.
    const wait = Effect.sleep(Math.ceil(Math.max(0, at - this.now())))
    const ring = Effect.sync(() => {
      this.#armed = undefined
      this.ring()
    })
    return Effect.zipRight(
      this.stop,
      Effect.map(Effect.forkDaemon(Effect.zipRight(wait, ring)), (fiber) => {
        this.#armed = { at, fiber }
      })
    )
  }

  get stop(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const before = this.#armed
      this.#armed = undefined
      return before === undefined ? Effect.void : Fiber.interruptFork(before.fiber)
    })
  }
}
