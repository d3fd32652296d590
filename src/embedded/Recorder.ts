/**
 * What a connection's client said, kept for tests.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { Kept, LongFrames } from "./LongFrames.js"
import type { JsonObject, Refusal } from "./Shape.js"

/**
 * A client event that was answered with an `error`.
 *
 * @since 0.1.0
 * @category connections
 */
export interface RefusedEvent {
  readonly event: JsonObject
  readonly refusal: Refusal
}

/** How many events are kept: a server that runs for days must not keep them all. */
const LIMIT = 10_000

const valuesOf = <A>(list: ReadonlyArray<Kept<A>>): ReadonlyArray<A> =>
  list.slice(-LIMIT).flatMap(({ value }) => (value === undefined ? [] : [value]))

const keep = <A>(list: Array<A>, element: A): void => {
  list.push(element)
  // Cut in halves, so that the cost of one event does not depend on how many there were.
  if (list.length > LIMIT * 2) list.splice(0, LIMIT)
}

export class Recorder {
  readonly #events: Array<Kept<ClientEvent>> = []
  readonly #refusals: Array<Kept<RefusedEvent>> = []
  readonly #byType = new Map<string, Mailbox.Mailbox<Kept<ClientEvent>>>()
  readonly #long: LongFrames
  #ended = false

  constructor(long: LongFrames) {
    this.#long = long
  }

  get events(): ReadonlyArray<ClientEvent> {
    return valuesOf(this.#events)
  }

  get refusals(): ReadonlyArray<RefusedEvent> {
    return valuesOf(this.#refusals)
  }

  /** @param length of the frame, in characters */
  received(event: ClientEvent, length: number): void {
    const kept = this.#long.keep(event, length)
    keep(this.#events, kept)
    this.#mailbox(event.type).unsafeOffer(kept)
  }

  /** @param length of the frame, in characters */
  refused(refused: RefusedEvent, length: number): void {
    keep(this.#refusals, this.#long.keep(refused, length))
  }

  next<Type extends ClientEvent["type"]>(type: Type): Effect.Effect<Extract<ClientEvent, { readonly type: Type }>> {
    return Effect.suspend(() => this.#mailbox(type).take).pipe(
      Effect.catchAll(() => Effect.dieMessage(`The connection ended before the client sent a ${type}.`)),
      Effect.flatMap(({ value }) => (value === undefined ? this.next(type) : Effect.succeed(value))),
      Effect.filterOrDieMessage(
        (event): event is Extract<ClientEvent, { readonly type: Type }> => event.type === type,
        "An event was filed under another type."
      )
    )
  }

  end(): void {
    this.#ended = true
    for (const mailbox of this.#byType.values()) mailbox.unsafeDone(Exit.void)
  }

  #mailbox(type: string): Mailbox.Mailbox<Kept<ClientEvent>> {
    const found = this.#byType.get(type)
    if (found !== undefined) return found
    const made = Effect.runSync(Mailbox.make<Kept<ClientEvent>>({ capacity: LIMIT, strategy: "sliding" }))
    if (this.#ended) made.unsafeDone(Exit.void)
    this.#byType.set(type, made)
    return made
  }
}
