/**
 * Why the voice is unavailable.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

/**
 * Packages are not installed, one of their files is not the one that this version was made for, the program does not run
 * on Node, or the worker thread ended.
 *
 * @since 0.1.0
 * @category errors
 */
export const VoiceUnavailableReason = Schema.Literal("PackagesMissing", "FileDiffers", "NotNode", "ThreadEnded")
/**
 * @since 0.1.0
 * @category errors
 */
export type VoiceUnavailableReason = typeof VoiceUnavailableReason.Type

/**
 * The embedded voice cannot be used. The message says what to do about it.
 *
 * @since 0.1.0
 * @category errors
 */
export class VoiceUnavailable extends TaggedError<VoiceUnavailable>()("VoiceUnavailable", {
  reason: VoiceUnavailableReason,
  message: Schema.String
}) {}
