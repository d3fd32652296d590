import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/**
 * Hands what a session publishes to whoever listens. Publishing never waits: each subscriber has a buffer of its own,
 * and one that falls behind is told how much it missed. What is published before anyone listens is kept for the first.
 */
export interface Subscribers<A> {
  readonly publish: (event: A) => void
  readonly stream: Stream.Stream<A>
  /** Every stream ends once it has delivered what it holds. */
  readonly end: () => void
}

interface Buffer<A> {
  readonly events: Array<A>
  missed: number
  wake: (() => void) | undefined
}

export const make = <A>(capacity: number, missed: (count: number) => ReadonlyArray<A>): Subscribers<A> => {
  const empty = (): Buffer<A> => ({ events: [], missed: 0, wake: undefined })
  const buffers = new Set<Buffer<A>>()
  /** The buffer of the first subscriber, before it comes. */
  let unclaimed: Buffer<A> | undefined = empty()
  let ended = false
  buffers.add(unclaimed)

  const add = (buffer: Buffer<A>, event: A): void => {
    if (buffer.events.length < capacity) buffer.events.push(event)
    else buffer.missed += 1
    wake(buffer)
  }

  const wake = (buffer: Buffer<A>): void => {
    const { wake } = buffer
    buffer.wake = undefined
    wake?.()
  }

  const claim = (): Buffer<A> => {
    const buffer = unclaimed ?? empty()
    unclaimed = undefined
    buffers.add(buffer)
    return buffer
  }

  /** The buffer is full of older events when one is missed, so the count comes last. */
  const drain = (buffer: Buffer<A>): Chunk.Chunk<A> => {
    const events = buffer.events.splice(0)
    if (buffer.missed > 0) events.push(...missed(buffer.missed))
    buffer.missed = 0
    return Chunk.unsafeFromArray(events)
  }

  const pull = (buffer: Buffer<A>): Effect.Effect<Chunk.Chunk<A>, Option.Option<never>> =>
    Effect.suspend(() => {
      if (buffer.events.length > 0 || buffer.missed > 0) return Effect.succeed(drain(buffer))
      if (ended) return Effect.fail(Option.none())
      return Effect.zipRight(
        Effect.async<void>((resume) => {
          buffer.wake = () => resume(Effect.void)
        }),
        pull(buffer)
      )
    })

  return {
    publish: (event) => {
      for (const buffer of buffers) add(buffer, event)
    },
    stream: Stream.unwrapScoped(
      Effect.acquireRelease(Effect.sync(claim), (buffer) => Effect.sync(() => buffers.delete(buffer))).pipe(
        Effect.map((buffer) => Stream.repeatEffectChunkOption(pull(buffer)))
      )
    ),
    end: () => {
      ended = true
      for (const buffer of buffers) wake(buffer)
    }
  }
}
