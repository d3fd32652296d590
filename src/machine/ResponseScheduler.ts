/**
 * When to send `response.create` and `response.cancel`.
 *
 * At most one request is outstanding on the default conversation, and none is sent while a response is active there. A
 * response is owed to each request, and to each turn of the user that the server answers by itself. What is owed and
 * never begins, falls silent, fails, collides or is refused is asked for again (`Retry`) until it is answered, or its
 * loss is said.
 */
import * as Answering from "./Answering.js"
import { type LiveResponse, make as makeLive } from "./LiveResponses.js"
import {
  acknowledge,
  type Cause,
  causeOf,
  isAutomatic,
  isBeside,
  make as makeLine,
  type Owed,
  owe,
  requestOf
} from "./RequestLine.js"
import * as Retry from "./Retry.js"
import type { Command, Input, Refusal } from "./Scheduling.js"
import { make as makeSent } from "./SentRequests.js"
import * as UserTurn from "./UserTurn.js"

export type { Passing } from "./Retry.js"
export type { Command, Input, Refusal } from "./Scheduling.js"
export type { Cause, Owed }
export { causeOf, requestOf }

/** All times in milliseconds. */
export interface Options extends UserTurn.Options, Retry.Options {
  /** From a request, or a turn of the user, to the beginning of its response. Default: 10,000. */
  readonly createdWithin: number
  /** Between two events of an active response. Default: 30,000. */
  readonly eventWithin: number
  /** Whether the model speaks where a request does not say how it is to answer. */
  readonly speaks: () => boolean
}

export const defaults = {
  eventWithin: 30_000,
  ...Retry.defaults,
  ...UserTurn.defaults
} satisfies Partial<Options>

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
  /** Whether it began, and ended or was given up since: what the server still says of it begins nothing. */
  readonly isPast: (responseId: string) => boolean
  /** Whether the server has said that it is over. */
  readonly hasEnded: (responseId: string) => boolean
  /** The responses that have been silent for too long: `TimePassed` gives them up. */
  readonly silent: (now: number) => ReadonlyArray<string>
  /**
   * Of which request a response is taken to be whose owner the server does not say: of the one that is outstanding on the
   * default conversation, else of one beside it, unless the server owes the user an answer or says that it speaks already.
   */
  readonly presumed: () => { readonly eventId: string | undefined; readonly outOfBand: boolean }
  /** The response that a `response.done` with this id ends: one without an id ends what is active. */
  readonly endedBy: (responseId: string | undefined) => string | undefined
  /** Whether the server still has to answer the request that this event carried. */
  readonly isOutstanding: (eventId: string) => boolean
  /** What this response answers, as far as is known: one that is active, or has just begun. */
  readonly answers: (responseId: string) => Owed | undefined
  /** All that is still owed: it waits, is on its way, or is being answered. */
  readonly owed: () => ReadonlyArray<Owed>
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
  const answering = Answering.make({ line, sent, live, turn })
  const { needless, over, payTurn } = answering
  /** The server says that a response is active: one that this side has not heard of yet. */
  let collision: { readonly owed: Owed; readonly until: number } | undefined
  let isOffline = false
  let lastStep = 0
  let out: Array<Command> = []

  const send = (owed: Owed, outOfBand: boolean, now: number): void => {
    if (isAutomatic(owed)) payTurn(owed)
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

  const lost = (owed: Owed, responseId: string | undefined, interrupted = false): void => {
    out.push({ _tag: "Lost", requestId: owed.request.id, responseId, interrupted, cause: causeOf(owed) })
  }

  /** Somebody stopped it. Of the session's own requests nobody knows, but whoever made this one waits for it. */
  const abandoned = (owed: Owed, responseId?: string): void => {
    answering.over(owed)
    if (!isAutomatic(owed)) lost(owed, responseId, true)
  }

  const addAgain = (owed: Owed): void => {
    if (owed.cancelled) abandoned(owed)
    else line.addAgain(owed)
  }

  /** It was under way, and is asked for again. */
  const resume = (owed: Owed): void => {
    answering.reopen(owed)
    owed.cutOff = !isBeside(owed)
    addAgain(owed)
  }

  /** It came to nothing: one more try, or its loss is said. */
  const tryAgain = (owed: Owed, responseId: string | undefined, now: number, setback: Retry.Setback): void => {
    if (owed.cancelled) abandoned(owed, responseId)
    else if (Retry.again(owed.tries, options, now, setback)) resume(owed)
    else lost(owed, responseId)
  }

  const stalled = (owed: Owed, now: number): void => {
    out.push({ _tag: "Stalled", requestId: owed.request.id, responseId: undefined, cause: causeOf(owed) })
    tryAgain(owed, undefined, now, Retry.silence)
  }

  const done = (input: Extract<Input, { _tag: "ResponseDone" }>, now: number): void => {
    collision = undefined
    const { responseId, whose } = input
    const other = whose && responseId ? answering.belied(responseId, whose.eventId) : undefined
    if (other !== undefined) addAgain(other)
    const response = live.takeEnded(responseId)
    if (response === undefined || input.failed === undefined || response.cancelled) return
    if (answering.uncover(response) || response.answers === undefined || input.carriedOn) return
    tryAgain(response.answers, response.responseId, now, Retry.passing(input.failed))
  }

  const refused = (eventId: string, refusal: Refusal, now: number): void => {
    const request = sent.take(eventId)
    if (request === undefined) {
      if (refusal._tag === "Collision") disproved(eventId)
      return
    }
    const { owed, coveredBy, cancelled, outOfBand } = request
    const requestId = owed.request.id
    const isNeedless = coveredBy !== undefined || cancelled
    if (refusal._tag === "Collision" && !outOfBand) {
      out.push({ _tag: "Collided", requestId })
      if (coveredBy === undefined && owed.cancelled) abandoned(owed)
      else if (isNeedless) needless(owed, coveredBy)
      else {
        addAgain(owed)
        if (!live.hasActive()) collision = { owed, until: now + options.eventWithin }
      }
      return
    }
    const mayPass = refusal._tag === "Passing" && !isNeedless && !owed.cancelled
    const isTriedAgain = mayPass && Retry.again(owed.tries, options, now, refusal)
    const retryIn = isTriedAgain ? owed.tries.notBefore - now : undefined
    out.push({ _tag: "RequestFailed", requestId, retryIn, cause: causeOf(owed) })
    if (isTriedAgain) resume(owed)
    else if (mayPass) lost(owed, undefined)
    else if (isNeedless && refusal._tag === "Passing") needless(owed, coveredBy)
    else if (!outOfBand) over(owed)
  }

  /** The response that was taken to answer this request is another one: it lost the race. */
  const disproved = (eventId: string): void => {
    const owed = answering.disproved(eventId)
    if (owed === undefined) return
    out.push({ _tag: "Collided", requestId: owed.request.id })
    addAgain(owed)
  }

  const cancel = (response: LiveResponse | undefined): void => {
    if (response === undefined || response.cancelled) return
    response.cancelled = true
    out.push({ _tag: "Cancel", responseId: response.responseId })
  }

  /** As `cancel`, and what it answers is not asked for again. */
  const condemn = (response: LiveResponse): void => {
    cancel(response)
    if (response.answers !== undefined) response.answers.cancelled = true
  }

  const silent = (response: LiveResponse, isCarriedOn: boolean, now: number): void => {
    const { answers, responseId, cancelled } = response
    const requestId = answers?.request.id
    const cause = answers === undefined ? undefined : causeOf(answers)
    cancel(response)
    out.push({ _tag: "Stalled", requestId, responseId, cause })
    if (answering.uncover(response)) return
    if (answers === undefined && !cancelled) {
      out.push({ _tag: "Lost", requestId, responseId, interrupted: false, cause })
    } else if (answers !== undefined && !isCarriedOn) tryAgain(answers, responseId, now, Retry.silence)
  }

  const timePassed = (carriedOn: ReadonlySet<string>, now: number): void => {
    turn.timePassed(now)
    if (collision !== undefined && collision.until <= now) {
      const owed = line.take(collision.owed)
      collision = undefined
      if (owed !== undefined) stalled(owed, now)
    }
    for (const { owed, coveredBy } of sent.takeOverdue(now)) {
      if (coveredBy === undefined) stalled(owed, now)
      else needless(owed, coveredBy)
    }
    for (const response of live.takeSilent(now)) silent(response, carriedOn.has(response.responseId), now)
    const owedToUser = turn.takeOverdue(now)
    if (owedToUser?.cancelled === false) stalled(owedToUser, now)
  }

  const connectionLost = (id: string, carriedOn: ReadonlySet<string>, livesOn: boolean): void => {
    isOffline = true
    /** A request that was tried again may be under way twice. */
    const owed = new Set<Owed>()
    // Where nothing else is owed, the user still is.
    let isUserOwed = !livesOn && turn.awaitsServer()
    for (const { answers, cancelled, outOfBand, responseId } of live.all()) {
      if (livesOn || carriedOn.has(responseId)) continue
      if (answers !== undefined) owed.add(answers)
      else if (!outOfBand && !cancelled) isUserOwed = true
    }
    for (const { coveredBy, owed: request } of sent.takeAll()) {
      // Another response has answered it already, to its end.
      if (coveredBy === undefined || live.get(coveredBy) !== undefined) owed.add(request)
    }
    const owedToUser = turn.takeOwed()
    if (owedToUser !== undefined && !livesOn) owed.add(owedToUser)
    for (const request of Array.from(owed).reverse()) resume(request)
    line.connectionLost()
    if (isUserOwed) line.ask(id, [], {}, true)
    collision = undefined
    turn.reset()
    live.clear()
  }

  /** What the user said waits for an answer: the server's own, but it begins none while another is active. */
  const turnCommitted = (id: string, now: number): void => {
    if (!turn.committed(now)) return
    if (live.hasActive()) {
      line.ask(id, [])
      return
    }
    const owed = owe({ _tag: "Automatic", id, awaiting: new Set() })
    turn.owe(owed, now)
  }

  /** Whether a response to this is heard; one that only writes goes on behind whatever is said. */
  const speaks = (owed: Owed | undefined): boolean => {
    const modalities = owed?.request._tag === "Explicit" ? owed.request.params.output_modalities : undefined
    return modalities?.includes("audio") ?? options.speaks()
  }

  const besideInterrupted = (): void => {
    for (const response of live.all()) if (response.outOfBand && speaks(response.answers)) condemn(response)
    for (const request of sent.beside()) {
      if (!speaks(request.owed)) continue
      request.cancelled = true
      request.owed.cancelled = true
    }
    for (const owed of line.takeUnwantedBeside(speaks)) abandoned(owed)
  }

  const interrupted = (): void => {
    besideInterrupted()
    for (const response of live.active()) condemn(response)
    const outstanding = sent.outstanding()
    if (outstanding !== undefined) {
      outstanding.cancelled = true
      outstanding.owed.cancelled = true
    }
    const owedToUser = turn.owed()
    if (owedToUser !== undefined) owedToUser.cancelled = true
    for (const owed of line.takeCutOff()) abandoned(owed)
  }

  const step = (input: Input, now: number): ReadonlyArray<Command> => {
    out = []
    lastStep = now
    switch (input._tag) {
      case "ResponseProgressed":
        live.progressed(input.responseId, now)
        return out
      case "Asked":
        line.ask(input.id, input.awaiting, input.cause)
        break
      case "AskedExplicitly": {
        const { cause, id, outOfBand, params } = input
        line.add(owe({ _tag: "Explicit", id, params, outOfBand }, cause))
        break
      }
      case "ItemAcknowledged": {
        const outstanding = sent.outstanding()
        line.acknowledge(input.itemId)
        if (outstanding !== undefined) acknowledge(outstanding.owed, input.itemId)
        break
      }
      case "ResponseCreated":
        cancel(answering.began(input, now))
        break
      case "ResponseDone":
        done(input, now)
        break
      case "Refused":
        refused(input.eventId, input.refusal, now)
        break
      case "SpeechStarted":
        turn.speechStarted(now)
        break
      case "SpeechStopped":
        turn.speechStopped(now)
        break
      case "IdleTimedOut":
        turn.timedOut(now)
        break
      case "SpeechCleared":
        turn.cleared()
        break
      case "TurnCommitted":
        turnCommitted(input.id, now)
        break
      case "Interrupted":
        interrupted()
        break
      case "BesideInterrupted":
        besideInterrupted()
        break
      case "Condemned": {
        const response = live.get(input.responseId)
        if (response !== undefined) condemn(response)
        break
      }
      case "TimePassed":
        timePassed(input.carriedOn, now)
        break
      case "ConnectionLost":
        connectionLost(input.id, input.carriedOn, input.livesOn === true)
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
    isPast: live.isPast,
    hasEnded: live.hasEnded,
    silent: (now) => live.silent(now).map(({ responseId }) => responseId),
    presumed: () => {
      const outstanding = sent.outstanding()
      // After a collision, the server speaks of the response that it collided with.
      const isOfConversation = outstanding !== undefined || collision !== undefined || turn.owed() !== undefined
      const beside = isOfConversation ? undefined : sent.beside()[0]
      return { eventId: (outstanding ?? beside)?.eventId, outOfBand: beside !== undefined }
    },
    endedBy: live.endedBy,
    isOutstanding: sent.isOutstanding,
    answers: (responseId) => live.get(responseId)?.answers ?? sent.coveredBy(responseId)?.owed,
    owed: () =>
      [
        ...line.all(),
        ...sent.all().map(({ owed }) => owed),
        ...live.all().map(({ answers }) => answers),
        turn.owed()
      ].filter((owed) => owed !== undefined),
    waiting: () => line.explicitCount() + sent.besideCount(),
    isIdle: () => live.isEmpty() && sent.isEmpty() && line.isEmpty() && !turn.isHolding() && turn.owed() === undefined
  }
}
