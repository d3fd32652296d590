/**
 * What makes the embedded server heard. Without a voice, spoken answers have a transcript and no sound.
 */
import type * as Stream from "effect/Stream"

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
  /** Speaks one sentence. A failure ends the response as `failed`, so it is not in the type. */
  readonly speak: (
    sentence: string,
    options: { readonly format: "audio/pcm" | "audio/pcmu" | "audio/pcma" }
  ) => Stream.Stream<Speech>
}
