import { forgetOldest } from "../../common/forgetOldest.js"
import type { Parts } from "../Parts.js"
import type { Offer } from "../team/Offer.js"

/** Far more than can be active at a time: a response whose end never came is forgotten at some point. */
const maxLiveResponses = 64

/** The agent that the calls of a response are for: the one that had the conversation when it began. */
export class ResponseOffers<out E = unknown, out R = unknown> {
  readonly #session: Parts<E, R>
  readonly #offers = new Map<string, Offer<E, R>>()

  constructor(session: Parts<E, R>) {
    this.#session = session
  }

  began(responseId: string): void {
    this.#offers.set(responseId, this.#session.team.current)
    forgetOldest(this.#offers, maxLiveResponses)
  }

  ended(responseId: string): void {
    this.#offers.delete(responseId)
  }

  /** For an unknown response, the agent that has the conversation now. */
  of(responseId: string | undefined): Offer<E, R> {
    return (responseId === undefined ? undefined : this.#offers.get(responseId)) ?? this.#session.team.current
  }
}
