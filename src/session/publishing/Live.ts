import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Option from "effect/Option"
import * as Readable from "effect/Readable"
import * as Stream from "effect/Stream"
import * as Subscribable from "effect/Subscribable"

/**
 * A value that changes while the session runs. As an Effect, it gives the current value. `changes` gives the current
 * value, and then each newer one until the session ends, including the last. A slow reader misses values in between,
 * and delays nothing: a value is made only when somebody reads it.
 *
 * @example
 * ```ts
 * import { Effect, Stream } from "effect"
 * import type { Session } from "effect-realtime"
 *
 * export const show = (session: Session.Session) =>
 *   Effect.gen(function* () {
 *     yield* Effect.log(yield* session.agent)
 *     yield* Stream.runForEach(session.conversation.changes, ({ items }) => Effect.log(items.length))
 *   })
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Live<out A> extends Effect.Effect<A>, Subscribable.Subscribable<A> {}

interface Reader {
  readonly isDue: () => boolean
  readonly wake: () => void
}

/** The live values of one owner, who reports after each step that something may have changed. */
export class Source {
  /** Readers that have the newest value. */
  readonly #waiting = new Set<Reader>()
  #hasEnded = false

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /**
   * The value has changed when `version` returns another result than before. While a reader waits, it is called after
   * each step, so it must be cheap. By default it is the value itself.
   */
  make<A>(read: () => A, version: () => unknown = read): Live<A> {
    return new LiveValue(this, read, version)
  }

  /** Costs nothing while nobody waits, and never waits itself. */
  mayHaveChanged(): void {
    if (this.#waiting.size > 0) for (const reader of this.#waiting) this.#wakeIfDue(reader)
  }

  /** Every stream ends once it has delivered the last value. */
  end(): void {
    this.#hasEnded = true
    this.mayHaveChanged()
  }

  waitUntil(isDue: () => boolean): Effect.Effect<void> {
    return Effect.async((resume) => {
      const reader: Reader = { isDue, wake: () => resume(Effect.void) }
      this.#waiting.add(reader)
      // A change may have come since the reader looked.
      this.#wakeIfDue(reader)
      return Effect.sync(() => this.#waiting.delete(reader))
    })
  }

  #wakeIfDue(reader: Reader): void {
    if (!reader.isDue()) return
    this.#waiting.delete(reader)
    reader.wake()
  }
}

const nothingYet = Symbol("nothing yet")

class LiveValue<A> extends Effectable.Class<A> implements Live<A> {
  readonly [Readable.TypeId]: Readable.TypeId = Readable.TypeId
  readonly [Subscribable.TypeId]: Subscribable.TypeId = Subscribable.TypeId

  constructor(
    private readonly source: Source,
    private readonly read: () => A,
    private readonly version: () => unknown
  ) {
    super()
  }

  get get(): Effect.Effect<A> {
    return Effect.sync(this.read)
  }

  get changes(): Stream.Stream<A> {
    return Stream.suspend(() => {
      let seen: unknown = nothingYet
      const next: Effect.Effect<A, Option.Option<never>> = Effect.suspend(() => {
        const current = this.version()
        if (current !== seen) {
          seen = current
          return Effect.succeed(this.read())
        }
        if (this.source.hasEnded) return Effect.fail(Option.none())
        return Effect.zipRight(
          this.source.waitUntil(() => this.source.hasEnded || this.version() !== seen),
          next
        )
      })
      return Stream.repeatEffectOption(next)
    })
  }

  commit(): Effect.Effect<A> {
    return this.get
  }
}
