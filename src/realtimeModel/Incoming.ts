import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/**
 * What can stop delivering for a while, as a socket can.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  /** Asks it to stop. `false`: it cannot. What it has read already is still taken. */
  readonly pause: () => boolean
  readonly resume: () => void
}

/**
 * @since 0.1.0
 * @category models
 */
export interface IncomingOptions {
  /** How many messages may wait before the source is paused. Default: no limit. */
  readonly capacity?: number
  /** How large they may be together before it is. One message may always wait, whatever its size. Default: no limit. */
  readonly maxSize?: number
  /** Default: one that cannot pause. */
  readonly source?: Source
}

/**
 * What a reader has taken: the messages, and with the last of them how the connection ended.
 *
 * @since 0.1.0
 * @category models
 */
export interface Taken<out A, out E> {
  readonly messages: ReadonlyArray<A>
  readonly end: End<E> | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export type End<E> = { readonly _tag: "Ended" } | { readonly _tag: "Failed"; readonly error: E }

const cannotPause: Source = { pause: () => false, resume: () => undefined }

/**
 * The messages of one connection, in order, between the callback that brings them and the one reader who takes them.
 * Neither waits for the other. When the reader falls behind, the source is asked to pause, and goes on when the reader has taken half
 * of what may wait.
 *
 * @example
 * ```ts
 * import { type Protocol, RealtimeModel } from "effect-realtime"
 *
 * declare const socket: { onText: (listener: (frame: Protocol.ServerFrame) => void) => void; pause(): void; resume(): void }
 *
 * export const frames = new RealtimeModel.Incoming<Protocol.ServerFrame, RealtimeModel.ConnectionLost>({
 *   capacity: 4096,
 *   source: {
 *     pause: () => {
 *       socket.pause()
 *       return true
 *     },
 *     resume: () => socket.resume()
 *   }
 * })
 * socket.onText((frame) => frames.offer(frame))
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export class Incoming<in out A, in out E> {
  readonly #capacity: number
  readonly #maxSize: number
  readonly #source: Source
  #messages: Array<A> = []
  #sizes: Array<number> = []
  #size = 0
  #end: End<E> | undefined
  #state: "flowing" | "paused" | "unstoppable" = "flowing"
  #wake: (() => void) | undefined

  constructor(options: IncomingOptions = {}) {
    this.#capacity = Math.max(1, options.capacity ?? Number.POSITIVE_INFINITY)
    this.#maxSize = Math.max(1, options.maxSize ?? Number.POSITIVE_INFINITY)
    this.#source = options.source ?? cannotPause
  }

  /** How many messages wait. */
  get length(): number {
    return this.#messages.length
  }

  /** Whether the source was asked to pause, and not yet to resume. */
  get isPaused(): boolean {
    return this.#state === "paused"
  }

  /**
   * Adds a message. `false`, and not added: the source cannot pause, and twice as much waits as may. After the end,
   * a message is dropped.
   */
  offer(message: A, size = 0): boolean {
    if (this.#end !== undefined) return true
    if (this.#state === "unstoppable" && !this.#fits(size)) return false
    this.#messages.push(message)
    this.#sizes.push(size)
    this.#size += size
    if (this.#state === "flowing" && (this.length >= this.#capacity || this.#size >= this.#maxSize)) {
      this.#state = this.#source.pause() ? "paused" : "unstoppable"
    }
    // A reader that was told of an earlier message takes this one with it.
    if (this.length === 1) this.#wakeReader()
    return true
  }

  /** Nothing more comes, and this is why. The reader takes what was offered before. */
  fail(error: E): void {
    this.#finish({ _tag: "Failed", error })
  }

  /** Nothing more comes. */
  end(): void {
    this.#finish({ _tag: "Ended" })
  }

  /**
   * For a reader that takes with `takeNow`: `wake` is called when there is something and there was nothing before, at
   * once where there is already. It must not take within the call.
   */
  listen(wake: () => void): void {
    this.#wake = wake
    if (this.length > 0 || this.#end !== undefined) wake()
  }

  /** Everything that waits. */
  takeNow(): Taken<A, E> {
    const messages = this.#messages
    this.#messages = []
    this.#sizes = []
    this.#size = 0
    this.#taken()
    return { messages, end: this.#end }
  }

  /** Waits for the next message. Fails with `NoSuchElementException` after `end`. */
  readonly take: Effect.Effect<A, E | Cause.NoSuchElementException> = Effect.suspend(() => {
    for (const message of this.#messages.splice(0, 1)) {
      this.#size -= this.#sizes.shift() ?? 0
      this.#taken()
      return Effect.succeed(message)
    }
    if (this.#end === undefined) return Effect.zipRight(this.#arrival, this.take)
    return Effect.fail(this.#end._tag === "Failed" ? this.#end.error : new Cause.NoSuchElementException())
  })

  /** Waits until there is something and takes all of it. Ends with the connection. */
  readonly takeAll: Effect.Effect<Taken<A, E>> = Effect.suspend(() =>
    this.length > 0 || this.#end !== undefined
      ? Effect.sync(() => this.takeNow())
      : Effect.zipRight(this.#arrival, this.takeAll)
  )

  readonly #arrival: Effect.Effect<void> = Effect.async((resume) => {
    const wake = () => {
      this.#wake = undefined
      resume(Effect.void)
    }
    this.listen(wake)
    return Effect.sync(() => {
      if (this.#wake === wake) this.#wake = undefined
    })
  })

  #fits(size: number): boolean {
    return this.length < 2 * this.#capacity && (this.length === 0 || this.#size + size <= 2 * this.#maxSize)
  }

  #taken(): void {
    if (this.#state !== "paused" || this.length > this.#capacity / 2 || this.#size > this.#maxSize / 2) return
    this.#state = "flowing"
    this.#source.resume()
  }

  #finish(end: End<E>): void {
    if (this.#end !== undefined) return
    this.#end = end
    if (this.length === 0) this.#wakeReader()
  }

  #wakeReader(): void {
    this.#wake?.()
  }
}
