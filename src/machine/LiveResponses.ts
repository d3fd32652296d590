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
  readonly all: () => ReadonlyArray<LiveResponse>
  /** Those of the default conversation. */
  readonly active: () => ReadonlyArray<LiveResponse>
  readonly hasActive: () => boolean
  readonly progressed: (responseId: string, now: number) => void
  /** The response that a `response.done` with this id ends: one without an id ends what is active. */
  readonly endedBy: (responseId: string | undefined) => string | undefined
  readonly takeEnded: (responseId: string | undefined) => LiveResponse | undefined
  /** Takes those of which nothing was heard for too long. */
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
  const pastBeside = new Set<string>()

  const firstActive = (): LiveResponse | undefined => {
    for (const response of live.values()) if (!response.outOfBand) return response
    return undefined
  }

  const endedBy = (responseId: string | undefined): string | undefined => responseId ?? firstActive()?.responseId

  const forget = ({ outOfBand, responseId }: LiveResponse): void => {
    live.delete(responseId)
    if (!outOfBand) return
    pastBeside.add(responseId)
    forgetOldest(pastBeside, maxPast)
  }

  return {
    add: (response) => live.set(response.responseId, response),
    get: (responseId) => live.get(responseId),
    isBeside: (responseId) => live.get(responseId)?.outOfBand ?? pastBeside.has(responseId),
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
      if (response !== undefined) forget(response)
      return response
    },
    takeSilent: (now) => {
      const silent = Array.from(live.values()).filter(({ lastEvent }) => lastEvent + eventWithin <= now)
      for (const response of silent) forget(response)
      return silent
    },
    deadline: () => {
      let earliest = Number.POSITIVE_INFINITY
      for (const { lastEvent } of live.values()) earliest = Math.min(earliest, lastEvent + eventWithin)
      return earliest
    },
    clear: () => live.clear(),
    isEmpty: () => live.size === 0
  }
}
