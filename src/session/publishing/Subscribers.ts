import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"

/**
 * Hands what a session publishes to whoever listens. Publishing never waits: each subscriber has a buffer of its own,
 * and one that falls behind is told how much it missed, or ended. The first of what is published before anyone listens
 * is kept for the first who does.
 */
export interface Subscribers<A> {
  readonly publish: (event: A) => void
  readonly subscribe: <Err>(capacity: number, onLag: OnLag<A, Err>) => Stream.Stream<A, Err>
  /** Every stream ends once it has delivered what it holds. */
  readonly end: () => void
}

/** What becomes of a subscriber that has missed something, behind what it still holds. */
export type OnLag<A, Err> =
  /** It reads this, and goes on with what is published from now on. */
  | { readonly _tag: "Tell"; readonly missed: (count: number) => ReadonlyArray<A> }
  | { readonly _tag: "Fail"; readonly error: (count: number) => Err }
  /**
   * It reads this, and goes on with what is published after `take` was called, which gives the count. Until then it
   * misses more.
   */
  | { readonly _tag: "CatchUp"; readonly missed: (take: () => number) => Effect.Effect<A> }

interface Buffer<A> {
  readonly events: Array<A>
  capacity: number
  /** While some are missed, nothing is added: what came later would hide the gap. */
  missed: number
  wake: (() => void) | undefined
}

/**
 * The most that is kept before anyone listens: of a session that nobody listens to, that is kept to its end. A session that is
 * taken up publishes more than a new one, before its maker has it: an event or two of each call that was open.
 */
export const maxUnclaimed = 256

/** @param firstCapacity how much is kept before anyone listens, if that is less */
export const make = <A>(firstCapacity: number): Subscribers<A> => {
  const empty = (capacity: number): Buffer<A> => ({ events: [], capacity, missed: 0, wake: undefined })
  const buffers = new Set<Buffer<A>>()
  /** The buffer of the first subscriber, before it comes. */
  let unclaimed: Buffer<A> | undefined = empty(Math.min(firstCapacity, maxUnclaimed))
  let ended = false
  buffers.add(unclaimed)

  const add = (buffer: Buffer<A>, event: A): void => {
    if (buffer.missed === 0 && buffer.events.length < buffer.capacity) buffer.events.push(event)
    else buffer.missed += 1
    wake(buffer)
  }

  const wake = (buffer: Buffer<A>): void => {
    const { wake } = buffer
    buffer.wake = undefined
    wake?.()
  }

  const claim = (capacity: number): Buffer<A> => {
    const buffer = unclaimed ?? empty(capacity)
    unclaimed = undefined
    buffer.capacity = capacity
    buffers.add(buffer)
    return buffer
  }

  const takeHeld = (buffer: Buffer<A>): ReadonlyArray<A> => buffer.events.splice(0)

  const takeMissed = (buffer: Buffer<A>): number => {
    const { missed } = buffer
    buffer.missed = 0
    return missed
  }

  const lagged = <Err>(
    buffer: Buffer<A>,
    onLag: OnLag<A, Err>
  ): Effect.Effect<ReadonlyArray<A>, Option.Option<Err>> => {
    switch (onLag._tag) {
      case "Tell":
        return Effect.succeed([...takeHeld(buffer), ...onLag.missed(takeMissed(buffer))])
      case "Fail":
        return buffer.events.length > 0
          ? Effect.succeed(takeHeld(buffer))
          : Effect.fail(Option.some(onLag.error(buffer.missed)))
      case "CatchUp": {
        let held: ReadonlyArray<A> = []
        const take = (): number => {
          held = takeHeld(buffer)
          return takeMissed(buffer)
        }
        return Effect.map(onLag.missed(take), (event) => [...held, event])
      }
    }
  }

  const pull = <Err>(buffer: Buffer<A>, onLag: OnLag<A, Err>): Effect.Effect<ReadonlyArray<A>, Option.Option<Err>> =>
    Effect.suspend(() => {
      if (buffer.missed > 0) return lagged(buffer, onLag)
      if (buffer.events.length > 0) return Effect.succeed(takeHeld(buffer))
      if (ended) return Effect.fail(Option.none())
      return Effect.zipRight(
        Effect.async<void>((resume) => {
          buffer.wake = () => resume(Effect.void)
        }),
        pull(buffer, onLag)
      )
    })

  return {
    publish: (event) => {
      for (const buffer of buffers) add(buffer, event)
    },
    subscribe: (capacity, onLag) =>
      Stream.unwrapScoped(
        Effect.acquireRelease(
          Effect.sync(() => claim(capacity)),
          (buffer) => Effect.sync(() => buffers.delete(buffer))
        ).pipe(
          Effect.map((buffer) => Stream.repeatEffectChunkOption(Effect.map(pull(buffer, onLag), Chunk.unsafeFromArray)))
        )
      ),
    end: () => {
      ended = true
      for (const buffer of buffers) wake(buffer)
    }
  }
}
