import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"

/**
 * One timer for everything that the machines wait for. It fires at the earliest deadline, and is set again when an
 * earlier one comes up.
 */
export class Alarm {
  #armed: { readonly at: number; readonly fiber: Fiber.RuntimeFiber<void> } | undefined

  constructor(
    private readonly now: () => number,
    private readonly ring: () => void
  ) {}

  /** Whether the alarm must be set again to fire by this time. */
  isLaterThan(at: number | undefined): at is number {
    return at !== undefined && (this.#armed === undefined || this.#armed.at > at)
  }

  set(at: number): Effect.Effect<void> {
    // Whole milliseconds: if rounding made it fire too early, it would be set again for no time at all, forever.
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
