/**
 * When to send `response.create` and `response.cancel`.
 *
 * At most one request is outstanding on the default conversation, none is sent while a response is active there, and a
 * request that is owed is sent again after a collision or a stall until it is answered, or its loss is said.
 */

import type { ResponseParams } from "../protocol/Response.js"
import { forgetOldest } from "./forgetOldest.js"
import { acknowledge, isAnsweredBy, isCovered, make as makeLine, type Owed, owe } from "./RequestLine.js"

export type Input =
  | { readonly _tag: "Asked"; readonly id: string; readonly awaiting: ReadonlyArray<string> }
  | {
      readonly _tag: "AskedExplicitly"
      readonly id: string
      readonly params: ResponseParams
      readonly outOfBand: boolean
    }
  | { readonly _tag: "ItemAcknowledged"; readonly itemId: string }
  /** `eventId`: that of our request, as it came back in the metadata; absent for a response that is not ours. */
  | {
      readonly _tag: "ResponseCreated"
      readonly responseId: string
      readonly eventId: string | undefined
      readonly outOfBand: boolean
    }
  | { readonly _tag: "ResponseProgressed"; readonly responseId: string }
  | {
      readonly _tag: "ResponseDone"
      readonly responseId: string | undefined
      /** Failed for a reason that may pass: worth another try if the response was owed. */
      readonly retryable: boolean
    }
  /** An `error` that names an event of ours. */
  | { readonly _tag: "Refused"; readonly eventId: string; readonly collision: boolean }
  | { readonly _tag: "SpeechStarted" }
  | { readonly _tag: "SpeechStopped" }
  /**
   * What is active or outstanding is cancelled, and not asked for again after a stall, a collision or a failure. What
   * still waits for its turn stays: the model must go on once it has the outputs that it asked for.
   */
  | { readonly _tag: "Interrupted" }
  /** This one response, and no other, must stop. */
  | { readonly _tag: "Condemned"; readonly responseId: string }
  | { readonly _tag: "TimePassed" }
  /** What was outstanding or active died with the connection; what is owed is asked for on the next. */
  | { readonly _tag: "ConnectionReplaced" }

export type Command =
  | { readonly _tag: "Create"; readonly eventId: string; readonly params: ResponseParams | undefined }
  | { readonly _tag: "Cancel"; readonly responseId: string }
  /** `responseId`: absent where the server never answered the request. */
  | { readonly _tag: "Stalled"; readonly requestId: string | undefined; readonly responseId: string | undefined }
  | { readonly _tag: "Lost"; readonly requestId: string | undefined; readonly responseId: string | undefined }
  | { readonly _tag: "RequestFailed"; readonly requestId: string }
  | { readonly _tag: "Collided"; readonly requestId: string }

/** All times in milliseconds. */
export interface Options {
  /** From a request to its `response.created`. Default: 10,000. */
  readonly createdWithin: number
  /** Between two events of an active response. Default: 30,000. */
  readonly eventWithin: number
  /** Further tries after a stall. Default: 2. */
  readonly maxRetries: number
  /** Before a response that failed for a passing reason is asked for again. Default: 1,000. */
  readonly retryBackoff: number
  /** From the end of the user's speech to the response that the server makes of it. Default: 2,000. */
  readonly serverReplyWithin: number
  /** The longest that the user's speech holds a request. Default: 60,000. */
  readonly speechHoldsAtMost: number
  /** Whether the server responds to the user's speech by itself (turn detection with `create_response`). */
  readonly serverReplies: () => boolean
}

export const defaults = {
  createdWithin: 10_000,
  eventWithin: 30_000,
  maxRetries: 2,
  retryBackoff: 1_000,
  serverReplyWithin: 2_000,
  speechHoldsAtMost: 60_000
} satisfies Partial<Options>

interface Outstanding {
  readonly owed: Owed
  readonly eventId: string
  readonly since: number
  /** Its response is to be cancelled as soon as there is one: the application interrupted, or another try was answered. */
  cancelled: boolean
  /** A foreign response that saw everything this request is about. */
  coveredBy: string | undefined
}

interface Live {
  readonly responseId: string
  readonly outOfBand: boolean
  /** The request that this response answers, if it is owed to anyone. */
  answers: Owed | undefined
  lastEvent: number
  cancelled: boolean
}

/** A request that a response answers. */
interface Answered {
  readonly owed: Owed
  readonly cancelled: boolean
  readonly outOfBand: boolean
}

/** The user's turn under server turn detection: the server will respond to it, and see all outputs. */
type Turn =
  | { readonly _tag: "Quiet" }
  | { readonly _tag: "Speaking"; readonly until: number }
  | { readonly _tag: "AwaitingServer"; readonly until: number }

/** Ids of requests that are over, to recognise a second answer. */
const maxAnswered = 32

export interface ResponseScheduler {
  readonly step: (input: Input, now: number) => ReadonlyArray<Command>
  /** When `TimePassed` is due, if ever. */
  readonly deadline: () => number | undefined
  /** Whether this response is beside the conversation: its items are in none. */
  readonly isOutOfBand: (responseId: string) => boolean
  /** The responses of the default conversation that are active. */
  readonly active: () => ReadonlyArray<string>
  /** Whether this response has begun and not ended, in whichever conversation. */
  readonly isLive: (responseId: string) => boolean
  /** The response that a `response.done` with this id ends: one without an id ends what is active. */
  readonly endedBy: (responseId: string | undefined) => string | undefined
  /** The event that carried the request on the default conversation which the server still has to answer. */
  readonly outstanding: () => string | undefined
  /** Whether the server still has to answer the request that this event carried. */
  readonly isOutstanding: (eventId: string) => boolean
  /** Nothing active, outstanding or waiting. */
  readonly isIdle: () => boolean
}

export const make = (options: Options): ResponseScheduler => {
  const line = makeLine()
  const beside = new Map<string, Outstanding>()
  const live = new Map<string, Live>()
  const answered = new Set<string>()
  let outstanding: Outstanding | undefined
  let turn: Turn = { _tag: "Quiet" }
  /** The server says that a response is active: one that this side has not heard of yet. */
  let collision: { readonly owed: Owed; readonly until: number } | undefined
  let lastStep = 0
  let out: Array<Command> = []

  const activeDefault = (): Live | undefined => {
    for (const response of live.values()) if (!response.outOfBand) return response
    return undefined
  }

  const send = (owed: Owed, now: number): Outstanding => {
    owed.sends += 1
    const { id } = owed.request
    const eventId = owed.sends === 1 ? id : `${id}~${owed.sends}`
    const params = owed.request._tag === "Explicit" ? owed.request.params : undefined
    out.push({ _tag: "Create", eventId, params })
    return { owed, eventId, since: now, cancelled: false, coveredBy: undefined }
  }

  /** Sends the next request, if one may be sent now. */
  const sendNext = (now: number): void => {
    if (outstanding !== undefined || collision !== undefined || activeDefault() !== undefined) return
    const owed = line.takeNext(now, turn._tag === "Quiet")
    if (owed !== undefined) outstanding = send(owed, now)
  }

  const over = (owed: Owed): void => {
    answered.add(owed.request.id)
    forgetOldest(answered, maxAnswered)
  }

  /** One more try, or the loss is said. */
  const stalled = (owed: Owed, responseId: string | undefined): void => {
    const requestId = owed.request.id
    out.push({ _tag: "Stalled", requestId, responseId })
    if (owed.cancelled) {
      over(owed)
      return
    }
    owed.stalls += 1
    if (owed.stalls <= options.maxRetries) {
      line.addAgain(owed)
    } else {
      out.push({ _tag: "Lost", requestId, responseId })
    }
  }

  /** The request that a response answers by its metadata, wherever that request is now. */
  const takeAnswered = (eventId: string, responseId: string): Answered | undefined => {
    const requestId = requestOf(eventId)
    if (outstanding?.eventId === eventId) {
      const { owed, cancelled } = outstanding
      outstanding = undefined
      return { owed, cancelled, outOfBand: false }
    }
    if (outstanding !== undefined && isAnsweredBy(outstanding.owed, requestId)) {
      // The later try is still on its way: nothing else may be sent until the server has said something of it.
      const { owed, cancelled } = outstanding
      outstanding.coveredBy = responseId
      outstanding.cancelled = true
      return { owed, cancelled, outOfBand: false }
    }
    const outOfBand = beside.get(requestId)
    if (outOfBand !== undefined) {
      beside.delete(requestId)
      return { owed: outOfBand.owed, cancelled: false, outOfBand: true }
    }
    const owed = line.takeTried(requestId)
    return owed === undefined ? undefined : { owed, cancelled: false, outOfBand: false }
  }

  const created = (input: Extract<Input, { _tag: "ResponseCreated" }>, now: number): void => {
    const { responseId, eventId } = input
    if (live.has(responseId)) return
    const answer = eventId === undefined ? undefined : takeAnswered(eventId, responseId)
    // Not every server says which conversation a response is in; of our own requests it is known.
    const outOfBand = answer?.outOfBand ?? input.outOfBand
    const response: Live = { responseId, outOfBand, answers: answer?.owed, lastEvent: now, cancelled: false }
    live.set(responseId, response)
    if (eventId !== undefined) {
      const isSecondAnswer = answer === undefined && answered.has(requestOf(eventId))
      if (answer !== undefined) over(answer.owed)
      if (answer?.cancelled || isSecondAnswer) cancel(response)
      return
    }
    if (outOfBand) return
    if (turn._tag === "AwaitingServer") turn = { _tag: "Quiet" }
    if (outstanding !== undefined && isCovered(outstanding.owed)) outstanding.coveredBy = responseId
    response.answers = line.takeCovered()
  }

  const endedBy = (responseId: string | undefined): string | undefined => responseId ?? activeDefault()?.responseId

  const done = (responseId: string | undefined, retryable: boolean, now: number): void => {
    collision = undefined
    const response = live.get(endedBy(responseId) ?? "")
    if (response === undefined) return
    live.delete(response.responseId)
    const owed = response.answers
    if (!retryable || response.cancelled) return
    if (outstanding?.coveredBy === response.responseId) {
      // The request that it made needless is the next try.
      outstanding.coveredBy = undefined
      outstanding.cancelled = outstanding.owed.cancelled
      if (outstanding.owed === owed && !owed.cancelled) answered.delete(owed.request.id)
    } else if (owed !== undefined && !owed.cancelled && owed.failures === 0) {
      owed.failures += 1
      owed.notBefore = now + options.retryBackoff
      answered.delete(owed.request.id)
      line.addAgain(owed)
    }
  }

  const refused = (eventId: string, collided: boolean, now: number): void => {
    if (outstanding?.eventId === eventId) {
      const { owed, coveredBy, cancelled } = outstanding
      outstanding = undefined
      const requestId = owed.request.id
      if (!collided) {
        over(owed)
        out.push({ _tag: "RequestFailed", requestId })
      } else {
        out.push({ _tag: "Collided", requestId })
        if (coveredBy !== undefined || cancelled) {
          over(owed)
          const response = coveredBy === undefined ? undefined : live.get(coveredBy)
          if (response !== undefined && response.answers === undefined) response.answers = owed
        } else {
          line.addAgain(owed)
          if (activeDefault() === undefined) collision = { owed, until: now + options.eventWithin }
        }
      }
      return
    }
    for (const [requestId, request] of beside) {
      if (request.eventId !== eventId) continue
      beside.delete(requestId)
      out.push({ _tag: "RequestFailed", requestId })
    }
  }

  const cancel = (response: Live): void => {
    if (response.cancelled) return
    response.cancelled = true
    out.push({ _tag: "Cancel", responseId: response.responseId })
  }

  /** As `cancel`, and what it answers is not asked for again. */
  const condemn = (response: Live): void => {
    cancel(response)
    if (response.answers !== undefined) response.answers.cancelled = true
  }

  const timePassed = (now: number): void => {
    if (turn._tag !== "Quiet" && turn.until <= now) turn = { _tag: "Quiet" }
    if (collision !== undefined && collision.until <= now) {
      const owed = line.take(collision.owed)
      collision = undefined
      if (owed !== undefined) stalled(owed, undefined)
    }
    if (outstanding !== undefined && outstanding.since + options.createdWithin <= now) {
      const { owed, coveredBy } = outstanding
      outstanding = undefined
      if (coveredBy === undefined) stalled(owed, undefined)
      else over(owed)
    }
    for (const [requestId, { since }] of beside) {
      if (since + options.createdWithin > now) continue
      beside.delete(requestId)
      out.push({ _tag: "Stalled", requestId, responseId: undefined })
      out.push({ _tag: "Lost", requestId, responseId: undefined })
    }
    for (const response of live.values()) {
      if (response.lastEvent + options.eventWithin > now) continue
      live.delete(response.responseId)
      cancel(response)
      if (response.answers !== undefined) {
        answered.delete(response.answers.request.id)
        stalled(response.answers, response.responseId)
      } else {
        out.push({ _tag: "Stalled", requestId: undefined, responseId: response.responseId })
        out.push({ _tag: "Lost", requestId: undefined, responseId: response.responseId })
      }
    }
  }

  const step = (input: Input, now: number): ReadonlyArray<Command> => {
    out = []
    lastStep = now
    switch (input._tag) {
      case "ResponseProgressed": {
        const response = live.get(input.responseId)
        if (response !== undefined) response.lastEvent = now
        return out
      }
      case "Asked":
        line.ask(input.id, input.awaiting)
        break
      case "AskedExplicitly": {
        const owed = owe({ _tag: "Explicit", id: input.id, params: input.params })
        if (input.outOfBand) beside.set(input.id, send(owed, now))
        else line.add(owed)
        break
      }
      case "ItemAcknowledged":
        line.acknowledge(input.itemId)
        if (outstanding !== undefined) acknowledge(outstanding.owed, input.itemId)
        break
      case "ResponseCreated":
        created(input, now)
        break
      case "ResponseDone":
        done(input.responseId, input.retryable, now)
        break
      case "Refused":
        refused(input.eventId, input.collision, now)
        break
      case "SpeechStarted":
        if (options.serverReplies()) turn = { _tag: "Speaking", until: now + options.speechHoldsAtMost }
        break
      case "SpeechStopped":
        if (turn._tag === "Speaking") turn = { _tag: "AwaitingServer", until: now + options.serverReplyWithin }
        break
      case "Interrupted": {
        for (const response of live.values()) if (!response.outOfBand) condemn(response)
        if (outstanding !== undefined) {
          outstanding.cancelled = true
          outstanding.owed.cancelled = true
        }
        break
      }
      case "Condemned": {
        const response = live.get(input.responseId)
        if (response !== undefined) condemn(response)
        break
      }
      case "TimePassed":
        timePassed(now)
        break
      case "ConnectionReplaced": {
        const owed = Array.from(live.values(), ({ answers }) => answers).concat(outstanding?.owed)
        for (const request of owed.reverse()) if (request !== undefined) line.addAgain(request)
        outstanding = undefined
        collision = undefined
        turn = { _tag: "Quiet" }
        live.clear()
        beside.clear()
        break
      }
    }
    sendNext(now)
    return out
  }

  return {
    step,
    deadline: () => {
      let earliest = Math.min(
        collision?.until ?? Number.POSITIVE_INFINITY,
        turn._tag === "Quiet" ? Number.POSITIVE_INFINITY : turn.until,
        outstanding === undefined ? Number.POSITIVE_INFINITY : outstanding.since + options.createdWithin
      )
      for (const { since } of beside.values()) earliest = Math.min(earliest, since + options.createdWithin)
      for (const { lastEvent } of live.values()) earliest = Math.min(earliest, lastEvent + options.eventWithin)
      earliest = Math.min(earliest, line.nextTime(lastStep))
      return earliest === Number.POSITIVE_INFINITY ? undefined : earliest
    },
    isOutOfBand: (responseId) => live.get(responseId)?.outOfBand === true,
    active: () => Array.from(live.values()).flatMap(({ outOfBand, responseId }) => (outOfBand ? [] : [responseId])),
    isLive: (responseId) => live.has(responseId),
    endedBy,
    outstanding: () => outstanding?.eventId,
    isOutstanding: (eventId) =>
      outstanding?.eventId === eventId || Array.from(beside.values()).some((request) => request.eventId === eventId),
    isIdle: () => live.size === 0 && beside.size === 0 && outstanding === undefined && line.isEmpty()
  }
}

/** The request that an event carried: further tries carry the same request under other ids. */
export const requestOf = (eventId: string): string => eventId.replace(/~\d+$/, "")
