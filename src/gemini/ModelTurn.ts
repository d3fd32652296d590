/**
 * The model's turns. Gemini has turns where the session has responses: a turn that makes calls goes on after their
 * outputs, and is two responses. What comes late, or is stopped, still comes.
 */
import { forgetOldest } from "../common/forgetOldest.js"
import type { Response } from "../protocol/Response.js"
import { namedFor, resultOf } from "./contents.js"
import type { Line } from "./Line.js"
import type { Listening } from "./Listening.js"
import { type End, Reply } from "./Reply.js"
import type { Voice } from "./Sound.js"
import type { FunctionCall, Json, Part, Usage } from "./Wire.js"

/** How many calls are remembered that were taken back. The oldest is forgotten first. */
export const maxRemembered = 1_024

/** The settings that matter here. */
export interface Surroundings {
  readonly speaks: () => boolean
  readonly detects: () => boolean
  readonly voice: () => Voice
  /** Something was said. */
  readonly saysMore: () => void
}

export interface Request {
  readonly metadata?: Response["metadata"]
}

export class ModelTurn {
  readonly #line: Line
  readonly #listening: Listening
  readonly #around: Surroundings
  /** What the session asked for, until an answer begins. */
  #request: Request | undefined
  /** Gemini answers by itself what it was sent last. */
  #isOwed = false
  /** The user's audio was sent since the model spoke. */
  #hasAudio = false
  #reply: Reply | undefined
  /** The turn that made calls: what comes before their outputs still belongs to it. */
  #calling: Reply | undefined
  /** The reply that ended last, for words that come late. */
  #ended: Reply | undefined
  /** The rest of a turn that the session cancelled is not passed on. */
  #isSilenced = false
  /** The calls in it, which nobody runs: Gemini waits for their outputs. */
  #unrun: ReadonlyArray<FunctionCall> = []
  /** A request was sent into a turn, which interrupts it. */
  #isBreaking = false
  /** The end of a turn that was interrupted is still to come. */
  #isBroken = false
  #usage: Usage | undefined
  /** Calls that Gemini waits for, by the ids that they have in the session: Gemini's own, or made here. */
  readonly #calls = new Map<string, FunctionCall>()
  readonly #cancelled = new Set<string>()

  constructor(line: Line, listening: Listening, around: Surroundings) {
    this.#line = line
    this.#listening = listening
    this.#around = around
  }

  get isAnswering(): boolean {
    return this.#reply !== undefined
  }

  get awaitsOutputs(): boolean {
    return this.#calls.size > 0
  }

  get isRequested(): boolean {
    return this.#request !== undefined
  }

  get isOwed(): boolean {
    return this.#isOwed
  }

  /** Nothing of a turn is under way. */
  get isOver(): boolean {
    return (
      this.#reply === undefined &&
      this.#request === undefined &&
      this.#calls.size === 0 &&
      !this.#isOwed &&
      !this.#isSilenced &&
      this.#unrun.length === 0
    )
  }

  /** Gemini was sent what it answers by itself. */
  owe(): void {
    this.#calling = undefined
    this.#isOwed = true
  }

  requested(request: Request): void {
    this.#request = request
    this.#isOwed = true
    this.#isBreaking = this.#isSilenced
  }

  /** The model is asked to go on, or the user speaks: it must not wait for what nobody runs. */
  refuseCalls(): void {
    const error = "The call was not run, because the answer was stopped."
    for (const call of this.#unrun) this.#respondTo(call, { error })
    this.#unrun = []
  }

  /** The user's words are heard: what comes next may answer them. */
  heard(): void {
    if (this.#unrun.length === 0) return
    this.refuseCalls()
    this.#isSilenced = false
  }

  audioSent(): void {
    this.#hasAudio = true
  }

  /** The user's turn was ended on this side. */
  committed(): void {
    this.#hasAudio = false
    this.#listening.commit(true)
    this.owe()
  }

  /** The calls that Gemini took back, also on earlier connections. */
  get allTakenBack(): ReadonlyArray<string> {
    return Array.from(this.#cancelled)
  }

  /** Gemini took these back, here or on an earlier connection. */
  rememberTakenBack(callIds: ReadonlyArray<string>): void {
    for (const callId of callIds) this.#cancelled.add(callId)
    forgetOldest(this.#cancelled, maxRemembered)
  }

  /** Gemini made this call, and took it back. */
  wasTakenBack(callId: string): boolean {
    return this.#cancelled.has(callId)
  }

  /** Returns `false` if Gemini waits for no such call. */
  answer(id: string, output: string): boolean {
    const call = this.#calls.get(id)
    if (call === undefined) return false
    this.#around.saysMore()
    this.#calls.delete(id)
    this.#respondTo(call, resultOf(output))
    if (this.#calls.size === 0) this.owe()
    return true
  }

  /** The session stops this response. Returns `false` if it is not active. */
  cancel(responseId: string | undefined): boolean {
    if (this.#reply === undefined || (responseId !== undefined && responseId !== this.#reply.id)) return false
    this.#isSilenced = true
    this.#end({ status: "cancelled", reason: "client_cancelled" })
    return true
  }

  /** With the usage of what follows. */
  used(usage: Usage): void {
    this.#usage = usage
  }

  said(part: Pick<Part, "audio" | "text">, json: Json): void {
    if (this.#isSilenced) return
    const late = this.#reply === undefined ? (this.#calling ?? this.#lateFor(part)) : undefined
    if (late !== undefined) {
      if (!late.late(part.text, part.audio)) this.#line.unknown("late", json)
      return
    }
    const reply = this.#begun()
    if (part.text !== undefined) reply.words(part.text)
    if (part.audio !== undefined && !reply.audio(part.audio.data, part.audio.rate)) this.#line.unknown("audio", json)
  }

  called(calls: ReadonlyArray<FunctionCall>): void {
    if (this.#isSilenced) {
      // Not answered yet: the rest of the turn could not be told from what the model says of the answers.
      this.#unrun = [...this.#unrun, ...calls]
      return
    }
    const reply = this.#begun()
    for (const call of calls) {
      const id = call.id ?? this.#line.newId("call")
      this.#calls.set(id, call)
      reply.call({ ...call, id })
    }
    // Gemini waits for the outputs, within its turn. A response of the session is over with its calls.
    this.#end({ status: "completed" })
    this.#calling = reply
  }

  takenBack(ids: ReadonlyArray<string>): void {
    this.#unrun = this.#unrun.filter(({ id }) => id === undefined || !ids.includes(id))
    const callIds = ids.filter((id) => this.#calls.delete(id))
    if (callIds.length === 0) return
    this.rememberTakenBack(callIds)
    this.#line.give({ _tag: "CallsCancelled", callIds })
    if (this.#calls.size === 0) this.#calling = undefined
    // That is what Gemini does when the user speaks.
    if (this.#around.detects() && this.#reply === undefined) this.#listening.begin()
  }

  /** Everything was made. It may still be played. */
  generated(): void {
    this.#reply?.generated()
  }

  interrupted(): void {
    // A request interrupts the turn that it was sent into, or what it is sent in pieces.
    const isOwn = this.#request !== undefined && (this.#isBreaking || !this.#hasAudio)
    this.#calling = undefined
    this.#isSilenced = false
    // The session has an answer to its request, which is over: what comes next is for the user's speech.
    if (!isOwn && this.#request !== undefined) this.#start()
    this.#isBreaking = false
    this.#isBroken = true
    if (this.#around.detects() && !isOwn) this.#listening.begin()
    this.#end({ status: "cancelled", reason: "turn_detected" })
  }

  over(end: End): void {
    // The end of a turn that made calls, or that the session or somebody's words stopped, is not an answer.
    const isAnswer = this.#calling === undefined && !this.#isSilenced && !this.#isBroken
    // What the model says of calls that were not run belongs to what was stopped.
    this.#isSilenced = this.#unrun.length > 0
    this.refuseCalls()
    this.#isBroken = false
    this.#calling = undefined
    // An answer without a word is one, too: to a request, or to what the user said.
    const isAwaited = this.#request !== undefined || this.#listening.isOpen
    if (isAnswer && (isAwaited || end.status !== "completed")) this.#begun()
    this.#end(end)
    this.#listening.settle(true)
  }

  /** Words alone, after an answer that is over, and nothing that they could answer. */
  #lateFor({ audio }: Pick<Part, "audio">): Reply | undefined {
    const isAsked = this.#request !== undefined || this.#isOwed || this.#hasAudio || this.#listening.isOpen
    return audio === undefined && this.#around.speaks() && !isAsked ? this.#ended : undefined
  }

  #begun(): Reply {
    if (this.#reply !== undefined) return this.#reply
    const isForSpeech = this.#request === undefined && !this.#isOwed && this.#hasAudio
    if (this.#listening.isOpen || isForSpeech) this.#listening.commit(false)
    this.#hasAudio = false
    return this.#start()
  }

  #start(): Reply {
    const { saysMore, speaks, voice } = this.#around
    saysMore()
    const request = this.#request
    this.#request = undefined
    this.#isOwed = false
    this.#isBreaking = false
    this.#isBroken = false
    const line = this.#line
    const reply = new Reply({
      line,
      id: line.newId("resp"),
      speaks: speaks(),
      voice: voice(),
      metadata: request?.metadata
    })
    this.#reply = reply
    return reply
  }

  /** With Gemini's own id, or with none. */
  #respondTo({ id, name }: FunctionCall, response: Json): void {
    const answer = { ...(id === undefined ? {} : { id }), name: namedFor(name), response }
    this.#line.tell({ toolResponse: { functionResponses: [answer] } })
  }

  #end(end: End): void {
    const reply = this.#reply
    if (reply === undefined) return
    reply.end(end, this.#usage)
    this.#usage = undefined
    this.#reply = undefined
    this.#ended = reply
  }
}
