/**
 * What makes the embedded server heard.
 */
import * as Duration from "effect/Duration"
import * as Stream from "effect/Stream"

/**
 * A piece of speech in the session's output format.
 *
 * @since 0.1.0
 * @category voices
 */
export interface Speech {
  readonly audio: Uint8Array
  /** How long it takes to play, in milliseconds. */
  readonly ms: number
}

/**
 * @since 0.1.0
 * @category voices
 */
export interface Voice {
  /**
   * Speaks one sentence: mono, 16-bit little-endian at 24 kHz (`audio/pcm`) or 8 bits at 8 kHz (G.711). A voice that
   * dies ends the response as `failed`.
   */
  readonly speak: (
    sentence: string,
    options: { readonly format: "audio/pcm" | "audio/pcmu" | "audio/pcma" }
  ) => Stream.Stream<Speech>
}

/** Silence in each format, and the bytes of a millisecond of it. */
const SILENCE = {
  "audio/pcm": { byte: 0x00, bytesPerMs: 48 },
  "audio/pcmu": { byte: 0xff, bytesPerMs: 8 },
  "audio/pcma": { byte: 0xd5, bytesPerMs: 8 }
} as const

/**
 * A voice that moves its lips only: silence of the right length, one second at most in a piece, for tests of playback
 * and interruption. By default a character takes 60 ms, as in unhurried English; at zero, answers have a transcript and
 * no audio at all.
 *
 * @since 0.1.0
 * @category voices
 */
export const silentVoice = (perCharacter: Duration.DurationInput = "60 millis"): Voice => ({
  speak: (sentence, { format }) => {
    const { byte, bytesPerMs } = SILENCE[format]
    const total = Math.round(sentence.length * Duration.toMillis(perCharacter))
    const pieces: Array<Speech> = []
    for (let start = 0; start < total; start += 1_000) {
      const ms = Math.min(1_000, total - start)
      pieces.push({ audio: new Uint8Array(ms * bytesPerMs).fill(byte), ms })
    }
    return Stream.fromIterable(pieces)
  }
})
