/** The voices of the embedded server. */
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
   * How many characters of the sentence have begun by the end of this piece: their words are sent before it. If absent,
   * the server estimates them.
   */
  readonly characters?: number
}

/**
 * @since 0.1.0
 * @category voices
 */
export interface Voice {
  /**
   * Speaks one sentence: mono, 16-bit little-endian at 24 kHz (`audio/pcm`) or 8-bit at 8 kHz (G.711). If a voice dies,
   * the response ends as `failed`.
   */
  readonly speak: (
    sentence: string,
    options: { readonly format: "audio/pcm" | "audio/pcmu" | "audio/pcma" }
  ) => Stream.Stream<Speech>
}

/**
 * A silent voice: silence of the right length, at most one second per piece, for tests of playback and interruption. By
 * default, a character takes 60 ms, as in unhurried English. At zero, answers have a transcript but no audio.
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
