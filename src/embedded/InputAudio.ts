/**
 * The input audio buffer, and the clock that runs with what was heard.
 */
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import { type Refusal, refusal } from "./Shape.js"

/** The least that can be committed, in milliseconds. */
const MIN_COMMIT_MS = 100

/** Bytes of one millisecond: 24 kHz of 16 bits, or 8 kHz of 8 bits for G.711. */
const BYTES_PER_MS = { "audio/pcm": 48, "audio/pcmu": 8, "audio/pcma": 8 } as const

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

  append(base64: string, format: keyof typeof BYTES_PER_MS): Either.Either<Piece, Refusal> {
    const decoded = /^[A-Za-z0-9+/]*={0,2}$/.test(base64) ? Encoding.decodeBase64(base64) : Either.left(undefined)
    if (Either.isLeft(decoded)) {
      return Either.left(
        refusal(
          "invalid_value",
          "Invalid 'audio'. Expected base64-encoded audio bytes in the session's input audio format.",
          "audio"
        )
      )
    }
    const piece = { audio: decoded.right, atMs: this.#heardMs }
    this.hear(decoded.right.length / BYTES_PER_MS[format])
    return Either.right(piece)
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
