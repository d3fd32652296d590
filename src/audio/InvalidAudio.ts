/**
 * Why audio was refused before it was sent.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

/**
 * What is wrong with the audio: it is not bytes, its length cuts a sample in two, its sample rate or format is not
 * supported, it is too long for one event, the text is not base64, the file is not a WAV file, or the user's audio
 * reaches the server elsewhere, over WebRTC or a phone line.
 *
 * @since 0.1.0
 * @category errors
 */
export const InvalidAudioReason = Schema.Literal(
  "NotBytes",
  "CutSample",
  "Rate",
  "Format",
  "TooLarge",
  "Base64",
  "Wav",
  "Elsewhere"
)
/**
 * @since 0.1.0
 * @category errors
 */
export type InvalidAudioReason = typeof InvalidAudioReason.Type

/**
 * Audio that is not what it should be. The message says what to do.
 *
 * @since 0.1.0
 * @category errors
 */
export class InvalidAudio extends TaggedError<InvalidAudio>()("InvalidAudio", {
  reason: InvalidAudioReason,
  message: Schema.String
}) {}
