import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Session from "../Session.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"

/**
 * Who hears a call, like `onEvent` and `onAudio` of a session. The session waits for the functions, so they must be
 * quick.
 *
 * @since 0.1.0
 * @category models
 */
export interface Listeners<in E = unknown> {
  readonly onEvent?: (event: SessionEvent<E>) => void
  readonly onAudio?: (chunk: AudioChunk) => void
}

/** The listeners of a session, who come and go while it runs. */
export class Listening<E> {
  readonly #all = new Set<Listeners<E>>()
  /** Items that a command waits for. They fail with what the server says of an item that it refuses. */
  readonly #awaited = new Map<string, Deferred.Deferred<void, string>>()
  #isOver = false
  /** When the last listener went, or the session began without one. */
  #aloneSince: number | undefined

  constructor(private readonly now: () => number) {
    this.#aloneSince = now()
  }

  /** @param given those of the application, which hear everything */
  options(given: Session.Options<E>): Session.Options<E> {
    return {
      ...given,
      onEvent: (event) => {
        if (event._tag === "ItemAdded") this.#decided(event.item.id, Effect.void)
        // The event that creates an item has the id of the item.
        else if (event._tag === "ServerErrorReceived") this.#decided(event.eventId, Effect.fail(event.message))
        else if (event._tag === "SessionEnded") this.#isOver = true
        return this.#tell(given, ({ onEvent }) => onEvent?.(event))
      },
      onAudio: (chunk) => this.#tell(given, ({ onAudio }) => onAudio?.(chunk))
    }
  }

  /** Somebody is about to end the session. */
  ends(): void {
    this.#isOver = true
  }

  /** Whether the session ends, or has ended: its tools may still be stopping. */
  isOver(): boolean {
    return this.#isOver
  }

  add(listeners: Listeners<E>): void {
    this.#all.add(listeners)
    this.#aloneSince = undefined
  }

  remove(listeners: Listeners<E>): void {
    if (this.#all.delete(listeners) && this.#all.size === 0) this.#aloneSince = this.now()
  }

  /** For how many milliseconds nobody has heard the call. */
  aloneMs(): number {
    return this.#aloneSince === undefined ? 0 : this.now() - this.#aloneSince
  }

  /**
   * Runs an effect that sends an item, and waits until the session has the item, and its journal too. Fails with what the
   * server says if it refuses the item.
   */
  untilAdded<A, Err>(
    itemId: string,
    isThere: Effect.Effect<boolean>,
    send: Effect.Effect<A, Err>
  ): Effect.Effect<A, Err | string> {
    return Effect.gen(this, function* () {
      const arrived = this.#awaited.get(itemId) ?? (yield* Deferred.make<void, string>())
      this.#awaited.set(itemId, arrived)
      const sent = yield* send
      if (!(yield* isThere)) yield* Deferred.await(arrived)
      return sent
    }).pipe(Effect.ensuring(Effect.sync(() => this.#awaited.delete(itemId))))
  }

  /** All are told, whatever the others do. The session hears of a failure, also of one that comes later. */
  #tell(given: Listeners<E>, tell: (listeners: Listeners<E>) => unknown): Promise<unknown> | undefined {
    const failures: Array<Promise<unknown>> = []
    const tellOne = (one: Listeners<E>): void => {
      try {
        const result = tell(one)
        if (Predicate.isPromiseLike(result)) failures.push(Promise.resolve(result))
      } catch (thrown) {
        failures.push(Promise.reject(thrown))
      }
    }
    tellOne(given)
    for (const one of this.#all) tellOne(one)
    return failures.length === 0 ? undefined : Promise.all(failures)
  }

  #decided(itemId: string | undefined, how: Effect.Effect<void, string>): void {
    const awaited = itemId === undefined ? undefined : this.#awaited.get(itemId)
    if (awaited !== undefined) Deferred.unsafeDone(awaited, how)
  }
}
