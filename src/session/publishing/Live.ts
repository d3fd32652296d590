import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Option from "effect/Option"
import * as Readable from "effect/Readable"
import * as Stream from "effect/Stream"
import * as Subscribable from "effect/Subscribable"

/**
 * A value that changes while the session runs. As an Effect it gives the value as it is now; `changes` gives that too,
 * and then each newer one until the session ends, the last one included. A reader that is slow misses those in between
 * and delays nothing: a value is made only when somebody takes it.
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

/** The live values of one owner, who says after each step that something may have changed. */
export interface Source {
  /**
   * Another value is there when `version` gives another answer than before. It is asked after each step while a reader
   * waits, so it must be cheap; by default it is the value itself.
   */
  readonly make: <A>(read: () => A, version?: () => unknown) => Live<A>
  /** Costs nothing while nobody waits, and never waits itself. */
  readonly mayHaveChanged: () => void
  /** Every stream ends once it has delivered the last value. */
  readonly end: () => void
}

interface Reader {
  readonly isDue: () => boolean
  readonly wake: () => void
}

export const source = (): Source => {
  /** Readers that have the newest value. */
  const waiting = new Set<Reader>()
  let hasEnded = false

  const wakeIfDue = (reader: Reader): void => {
    if (!reader.isDue()) return
    waiting.delete(reader)
    reader.wake()
  }

  const waitUntil = (isDue: () => boolean): Effect.Effect<void> =>
    Effect.async((resume) => {
      const reader: Reader = { isDue, wake: () => resume(Effect.void) }
      waiting.add(reader)
      // It may have come since the reader looked.
      wakeIfDue(reader)
      return Effect.sync(() => waiting.delete(reader))
    })

  const changesOf = <A>(read: () => A, version: () => unknown): Stream.Stream<A> =>
    Stream.suspend(() => {
      let seen: unknown = nothingYet
      const next: Effect.Effect<A, Option.Option<never>> = Effect.suspend(() => {
        const current = version()
        if (current !== seen) {
          seen = current
          return Effect.succeed(read())
        }
        if (hasEnded) return Effect.fail(Option.none())
        return Effect.zipRight(
          waitUntil(() => hasEnded || version() !== seen),
          next
        )
      })
      return Stream.repeatEffectOption(next)
    })

  return {
    make: (read, version = read) => new LiveValue(Effect.sync(read), changesOf(read, version)),
    mayHaveChanged: () => {
      for (const reader of waiting) wakeIfDue(reader)
    },
    end: () => {
      hasEnded = true
      for (const reader of waiting) wakeIfDue(reader)
    }
  }
}

const nothingYet = Symbol("nothing yet")

class LiveValue<A> extends Effectable.Class<A> implements Live<A> {
  readonly [Readable.TypeId]: Readable.TypeId = Readable.TypeId
  readonly [Subscribable.TypeId]: Subscribable.TypeId = Subscribable.TypeId
  constructor(
    readonly get: Effect.Effect<A>,
    readonly changes: Stream.Stream<A>
  ) {
    super()
  }
  commit(): Effect.Effect<A> {
    return this.get
  }
}
