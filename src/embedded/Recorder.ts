/**
 * What a connection's client said, kept for tests.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import type { ClientEvent } from "../protocol/ClientEvent.js"
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

const keep = <A>(list: Array<A>, element: A): void => {
  list.push(element)
  // Cut in halves, so that the cost of one event does not depend on how many there were.
  if (list.length > LIMIT * 2) list.splice(0, LIMIT)
}

export class Recorder {
  readonly #events: Array<ClientEvent> = []
  readonly #refusals: Array<RefusedEvent> = []
  readonly #byType = new Map<string, Mailbox.Mailbox<ClientEvent>>()
  #ended = false

  get events(): ReadonlyArray<ClientEvent> {
    return this.#events.slice(-LIMIT)
  }

  get refusals(): ReadonlyArray<RefusedEvent> {
    return this.#refusals.slice(-LIMIT)
  }

  received(event: ClientEvent): void {
    keep(this.#events, event)
    this.#mailbox(event.type).unsafeOffer(event)
  }

  refused(refused: RefusedEvent): void {
    keep(this.#refusals, refused)
  }

  next<Type extends ClientEvent["type"]>(type: Type): Effect.Effect<Extract<ClientEvent, { readonly type: Type }>> {
    return Effect.suspend(() => this.#mailbox(type).take).pipe(
      Effect.catchAll(() => Effect.dieMessage(`The connection ended before the client sent a ${type}.`)),
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

  #mailbox(type: string): Mailbox.Mailbox<ClientEvent> {
    const found = this.#byType.get(type)
    if (found !== undefined) return found
    const made = Effect.runSync(Mailbox.make<ClientEvent>({ capacity: LIMIT, strategy: "sliding" }))
    if (this.#ended) made.unsafeDone(Exit.void)
    this.#byType.set(type, made)
    return made
  }
}
