/**
 * The input audio buffer, and the clock that runs with what was heard.
 */
import * as Either from "effect/Either"
import * as Audio from "../Audio.js"
import type { FormatName } from "./SessionSettings.js"
import { type Refusal, refusal } from "./Shape.js"

/** The least that can be committed, in milliseconds. */
const MIN_COMMIT_MS = 100

/** A piece of audio, and when it began. */
export interface Piece {
  readonly audio: Uint8Array
  readonly atMs: number
}

export class InputAudio {
  #heardMs = 0
  #startMs = 0

  /** How much audio was heard since the session began, in milliseconds. */
  get clockMs(): number {
    return Math.round(this.#heardMs)
  }

  /** How much of it is in the buffer. */
  get bufferedMs(): number {
    return this.#heardMs - this.#startMs
  }

  append(base64: string, format: FormatName): Either.Either<Piece, Refusal> {
    return Either.mapBoth(Audio.decodeBase64(base64), {
      onLeft: () =>
        refusal(
          "invalid_value",
          "Invalid 'audio'. Expected base64-encoded audio bytes in the session's input audio format.",
          "audio"
        ),
      onRight: (audio) => {
        const atMs = this.#heardMs
        this.hear(Audio.durationMs({ type: format }, audio.length))
        return { audio, atMs }
      }
    })
  }

  hear(ms: number): void {
    this.#heardMs += ms
  }

  /** Takes all that was heard until then out of the buffer; all of it by default. */
  clear(untilMs: number = this.#heardMs): void {
    this.#startMs = Math.min(untilMs, this.#heardMs)
  }

  refuseCommit(): Refusal | undefined {
    if (this.bufferedMs >= MIN_COMMIT_MS) return undefined
    return refusal(
      "input_audio_buffer_commit_empty",
      `Error committing input audio buffer: buffer too small. Expected at least ${MIN_COMMIT_MS}ms of audio, but buffer only has ${this.bufferedMs.toFixed(2)}ms of audio.`
    )
  }
}
