/**
 * When to send `response.create` and `response.cancel`.
 *
 * At most one request is outstanding on the default conversation, none is sent while a response is active there, and a
 * request that is owed is sent again after a collision or a stall until it is answered, or its loss is said.
 */

import type { ResponseParams } from "../protocol/Response.js"
import { forgetOldest } from "./forgetOldest.js"
import { type LiveResponse, make as makeLive } from "./LiveResponses.js"
import { acknowledge, isBeside, isCovered, make as makeLine, type Owed, owe, requestOf } from "./RequestLine.js"
import { type Answered, make as makeSent } from "./SentRequests.js"
import * as UserTurn from "./UserTurn.js"

export { requestOf }

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
   * What is active or outstanding is cancelled, and not asked for again after a stall, a collision or a failure; nor is
   * what was so when the connection was lost. What still waits for its turn stays: the model must go on once it has the outputs that it asked for.
   */
  | { readonly _tag: "Interrupted" }
  /** This one response, and no other, must stop. */
  | { readonly _tag: "Condemned"; readonly responseId: string }
  | { readonly _tag: "TimePassed" }
  /**
   * What was outstanding or active died with the connection; what is owed is kept for the next, and so is an answer to
   * the user that the server began by itself. `id`: of the request for that. `carriedOn`: responses whose rest will be
   * asked for by somebody else.
   */
  | { readonly _tag: "ConnectionLost"; readonly id: string; readonly carriedOn: ReadonlySet<string> }
  | { readonly _tag: "Reconnected" }

export type Command =
  | { readonly _tag: "Create"; readonly eventId: string; readonly params: ResponseParams | undefined }
  | { readonly _tag: "Cancel"; readonly responseId: string }
  /** `responseId`: absent where the server never answered the request. */
  | { readonly _tag: "Stalled"; readonly requestId: string | undefined; readonly responseId: string | undefined }
  | { readonly _tag: "Lost"; readonly requestId: string | undefined; readonly responseId: string | undefined }
  | { readonly _tag: "RequestFailed"; readonly requestId: string }
  | { readonly _tag: "Collided"; readonly requestId: string }

/** All times in milliseconds. */
export interface Options extends UserTurn.Options {
  /** From a request to its `response.created`. Default: 10,000. */
  readonly createdWithin: number
  /** Between two events of an active response. Default: 30,000. */
  readonly eventWithin: number
  /** Further tries after a stall. Default: 2. */
  readonly maxRetries: number
  /** Before a response that failed for a passing reason is asked for again. Default: 1,000. */
  readonly retryBackoff: number
}

export const defaults = {
  createdWithin: 10_000,
  eventWithin: 30_000,
  maxRetries: 2,
  retryBackoff: 1_000,
  ...UserTurn.defaults
} satisfies Partial<Options>

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
  /** Those of them that somebody waits for: nobody stopped them. */
  readonly awaited: () => ReadonlyArray<string>
  /** The responses that have begun and not ended, in whichever conversation. */
  readonly live: () => ReadonlyArray<string>
  /** Whether this response has begun and not ended, in whichever conversation. */
  readonly isLive: (responseId: string) => boolean
  /** The response that a `response.done` with this id ends: one without an id ends what is active. */
  readonly endedBy: (responseId: string | undefined) => string | undefined
  /** The event that carried the request on the default conversation which the server still has to answer. */
  readonly outstanding: () => string | undefined
  /** Whether the server still has to answer the request that this event carried. */
  readonly isOutstanding: (eventId: string) => boolean
  /** How many requests of the application's own wait for their turn, or beside the conversation for an answer. */
  readonly waiting: () => number
  /** Nothing active, outstanding or waiting, and the user is not in a turn that the server will answer. */
  readonly isIdle: () => boolean
}

export const make = (options: Options): ResponseScheduler => {
  const line = makeLine()
  const sent = makeSent(options.createdWithin)
  const live = makeLive(options.eventWithin)
  const turn = UserTurn.make(options)
  const answered = new Set<string>()
  /** The server says that a response is active: one that this side has not heard of yet. */
  let collision: { readonly owed: Owed; readonly until: number } | undefined
  let isOffline = false
  let lastStep = 0
  let out: Array<Command> = []

  const send = (owed: Owed, outOfBand: boolean, now: number): void => {
    const { eventId } = sent.add(owed, outOfBand, now)
    owed.cutOff = false
    const params = owed.request._tag === "Explicit" ? owed.request.params : undefined
    out.push({ _tag: "Create", eventId, params })
  }

  /** Sends what is beside the conversation, and the next request on it, if one may be sent now. */
  const sendNext = (now: number): void => {
    if (isOffline) return
    for (let owed = line.takeBeside(now); owed !== undefined; owed = line.takeBeside(now)) send(owed, true, now)
    if (sent.outstanding() !== undefined || collision !== undefined || live.hasActive()) return
    const owed = line.takeNext(now, !turn.isHolding())
    if (owed !== undefined) send(owed, false, now)
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
    if (owed.stalls <= options.maxRetries) line.addAgain(owed)
    else out.push({ _tag: "Lost", requestId, responseId })
  }

  /** The request that a response answers by its metadata, wherever that request is now. */
  const takeAnswered = (responseId: string, eventId: string): Answered | undefined => {
    const answer = sent.answeredBy(responseId, eventId)
    if (answer !== undefined) return answer
    const owed = line.takeTried(requestOf(eventId))
    return owed === undefined ? undefined : { owed, cancelled: false, outOfBand: isBeside(owed) }
  }

  const created = (input: Extract<Input, { _tag: "ResponseCreated" }>, now: number): void => {
    const { responseId, eventId } = input
    if (live.get(responseId) !== undefined) return
    const answer = eventId === undefined ? undefined : takeAnswered(responseId, eventId)
    // Not every server says which conversation a response is in; of our own requests it is known.
    const outOfBand = answer?.outOfBand ?? input.outOfBand
    const response: LiveResponse = { responseId, outOfBand, answers: answer?.owed, lastEvent: now, cancelled: false }
    live.add(response)
    if (eventId !== undefined) {
      const isSecondAnswer = answer === undefined && answered.has(requestOf(eventId))
      if (answer !== undefined) over(answer.owed)
      if (answer?.cancelled || isSecondAnswer) cancel(response)
      return
    }
    if (outOfBand) return
    turn.serverReplied()
    const outstanding = sent.outstanding()
    if (outstanding !== undefined && isCovered(outstanding.owed)) outstanding.coveredBy = responseId
    response.answers = line.takeCovered()
  }

  const done = (responseId: string | undefined, retryable: boolean, now: number): void => {
    collision = undefined
    const response = live.takeEnded(responseId)
    if (response === undefined) return
    const owed = response.answers
    if (!retryable || response.cancelled) return
    const outstanding = sent.outstanding()
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
    const request = sent.take(eventId)
    if (request === undefined) return
    const { owed, coveredBy, cancelled, outOfBand } = request
    const requestId = owed.request.id
    if (outOfBand || !collided) {
      if (!outOfBand) over(owed)
      out.push({ _tag: "RequestFailed", requestId })
      return
    }
    out.push({ _tag: "Collided", requestId })
    if (coveredBy !== undefined || cancelled) {
      over(owed)
      const response = coveredBy === undefined ? undefined : live.get(coveredBy)
      if (response !== undefined && response.answers === undefined) response.answers = owed
    } else {
      line.addAgain(owed)
      if (!live.hasActive()) collision = { owed, until: now + options.eventWithin }
    }
  }

  const cancel = (response: LiveResponse): void => {
    if (response.cancelled) return
    response.cancelled = true
    out.push({ _tag: "Cancel", responseId: response.responseId })
  }

  /** As `cancel`, and what it answers is not asked for again. */
  const condemn = (response: LiveResponse): void => {
    cancel(response)
    if (response.answers !== undefined) response.answers.cancelled = true
  }

  const timePassed = (now: number): void => {
    turn.timePassed(now)
    if (collision !== undefined && collision.until <= now) {
      const owed = line.take(collision.owed)
      collision = undefined
      if (owed !== undefined) stalled(owed, undefined)
    }
    for (const { owed, coveredBy, outOfBand } of sent.takeOverdue(now)) {
      const requestId = owed.request.id
      if (outOfBand) {
        out.push({ _tag: "Stalled", requestId, responseId: undefined })
        out.push({ _tag: "Lost", requestId, responseId: undefined })
      } else if (coveredBy === undefined) stalled(owed, undefined)
      else over(owed)
    }
    for (const response of live.takeSilent(now)) {
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

  const connectionLost = (id: string, carriedOn: ReadonlySet<string>): void => {
    isOffline = true
    /** A request that was tried again may be under way twice. */
    const owed = new Set<Owed>()
    // Where nothing else is owed, the user still is.
    let isUserOwed = turn.awaitsServer()
    for (const { answers, cancelled, outOfBand, responseId } of live.all()) {
      if (carriedOn.has(responseId)) continue
      if (answers !== undefined) owed.add(answers)
      else if (!outOfBand && !cancelled) isUserOwed = true
    }
    for (const { coveredBy, owed: request } of sent.takeAll()) {
      // Another response has answered it already, to its end.
      if (coveredBy === undefined || live.get(coveredBy) !== undefined) owed.add(request)
    }
    for (const request of Array.from(owed).reverse()) {
      answered.delete(request.request.id)
      request.cutOff = !isBeside(request)
      line.addAgain(request)
    }
    line.forgetAwaiting()
    if (isUserOwed) line.ask(id, [], true)
    collision = undefined
    turn.reset()
    live.clear()
  }

  const step = (input: Input, now: number): ReadonlyArray<Command> => {
    out = []
    lastStep = now
    switch (input._tag) {
      case "ResponseProgressed":
        live.progressed(input.responseId, now)
        return out
      case "Asked":
        line.ask(input.id, input.awaiting)
        break
      case "AskedExplicitly": {
        const { id, outOfBand, params } = input
        line.add(owe({ _tag: "Explicit", id, params, outOfBand }))
        break
      }
      case "ItemAcknowledged": {
        const outstanding = sent.outstanding()
        line.acknowledge(input.itemId)
        if (outstanding !== undefined) acknowledge(outstanding.owed, input.itemId)
        break
      }
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
        turn.speechStarted(now)
        break
      case "SpeechStopped":
        turn.speechStopped(now)
        break
      case "Interrupted": {
        for (const response of live.active()) condemn(response)
        const outstanding = sent.outstanding()
        if (outstanding !== undefined) {
          outstanding.cancelled = true
          outstanding.owed.cancelled = true
        }
        line.forgetCutOff()
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
      case "ConnectionLost":
        connectionLost(input.id, input.carriedOn)
        break
      case "Reconnected":
        isOffline = false
        break
    }
    sendNext(now)
    return out
  }

  return {
    step,
    deadline: () => {
      const collisionOver = collision?.until ?? Number.POSITIVE_INFINITY
      const earliest = Math.min(
        collisionOver,
        turn.deadline(),
        sent.deadline(),
        live.deadline(),
        line.nextTime(lastStep)
      )
      return earliest === Number.POSITIVE_INFINITY ? undefined : earliest
    },
    isOutOfBand: live.isBeside,
    active: () => live.active().map(({ responseId }) => responseId),
    awaited: () =>
      live
        .active()
        .flatMap(({ answers, cancelled, responseId }) => (cancelled || answers?.cancelled ? [] : responseId)),
    live: () => live.all().map(({ responseId }) => responseId),
    isLive: (responseId) => live.get(responseId) !== undefined,
    endedBy: live.endedBy,
    outstanding: () => sent.outstanding()?.eventId,
    isOutstanding: sent.isOutstanding,
    waiting: () => line.explicitCount() + sent.besideCount(),
    isIdle: () => live.isEmpty() && sent.isEmpty() && line.isEmpty() && !turn.isHolding()
  }
}
