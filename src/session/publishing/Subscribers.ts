import * as Channel from "effect/Channel"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/** What happens to a subscriber that has missed something, after what it still holds. */
export type OnLag<A, Err> =
  /** It reads these, and goes on with what is published from now on. */
  | { readonly _tag: "Tell"; readonly missed: (count: number) => ReadonlyArray<A> }
  | { readonly _tag: "Fail"; readonly error: (count: number) => Err }
  /**
   * It reads this, and goes on with what is published after `take` was called, which returns the count. Until then, it
   * misses more.
   */
  | { readonly _tag: "CatchUp"; readonly missed: (take: () => number) => Effect.Effect<A> }

interface Buffer<out A> {
  events: Array<A>
  capacity: number
  /** While this is not 0, nothing is added: later events would hide the gap. */
  missed: number
  /** Its subscription is over. */
  isReleased: boolean
  wake: (() => void) | undefined
}

/**
 * The most that is kept before anyone listens. If nobody ever does, it is kept until the end of the session. A resumed
 * session publishes more than a new one before its maker gets it: one or two events for each open call.
 */
export const maxUnclaimed = 256

const empty = <A>(capacity: number): Buffer<A> => ({
  events: [],
  capacity,
  missed: 0,
  isReleased: false,
  wake: undefined
})

const wake = <A>(buffer: Buffer<A>): void => {
  const { wake } = buffer
  buffer.wake = undefined
  wake?.()
}

const takeHeld = <A>(buffer: Buffer<A>): ReadonlyArray<A> => {
  const held = buffer.events
  buffer.events = []
  return held
}

const takeMissed = <A>(buffer: Buffer<A>): number => {
  const { missed } = buffer
  buffer.missed = 0
  return missed
}

/**
 * Delivers what a session publishes to its subscribers. Publishing never waits: each subscriber has its own buffer, and
 * one that falls behind is told how much it missed, or is ended. What is published before anyone listens is kept for
 * the first subscriber, up to a limit.
 */
export class Subscribers<out A> {
  readonly #buffers: Array<Buffer<A>> = []
  /** The buffer of the first subscriber, before it comes. */
  #unclaimed: Buffer<A> | undefined
  #hasEnded = false

  /** @param firstCapacity how much is kept before anyone listens, if that is less than `maxUnclaimed` */
  constructor(firstCapacity: number) {
    if (firstCapacity <= 0) return
    this.#unclaimed = empty(Math.min(firstCapacity, maxUnclaimed))
    this.#buffers.push(this.#unclaimed)
  }

  publish(event: A): void {
    for (const buffer of this.#buffers) {
      if (buffer.missed === 0 && buffer.events.length < buffer.capacity) buffer.events.push(event)
      else buffer.missed += 1
      wake(buffer)
    }
  }

  subscribe<Err>(capacity: number, onLag: OnLag<A, Err>): Stream.Stream<A, Err> {
    return Stream.fromChannel(
      Channel.acquireUseRelease(
        Effect.sync(() => this.#claim(capacity)),
        (buffer) => this.#read(buffer, onLag),
        (buffer) => Effect.sync(() => this.#release(buffer))
      )
    )
  }

  /** Like `subscribe`, but live at once: the stream gives what is published from now on. It ends with the scope. */
  subscribeScoped<Err>(
    capacity: number,
    onLag: OnLag<A, Err>
  ): Effect.Effect<Stream.Stream<A, Err>, never, Scope.Scope> {
    return Effect.acquireRelease(
      Effect.sync(() => this.#claim(capacity)),
      (buffer) => Effect.sync(() => this.#release(buffer))
    ).pipe(Effect.map((buffer) => Stream.fromChannel(this.#read(buffer, onLag))))
  }

  /** Every stream ends once it has delivered what it holds. */
  end(): void {
    this.#hasEnded = true
    for (const buffer of this.#buffers) wake(buffer)
  }

  #claim(capacity: number): Buffer<A> {
    const unclaimed = this.#unclaimed
    this.#unclaimed = undefined
    if (unclaimed !== undefined) {
      unclaimed.capacity = capacity
      return unclaimed
    }
    const buffer = empty<A>(capacity)
    this.#buffers.push(buffer)
    return buffer
  }

  #release(buffer: Buffer<A>): void {
    this.#buffers.splice(this.#buffers.indexOf(buffer), 1)
    buffer.isReleased = true
    wake(buffer)
  }

  #read<Err>(
    buffer: Buffer<A>,
    onLag: OnLag<A, Err>
  ): Channel.Channel<Chunk.Chunk<A>, unknown, Err, unknown, void, unknown> {
    const write = (events: ReadonlyArray<A>): typeof next =>
      Channel.zipRight(Channel.write(Chunk.unsafeFromArray(events)), next)
    const next: Channel.Channel<Chunk.Chunk<A>, unknown, Err, unknown, void, unknown> = Channel.suspend(() => {
      if (buffer.missed > 0) return Channel.flatMap(Channel.fromEffect(lagged(buffer, onLag)), write)
      if (buffer.events.length > 0) return write(takeHeld(buffer))
      return this.#hasEnded || buffer.isReleased ? Channel.void : Channel.zipRight(Channel.fromEffect(woken), next)
    })
    const woken = Effect.async<void>((resume) => {
      buffer.wake = () => resume(Effect.void)
    })
    return next
  }
}

/** What a subscriber reads that has missed something. */
const lagged = <A, Err>(buffer: Buffer<A>, onLag: OnLag<A, Err>): Effect.Effect<ReadonlyArray<A>, Err> => {
  switch (onLag._tag) {
    case "Tell":
      return Effect.succeed([...takeHeld(buffer), ...onLag.missed(takeMissed(buffer))])
    case "Fail":
      return buffer.events.length > 0 ? Effect.succeed(takeHeld(buffer)) : Effect.fail(onLag.error(buffer.missed))
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
