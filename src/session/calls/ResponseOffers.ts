import { forgetOldest } from "../../machine/forgetOldest.js"
import type { Offer } from "../team/Offer.js"

/** Whom the calls of a response are for: the agent that had the conversation when it began. */
export interface ResponseOffers<E, R> {
  readonly began: (responseId: string) => void
  readonly ended: (responseId: string) => void
  /** Of a response that is not known, the agent that has the conversation now. */
  readonly of: (responseId: string | undefined) => Offer<E, R>
}

/** Far more than can be alive at a time: a response whose end never came is forgotten some time. */
const maxLiveResponses = 64

export const make = <E, R>(current: () => Offer<E, R>): ResponseOffers<E, R> => {
  const offers = new Map<string, Offer<E, R>>()
  return {
    began: (responseId) => {
      offers.set(responseId, current())
      forgetOldest(offers, maxLiveResponses)
    },
    ended: (responseId) => {
      offers.delete(responseId)
    },
    of: (responseId) => (responseId === undefined ? undefined : offers.get(responseId)) ?? current()
  }
}
