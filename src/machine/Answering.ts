/**
 * Decides which request or turn a response answers. A response that names a request of the session answers it, in
 * whatever state it is. A response that the server began by itself answers the request if it has seen everything that
 * the request is about. The first response after a turn of the user answers the turn.
 */
import { forgetOldest } from "../common/forgetOldest.js"
import type { LiveResponse, LiveResponses } from "./LiveResponses.js"
import { isAutomatic, isBeside, isCovered, join, type Owed, type RequestLine, requestOf } from "./RequestLine.js"
import type { Input } from "./Scheduling.js"
import type { Answered, SentRequests } from "./SentRequests.js"
import type { UserTurn } from "./UserTurn.js"

/** The number of ended requests that are remembered, to recognise a second answer. */
const maxAnswered = 32
/** Far more than a server can be behind with its refusals. */
const maxPresumptions = 8

export class Answering {
  readonly #answered = new Set<string>()
  /** By the event of the request: the response that is assumed to answer it, without better information. */
  readonly #presumptions = new Map<string, { readonly owed: Owed; readonly responseId: string }>()

  constructor(
    private readonly line: RequestLine,
    private readonly sent: SentRequests,
    private readonly live: LiveResponses,
    private readonly turn: UserTurn
  ) {}

  /**
   * A response began. Returns it if it must stop at once, because nobody wants it any more or its request was already
   * answered.
   */
  began(input: Extract<Input, { _tag: "ResponseCreated" }>, now: number): LiveResponse | undefined {
    const { eventId, presumed, responseId } = input
    if (this.live.get(responseId) !== undefined || this.live.isPast(responseId)) return undefined
    const answer = eventId === undefined ? undefined : this.#takeNamed(responseId, eventId)
    const response: LiveResponse = {
      responseId,
      // Not every server says which conversation a response is in. For requests of the session, it is known.
      outOfBand: answer?.outOfBand ?? input.outOfBand,
      answers: answer?.owed,
      lastEvent: now,
      cancelled: false
    }
    this.live.add(response)
    if (presumed && eventId !== undefined && answer !== undefined && !isCovered(answer.owed)) {
      this.#presumptions.set(eventId, { owed: answer.owed, responseId })
      forgetOldest(this.#presumptions, maxPresumptions)
    }
    if (eventId === undefined) return response.outOfBand ? undefined : this.#byServer(response, input.unseen === true)
    const isSecondAnswer = answer === undefined && this.#answered.has(requestOf(eventId))
    if (answer !== undefined) this.over(answer.owed)
    if (answer?.cancelled || isSecondAnswer) return response
    if (!response.outOfBand) response.answers = this.#withTurn(answer?.owed)
    return undefined
  }

  /** An answer to this request also answers the user's turn: only one response is owed for both. */
  payTurn(owed: Owed): void {
    if (this.turn.owed()?.cancelled !== false) return
    const other = this.turn.takeOwed()
    if (other !== undefined) join(owed, other)
  }

  /** It is answered, or nobody waits for it: a response to it that begins later must stop. */
  over(owed: Owed): void {
    this.#answered.add(owed.request.id)
    forgetOldest(this.#answered, maxAnswered)
  }

  /** It is not over after all. */
  reopen({ request }: Owed): void {
    this.#answered.delete(request.id)
  }

  /** This response answers the request. If the response fails, the request is needed again. */
  needless(owed: Owed, coveredBy: string | undefined): void {
    this.over(owed)
    const response = coveredBy === undefined ? undefined : this.live.get(coveredBy)
    if (response === undefined) return
    if (response.answers === undefined) response.answers = owed
    else if (response.answers !== owed && isAutomatic(response.answers)) join(response.answers, owed)
  }

  /**
   * The response failed. Returns whether a request that it had covered is still being sent: that is the next attempt.
   */
  uncover({ answers, responseId }: LiveResponse): boolean {
    const needless = this.sent.coveredBy(responseId)
    if (needless === undefined) return false
    needless.coveredBy = undefined
    needless.cancelled = needless.owed.cancelled
    if (needless.owed === answers && !answers.cancelled) this.reopen(answers)
    return true
  }

  /**
   * The server now says that the response which was assumed to answer this request is another one. Returns that
   * response's request.
   */
  disproved(eventId: string): Owed | undefined {
    const presumption = this.#presumptions.get(eventId)
    this.#presumptions.delete(eventId)
    if (presumption === undefined || !this.#answered.has(presumption.owed.request.id)) return undefined
    const { owed, responseId } = presumption
    const response = this.live.get(responseId)
    if (response?.answers === owed) response.answers = undefined
    this.reopen(owed)
    return owed
  }

  /** Like `disproved`: at its end, the response says which request it belongs to. */
  belied(responseId: string, eventId: string | undefined): Owed | undefined {
    for (const [presumed, of] of this.#presumptions) {
      if (of.responseId === responseId && presumed !== eventId) return this.disproved(presumed)
    }
    return undefined
  }

  /** What a response that begins now answers: this request, and the user's turn. */
  #withTurn(owed: Owed | undefined): Owed | undefined {
    if (owed === undefined) return this.turn.takeOwed()
    if (isAutomatic(owed)) this.payTurn(owed)
    else this.turn.takeOwed()
    return owed
  }

  /** The request that a response names, in whatever state it is. */
  #takeNamed(responseId: string, eventId: string): Answered | undefined {
    const answer = this.sent.answeredBy(responseId, eventId)
    if (answer !== undefined) return answer
    const owed = this.line.takeTried(requestOf(eventId)) ?? this.disproved(eventId)
    return owed === undefined ? undefined : { owed, cancelled: false, outOfBand: isBeside(owed) }
  }

  /**
   * Voice activity detection found a turn to answer, or another client asked. `isUnseen`: nobody saw it begin, so it may
   * have begun before the items that a request is about.
   */
  #byServer(response: LiveResponse, isUnseen: boolean): LiveResponse | undefined {
    this.turn.serverReplied()
    if (this.turn.owed()?.cancelled) {
      response.answers = this.turn.takeOwed()
      return response
    }
    const outstanding = isUnseen ? undefined : this.sent.outstanding()
    if (outstanding !== undefined && isCovered(outstanding.owed)) outstanding.coveredBy = response.responseId
    response.answers = this.#withTurn(isUnseen ? undefined : this.line.takeCovered())
    return undefined
  }
}
