/**
 * What makes the embedded server heard.
 */
import * as Duration from "effect/Duration"
import * as Stream from "effect/Stream"
import * as Audio from "../Audio.js"

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
  /**
   * How many characters of the sentence have begun by the end of this piece: their words are sent ahead of it. Without
   * it, the server estimates them.
   */
  readonly characters?: number
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

/**
 * A voice that moves its lips only: silence of the right length, one second at most in a piece, for tests of playback
 * and interruption. By default a character takes 60 ms, as in unhurried English; at zero, answers have a transcript and
 * no audio at all.
 *
 * @since 0.1.0
 * @category voices
 */
export const silentVoice = (perCharacter: Duration.DurationInput = "60 millis"): Voice => ({
  speak: (sentence, { format: type }) => {
    const total = Math.round(sentence.length * Duration.toMillis(perCharacter))
    const pieces: Array<Speech> = []
    for (let start = 0; start < total; start += 1_000) {
      const ms = Math.min(1_000, total - start)
      pieces.push({ audio: Audio.silence({ type }, ms), ms })
    }
    return Stream.fromIterable(pieces)
  }
})
