import type * as Context from "effect/Context"
import * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import { tell } from "../../common/tell.js"
import { type AudioChunk, type Failure, isFailure, type SessionEvent } from "../../SessionEvent.js"
import { Subscribers } from "./Subscribers.js"
import { eventsMissed } from "./Subscription.js"
import type { Tap } from "./Tap.js"

/**
 * Functions that the session calls with each thing that it publishes, at that moment: after what it sent before, and
 * before what it sends next. If one throws, that is published, and the session is not affected.
 */
export interface Listeners<E = unknown> {
  onEvent?(event: SessionEvent<E>): void
  onAudio?(chunk: AudioChunk): void
}

/** Sees each event before anyone else. It must not throw. */
interface Observer {
  published(event: SessionEvent<unknown>): void
}

/** Reads what is published, at that moment. */
export interface Reader<E> {
  published(event: SessionEvent<E>): void
  played(chunk: AudioChunk): void
}

/** Publishes to the application: to its listeners at once, and to the readers of the streams. */
export class Publisher<out E = unknown> {
  readonly events: Subscribers<SessionEvent<E>>
  readonly #errors: Subscribers<Failure<E>>
  readonly #audio: Subscribers<AudioChunk>
  #hasEnded = false
  /** For callers that wait for an answer. */
  reader: Reader<E> | undefined

  constructor(
    private readonly options: { readonly subscriberCapacity: number; readonly audioCapacity: number },
    private readonly listeners: Listeners<E>,
    private readonly tap: Context.Tag.Service<typeof Tap>,
    private readonly observer: Observer
  ) {
    const { audioCapacity, subscriberCapacity } = options
    // Events that a listener has already seen are not kept for a first reader.
    const unclaimedEvents = listeners.onEvent === undefined ? subscriberCapacity : 0
    this.events = new Subscribers(unclaimedEvents)
    this.#errors = new Subscribers(unclaimedEvents)
    this.#audio = new Subscribers(listeners.onAudio === undefined ? audioCapacity : 0)
  }

  get errors(): Stream.Stream<Failure<E>> {
    return this.#errors.subscribe(this.options.subscriberCapacity, { _tag: "Tell", missed: eventsMissed })
  }

  get audio(): Stream.Stream<AudioChunk> {
    const missed = (count: number) => {
      this.publish({ _tag: "AudioDropped", count })
      return []
    }
    return this.#audio.subscribe(this.options.audioCapacity, { _tag: "Tell", missed })
  }

  publish(event: SessionEvent<E>): void {
    if (this.#hasEnded) return
    this.observer.published(event)
    this.tap.published(event)
    this.reader?.published(event)
    const { onEvent } = this.listeners
    if (onEvent !== undefined) this.#tell("onEvent", onEvent, event)
    this.#toStreams(event)
  }

  play(chunk: AudioChunk): void {
    this.tap.played(chunk)
    this.reader?.played(chunk)
    const { onAudio } = this.listeners
    if (onAudio !== undefined) this.#tell("onAudio", onAudio, chunk)
    this.#audio.publish(chunk)
  }

  /** Nothing more is published. */
  close(): void {
    this.#hasEnded = true
  }

  /** Every stream ends once it has delivered what it holds. */
  end(): void {
    this.events.end()
    this.#errors.end()
    this.#audio.end()
  }

  #toStreams(event: SessionEvent<E>): void {
    this.events.publish(event)
    if (isFailure(event)) this.#errors.publish(event)
  }

  #tell<A>(input: "onEvent" | "onAudio", listener: (what: A) => unknown, what: A): void {
    tell(listener, what, (thrown) => this.#failed(input, thrown))
  }

  #failed(input: "onEvent" | "onAudio", thrown: unknown): void {
    const message = `${input} threw. What it threw is in \`reason\`.`
    const event = { _tag: "InputFailed", input, message, reason: Redacted.make(thrown) } as const
    // A listener that throws is not told of its own failure.
    if (input === "onAudio") this.publish(event)
    else if (!this.#hasEnded) this.#toStreams(event)
  }
}
