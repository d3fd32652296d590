import { forgetOldest } from "./forgetOldest.js"
import type { Owed } from "./RequestLine.js"

/** A response that has begun and not ended. */
export interface LiveResponse {
  readonly responseId: string
  readonly outOfBand: boolean
  /** The request that this response answers, if it is owed to anyone. */
  answers: Owed | undefined
  lastEvent: number
  cancelled: boolean
}

/** The responses that have begun and not ended, those of the default conversation and those beside it. */
export interface LiveResponses {
  readonly add: (response: LiveResponse) => void
  readonly get: (responseId: string) => LiveResponse | undefined
  /** Whether it is, or was, beside the conversation: the server may still speak of one that is silent or over. */
  readonly isBeside: (responseId: string) => boolean
  /** Whether it began, and ended or was given up since: what the server still says of it begins nothing. */
  readonly isPast: (responseId: string) => boolean
  /** Whether the server has said that it is over. */
  readonly hasEnded: (responseId: string) => boolean
  readonly all: () => ReadonlyArray<LiveResponse>
  /** Those of the default conversation. */
  readonly active: () => ReadonlyArray<LiveResponse>
  readonly hasActive: () => boolean
  readonly progressed: (responseId: string, now: number) => void
  /** The response that a `response.done` with this id ends: one without an id ends what is active. */
  readonly endedBy: (responseId: string | undefined) => string | undefined
  readonly takeEnded: (responseId: string | undefined) => LiveResponse | undefined
  /** Those of which nothing was heard for too long. */
  readonly silent: (now: number) => ReadonlyArray<LiveResponse>
  /** Gives them up. */
  readonly takeSilent: (now: number) => ReadonlyArray<LiveResponse>
  /** When the first of them has been silent for too long. */
  readonly deadline: () => number
  readonly clear: () => void
  readonly isEmpty: () => boolean
}

/** Far more than end before the server has said its last word of the first. */
const maxPast = 32

/** `eventWithin`: milliseconds between two events of a response. */
export const make = (eventWithin: number): LiveResponses => {
  const live = new Map<string, LiveResponse>()
  const past = new Map<string, { readonly outOfBand: boolean; readonly hasEnded: boolean }>()

  const firstActive = (): LiveResponse | undefined => {
    for (const response of live.values()) if (!response.outOfBand) return response
    return undefined
  }

  const silent = (now: number): ReadonlyArray<LiveResponse> =>
    Array.from(live.values()).filter(({ lastEvent }) => lastEvent + eventWithin <= now)

  const endedBy = (responseId: string | undefined): string | undefined => responseId ?? firstActive()?.responseId

  const forget = ({ outOfBand, responseId }: LiveResponse, hasEnded: boolean): void => {
    live.delete(responseId)
    past.set(responseId, { outOfBand, hasEnded })
    forgetOldest(past, maxPast)
  }

  return {
    add: (response) => live.set(response.responseId, response),
    get: (responseId) => live.get(responseId),
    isBeside: (responseId) => live.get(responseId)?.outOfBand ?? past.get(responseId)?.outOfBand ?? false,
    isPast: (responseId) => past.has(responseId),
    hasEnded: (responseId) => past.get(responseId)?.hasEnded ?? false,
    all: () => Array.from(live.values()),
    active: () => Array.from(live.values()).filter(({ outOfBand }) => !outOfBand),
    hasActive: () => firstActive() !== undefined,
    progressed: (responseId, now) => {
      const response = live.get(responseId)
      if (response !== undefined) response.lastEvent = now
    },
    endedBy,
    takeEnded: (responseId) => {
      const response = live.get(endedBy(responseId) ?? "")
      if (response !== undefined) forget(response, true)
      else if (responseId !== undefined && past.has(responseId)) {
        past.set(responseId, { outOfBand: past.get(responseId)?.outOfBand ?? false, hasEnded: true })
      }
      return response
    },
    silent,
    takeSilent: (now) => {
      const givenUp = silent(now)
      for (const response of givenUp) forget(response, false)
      return givenUp
    },
    deadline: () => {
      let earliest = Number.POSITIVE_INFINITY
      for (const { lastEvent } of live.values()) earliest = Math.min(earliest, lastEvent + eventWithin)
      return earliest
    },
    clear: () => {
      for (const response of live.values()) forget(response, true)
    },
    isEmpty: () => live.size === 0
  }
}
