/**
 * Why audio was refused before it went anywhere.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * What is wrong with the audio: it is not bytes, the number of bytes cuts a sample in two, the sample rate or the format is none that
 * this module knows, there is more than one event takes, the text is not base64, or the file is not a WAV file.
 *
 * @since 0.1.0
 * @category errors
 */
export const InvalidAudioReason = Schema.Literal("NotBytes", "CutSample", "Rate", "Format", "TooLarge", "Base64", "Wav")
/**
 * @since 0.1.0
 * @category errors
 */
export type InvalidAudioReason = typeof InvalidAudioReason.Type

/**
 * Audio that can't be what it is said to be. The message says what to do about it.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidAudio extends Schema.TaggedError<InvalidAudio>("effect-realtime/InvalidAudio")("InvalidAudio", {
  reason: InvalidAudioReason,
  message: Schema.String
}) {}
