import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"

/**
 * A source of messages that can pause, such as a socket.
 *
 * @since 0.1.0
 * @category models
 */
export interface Source {
  /** Asks the source to pause. Returns `false` if it cannot. Messages that it has already read are still taken. */
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
  /**
   * How large the waiting messages may be together before the source is paused. One message may always wait, whatever
   * its size. Default: no limit.
   */
  readonly maxSize?: number
  /** Default: a source that cannot pause. */
  readonly source?: Source
}

/**
 * The messages that a reader has taken, and after the last of them how the connection ended.
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
 * The messages of one connection, in order, between the callback that adds them and the single reader who takes them.
 * Neither waits for the other. When the reader falls behind, the source is asked to pause. It resumes when at most half
 * of the allowed messages wait.
 *
 * @example
 * ```ts
 * import { RealtimeModel } from "effect-realtime"
 *
 * declare const socket: { onText: (listener: (frame: RealtimeModel.Frame) => void) => void; pause(): void; resume(): void }
 *
 * export const frames = new RealtimeModel.Incoming<RealtimeModel.Frame, RealtimeModel.ConnectionLost>({
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

  /** The number of waiting messages. */
  get length(): number {
    return this.#messages.length
  }

  /** Whether the source was asked to pause, and not yet asked to resume. */
  get isPaused(): boolean {
    return this.#state === "paused"
  }

  /**
   * Adds a message. Returns `false` without adding it if the source cannot pause and twice the allowed amount waits.
   * After the end, messages are dropped.
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
    // A reader that was woken for an earlier message takes this one too.
    if (this.length === 1) this.#wake?.()
    return true
  }

  /** Ends the messages with an error. The reader still takes what was offered before. */
  fail(error: E): void {
    this.#finish({ _tag: "Failed", error })
  }

  /** Ends the messages. */
  end(): void {
    this.#finish({ _tag: "Ended" })
  }

  /**
   * For a reader that uses `takeNow`: `wake` is called when a first message arrives, or at once if messages are already
   * waiting. It must not take within the call.
   */
  listen(wake: () => void): void {
    this.#wake = wake
    if (this.length > 0 || this.#end !== undefined) wake()
  }

  /** Takes everything that waits. */
  takeNow(): Taken<A, E> {
    const messages = this.#messages
    this.#messages = []
    this.#sizes = []
    this.#size = 0
    this.#taken()
    return { messages, end: this.#end }
  }

  /** Waits for the next message. Fails with `NoSuchElementException` after `end`. */
  get take(): Effect.Effect<A, E | Cause.NoSuchElementException> {
    return Effect.suspend(() => {
      for (const message of this.#messages.splice(0, 1)) {
        this.#size -= this.#sizes.shift() ?? 0
        this.#taken()
        return Effect.succeed(message)
      }
      if (this.#end === undefined) return Effect.zipRight(this.#arrival(), this.take)
      return Effect.fail(this.#end._tag === "Failed" ? this.#end.error : new Cause.NoSuchElementException())
    })
  }

  /** Waits for at least one message, and takes everything that waits. Ends with the connection. */
  get takeAll(): Effect.Effect<Taken<A, E>> {
    return Effect.suspend(() =>
      this.length > 0 || this.#end !== undefined
        ? Effect.succeed(this.takeNow())
        : Effect.zipRight(this.#arrival(), this.takeAll)
    )
  }

  #arrival(): Effect.Effect<void> {
    return Effect.async((resume) => {
      const wake = () => {
        this.#wake = undefined
        resume(Effect.void)
      }
      this.listen(wake)
      return Effect.sync(() => {
        if (this.#wake === wake) this.#wake = undefined
      })
    })
  }

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
    if (this.length === 0) this.#wake?.()
  }
}
