/**
 * Transcripts of the user's speech. By itself, the embedded server does not understand speech: a script gives the words, or
 * the embedded voice.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import type { Emit } from "./Outgoing.js"
import { tokensOf } from "./ServerItem.js"
import type { JsonObject } from "./Shape.js"

/**
 * Audio that was committed by voice activity detection or by the client.
 *
 * @since 0.1.0
 * @category transcription
 */
export interface Utterance {
  readonly itemId: string
  readonly durationMs: number
  /** How many utterances of the connection came before. */
  readonly index: number
  /** All of its audio, mono. Absent if the server no longer keeps it: its memory for audio is 64 MiB. */
  readonly audio: Uint8Array | undefined
  /** 16-bit little-endian at 24 kHz (`audio/pcm`), or 8 bits at 8 kHz (G.711). */
  readonly format: "audio/pcm" | "audio/pcmu" | "audio/pcma"
}

/**
 * The result of an utterance. `delay` holds back the events, and with `beforeItem`, they come before the item's own
 * events, as can happen on the real API; the mind knows the text at once. With `failed`, the mind knows nothing, and
 * the client gets that message.
 *
 * @since 0.1.0
 * @category transcription
 */
export type Transcript = ({ readonly text: string } | { readonly failed: string }) & {
  readonly delay?: Duration.DurationInput
  readonly beforeItem?: boolean
}

/**
 * Returns the transcript of each utterance. A response waits for it, so that the mind has it, even if the session did
 * not ask for transcription. With `delay: "infinity"`, the client never gets the transcript.
 *
 * @since 0.1.0
 * @category transcription
 */
export type Transcribe = (utterance: Utterance) => Transcript | Effect.Effect<Transcript>

/**
 * The transcript of a voice if no script says what it said.
 *
 * @since 0.1.0
 * @category transcription
 */
export const UNINTELLIGIBLE = "[A voice. The embedded server understands no speech.]"

const PIECES = /\s*\S+\s*$|\s*\S+/g

export interface TranscriptionOptions {
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => Fiber.RuntimeFiber<void>
  readonly transcribe: Transcribe | undefined
  /** `session.audio.input.transcription`, if the session has it. */
  readonly config: () => JsonObject | undefined
  /** Updates the conversation, after the item was added to it. */
  readonly learn: (itemId: string, transcript: string) => void
}

export class Transcription {
  readonly #options: TranscriptionOptions
  /** One for each utterance without a transcript so far. */
  readonly #pending = new Set<Deferred.Deferred<void>>()
  #count = 0

  constructor(options: TranscriptionOptions) {
    this.#options = options
  }

  /** Waits until the mind has all transcripts so far. */
  get understood(): Effect.Effect<void> {
    return Effect.suspend(() => Effect.forEach([...this.#pending], Deferred.await, { discard: true }))
  }

  /** Transcribes an utterance, and adds its item, with the transcript if it is known at once. */
  hear(utterance: Omit<Utterance, "index">, voiced: boolean, addItem: (transcript: string | null) => void): void {
    const index = this.#count
    this.#count += 1
    const { transcribe } = this.#options
    if (transcribe === undefined) {
      const text = voiced ? UNINTELLIGIBLE : ""
      this.#hear(utterance, Effect.succeed({ text }), voiced ? () => null : (known) => known, addItem)
      return
    }
    const transcript = Effect.suspend(() => {
      const given = transcribe({ ...utterance, index })
      return Effect.isEffect(given) ? given : Effect.succeed(given)
    }).pipe(
      Effect.catchAllCause((cause) =>
        Effect.succeed<Transcript>({
          failed: `The transcribe function of the embedded server failed: ${Cause.pretty(cause).split("\n")[0] ?? ""}`
        })
      )
    )
    this.#hear(utterance, transcript, (known) => known, addItem)
  }

  /** Adds the item of an utterance whose transcript is known. */
  known(utterance: Omit<Utterance, "index">, text: string, addItem: (transcript: string | null) => void): void {
    this.#hear(utterance, Effect.succeed({ text }), (known) => known, addItem)
  }

  #hear(
    utterance: Omit<Utterance, "index">,
    transcript: Effect.Effect<Transcript>,
    forMind: (text: string) => string | null,
    addItem: (transcript: string | null) => void
  ): void {
    const { fork, learn } = this.#options
    const pending = Deferred.unsafeMake<void>(FiberId.none)
    this.#pending.add(pending)
    let announced = false
    let early: Transcript | undefined
    let text: string | null = null
    fork(
      Effect.flatMap(transcript, (given) => {
        text = "failed" in given ? null : forMind(given.text)
        if (announced && text !== null) learn(utterance.itemId, text)
        this.#pending.delete(pending)
        Deferred.unsafeDone(pending, Effect.void)
        if (announced || given.beforeItem === true) return this.#report(utterance, given)
        early = given
        return Effect.void
      })
    )
    addItem(text)
    announced = true
    if (early !== undefined) fork(this.#report(utterance, early))
  }

  #report(utterance: Omit<Utterance, "index">, transcript: Transcript): Effect.Effect<void> {
    const report = Effect.sync(() => this.#send(utterance, transcript))
    return transcript.delay === undefined ? report : Effect.delay(report, transcript.delay)
  }

  #send({ durationMs, itemId }: Omit<Utterance, "index">, transcript: Transcript): void {
    const config = this.#options.config()
    if (config === undefined) return
    const { emit } = this.#options
    const place = { item_id: itemId, content_index: 0 }
    if ("failed" in transcript) {
      emit({
        type: "conversation.item.input_audio_transcription.failed",
        ...place,
        error: {
          type: "transcription_error",
          code: "audio_unintelligible",
          message: transcript.failed,
          param: null
        }
      })
      return
    }
    const { text } = transcript
    const whisper = String(config["model"] ?? "whisper-1").includes("whisper")
    // Whisper sends its transcript in one piece.
    const pieces = whisper && text !== "" ? [text] : (text.match(PIECES) ?? [])
    for (const delta of pieces) emit({ type: "conversation.item.input_audio_transcription.delta", ...place, delta })
    emit({
      type: "conversation.item.input_audio_transcription.completed",
      ...place,
      transcript: text,
      usage: whisper ? { type: "duration", seconds: Math.ceil(durationMs / 1_000) } : tokens(durationMs, text)
    })
  }
}

/** About ten tokens per second of audio. */
const tokens = (durationMs: number, text: string) => {
  const input = Math.ceil(durationMs / 100)
  const output = tokensOf(text)
  return {
    type: "tokens" as const,
    input_tokens: input,
    output_tokens: output,
    total_tokens: input + output,
    input_token_details: { text_tokens: 0, audio_tokens: input }
  }
}
