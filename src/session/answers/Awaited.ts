import * as Either from "effect/Either"
import { connectionLost } from "../../event/connectionLost.js"
import type { Cause, Owed } from "../../machine/ResponseScheduler.js"
import type { ResponseParams } from "../../protocol/Response.js"
import { AnswerBlocked, type AnswerError, AnswerInterrupted, AnswerLost, AnswerRefused } from "../../SessionError.js"
import type { AudioChunk, SessionEvent } from "../../SessionEvent.js"
import * as Usage from "../Usage.js"
import type { Answer, AnswerPart } from "./Answer.js"

/** The caller that waits for the answer. */
export interface Waiter<E> {
  part(part: AnswerPart<E>): void
  done(answer: Either.Either<Answer<E>, AnswerError>): void
}

/** The question: an item, and its request if it has parameters. */
export interface Question {
  readonly itemId: string
  readonly requestId: string | undefined
  /** The parameters of its responses, if it has any. */
  readonly params: ResponseParams | undefined
}

/** A response that answers the question. */
interface Told {
  /** The id of the request that it answers. */
  readonly requestId: string
  /** By item and part. */
  readonly texts: Map<string, string>
  /** `"stalled"`: it was given up. Absent while it is in progress. */
  status: string | undefined
  reason: string | undefined
  /** What the server says about its failure. */
  message: string | undefined
  /** Another response answers the same request: this one failed. */
  isTriedAgain: boolean
  /** The session was going to ask again after it. */
  wasOwedAgain: boolean
  /** Chunks that there was no room for. */
  audioDropped: number
}

/** A request that will not get a response. */
interface Setback {
  readonly requestId: string | undefined
  readonly error: () => AnswerError
}

/** The audio that is kept of an answer: more than 20 minutes of PCM16. */
export const maxAudioBytes = 64 * 1024 * 1024

/** An answer that somebody waits for: what arrived so far, and how it ended. */
export class Awaited<out E = unknown> {
  readonly #told = new Map<string, Told>()
  readonly #calls: Array<Answer<E>["calls"][number]> = []
  #audio: Array<AudioChunk> = []
  #audioBytes = 0
  #usage = Usage.none
  #setback: Setback | undefined
  #blocked: AnswerBlocked | undefined

  constructor(
    readonly question: Question,
    readonly waiter: Waiter<E>
  ) {}

  get responseIds(): ReadonlyArray<string> {
    return Array.from(this.#told.keys())
  }

  has(responseId: string | undefined): boolean {
    return responseId !== undefined && this.#told.has(responseId)
  }

  /** Whether a response to this would belong to the answer. */
  isAbout({ reasons, request }: Owed): boolean {
    return request.id === this.question.requestId || this.#isCausedBy(reasons)
  }

  began(responseId: string, requestId: string): void {
    for (const [triedId, told] of this.#told) {
      if (told.isTriedAgain || told.requestId !== requestId) continue
      told.isTriedAgain = true
      this.#forgetAudio(triedId)
    }
    const texts = new Map<string, string>()
    const fresh = {
      status: undefined,
      reason: undefined,
      message: undefined,
      isTriedAgain: false,
      wasOwedAgain: false,
      audioDropped: 0
    }
    this.#told.set(responseId, { requestId, texts, ...fresh })
  }

  blocked(subject: AnswerBlocked["subject"], guardrail: string, feedback: string): void {
    this.#blocked ??= new AnswerBlocked({ ...this.#ofQuestion(), guardrail, subject, feedback })
  }

  played(chunk: AudioChunk): void {
    const told = this.#told.get(chunk.responseId)
    if (told === undefined) return
    // Without a gap: behind what does not fit, nothing is kept.
    if (this.#audioDropped() === 0 && this.#audioBytes + chunk.bytes.length <= maxAudioBytes) {
      this.#audioBytes += chunk.bytes.length
      this.#audio.push(chunk)
    } else told.audioDropped += 1
    this.waiter.part({ _tag: "AudioReceived", chunk })
  }

  published(event: SessionEvent<E>): void {
    switch (event._tag) {
      case "TextDelta": {
        const told = this.#told.get(event.responseId)
        if (told === undefined) break
        told.texts.set(partOf(event), (told.texts.get(partOf(event)) ?? "") + event.delta)
        this.waiter.part(event)
        break
      }
      case "TextCompleted":
        this.#told.get(event.responseId)?.texts.set(partOf(event), event.text)
        break
      case "ToolSucceeded":
      case "ToolFailed":
        if (!this.has(event.call.responseId)) break
        this.#calls.push(event)
        this.waiter.part(event)
        break
      case "ToolStarted":
      case "ToolDeferred":
        if (this.has(event.call.responseId)) this.waiter.part(event)
        break
      case "ResponseDone":
        this.#ended(event)
        break
      case "ResponseStalled": {
        const told = event.responseId === undefined ? undefined : this.#told.get(event.responseId)
        if (told !== undefined) told.status ??= "stalled"
        break
      }
      case "ResponseLost":
        this.#failed(event, () =>
          event.interrupted ? new AnswerInterrupted(this.#soFar()) : new AnswerLost(this.#soFar())
        )
        break
      case "ResponseRefused": {
        const { code, message: reason, retryInMs } = event
        if (retryInMs === undefined) this.#failed(event, () => new AnswerRefused({ ...this.#soFar(), code, reason }))
        break
      }
      default:
        break
    }
  }

  /**
   * The outcome, if it is certain. `owed`: everything that the session still asks for. `isOpen`: whether a response
   * that has ended may still have consequences.
   */
  outcome(owed: ReadonlyArray<Owed>, isOpen: () => boolean): Either.Either<Answer<E>, AnswerError> | undefined {
    if (this.#blocked !== undefined) return Either.left(this.#blocked)
    const isOwed = (requestId: string | undefined): boolean => owed.some(({ request }) => request.id === requestId)
    const final = Array.from(this.#told.values()).filter(({ isTriedAgain }) => !isTriedAgain)
    // Its calls may go on, and the model after them, but the answer was cut.
    if (final.some(({ requestId, status }) => status === "cancelled" && !isOwed(requestId))) {
      return Either.left(new AnswerInterrupted(this.#soFar()))
    }
    const setback = this.#setback
    const isMet = final.some((told) => told.requestId === setback?.requestId && isWhole(told))
    if (setback !== undefined && !isMet && !isOwed(setback.requestId)) return Either.left(setback.error())
    for (const told of final) if (told.status !== undefined && isOwed(told.requestId)) told.wasOwedAgain = true
    if (owed.some((one) => this.isAbout(one)) || final.some(({ status }) => status === undefined) || isOpen()) {
      return undefined
    }
    const last = final.at(-1)
    // An interruption drops responses that had not begun, without an event.
    if (last === undefined) return Either.left(new AnswerInterrupted(this.#soFar()))
    return isWhole(last) ? Either.right(this.#answer(last)) : Either.left(this.#failureOf(last))
  }

  /** Chunks, of the responses that count. */
  #audioDropped(): number {
    let count = 0
    for (const { audioDropped, isTriedAgain } of this.#told.values()) if (!isTriedAgain) count += audioDropped
    return count
  }

  #forgetAudio(ofResponse: string): void {
    this.#audio = this.#audio.filter(({ responseId }) => responseId !== ofResponse)
    this.#audioBytes = this.#audio.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  #isCausedBy({ itemIds, responseIds }: { readonly [Of in keyof Cause]: Iterable<string> }): boolean {
    for (const itemId of itemIds) if (itemId === this.question.itemId) return true
    for (const responseId of responseIds) if (this.has(responseId)) return true
    return false
  }

  #ended(event: Extract<SessionEvent, { readonly _tag: "ResponseDone" }>): void {
    const { message, reason, responseId, status, usage } = event
    const told = this.#told.get(responseId)
    if (told === undefined) return
    if (usage !== undefined) this.#usage = Usage.add(this.#usage, usage)
    if (told.status !== undefined) return
    told.status = status
    told.reason = reason
    told.message = message
  }

  #failed(
    event: Extract<SessionEvent, { readonly _tag: "ResponseLost" | "ResponseRefused" }>,
    error: () => AnswerError
  ) {
    const { cause, requestId } = event
    const isMeant =
      (requestId !== undefined && requestId === this.question.requestId) ||
      (cause !== undefined && this.#isCausedBy(cause))
    if (isMeant) this.#setback ??= { requestId, error }
  }

  #failureOf({ message, reason, status, wasOwedAgain }: Told): AnswerError {
    // What is still to be tried again and then is not, without an event, was dropped by an interruption.
    if (wasOwedAgain) return new AnswerInterrupted(this.#soFar())
    return status === "failed"
      ? new AnswerRefused({ ...this.#soFar(), code: reason, reason: message || "The response failed." })
      : new AnswerLost(this.#soFar())
  }

  #answer({ reason, status }: Told): Answer<E> {
    const [first] = this.#told.values()
    return {
      itemId: this.question.itemId,
      requestId: this.question.requestId ?? first?.requestId ?? "",
      responseIds: this.responseIds,
      text: this.#text(),
      audio: this.#audio,
      audioDropped: this.#audioDropped(),
      calls: this.#calls,
      status: status ?? "completed",
      reason,
      usage: this.#usage
    }
  }

  #text(): string {
    return Array.from(this.#told.values())
      .flatMap(({ isTriedAgain, texts }) => (isTriedAgain ? [] : Array.from(texts.values())))
      .filter((text) => text !== "")
      .join("\n")
  }

  #ofQuestion() {
    return { itemId: this.question.itemId, responseIds: this.responseIds }
  }

  #soFar() {
    return { ...this.#ofQuestion(), text: this.#text() }
  }
}

const partOf = ({ contentIndex, itemId }: { readonly itemId: string; readonly contentIndex: number }): string =>
  `${itemId}/${contentIndex}`

/** Whether the model finished, or said as much as it may. */
const isWhole = ({ reason, status }: Told): boolean =>
  status !== undefined && !isFailure.has(status) && !(status === "incomplete" && reason === connectionLost)

const isFailure: ReadonlySet<string> = new Set(["failed", "cancelled", "stalled"])
