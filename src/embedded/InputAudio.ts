/** The input audio buffer, and the position in all input audio. */
import * as Either from "effect/Either"
import * as Audio from "../Audio.js"
import { type Budget, type Kept, kept } from "./Budget.js"
import type { FormatName } from "./SessionSettings.js"
import { type Refusal, refusal } from "./Shape.js"

/** The minimum for a commit, in milliseconds. */
const MIN_COMMIT_MS = 100

/** A piece of audio, and its start time. */
export interface Piece {
  readonly audio: Uint8Array
  readonly atMs: number
}

/** The audio that is kept, and its start and end times. */
interface Heard {
  readonly fromMs: number
  readonly toMs: number
  readonly kept: Kept<Uint8Array>
}

/** The limit of kept pieces, for a client that never ends a turn: two hours of a microphone's audio. */
const MAX_PIECES = 360_000

/** How far back a turn may begin if voice detection has not found its beginning, in milliseconds. */
const LOOK_BACK_MS = 10_000

export class InputAudio {
  readonly #budget: Budget
  #pieces: Array<Heard> = []
  #heardMs = 0
  #startMs = 0

  constructor(budget: Budget) {
    this.#budget = budget
  }

  /** How much audio was received since the session began, in milliseconds. */
  get clockMs(): number {
    return Math.round(this.#heardMs)
  }

  /** How much audio is in the buffer, in milliseconds. */
  get bufferedMs(): number {
    return this.#heardMs - this.#startMs
  }

  /** The position where the buffer begins. */
  get startMs(): number {
    return this.#startMs
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
        this.#heardMs += Audio.durationMs({ type: format }, audio.length)
        if (audio.length > 0) {
          this.#pieces.push({ fromMs: atMs, toMs: this.#heardMs, kept: kept(this.#budget, audio, audio.length) })
          if (this.#pieces.length > MAX_PIECES) this.#pieces.shift()
        }
        return { audio, atMs }
      }
    })
  }

  /** No turn begins before this position. */
  forget(beforeMs: number): void {
    const first = this.#pieces.findIndex(({ toMs }) => toMs > beforeMs)
    this.#pieces.splice(0, first < 0 ? this.#pieces.length : first)
  }

  /** Nobody has spoken up to this position. */
  forgetSilence(untilMs: number): void {
    this.forget(untilMs - LOOK_BACK_MS)
  }

  /** The audio between two positions; `undefined` if some of it is no longer kept. */
  between(fromMs: number, toMs: number, format: FormatName): Uint8Array | undefined {
    const parts: Array<Uint8Array> = []
    const place = (ms: number): number => Audio.bytesOf({ type: format }, ms)
    for (const piece of this.#pieces) {
      if (piece.toMs <= fromMs || piece.fromMs >= toMs) continue
      const audio = piece.kept.value
      if (audio === undefined) return undefined
      parts.push(audio.subarray(place(fromMs - piece.fromMs), place(toMs - piece.fromMs)))
    }
    const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
    let at = 0
    for (const part of parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes.length === 0 ? undefined : bytes
  }

  /** Removes all audio up to this position from the buffer; by default everything. */
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
