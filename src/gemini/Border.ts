/**
 * The border between a session and Gemini: what the session sends becomes messages of Gemini's, and Gemini's messages
 * become events of the session's protocol. It has no clock and no socket: data in, data out.
 *
 * Gemini answers what it is sent by itself, so a request for a response is kept until the answer begins, and asks for one
 * only where none would come. What Gemini has no word for is refused with an `error` that names the event.
 */
import * as Predicate from "effect/Predicate"
import { forgetOldest } from "../common/forgetOldest.js"
import type { ClientEvent, ConversationItemCreate, ResponseCreate } from "../protocol/ClientEvent.js"
import { type DecodeOptions, decodeServerFrame } from "../protocol/Codec.js"
import type { Item } from "../protocol/Item.js"
import { parseJson } from "../protocol/nesting.js"
import type { ResponseParams } from "../protocol/Response.js"
import type { Dialect, Step } from "../realtimeModel/Dialect.js"
import type { Traits } from "../realtimeModel/Traits.js"
import { Configured } from "./Configured.js"
import { type Content, contentOf, wordsOf } from "./contents.js"
import { Line } from "./Line.js"
import { Listening } from "./Listening.js"
import { ModelTurn, maxRemembered } from "./ModelTurn.js"
import type { End } from "./Reply.js"
import { inputRate } from "./Sound.js"
import { detects, type Manner, type Settings, speaks } from "./setup.js"
import { type Json, known, read, type ServerMessage } from "./Wire.js"

/** How many events may wait for the end of the setup. Further ones are refused. */
export const maxHeld = 1_024

/** How many contents may wait for the end of the model's turn. Further ones are refused. */
export const maxUnsent = 256

export interface Options {
  readonly manner: Manner
  /** What the ids on this connection begin with. */
  readonly prefix: string
  /** Where the connection before left off: asked once the settings come. */
  readonly resumption: (() => string | undefined) | undefined
}

/** What another connection is told. */
interface Resumption {
  readonly handle?: string | undefined
  readonly wanted?: Settings | undefined
  /** The last item of the conversation. */
  readonly last?: string | null | undefined
  /** Calls that the conversation has from other connections, with the names of their functions. */
  readonly told?: ReadonlyArray<readonly [callId: string, name: string]>
  readonly takenBack?: ReadonlyArray<string>
}

const resumptionOf = (text: string | undefined): Resumption => {
  try {
    // What this module wrote itself.
    return text === undefined ? {} : (JSON.parse(text) as Resumption)
  } catch {
    return {}
  }
}

/** Parameters of one response that say something else than the session's settings do. */
const strangersIn = ({ conversation = "auto", metadata: _, tool_choice = "auto", ...rest }: ResponseParams) => [
  ...Object.keys(rest),
  ...(conversation === "auto" ? [] : ["conversation"]),
  ...(tool_choice === "auto" ? [] : ["tool_choice"])
]

const endOf = (reason: string | undefined): End => {
  if (reason === undefined || reason === "NEED_MORE_INPUT" || reason.endsWith("_UNSPECIFIED")) {
    return { status: "completed" }
  }
  if (reason !== "MALFORMED_FUNCTION_CALL") return { status: "incomplete", reason: "content_filter" }
  return { status: "failed", code: "server_error", message: "The model made a call that cannot be read." }
}

export class Border implements Dialect {
  readonly #manner: Manner
  readonly #before: (() => string | undefined) | undefined
  #from: Resumption = {}
  readonly #line: Line
  readonly #listening: Listening
  readonly #configured: Configured
  readonly #turn: ModelTurn
  #phase: "New" | "SettingUp" | "Ready" = "New"
  readonly #held: Array<ClientEvent> = []
  /** Where another connection can go on: nothing was said after it. */
  #handle: string | undefined
  #isLeaving = false
  /** This side has said that the user speaks. */
  #isMarked = false
  /** Contents that Gemini was not told yet. */
  #unsent: ReadonlyArray<Content> = []
  /** Whether a model that takes words only as input was told the conversation. */
  #isTold = false
  /** Calls of other connections, which Gemini was told of, with the names of their functions. */
  readonly #toldCalls = new Map<string, string>()

  constructor({ manner, prefix, resumption }: Options) {
    this.#manner = manner
    this.#before = resumption
    this.#line = new Line(prefix)
    this.#configured = new Configured(this.#line, manner)
    this.#listening = new Listening(this.#line, () => this.#configured.microphone.ms)
    this.#turn = new ModelTurn(this.#line, this.#listening, {
      speaks: () => speaks(this.#configured.settings),
      detects: () => this.#detects,
      voice: () => this.#configured.voice,
      saysMore: () => this.#saysMore()
    })
  }

  get traits(): Traits {
    const from = this.#phase === "New" ? resumptionOf(this.#before?.()) : this.#from
    const livesOn = (this.#phase === "Ready" ? this.#handle : from.handle) !== undefined
    const conversation = livesOn ? "server" : "connection"
    return { conversation, truncation: "server", responsesEnd: "played", spokenItems: "refused" }
  }

  readonly resumption = (): string => {
    const resumption: Resumption = {
      handle: this.#handle,
      wanted: this.#configured.wanted,
      last: this.#line.last,
      told: [...this.#toldCalls],
      takenBack: this.#turn.allTakenBack
    }
    return JSON.stringify(resumption)
  }

  /** A handle that Gemini does not take any more costs nothing but itself. */
  readonly closed = (code: number, reason: string): { readonly code: number; readonly reason: string } =>
    this.#phase !== "Ready" && this.#from.handle !== undefined ? { code: 1011, reason } : { code, reason }

  readonly read = (text: string, options: DecodeOptions): Step => {
    const json = parsed(text, options)
    if (json === undefined) this.#line.give(decodeServerFrame(text, options))
    else this.#received(read(json), json)
    return this.#step()
  }

  readonly write = (event: ClientEvent): Step => {
    this.#sent(event)
    return this.#step()
  }

  #step(): Step {
    const mayLeave = this.#isLeaving && this.#handle !== undefined && this.#isIdle
    if (mayLeave) this.#line.end("goAway", "Gemini ends this connection soon: the session goes on on another one.")
    return this.#line.take()
  }

  get #detects(): boolean {
    return detects(this.#configured.settings)
  }

  get #isIdle(): boolean {
    const isSilent = !this.#isMarked && !this.#listening.isOpen
    return this.#phase === "Ready" && this.#turn.isOver && this.#unsent.length === 0 && isSilent
  }

  /** Something was said that the handle does not know. */
  #saysMore(): void {
    this.#handle = undefined
  }

  #sent(event: ClientEvent): void {
    const line = this.#line
    if (this.#phase === "SettingUp") {
      if (this.#held.length < maxHeld) this.#held.push(event)
      else line.refuse(event, { code: "too_many_events", message: "Gemini has not confirmed the settings yet." })
      return
    }
    if (this.#phase === "New") {
      if (event.type !== "session.update") {
        line.refuse(event, { code: "session_not_begun", message: "Gemini takes the settings first: send them." })
        return
      }
      this.#from = resumptionOf(this.#before?.())
      if (this.#configured.begin(event, this.#from.handle, this.#from.wanted)) this.#phase = "SettingUp"
      return
    }
    switch (event.type) {
      case "session.update":
        if (!this.#configured.update(event)) break
        this.#saysMore()
        line.end("settings", "Gemini takes other settings on another connection, where the session goes on.")
        break
      case "input_audio_buffer.append":
        this.#append(event)
        break
      case "input_audio_buffer.commit":
        this.#commit(event)
        break
      case "conversation.item.create":
        this.#create(event)
        break
      case "response.create":
        this.#respond(event)
        break
      case "response.cancel":
        if (this.#turn.cancel(event.response_id)) break
        line.refuse(event, { code: "response_cancel_not_active", message: "No response is active." })
        break
      default: {
        const message = `Gemini has nothing like ${event.type}: leave it out.`
        line.refuse(event, { code: "unsupported_event", message, param: "type" })
      }
    }
  }

  #append(event: Extract<ClientEvent, { readonly type: "input_audio_buffer.append" }>): void {
    const data = this.#configured.microphone.convert(event.audio)
    if (data === undefined) {
      const message = "This is not audio in the session's format."
      this.#line.refuse(event, { code: "invalid_value", message, param: "audio" })
      return
    }
    this.#turn.audioSent()
    if (!this.#detects && !this.#isMarked) {
      this.#isMarked = true
      this.#saysMore()
      this.#line.tell({ realtimeInput: { activityStart: {} } })
    }
    if (data !== "") this.#line.tell({ realtimeInput: { audio: { data, mimeType: `audio/pcm;rate=${inputRate}` } } })
  }

  #commit(event: ClientEvent): void {
    if (this.#detects) this.#line.tell({ realtimeInput: { audioStreamEnd: true } })
    else if (this.#isMarked) {
      this.#isMarked = false
      this.#line.tell({ realtimeInput: { activityEnd: {} } })
      this.#turn.committed()
    } else {
      this.#line.refuse(event, { code: "input_audio_buffer_commit_empty", message: "There is no audio to commit." })
    }
  }

  #create(event: ConversationItemCreate): void {
    const { item, previous_item_id: previous } = event
    const line = this.#line
    const isAtEnd = previous === undefined || previous === line.last || (previous === "root" && line.last === null)
    if (!isAtEnd) {
      const message = "Gemini takes items only at the end of the conversation: leave out the position."
      line.refuse(event, { code: "unsupported_position", message, param: "previous_item_id" })
      return
    }
    const isAnswered =
      item.type === "function_call_output" &&
      (this.#turn.answer(item.call_id, item.output) || this.#turn.wasTakenBack(item.call_id))
    if (!isAnswered && !this.#toTell(event)) return
    const id = item.id ?? line.newId("item")
    const previous_item_id = line.follow(id)
    // A client's item, with an id, is one that a server may show.
    const shown = { ...item, id, object: "realtime.item", status: "completed" } as unknown as Item
    line.emit({ type: "conversation.item.added", previous_item_id, item: shown })
    line.emit({ type: "conversation.item.done", previous_item_id, item: shown })
  }

  /** Returns whether Gemini is told of the item, now or when it may be. */
  #toTell(event: ConversationItemCreate): boolean {
    const { item } = event
    const content = contentOf(item, (callId) => this.#toldCalls.get(callId))
    if (typeof content === "string") {
      const code = item.type === "function_call_output" ? "invalid_tool_call_id" : "unsupported_item"
      this.#line.refuse(event, { code, message: content, param: "item" })
      return false
    }
    if (this.#unsent.length >= maxUnsent) {
      const message = "Too many items wait for the end of the model's turn."
      this.#line.refuse(event, { code: "too_many_items", message })
      return false
    }
    if (item.type === "function_call") {
      this.#toldCalls.set(item.call_id ?? item.id ?? "", item.name)
      forgetOldest(this.#toldCalls, maxRemembered)
    }
    this.#saysMore()
    this.#unsent = [...this.#unsent, content]
    this.#tellContext()
    return true
  }

  /** What the model only needs to know, where that interrupts nothing. */
  #tellContext(): void {
    if (this.#manner.takesWordsAsInput || this.#unsent.length === 0 || !this.#turn.isOver) return
    this.#line.tell({ clientContent: { turns: this.#unsent, turnComplete: false } })
    this.#unsent = []
  }

  #respond(event: ResponseCreate): void {
    const params = event.response ?? {}
    const [stranger] = strangersIn(params)
    const turn = this.#turn
    if (stranger !== undefined) {
      const message = `Gemini has no ${stranger} for one response: change the settings, or leave it out.`
      this.#line.refuse(event, { code: "unsupported_parameter", message, param: `response.${stranger}` })
    } else if (turn.isAnswering || turn.awaitsOutputs) {
      const message = turn.isAnswering ? "The model is answering." : "The model waits for the outputs of its calls."
      this.#line.refuse(event, { code: "conversation_already_has_active_response", message })
    } else if (turn.isOwed && !turn.isRequested && this.#unsent.length === 0) turn.requested(params)
    // What was asked before, without an answer, is asked again.
    else if (this.#ask()) turn.requested(params)
    else {
      const message = "This model answers only words and speech: send a message first."
      this.#line.refuse(event, { code: "nothing_to_answer", message })
    }
    this.#saysMore()
  }

  /** Asks for an answer. Returns `false` if there is no way to. */
  #ask(): boolean {
    const contents = this.#unsent
    if (!this.#manner.takesWordsAsInput) {
      this.#turn.refuseCalls()
      this.#line.tell({ clientContent: { ...(contents.length === 0 ? {} : { turns: contents }), turnComplete: true } })
    } else {
      const from = contents.findLastIndex(({ role }) => role === "model") + 1
      if (from >= contents.length) return false
      this.#turn.refuseCalls()
      this.#tellHistory(contents.slice(0, from))
      this.#line.tell({ realtimeInput: { text: contents.slice(from).map(wordsOf).join("\n") } })
    }
    this.#unsent = []
    return true
  }

  /** Once, before anything else is said: the model waits for it. */
  #tellHistory(history: ReadonlyArray<Content>): void {
    if (this.#isTold) return
    this.#isTold = true
    this.#line.tell({ clientContent: { ...(history.length === 0 ? {} : { turns: history }), turnComplete: true } })
  }

  #received(message: ServerMessage, json: Json): void {
    const turn = this.#turn
    if (message.setupComplete) this.#ready()
    if (message.resumption !== undefined && turn.isOver && this.#unsent.length === 0 && !this.#isMarked) {
      this.#handle = message.resumption.handle
    }
    if (message.usage !== undefined) turn.used(message.usage)
    if (message.voiceActivity === "start" && this.#detects) this.#listening.begin()
    if (message.voiceActivity === "end") this.#listening.stop()
    const words = message.inputTranscription?.text ?? ""
    if (words !== "") {
      this.#saysMore()
      turn.heard()
      this.#listening.heard(words, turn.isAnswering || !this.#detects)
    }
    if (message.interrupted) turn.interrupted()
    for (const { audio, text, thought } of message.parts) {
      if (audio !== undefined) turn.said({ audio, text: undefined }, json)
      else if (text !== undefined && !thought && !speaks(this.#configured.settings)) {
        turn.said({ audio: undefined, text }, json)
      } else this.#line.unknown("modelTurn", json)
    }
    const said = message.outputTranscription ?? ""
    if (said !== "") turn.said({ audio: undefined, text: said }, json)
    if (message.calls.length > 0) turn.called(message.calls)
    turn.takenBack(message.cancelledCalls)
    if (message.generationComplete) turn.generated()
    if (message.turnComplete) {
      turn.over(endOf(message.turnCompleteReason))
      this.#tellContext()
    }
    if (message.goAwayMs !== undefined) this.#isLeaving = true
    for (const key of Object.keys(json)) if (!known.has(key)) this.#line.unknown(key, json)
  }

  #ready(): void {
    if (this.#phase !== "SettingUp") return
    this.#phase = "Ready"
    this.#handle = this.#from.handle
    if (this.#handle !== undefined) this.#goOn(this.#from)
    this.#configured.confirmed()
    for (const event of this.#held.splice(0)) this.#sent(event)
  }

  /** The conversation has what it had on the connection before. */
  #goOn({ last, takenBack = [], told = [] }: Resumption): void {
    if (typeof last === "string") this.#line.follow(last)
    for (const [callId, name] of told) this.#toldCalls.set(callId, name)
    this.#turn.rememberTakenBack(takenBack)
  }
}

const parsed = (text: string, { maxFrameLength }: DecodeOptions): Json | undefined => {
  if (maxFrameLength !== undefined && text.length > maxFrameLength) return undefined
  try {
    const json = parseJson(text)
    return Predicate.isRecord(json) ? json : undefined
  } catch {
    return undefined
  }
}
