import { isAnsweredBy, nextEventId, type Owed, requestOf } from "./RequestLine.js"

/** A request that the server still has to answer. */
export interface SentRequest {
  readonly owed: Owed
  readonly eventId: string
  readonly outOfBand: boolean
  readonly since: number
  /**
   * Whether its response must be cancelled as soon as there is one: the application interrupted, or another attempt was
   * answered.
   */
  cancelled: boolean
  /**
   * A response that answers it: one of the server's own that has seen everything this request is about, or that of an
   * earlier attempt.
   */
  coveredBy: string | undefined
}

/** A request that a response answers. */
export interface Answered {
  readonly owed: Owed
  readonly cancelled: boolean
  readonly outOfBand: boolean
}

/** The requests that were sent: at most one for the default conversation, and any number out-of-band. */
export class SentRequests {
  /** By event id. */
  readonly #beside = new Map<string, SentRequest>()
  #outstanding: SentRequest | undefined

  /** `createdWithin`: milliseconds from a request to its `response.created`. */
  constructor(private readonly createdWithin: number) {}

  /** Counts as one more attempt of the request. */
  add(owed: Owed, outOfBand: boolean, now: number): SentRequest {
    const eventId = nextEventId(owed)
    const sent: SentRequest = { owed, eventId, outOfBand, since: now, cancelled: false, coveredBy: undefined }
    if (outOfBand) this.#beside.set(eventId, sent)
    else this.#outstanding = sent
    return sent
  }

  /** The request for the default conversation. */
  outstanding(): SentRequest | undefined {
    return this.#outstanding
  }

  /** The out-of-band requests, starting with the one that waits longest. */
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

  /** The request that this response covers. */
  coveredBy(responseId: string): SentRequest | undefined {
    return this.all().find(({ coveredBy }) => coveredBy === responseId)
  }

  /** Takes the request that this event carried. */
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

  /**
   * The request that a response answers according to its metadata, if an attempt of it was sent: this one or a later
   * one.
   */
  answeredBy(responseId: string, eventId: string): Answered | undefined {
    const later = this.all().find((one) => one.eventId !== eventId && isAnsweredBy(one.owed, requestOf(eventId)))
    if (later !== undefined) {
      // The later attempt was already sent: nothing else may be sent until the server has answered it.
      const { owed, cancelled, outOfBand } = later
      later.coveredBy = responseId
      later.cancelled = true
      return { owed, cancelled, outOfBand }
    }
    return this.take(eventId)
  }

  /** Takes the requests that the server has not answered in time. */
  takeOverdue(now: number): ReadonlyArray<SentRequest> {
    const overdue = this.all().filter(({ since }) => since + this.createdWithin <= now)
    for (const { eventId } of overdue) this.take(eventId)
    return overdue
  }

  /** When the next request is overdue. */
  deadline(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const { since } of this.all()) earliest = Math.min(earliest, since + this.createdWithin)
    return earliest
  }

  /** How many out-of-band requests were sent and not answered. */
  besideCount(): number {
    return this.#beside.size
  }

  /** No request is waiting for an answer any more. Takes all of them. */
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
