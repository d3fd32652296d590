/** Detects a silent user: waits from the end of the model's audio for as long as the session allows. */
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"

export interface IdleTimeoutOptions {
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  /** How much input audio was received so far, in milliseconds. */
  readonly clockMs: () => number
  /** Called when nobody has spoken between these two positions in the input audio. */
  readonly elapsed: (startMs: number, endMs: number) => void
}

export class IdleTimeout {
  readonly #options: IdleTimeoutOptions
  #fiber: Fiber.RuntimeFiber<void> | undefined

  constructor(options: IdleTimeoutOptions) {
    this.#options = options
  }

  /** Counts from the end of a response, whose audio takes `playbackMs` to play. */
  start(playbackMs: number, timeoutMs: number): void {
    this.cancel()
    const { clockMs, elapsed, fork } = this.#options
    this.#fiber = fork(
      Effect.gen(this, function* () {
        yield* Effect.sleep(playbackMs)
        const startMs = clockMs()
        yield* Effect.sleep(timeoutMs)
        this.#fiber = undefined
        elapsed(startMs, clockMs())
      })
    )
  }

  cancel(): void {
    this.#fiber?.unsafeInterruptAsFork(FiberId.none)
    this.#fiber = undefined
  }
}
