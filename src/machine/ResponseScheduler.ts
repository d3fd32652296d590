/**
 * When to send `response.create` and `response.cancel`.
 *
 * At most one request is outstanding in the default conversation, and none is sent while a response is active there. A
 * response is owed to each request, and to each turn that the server answers by itself. If an owed response never
 * begins, falls silent, fails, collides or is refused, it is requested again (`Retry`) until it is answered, or its
 * loss is published.
 */
import { Answering } from "./Answering.js"
import { Collision } from "./Collision.js"
import { type LiveResponse, LiveResponses } from "./LiveResponses.js"
import {
  acknowledge,
  type Cause,
  causeOf,
  isAutomatic,
  isBeside,
  type Owed,
  owe,
  RequestLine,
  requestOf
} from "./RequestLine.js"
import * as Retry from "./Retry.js"
import type { Command, Input, Refusal } from "./Scheduling.js"
import { SentRequests } from "./SentRequests.js"
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
  /** Whether the model speaks, if a request does not choose the output modality. */
  readonly speaks: () => boolean
  /** Whether requests of the conversation must wait. Default: they need not. */
  readonly isHeld?: () => boolean
}

export const defaults = {
  eventWithin: 30_000,
  ...Retry.defaults,
  ...UserTurn.defaults
} satisfies Partial<Options>

export class ResponseScheduler {
  readonly #line = new RequestLine()
  readonly #sent: SentRequests
  readonly #live: LiveResponses
  readonly #turn: UserTurn.UserTurn
  readonly #answering: Answering
  readonly #collision: Collision
  #isOffline = false
  #lastStep = 0
  #out: Array<Command> = []

  constructor(private readonly options: Options) {
    this.#sent = new SentRequests(options.createdWithin)
    this.#live = new LiveResponses(options.eventWithin)
    this.#turn = new UserTurn.UserTurn(options)
    this.#collision = new Collision(options.eventWithin)
    this.#answering = new Answering(this.#line, this.#sent, this.#live, this.#turn)
  }

  step(input: Input, now: number): ReadonlyArray<Command> {
    this.#out = []
    this.#lastStep = now
    switch (input._tag) {
      case "ResponseProgressed":
        this.#live.progressed(input.responseId, Math.max(now, input.silentUntil ?? now))
        return this.#out
      case "Asked":
        this.#collision.spareOthers()
        this.#line.ask(input.id, input.awaiting, input.cause)
        break
      case "AskedExplicitly": {
        this.#collision.spareOthers()
        const { cause, id, outOfBand, params } = input
        this.#line.add(owe({ _tag: "Explicit", id, params, outOfBand }, cause))
        break
      }
      case "ItemAcknowledged": {
        const outstanding = this.#sent.outstanding()
        this.#line.acknowledge(input.itemId)
        if (outstanding !== undefined) acknowledge(outstanding.owed, input.itemId)
        break
      }
      case "ResponseCreated":
        this.#cancel(this.#answering.began(input, now))
        this.#stopUnknown(input)
        break
      case "ResponseDone":
        this.#done(input, now)
        break
      case "Refused":
        this.#refused(input.eventId, input.refusal, now)
        break
      case "SpeechStarted":
        this.#collision.spareOthers()
        this.#turn.speechStarted(now)
        break
      case "SpeechStopped":
        this.#turn.speechStopped(now)
        break
      case "IdleTimedOut":
        this.#turn.timedOut(now)
        break
      case "SpeechCleared":
        this.#turn.cleared()
        break
      case "CallsTakenBack":
        if (this.options.serverReplies()) this.#serverOwes(input.id, now)
        break
      case "TurnCommitted":
        this.#collision.spareOthers()
        this.#turnCommitted(input.id, now)
        break
      case "Interrupted":
        this.#interrupted()
        break
      case "Withdrawn":
        this.#withdrawn(input)
        break
      case "BesideInterrupted":
        this.#besideInterrupted()
        break
      case "Condemned": {
        const response = this.#live.get(input.responseId)
        if (response !== undefined) this.#condemn(response)
        break
      }
      case "TimePassed":
        this.#timePassed(input.carriedOn, now)
        break
      case "ConnectionLost":
        this.#connectionLost(input.id, input.carriedOn, input.livesOn === true)
        break
      case "Paused":
        this.#isOffline = true
        break
      case "Reconnected":
        this.#isOffline = false
        break
      case "Released":
        break
    }
    this.#sendNext(now)
    return this.#out
  }

  /** When `TimePassed` is due, if ever. */
  deadline(): number | undefined {
    const earliest = Math.min(
      this.#collision.deadline(),
      this.#turn.deadline(),
      this.#sent.deadline(),
      this.#live.deadline(),
      this.#line.nextTime(this.#lastStep)
    )
    return earliest === Number.POSITIVE_INFINITY ? undefined : earliest
  }

  /** Whether this response is out-of-band: its items are in no conversation. */
  isOutOfBand(responseId: string): boolean {
    return this.#live.isBeside(responseId)
  }

  /** The active responses of the default conversation. */
  active(): ReadonlyArray<string> {
    return this.#live.active().map(({ responseId }) => responseId)
  }

  /** The active responses that somebody waits for: nobody stopped them. */
  awaited(): ReadonlyArray<string> {
    return this.#live
      .active()
      .flatMap(({ answers, cancelled, responseId }) => (cancelled || answers?.cancelled ? [] : responseId))
  }

  /** The responses in progress, inside and outside the default conversation. */
  live(): ReadonlyArray<string> {
    return this.#live.all().map(({ responseId }) => responseId)
  }

  /** Whether this response is in progress, inside or outside the default conversation. */
  isLive(responseId: string): boolean {
    return this.#live.get(responseId) !== undefined
  }

  /** Whether it began, and has ended or was given up: later events for it do not begin a response. */
  isPast(responseId: string): boolean {
    return this.#live.isPast(responseId)
  }

  /** Whether the server has said that it is over. */
  hasEnded(responseId: string): boolean {
    return this.#live.hasEnded(responseId)
  }

  /** The responses that have been silent for too long: `TimePassed` gives them up. */
  silent(now: number): ReadonlyArray<string> {
    return this.#live.silent(now).map(({ responseId }) => responseId)
  }

  /**
   * The request that a response is assumed to answer, if the server does not say: the outstanding one of the default
   * conversation, otherwise an out-of-band request, unless the server owes the user an answer or says that it is
   * already speaking.
   */
  presumed(): { readonly eventId: string | undefined; readonly outOfBand: boolean } {
    const outstanding = this.#sent.outstanding()
    // After a collision, the server means the response that the request collided with.
    const isOfConversation = outstanding !== undefined || this.#collision.isPending() || this.#turn.owed() !== undefined
    const beside = isOfConversation ? undefined : this.#sent.beside()[0]
    return { eventId: (outstanding ?? beside)?.eventId, outOfBand: beside !== undefined }
  }

  /** The response that a `response.done` with this id ends. Without an id, it ends the active one. */
  endedBy(responseId: string | undefined): string | undefined {
    return this.#live.endedBy(responseId)
  }

  /** Whether the server still has to answer the request that this event carried. */
  isOutstanding(eventId: string): boolean {
    return this.#sent.isOutstanding(eventId)
  }

  /** What this response answers, as far as is known, if it is active or has just begun. */
  answers(responseId: string): Owed | undefined {
    return this.#live.get(responseId)?.answers ?? this.#sent.coveredBy(responseId)?.owed
  }

  /** The guardrail that stopped this response before anything of it was known. */
  blockedBy(responseId: string): string | undefined {
    return this.#live.get(responseId)?.blockedBy ?? this.answers(responseId)?.blockedBy
  }

  /** All responses that are still owed: waiting, requested, or in progress. */
  owed(): ReadonlyArray<Owed> {
    return [
      ...this.#line.all(),
      ...this.#sent.all().map(({ owed }) => owed),
      ...this.#live.all().map(({ answers }) => answers),
      this.#turn.owed()
    ].filter((owed) => owed !== undefined)
  }

  /** How many requests of the application wait for their turn, or for an out-of-band response. */
  waiting(): number {
    return this.#line.explicitCount() + this.#sent.besideCount()
  }

  /** Whether nothing is active, requested or waiting, and the user is not in a turn that the server will answer. */
  isIdle(): boolean {
    return (
      this.#live.isEmpty() &&
      this.#sent.isEmpty() &&
      this.#line.isEmpty() &&
      !this.#turn.isHolding() &&
      this.#turn.owed() === undefined
    )
  }

  #send(owed: Owed, outOfBand: boolean, now: number): void {
    if (isAutomatic(owed)) this.#answering.payTurn(owed)
    const { eventId } = this.#sent.add(owed, outOfBand, now)
    owed.cutOff = false
    const params = owed.request._tag === "Explicit" ? owed.request.params : undefined
    this.#out.push({ _tag: "Create", eventId, params })
  }

  /** Sends out-of-band requests, and the next request of the conversation, if one may be sent now. */
  #sendNext(now: number): void {
    if (this.#isOffline) return
    for (let owed = this.#line.takeBeside(now); owed !== undefined; owed = this.#line.takeBeside(now)) {
      this.#send(owed, true, now)
    }
    if (this.#sent.outstanding() !== undefined || this.#collision.isPending() || this.#live.hasActive()) return
    if (this.options.isHeld?.() === true) return
    const owed = this.#line.takeNext(now, !this.#turn.isHolding())
    if (owed !== undefined) this.#send(owed, false, now)
  }

  #lost(owed: Owed, responseId: string | undefined, interrupted = false): void {
    this.#out.push({ _tag: "Lost", requestId: owed.request.id, responseId, interrupted, cause: causeOf(owed) })
  }

  /** Somebody stopped it. Nobody knows the session's own requests, but the application waits for its requests. */
  #abandoned(owed: Owed, responseId?: string): void {
    this.#answering.over(owed)
    if (!isAutomatic(owed)) this.#lost(owed, responseId, true)
  }

  #addAgain(owed: Owed): void {
    if (owed.cancelled) this.#abandoned(owed)
    else this.#line.addAgain(owed)
  }

  /** It was in progress, and is requested again. */
  #resume(owed: Owed): void {
    this.#answering.reopen(owed)
    owed.cutOff = !isBeside(owed)
    this.#addAgain(owed)
  }

  /** It failed: retries it, or publishes its loss. */
  #tryAgain(owed: Owed, responseId: string | undefined, now: number, setback: Retry.Setback): void {
    if (owed.cancelled) this.#abandoned(owed, responseId)
    else if (Retry.again(owed.tries, this.options, now, setback)) this.#resume(owed)
    else this.#lost(owed, responseId)
  }

  #stalled(owed: Owed, now: number): void {
    this.#out.push({ _tag: "Stalled", requestId: owed.request.id, responseId: undefined, cause: causeOf(owed) })
    this.#tryAgain(owed, undefined, now, Retry.silence)
  }

  #done(input: Extract<Input, { _tag: "ResponseDone" }>, now: number): void {
    this.#collision.ended()
    const { responseId, whose } = input
    const other = whose && responseId ? this.#answering.belied(responseId, whose.eventId) : undefined
    if (other !== undefined) this.#addAgain(other)
    const response = this.#live.takeEnded(responseId)
    if (response === undefined || input.failed === undefined || response.cancelled) return
    if (this.#answering.uncover(response) || response.answers === undefined || input.carriedOn) return
    this.#tryAgain(response.answers, response.responseId, now, Retry.passing(input.failed))
  }

  #refused(eventId: string, refusal: Refusal, now: number): void {
    const request = this.#sent.take(eventId)
    if (request === undefined) {
      if (refusal._tag === "Collision") this.#disproved(eventId)
      return
    }
    const { owed, coveredBy, cancelled, outOfBand } = request
    const requestId = owed.request.id
    const isNeedless = coveredBy !== undefined || cancelled
    if (refusal._tag === "Collision" && !outOfBand) {
      if (coveredBy === undefined && owed.cancelled) this.#abandoned(owed)
      else if (isNeedless) this.#answering.needless(owed, coveredBy)
      else {
        this.#addAgain(owed)
        if (!this.#live.hasActive()) this.#collision.began(owed, now)
      }
      return
    }
    const mayPass = refusal._tag === "Passing" && !isNeedless && !owed.cancelled
    const isTriedAgain = mayPass && Retry.again(owed.tries, this.options, now, refusal)
    const retryIn = isTriedAgain ? owed.tries.notBefore - now : undefined
    this.#out.push({ _tag: "RequestFailed", requestId, retryIn, cause: causeOf(owed) })
    if (isTriedAgain) this.#resume(owed)
    else if (mayPass) this.#lost(owed, undefined)
    else if (isNeedless && refusal._tag === "Passing") this.#answering.needless(owed, coveredBy)
    else if (!outOfBand) this.#answering.over(owed)
  }

  /** The response that was assumed to answer this request is another one: the request lost the race. */
  #disproved(eventId: string): void {
    const owed = this.#answering.disproved(eventId)
    if (owed !== undefined) this.#addAgain(owed)
  }

  #cancel(response: LiveResponse | undefined): void {
    if (response === undefined || response.cancelled) return
    response.cancelled = true
    this.#out.push({ _tag: "Cancel", responseId: response.responseId })
  }

  /** It was not known when somebody stopped what was active. */
  #stopUnknown({ eventId, responseId, unseen }: Extract<Input, { _tag: "ResponseCreated" }>): void {
    const stop = eventId === undefined ? this.#collision.stopOf(unseen === true) : undefined
    const response = this.#live.get(responseId)
    if (stop === undefined || response === undefined || response.outOfBand) return
    response.blockedBy = stop.by
    this.#cancel(response)
  }

  /** Like `cancel`, and what the response answers is not requested again. */
  #condemn(response: LiveResponse): void {
    this.#cancel(response)
    if (response.answers !== undefined) response.answers.cancelled = true
  }

  #silent(response: LiveResponse, isCarriedOn: boolean, now: number): void {
    const { answers, responseId, cancelled } = response
    const requestId = answers?.request.id
    const cause = answers === undefined ? undefined : causeOf(answers)
    this.#cancel(response)
    this.#out.push({ _tag: "Stalled", requestId, responseId, cause })
    if (this.#answering.uncover(response)) return
    if (answers === undefined && !cancelled) {
      this.#out.push({ _tag: "Lost", requestId, responseId, interrupted: false, cause })
    } else if (answers !== undefined && !isCarriedOn) this.#tryAgain(answers, responseId, now, Retry.silence)
  }

  #timePassed(carriedOn: ReadonlySet<string>, now: number): void {
    this.#turn.timePassed(now)
    const collided = this.#collision.takeOverdue(now)
    if (collided !== undefined && this.#line.take(collided) !== undefined) this.#stalled(collided, now)
    for (const { owed, coveredBy } of this.#sent.takeOverdue(now)) {
      if (coveredBy === undefined) this.#stalled(owed, now)
      else this.#answering.needless(owed, coveredBy)
    }
    for (const response of this.#live.takeSilent(now)) this.#silent(response, carriedOn.has(response.responseId), now)
    const owedToUser = this.#turn.takeOverdue(now)
    if (owedToUser?.cancelled === false) this.#stalled(owedToUser, now)
  }

  #connectionLost(id: string, carriedOn: ReadonlySet<string>, livesOn: boolean): void {
    this.#isOffline = true
    /** A request that was retried may be in progress twice. */
    const owed = new Set<Owed>()
    // If nothing else is owed, the user is still owed an answer.
    let isUserOwed = !livesOn && this.#turn.awaitsServer()
    for (const { answers, cancelled, outOfBand, responseId } of this.#live.all()) {
      if (livesOn || carriedOn.has(responseId)) continue
      if (answers !== undefined) owed.add(answers)
      else if (!outOfBand && !cancelled) isUserOwed = true
    }
    for (const { coveredBy, owed: request } of this.#sent.takeAll()) {
      // Another response has already answered it completely.
      if (coveredBy === undefined || this.#live.get(coveredBy) !== undefined) owed.add(request)
    }
    const owedToUser = this.#turn.takeOwed()
    if (owedToUser !== undefined && !livesOn) owed.add(owedToUser)
    for (const request of Array.from(owed).reverse()) this.#resume(request)
    this.#line.connectionLost()
    if (isUserOwed) this.#line.ask(id, [], {}, true)
    this.#collision.ended()
    this.#turn.reset()
    this.#live.clear()
  }

  /**
   * The user's turn must be answered, by the server itself. But the server begins no answer while another response is
   * active.
   */
  #turnCommitted(id: string, now: number): void {
    if (!this.#turn.committed(now)) return
    if (this.#live.hasActive()) {
      this.#line.ask(id, [])
      return
    }
    this.#serverOwes(id, now)
  }

  /** The server responds by itself. If it does not, the session requests it. */
  #serverOwes(id: string, now: number): void {
    this.#turn.owe(owe({ _tag: "Automatic", id, awaiting: new Set() }), now)
  }

  /** Whether the response is spoken. A response that is only written goes on whatever is said. */
  #speaks(owed: Owed | undefined): boolean {
    const modalities = owed?.request._tag === "Explicit" ? owed.request.params.output_modalities : undefined
    return modalities?.includes("audio") ?? this.options.speaks()
  }

  #besideInterrupted(isMeant: (responseId: string) => boolean = () => true): void {
    for (const response of this.#live.all()) {
      const { answers, outOfBand, responseId } = response
      if (outOfBand && this.#speaks(answers) && isMeant(responseId)) this.#condemn(response)
    }
    for (const request of this.#sent.beside()) {
      if (!this.#speaks(request.owed)) continue
      request.cancelled = true
      request.owed.cancelled = true
    }
    for (const owed of this.#line.takeUnwantedBeside((one) => this.#speaks(one))) this.#abandoned(owed)
  }

  #interrupted(isMeant: (responseId: string) => boolean = () => true): void {
    this.#besideInterrupted(isMeant)
    for (const response of this.#live.active()) if (isMeant(response.responseId)) this.#condemn(response)
    const outstanding = this.#sent.outstanding()
    if (outstanding !== undefined) {
      outstanding.cancelled = true
      outstanding.owed.cancelled = true
    }
    this.#collision.stop()
    const owedToUser = this.#turn.owed()
    if (owedToUser !== undefined) owedToUser.cancelled = true
    for (const owed of this.#line.takeCutOff()) this.#abandoned(owed)
  }

  #withdrawn({ blockedBy, itemId, responseIds }: Extract<Input, { _tag: "Withdrawn" }>): void {
    for (const owed of [this.#sent.outstanding()?.owed, this.#turn.owed()]) {
      if (owed !== undefined) owed.blockedBy = blockedBy
    }
    this.#collision.stop(blockedBy)
    this.#interrupted((responseId) => responseIds.has(responseId))
    for (const owed of this.#line.takeAsked(itemId)) this.#abandoned(owed)
  }
}
