/**
 * Which response answers what. One that names a request of ours answers that, wherever it is now; one of the server's own
 * answers the request of which it has seen everything; and the first that begins after a turn of the user answers that.
 */
import { forgetOldest } from "./forgetOldest.js"
import type { LiveResponse, LiveResponses } from "./LiveResponses.js"
import { isAutomatic, isBeside, isCovered, join, type Owed, type RequestLine, requestOf } from "./RequestLine.js"
import type { Input } from "./Scheduling.js"
import type { Answered, SentRequests } from "./SentRequests.js"
import type { UserTurn } from "./UserTurn.js"

/** Where what is owed may be. */
export interface Books {
  readonly line: RequestLine
  readonly sent: SentRequests
  readonly live: LiveResponses
  readonly turn: UserTurn
}

export interface Answering {
  /** A response begins. Gives it back where it must stop at once: nobody wants it any more, or what it answers is answered. */
  readonly began: (input: Extract<Input, { _tag: "ResponseCreated" }>, now: number) => LiveResponse | undefined
  /** What answers this request answers the user's turn too: one response is owed for both. */
  readonly payTurn: (owed: Owed) => void
  /** It is answered, or nobody waits for it: a response to it that still begins must stop. */
  readonly over: (owed: Owed) => void
  /** It is not over after all. */
  readonly reopen: (owed: Owed) => void
  /** This response answers it, and stands for it should it come to nothing. */
  readonly needless: (owed: Owed, coveredBy: string | undefined) => void
  /** The response came to nothing. Whether it made a request needless that is still on its way: that is the next try. */
  readonly uncover: (response: LiveResponse) => boolean
  /** The server says after all that the response which was taken to answer this request is another one. Gives it back. */
  readonly disproved: (eventId: string) => Owed | undefined
  /** As `disproved`: the response says at its end of which request it was. */
  readonly belied: (responseId: string, eventId: string | undefined) => Owed | undefined
}

/** Ids of requests that are over, to recognise a second answer. */
const maxAnswered = 32
/** Far more than a server can be behind with its refusals. */
const maxPresumptions = 8

export const make = ({ line, live, sent, turn }: Books): Answering => {
  const answered = new Set<string>()
  /** By the event of the request: what is taken to answer it, for want of a better clue. */
  const presumptions = new Map<string, { readonly owed: Owed; readonly responseId: string }>()

  const over = (owed: Owed): void => {
    answered.add(owed.request.id)
    forgetOldest(answered, maxAnswered)
  }

  const reopen = ({ request }: Owed): void => {
    answered.delete(request.id)
  }

  const payTurn = (owed: Owed): void => {
    if (turn.owed()?.cancelled !== false) return
    const other = turn.takeOwed()
    if (other !== undefined) join(owed, other)
  }

  /** What a response answers that begins now: this, and the user's turn. */
  const withTurn = (owed: Owed | undefined): Owed | undefined => {
    if (owed === undefined) return turn.takeOwed()
    if (isAutomatic(owed)) payTurn(owed)
    else turn.takeOwed()
    return owed
  }

  const disproved = (eventId: string): Owed | undefined => {
    const presumption = presumptions.get(eventId)
    presumptions.delete(eventId)
    if (presumption === undefined || !answered.has(presumption.owed.request.id)) return undefined
    const { owed, responseId } = presumption
    const response = live.get(responseId)
    if (response?.answers === owed) response.answers = undefined
    reopen(owed)
    return owed
  }

  /** The request that a response names, wherever that request is now. */
  const takeNamed = (responseId: string, eventId: string): Answered | undefined => {
    const answer = sent.answeredBy(responseId, eventId)
    if (answer !== undefined) return answer
    const owed = line.takeTried(requestOf(eventId)) ?? disproved(eventId)
    return owed === undefined ? undefined : { owed, cancelled: false, outOfBand: isBeside(owed) }
  }

  /** Voice activity detection found a turn to answer, or another client asked. */
  const byServer = (response: LiveResponse): LiveResponse | undefined => {
    turn.serverReplied()
    if (turn.owed()?.cancelled) {
      response.answers = turn.takeOwed()
      return response
    }
    const outstanding = sent.outstanding()
    if (outstanding !== undefined && isCovered(outstanding.owed)) outstanding.coveredBy = response.responseId
    response.answers = withTurn(line.takeCovered())
    return undefined
  }

  return {
    began: (input, now) => {
      const { eventId, presumed, responseId } = input
      if (live.get(responseId) !== undefined || live.isPast(responseId)) return undefined
      const answer = eventId === undefined ? undefined : takeNamed(responseId, eventId)
      const response: LiveResponse = {
        responseId,
        // Not every server says which conversation a response is in; of our own requests it is known.
        outOfBand: answer?.outOfBand ?? input.outOfBand,
        answers: answer?.owed,
        lastEvent: now,
        cancelled: false
      }
      live.add(response)
      if (presumed && eventId !== undefined && answer !== undefined && !isCovered(answer.owed)) {
        presumptions.set(eventId, { owed: answer.owed, responseId })
        forgetOldest(presumptions, maxPresumptions)
      }
      if (eventId === undefined) return response.outOfBand ? undefined : byServer(response)
      const isSecondAnswer = answer === undefined && answered.has(requestOf(eventId))
      if (answer !== undefined) over(answer.owed)
      if (answer?.cancelled || isSecondAnswer) return response
      if (!response.outOfBand) response.answers = withTurn(answer?.owed)
      return undefined
    },
    payTurn,
    over,
    reopen,
    needless: (owed, coveredBy) => {
      over(owed)
      const response = coveredBy === undefined ? undefined : live.get(coveredBy)
      if (response === undefined) return
      if (response.answers === undefined) response.answers = owed
      else if (response.answers !== owed && isAutomatic(response.answers)) join(response.answers, owed)
    },
    uncover: ({ answers, responseId }) => {
      const needless = sent.coveredBy(responseId)
      if (needless === undefined) return false
      needless.coveredBy = undefined
      needless.cancelled = needless.owed.cancelled
      if (needless.owed === answers && !answers.cancelled) reopen(answers)
      return true
    },
    disproved,
    belied: (responseId, eventId) => {
      for (const [presumed, of] of presumptions) {
        if (of.responseId === responseId && presumed !== eventId) return disproved(presumed)
      }
      return undefined
    }
  }
}
