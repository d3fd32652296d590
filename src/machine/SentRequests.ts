import { isAnsweredBy, nextEventId, type Owed, requestOf } from "./RequestLine.js"

/** A request that the server still has to answer. */
export interface SentRequest {
  readonly owed: Owed
  readonly eventId: string
  readonly outOfBand: boolean
  readonly since: number
  /** Its response is to be cancelled as soon as there is one: the application interrupted, or another try was answered. */
  cancelled: boolean
  /** A response that answers it: a foreign one that saw everything this request is about, or that of an earlier try. */
  coveredBy: string | undefined
}

/** A request that a response answers. */
export interface Answered {
  readonly owed: Owed
  readonly cancelled: boolean
  readonly outOfBand: boolean
}

/** The requests on their way: at most one on the default conversation, and any number beside it. */
export interface SentRequests {
  /** Counts as one more try of the request. */
  readonly add: (owed: Owed, outOfBand: boolean, now: number) => SentRequest
  /** The one on the default conversation. */
  readonly outstanding: () => SentRequest | undefined
  /** Those beside it, from the one that waits longest. */
  readonly beside: () => ReadonlyArray<SentRequest>
  readonly all: () => ReadonlyArray<SentRequest>
  readonly isOutstanding: (eventId: string) => boolean
  /** The one that this response makes needless. */
  readonly coveredBy: (responseId: string) => SentRequest | undefined
  /** Takes the one that this event carried. */
  readonly take: (eventId: string) => SentRequest | undefined
  /** The request that a response answers by its metadata, if a try of it is on its way: this one or a later one. */
  readonly answeredBy: (responseId: string, eventId: string) => Answered | undefined
  /** Takes those that the server has not answered in time. */
  readonly takeOverdue: (now: number) => ReadonlyArray<SentRequest>
  /** When the first of them is overdue. */
  readonly deadline: () => number
  /** How many are on their way beside the conversation. */
  readonly besideCount: () => number
  /** Nothing is on its way any more. Takes all that was. */
  readonly takeAll: () => ReadonlyArray<SentRequest>
  readonly isEmpty: () => boolean
}

/** `createdWithin`: milliseconds from a request to its `response.created`. */
export const make = (createdWithin: number): SentRequests => {
  /** By the event. */
  const beside = new Map<string, SentRequest>()
  let outstanding: SentRequest | undefined

  const all = (): ReadonlyArray<SentRequest> =>
    outstanding === undefined ? Array.from(beside.values()) : [outstanding, ...beside.values()]

  const take = (eventId: string): SentRequest | undefined => {
    if (outstanding?.eventId === eventId) {
      const sent = outstanding
      outstanding = undefined
      return sent
    }
    const sent = beside.get(eventId)
    beside.delete(eventId)
    return sent
  }

  return {
    add: (owed, outOfBand, now) => {
      const eventId = nextEventId(owed)
      const sent: SentRequest = { owed, eventId, outOfBand, since: now, cancelled: false, coveredBy: undefined }
      if (outOfBand) beside.set(eventId, sent)
      else outstanding = sent
      return sent
    },
    outstanding: () => outstanding,
    beside: () => Array.from(beside.values()),
    all,
    isOutstanding: (eventId) => outstanding?.eventId === eventId || beside.has(eventId),
    coveredBy: (responseId) => all().find(({ coveredBy }) => coveredBy === responseId),
    take,
    answeredBy: (responseId, eventId) => {
      const later = all().find((one) => one.eventId !== eventId && isAnsweredBy(one.owed, requestOf(eventId)))
      if (later !== undefined) {
        // The later try is still on its way: nothing else may be sent until the server has said something of it.
        const { owed, cancelled, outOfBand } = later
        later.coveredBy = responseId
        later.cancelled = true
        return { owed, cancelled, outOfBand }
      }
      return take(eventId)
    },
    takeOverdue: (now) => {
      const overdue = all().filter(({ since }) => since + createdWithin <= now)
      for (const { eventId } of overdue) take(eventId)
      return overdue
    },
    deadline: () => {
      let earliest = Number.POSITIVE_INFINITY
      for (const { since } of all()) earliest = Math.min(earliest, since + createdWithin)
      return earliest
    },
    besideCount: () => beside.size,
    takeAll: () => {
      const requests = all()
      outstanding = undefined
      beside.clear()
      return requests
    },
    isEmpty: () => outstanding === undefined && beside.size === 0
  }
}
