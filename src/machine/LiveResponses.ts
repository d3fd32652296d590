import { forgetOldest } from "../common/forgetOldest.js"
import type { Owed } from "./RequestLine.js"

/** A response in progress. */
export interface LiveResponse {
  readonly responseId: string
  readonly outOfBand: boolean
  /** The request that this response answers, if any. */
  answers: Owed | undefined
  lastEvent: number
  cancelled: boolean
  /** The guardrail that stopped it before it was known. */
  blockedBy?: string | undefined
}

/** Far more than the responses that end before the server has sent its last event for the first. */
const maxPast = 32

/** The responses in progress, inside and outside the default conversation. */
export class LiveResponses {
  readonly #live = new Map<string, LiveResponse>()
  readonly #past = new Map<string, { readonly outOfBand: boolean; readonly hasEnded: boolean }>()

  /** `eventWithin`: the longest time between two events of a response, in milliseconds. */
  constructor(private readonly eventWithin: number) {}

  add(response: LiveResponse): void {
    this.#live.set(response.responseId, response)
  }

  get(responseId: string): LiveResponse | undefined {
    return this.#live.get(responseId)
  }

  /** Whether it is or was out-of-band: the server may still send events for one that is silent or over. */
  isBeside(responseId: string): boolean {
    return this.#live.get(responseId)?.outOfBand ?? this.#past.get(responseId)?.outOfBand ?? false
  }

  /** Whether it began, and has ended or was given up: later events for it do not begin a response. */
  isPast(responseId: string): boolean {
    return this.#past.has(responseId)
  }

  /** Whether the server has said that it is over. */
  hasEnded(responseId: string): boolean {
    return this.#past.get(responseId)?.hasEnded ?? false
  }

  all(): ReadonlyArray<LiveResponse> {
    return Array.from(this.#live.values())
  }

  /** The responses in the default conversation. */
  active(): ReadonlyArray<LiveResponse> {
    return Array.from(this.#live.values()).filter(({ outOfBand }) => !outOfBand)
  }

  hasActive(): boolean {
    return this.#firstActive() !== undefined
  }

  /** `at`: the time from which its silence counts. */
  progressed(responseId: string, at: number): void {
    const response = this.#live.get(responseId)
    if (response !== undefined) response.lastEvent = at
  }

  /** The response that a `response.done` with this id ends. Without an id, it ends the active one. */
  endedBy(responseId: string | undefined): string | undefined {
    return responseId ?? this.#firstActive()?.responseId
  }

  takeEnded(responseId: string | undefined): LiveResponse | undefined {
    const response = this.#live.get(this.endedBy(responseId) ?? "")
    if (response !== undefined) this.#forget(response, true)
    else if (responseId !== undefined && this.#past.has(responseId)) {
      this.#past.set(responseId, { outOfBand: this.#past.get(responseId)?.outOfBand ?? false, hasEnded: true })
    }
    return response
  }

  /** The responses that have been silent for too long. */
  silent(now: number): ReadonlyArray<LiveResponse> {
    return Array.from(this.#live.values()).filter(({ lastEvent }) => lastEvent + this.eventWithin <= now)
  }

  /** Removes and returns these. */
  takeSilent(now: number): ReadonlyArray<LiveResponse> {
    const givenUp = this.silent(now)
    for (const response of givenUp) this.#forget(response, false)
    return givenUp
  }

  /** When the next response will have been silent for too long. */
  deadline(): number {
    let earliest = Number.POSITIVE_INFINITY
    for (const { lastEvent } of this.#live.values()) earliest = Math.min(earliest, lastEvent + this.eventWithin)
    return earliest
  }

  clear(): void {
    for (const response of this.#live.values()) this.#forget(response, true)
  }

  isEmpty(): boolean {
    return this.#live.size === 0
  }

  #firstActive(): LiveResponse | undefined {
    for (const response of this.#live.values()) if (!response.outOfBand) return response
    return undefined
  }

  #forget({ outOfBand, responseId }: LiveResponse, hasEnded: boolean): void {
    this.#live.delete(responseId)
    this.#past.set(responseId, { outOfBand, hasEnded })
    forgetOldest(this.#past, maxPast)
  }
}
