/** The keys that a caller presses, and programs that wait for several of them. */
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as limits from "./limits.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface CollectOptions {
  /** How many digits at most. Default: 32. */
  readonly max?: number
  /** The key that ends the digits, and does not belong to them; `none`: there is no such key. Default: `#`. */
  readonly terminator?: "#" | "*" | "none"
  /** How long the caller may take for the first digit, once the agent has stopped speaking. Default: 10 seconds. */
  readonly firstWithin?: Duration.DurationInput
  /** How long the caller may take from one digit to the next. Default: 5 seconds. */
  readonly nextWithin?: Duration.DurationInput
}

/**
 * The digits that a caller pressed, in order. `endedBy`: the terminator, the maximum, or the time.
 *
 * @since 0.1.0
 * @category models
 */
export interface Collected {
  readonly digits: string
  readonly endedBy: "terminator" | "maximum" | "time"
}

export const collectDefaults = { max: 32, terminator: "#", firstWithin: "10 seconds", nextWithin: "5 seconds" } as const

/** Digits that were pressed so long before somebody asks for them count: callers know the menu. */
const typedAheadMs = 10_000

interface Pressed {
  readonly digit: string
  readonly at: number
}

export class Digits {
  #waiting: Array<Pressed> = []
  #next: Deferred.Deferred<string> | undefined

  press(digit: string, at: number): void {
    const next = this.#next
    this.#next = undefined
    if (next !== undefined) return void Deferred.unsafeDone(next, Effect.succeed(digit))
    this.#waiting.push({ digit, at })
    if (this.#waiting.length > limits.maxWaitingDigits) this.#waiting.shift()
  }

  /**
   * Waits for digits. Only one program may wait at a time: two would share them.
   *
   * @param quiet waits until the agent does not speak
   */
  collect(options: CollectOptions, now: () => number, quiet: Effect.Effect<void>): Effect.Effect<Collected> {
    const { firstWithin, max, nextWithin, terminator } = { ...collectDefaults, ...options }
    const digits = this
    return Effect.gen(function* () {
      digits.#waiting = digits.#waiting.filter(({ at }) => at >= now() - typedAheadMs)
      let collected = ""
      while (collected.length < max) {
        const patience = collected === "" ? Effect.zipRight(quiet, Effect.sleep(firstWithin)) : Effect.sleep(nextWithin)
        const digit = yield* Effect.raceFirst(digits.#take, Effect.as(patience, undefined))
        if (digit === undefined) return { digits: collected, endedBy: "time" } as const
        if (digit === terminator) return { digits: collected, endedBy: "terminator" } as const
        collected += digit
      }
      return { digits: collected, endedBy: "maximum" } as const
    })
  }

  readonly #take: Effect.Effect<string> = Effect.suspend(() => {
    const first = this.#waiting.shift()
    if (first !== undefined) return Effect.succeed(first.digit)
    const next = this.#next ?? Deferred.unsafeMake<string>(FiberId.none)
    this.#next = next
    return Effect.onInterrupt(Deferred.await(next), () =>
      Effect.sync(() => {
        if (this.#next === next) this.#next = undefined
      })
    )
  })
}
