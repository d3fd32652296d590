/** The user's side of a session: finds turns in the audio (or gets them from the client), and makes items from them. */

import type * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Fiber from "effect/Fiber"
import * as Audio from "../Audio.js"
import { type Budget, kept } from "./Budget.js"
import { DetectorQueue } from "./DetectorQueue.js"
import { IdleTimeout } from "./IdleTimeout.js"
import { InputAudio } from "./InputAudio.js"
import type { Emit } from "./Outgoing.js"
import type { ServerConversation } from "./ServerConversation.js"
import type { ServerItem } from "./ServerItem.js"
import * as Settings from "./SessionSettings.js"
import type { Refusal } from "./Shape.js"
import { type Transcribe, Transcription, type Utterance } from "./Transcription.js"
import type { TurnChange, TurnDetection } from "./TurnDetection.js"

export interface UserTurnsOptions {
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  readonly conversation: ServerConversation
  readonly userAudio: Budget
  readonly settings: () => Settings.SessionSettings
  readonly turnDetection: TurnDetection
  readonly transcribe: Transcribe | undefined
  readonly itemId: () => string
  /** Adds an item to the end of the conversation, and announces it as `shown`. */
  readonly addItem: (item: ServerItem, shown: ServerItem) => void
  /** Cancels the active response, if there is one. */
  readonly interrupt: () => void
  /** Begins a response of the server's own, if none is active. */
  readonly respond: () => void
}

interface Speech {
  readonly itemId: string
  readonly startMs: number
}

/** About how long an unhurried speaker takes for a word, in milliseconds. */
const MS_PER_WORD = 400

export class UserTurns {
  readonly #options: UserTurnsOptions
  readonly #input: InputAudio
  readonly #queue: DetectorQueue
  readonly #transcription: Transcription
  readonly #idle: IdleTimeout
  /** The speech that voice activity detection is currently hearing. */
  #speech: Speech | undefined
  /** The last beginning of speech that the client was told of. */
  #told: Speech | undefined
  /** Whether there is a voice in the buffer. */
  #voiced = false
  #detected: unknown

  constructor(options: UserTurnsOptions) {
    this.#options = options
    this.#input = new InputAudio(options.userAudio)
    this.#detected = Settings.detection(options.settings())["type"]
    this.#queue = new DetectorQueue({
      detector: options.turnDetection.start(),
      fork: options.fork,
      detected: (changes) => this.#detect(changes)
    })
    this.#transcription = new Transcription({
      emit: options.emit,
      fork: options.fork,
      transcribe: options.transcribe,
      config: () => Settings.transcription(options.settings()),
      learn: (itemId, transcript) => {
        const item = options.conversation.get(itemId)
        if (item?.type === "message") options.conversation.replace(spoken(item.id, transcript))
      }
    })
    this.#idle = new IdleTimeout({
      fork: options.fork,
      clockMs: () => this.#input.clockMs,
      elapsed: (startMs, endMs) => this.#timeOut(startMs, endMs)
    })
  }

  /** From now on, no audio begins a turn. */
  shutdown(): void {
    this.#input.forget(Number.POSITIVE_INFINITY)
    this.#queue.end()
  }

  /** Waits until the mind has all transcripts so far. */
  get understood(): Effect.Effect<void> {
    return this.#transcription.understood
  }

  append(base64: string): Refusal | undefined {
    const settings = this.#options.settings()
    const format = Settings.inputFormat(settings)
    const piece = this.#input.append(base64, format)
    if (Either.isLeft(piece)) return piece.left
    const { audio, atMs } = piece.right
    // With push-to-talk, the client decides about turns. The detector only tells a voice from silence, for lack of words.
    if (this.#options.transcribe !== undefined && Settings.detection(settings)["type"] === undefined) return undefined
    this.#queue.push({ audio, format, atMs, settings: Settings.detectionSettings(settings) })
    return undefined
  }

  clear(): void {
    this.#forget(this.#input.clockMs)
    this.#options.emit({ type: "input_audio_buffer.cleared" })
  }

  /** Commits the buffer at the client's request. */
  commit(): Refusal | undefined {
    const problem = this.#input.refuseCommit()
    if (problem !== undefined) return problem
    // Speech that was announced keeps its id. Voice after this commit is new speech.
    const itemId = this.#speech?.itemId ?? this.#options.itemId()
    const voiced = this.#voiced
    const durationMs = Math.round(this.#input.bufferedMs)
    const audio = this.#between(this.#input.startMs, Number.POSITIVE_INFINITY)
    this.#forget(this.#input.clockMs)
    this.#announce(itemId, durationMs, audio, (add) =>
      this.#transcription.hear(this.#utterance(itemId, durationMs, audio), voiced, add)
    )
    return undefined
  }

  /** The settings have changed. */
  configured(): void {
    const detection = Settings.detection(this.#options.settings())
    if (typeof detection["idle_timeout_ms"] !== "number") this.#idle.cancel()
    if (detection["type"] === this.#detected) return
    this.#detected = detection["type"]
    this.#speech = undefined
    this.#queue.reset(this.#input.clockMs - this.#input.bufferedMs)
  }

  responseBegan(): void {
    this.#idle.cancel()
  }

  responseDone(audioMs: number): void {
    const timeoutMs = Settings.detection(this.#options.settings())["idle_timeout_ms"]
    if (typeof timeoutMs === "number" && this.#speech === undefined) this.#idle.start(audioMs, timeoutMs)
  }

  /** Simulates the beginning of speech. Returns the id of the item to come. */
  startSpeech(startMs: number = this.#input.clockMs): string {
    const { emit, interrupt, itemId, settings } = this.#options
    const item_id = itemId()
    this.#idle.cancel()
    this.#told = { itemId: item_id, startMs }
    emit({ type: "input_audio_buffer.speech_started", item_id, audio_start_ms: startMs })
    if (Settings.detection(settings())["interrupt_response"] !== false) interrupt()
    return item_id
  }

  /** Simulates the end of speech with this transcript. */
  endSpeech(itemId: string, transcript: string): void {
    const durationMs = MS_PER_WORD * Math.max(1, transcript.split(/\s+/).length)
    // The audio is what the client sent in the meantime: usually nothing.
    const endMs = this.#input.clockMs
    const audio = this.#between(this.#told?.itemId === itemId ? this.#told.startMs : endMs, endMs)
    this.#forget(endMs)
    this.#stopped(itemId, endMs, durationMs, audio, (add) =>
      this.#transcription.known(this.#utterance(itemId, durationMs, audio), transcript, add)
    )
  }

  #detect(changes: ReadonlyArray<TurnChange>): void {
    for (const change of changes) this.#changed(change)
    const detects = Settings.detection(this.#options.settings())["type"] !== undefined
    if (this.#speech === undefined && detects) this.#input.forgetSilence(this.#queue.positionMs(this.#input.clockMs))
  }

  #changed(change: TurnChange): void {
    if (change._tag === "SpeechStarted") this.#voiced = true
    if (Settings.detection(this.#options.settings())["type"] === undefined) return
    if (change._tag === "SpeechStarted") {
      this.#speech = { startMs: change.startMs, itemId: this.startSpeech(change.startMs) }
      return
    }
    if (this.#speech === undefined) return
    const { itemId, startMs } = this.#speech
    const durationMs = change.endMs - startMs
    this.#speech = undefined
    this.#voiced = false
    const audio = this.#between(startMs, change.endMs)
    this.#input.clear(change.endMs)
    const utterance = this.#utterance(itemId, durationMs, audio)
    this.#stopped(itemId, change.endMs, durationMs, audio, (add) =>
      change.text === undefined
        ? this.#transcription.hear(utterance, true, add)
        : this.#transcription.known(utterance, change.text, add)
    )
  }

  #utterance(itemId: string, durationMs: number, audio: Uint8Array | undefined): Omit<Utterance, "index"> {
    return { itemId, durationMs, audio, format: Settings.inputFormat(this.#options.settings()) }
  }

  #between(fromMs: number, toMs: number): Uint8Array | undefined {
    return this.#input.between(fromMs, toMs, Settings.inputFormat(this.#options.settings()))
  }

  #stopped(
    item_id: string,
    endMs: number,
    durationMs: number,
    audio: Uint8Array | undefined,
    hear: (add: AddItem) => void
  ): void {
    this.#options.emit({ type: "input_audio_buffer.speech_stopped", item_id, audio_end_ms: endMs })
    this.#announce(item_id, durationMs, audio, hear)
    this.#respond()
  }

  /** Nobody spoke: the silence becomes an item, and the model says something. */
  #timeOut(startMs: number, endMs: number): void {
    const item_id = this.#options.itemId()
    this.#options.emit({
      type: "input_audio_buffer.timeout_triggered",
      item_id,
      audio_start_ms: startMs,
      audio_end_ms: endMs
    })
    const durationMs = endMs - startMs
    const audio = this.#between(startMs, endMs)
    this.#forget(endMs)
    this.#announce(item_id, durationMs, audio, (add) =>
      this.#transcription.known(this.#utterance(item_id, durationMs, audio), "", add)
    )
    this.#respond()
  }

  #respond(): void {
    if (Settings.detection(this.#options.settings())["create_response"] !== false) this.#options.respond()
  }

  #announce(item_id: string, durationMs: number, audio: Uint8Array | undefined, hear: (add: AddItem) => void): void {
    const { addItem, conversation, emit } = this.#options
    emit({ type: "input_audio_buffer.committed", item_id, previous_item_id: conversation.last })
    hear((transcript) => {
      // The item is announced before its speech is transcribed.
      addItem(spoken(item_id, transcript), spoken(item_id, null))
      conversation.spoken(item_id, durationMs)
      if (audio === undefined) return
      const base64 = Audio.encodeBase64(audio)
      conversation.heard(item_id, 0, kept(this.#options.userAudio, base64, base64.length))
    })
  }

  #forget(untilMs: number): void {
    this.#speech = undefined
    this.#voiced = false
    this.#input.clear()
    this.#input.forget(this.#input.clockMs)
    this.#queue.reset(untilMs)
  }
}

type AddItem = (transcript: string | null) => void

const spoken = (id: string, transcript: string | null): ServerItem => ({
  id,
  object: "realtime.item",
  type: "message",
  role: "user",
  status: "completed",
  content: [{ type: "input_audio", transcript }]
})
