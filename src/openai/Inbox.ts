/**
 * From a synchronous callback to a mailbox that is bounded by the number of its messages and by their size: in order,
 * without a fiber per message. When the reader falls behind, the source is asked to pause.
 */
import type * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Effectable from "effect/Effectable"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"

export interface Inbox<in out A, in out E> {
  readonly messages: Mailbox.ReadonlyMailbox<A, E>
  /** `false`, and not taken, when the source can't pause and twice as much waits as should. */
  readonly offer: (message: A, size: number) => boolean
  /** Whether the source was asked to pause, and not yet to resume. */
  readonly paused: () => boolean
  /** Fails the mailbox, after all that was offered before. */
  readonly fail: (error: E) => void
  /** Ends the mailbox, after all that was offered before. */
  readonly end: Effect.Effect<void>
}

export interface InboxOptions {
  /** How many messages may wait. */
  readonly capacity: number
  /** How large they may be together. One message may always wait, whatever its size. */
  readonly maxSize: number
  /** Called when as much waits as may: pauses the source, or returns `false` where that can't be. */
  readonly onFull: () => boolean
  /** Called when no more than half as much waits after a pause; resume the source here. */
  readonly onDrained: () => void
}

/** What waits. Sizes are dropped as the reader is seen to have taken their messages. */
class Line {
  readonly #sizes: Array<number> = []
  #first = 0
  #size = 0

  get length(): number {
    return this.#sizes.length - this.#first
  }

  get size(): number {
    return this.#size
  }

  add(size: number): void {
    this.#sizes.push(size)
    this.#size += size
  }

  keepLast(count: number): void {
    while (this.length > count) {
      this.#size -= this.#sizes[this.#first] ?? 0
      this.#first += 1
    }
    // Cut in halves, so that the cost of one message does not depend on how many wait.
    if (this.#first * 2 >= this.#sizes.length) {
      this.#sizes.splice(0, this.#first)
      this.#first = 0
    }
  }
}

/** A mailbox whose reader is noticed. */
class Noticed<A, E>
  extends Effectable.Class<readonly [messages: Chunk.Chunk<A>, done: boolean], E>
  implements Mailbox.ReadonlyMailbox<A, E>
{
  readonly [Mailbox.ReadonlyTypeId]: Mailbox.ReadonlyTypeId = Mailbox.ReadonlyTypeId
  readonly clear: Mailbox.ReadonlyMailbox<A, E>["clear"]
  readonly takeAll: Mailbox.ReadonlyMailbox<A, E>["takeAll"]
  readonly takeN: Mailbox.ReadonlyMailbox<A, E>["takeN"]
  readonly take: Mailbox.ReadonlyMailbox<A, E>["take"]
  readonly await: Mailbox.ReadonlyMailbox<A, E>["await"]
  readonly size: Mailbox.ReadonlyMailbox<A, E>["size"]
  readonly unsafeSize: Mailbox.ReadonlyMailbox<A, E>["unsafeSize"]
  readonly #mailbox: Mailbox.ReadonlyMailbox<A, E>

  constructor(mailbox: Mailbox.ReadonlyMailbox<A, E>, taken: () => void) {
    super()
    // Also before, for a reader that was interrupted right after it had taken: it would wait for a paused source.
    const noticed = <X, F>(take: Effect.Effect<X, F>): Effect.Effect<X, F> =>
      Effect.suspend(() => {
        taken()
        return Effect.map(take, (messages) => {
          taken()
          return messages
        })
      })
    this.#mailbox = mailbox
    this.clear = noticed(mailbox.clear)
    this.takeAll = noticed(mailbox.takeAll)
    this.takeN = (n) => noticed(mailbox.takeN(n))
    this.take = noticed(mailbox.take)
    this.await = mailbox.await
    this.size = mailbox.size
    this.unsafeSize = () => mailbox.unsafeSize()
  }

  commit() {
    return this.takeAll
  }

  toJSON(): unknown {
    return this.#mailbox.toJSON()
  }

  override toString(): string {
    return this.#mailbox.toString()
  }

  [Inspectable.NodeInspectSymbol](): unknown {
    return this.toString()
  }
}

export const make = <A, E>(options: InboxOptions): Effect.Effect<Inbox<A, E>> =>
  Effect.map(Mailbox.make<A, E>(), (mailbox) => {
    const capacity = Math.max(1, options.capacity)
    const maxSize = Math.max(1, options.maxSize)
    const line = new Line()
    let source: "flowing" | "paused" | "unstoppable" = "flowing"

    const notice = () => {
      line.keepLast(Option.getOrElse(mailbox.unsafeSize(), () => 0))
      if (source === "paused" && line.length <= capacity / 2 && line.size <= maxSize / 2) {
        source = "flowing"
        options.onDrained()
      }
    }

    return {
      messages: new Noticed(mailbox, notice),
      offer: (message, size) => {
        notice()
        const fits = line.length < 2 * capacity && (line.length === 0 || line.size + size <= 2 * maxSize)
        if (source === "unstoppable" && !fits) return false
        if (!mailbox.unsafeOffer(message)) return true
        line.add(size)
        // A paused source still delivers what it had read already.
        if (source === "flowing" && (line.length >= capacity || line.size >= maxSize)) {
          source = options.onFull() ? "paused" : "unstoppable"
        }
        return true
      },
      paused: () => source === "paused",
      fail: (error) => void mailbox.unsafeDone(Exit.fail(error)),
      end: Effect.asVoid(mailbox.end)
    }
  })
