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
export class SentRequests {
  /** By the event. */
  readonly #beside = new Map<string, SentRequest>()
  #outstanding: SentRequest | undefined

  /** `createdWithin`: milliseconds from a request to its `response.created`. */
  constructor(private readonly createdWithin: number) {}

  /** Counts as one more try of the request. */
  add(owed: Owed, outOfBand: boolean, now: number): SentRequest {
    const eventId = nextEventId(owed)
    const sent: SentRequest = { owed, eventId, outOfBand, since: now, cancelled: false, coveredBy: undefined }
    if (outOfBand) this.#beside.set(eventId, sent)
    else this.#outstanding = sent
    return sent
  }

  /** The one on the default conversation. */
  outstanding(): SentRequest | undefined {
    return this.#outstanding
  }

  /** Those beside it, from the one that waits longest. */
  beside(): ReadonlyArray<SentRequest> {
    return Array.from(this.#beside.values())
  }

  all(): ReadonlyArray<SentRequest> {
    return this.#outstanding === undefined
      ? Array.from(this.#beside.values())
      : [this.#outstanding, ...this.#beside.values()]
  }

  isOutstanding(eventId: string): boolean {
    return this.#outstanding?.eventId === eventId || this.#beside.has(eventId)
  }

  /** The one that this response makes needless. */
  coveredBy(responseId: string): SentRequest | undefined {
    return this.all().find(({ coveredBy }) => coveredBy === responseId)
  }

  /** Takes the one that this event carried. */
  take(eventId: string): SentRequest | undefined {
    if (this.#outstanding?.eventId === eventId) {
      const sent = this.#outstanding
      this.#outstanding = undefined
      return sent
    }
    const sent = this.#beside.get(eventId)
    this.#beside.delete(eventId)
    return sent
  }

  /** The request that a response answers by its metadata, if a try of it is on its way: this one or a later one. */
  answeredBy(responseId: string, eventId: string): Answered | undefined {
    const later = this.all().find((one) => one.eventId !== eventId && isAnsweredBy(one.owed, requestOf(eventId)))
    if (later !== undefined) {
      // The later try is still on its way: nothing else may be sent until the server has said something of it.
      const { owed, cancelled, outOfBand } = later
      later.coveredBy = responseId
      later.cancelled = true
      return { owed, cancelled, outOfBand }
    }
    return this.take(eventId)
  }

  /** Takes those that the server has not answered in time. */
  takeOverdue(now: number): ReadonlyArray<SentRequest> {
    const overdue = this.all().filter(({ since }) => since + this.createdWithin <= now)
    for (const { eventId } of overdue) this.take(eventId)
    return overdue
  }

  /** When the first of them is overdue. */
  deadline(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const { since } of this.all()) earliest = Math.min(earliest, since + this.createdWithin)
    return earliest
  }

  /** How many are on their way beside the conversation. */
  besideCount(): number {
    return this.#beside.size
  }

  /** Nothing is on its way any more. Takes all that was. */
  takeAll(): ReadonlyArray<SentRequest> {
    const requests = this.all()
    this.#outstanding = undefined
    this.#beside.clear()
    return requests
  }

  isEmpty(): boolean {
    return this.#outstanding === undefined && this.#beside.size === 0
  }
}
