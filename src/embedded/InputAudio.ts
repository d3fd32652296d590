/**
 * The input audio buffer, and the clock that runs with what was heard.
 */
import { type JsonObject, type Refusal, refusal } from "./Shape.js"

/** The least that can be committed, in milliseconds. */
const MIN_COMMIT_MS = 100

/** Bytes of one millisecond: 24 kHz of 16 bits, or 8 kHz of 8 bits for G.711. */
const bytesPerMs = (format: JsonObject): number => (format["type"] === "audio/pcm" ? 48 : 8)

export class InputAudio {
  #heardMs = 0
  #bufferedMs = 0

  /** How much audio was heard since the session began, in milliseconds. */
  get clockMs(): number {
    return Math.round(this.#heardMs)
  }

  append(base64: string, format: JsonObject): Refusal | undefined {
    if (base64.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) {
      return refusal(
        "invalid_value",
        "Invalid 'audio'. Expected base64-encoded audio bytes in the session's input audio format.",
        "audio"
      )
    }
    const padding = base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0
    const ms = ((base64.length / 4) * 3 - padding) / bytesPerMs(format)
    this.hear(ms)
    this.#bufferedMs += ms
    return undefined
  }

  hear(ms: number): void {
    this.#heardMs += ms
  }

  clear(): void {
    this.#bufferedMs = 0
  }

  refuseCommit(): Refusal | undefined {
    if (this.#bufferedMs >= MIN_COMMIT_MS) return undefined
    return refusal(
      "input_audio_buffer_commit_empty",
      `Error committing input audio buffer: buffer too small. Expected at least ${MIN_COMMIT_MS}ms of audio, but buffer only has ${this.#bufferedMs.toFixed(2)}ms of audio.`
    )
  }
}
