/**
 * What happens to a phone call, beyond the events of its session.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { withheld } from "../protocol/withheld.js"

/**
 * - `DigitPressed`: the caller pressed a key: `0` to `9`, `*`, `#`, or `A` to `D`.
 * - `GapFilled`: audio of the caller was missing, and silence took its place.
 * - `MediaStalled`: no audio has come for 750 ms while the caller spoke: silence takes its place.
 * - `LateMediaDropped`: audio of the caller was older than what came before. `count`: of such frames, so far.
 * - `FrameIgnored`: a frame of the vendor, or its last byte, meant nothing, and why. `count`: of such frames, so far.
 * - `EventsLost`: this process was too slow, and so many events of the vendor were lost.
 * - `SpeechCleared`: the vendor was told to drop what it had not played.
 * - `HangUpRequested`, `TransferRequested`: the call ends when the agent has said goodbye.
 * - `GoodbyeInterrupted`: the caller spoke instead, and the call goes on.
 * - `RecordingFailed`: the rest of the call is not recorded.
 * - `TransferFailed`: the vendor was not told where to connect the call.
 * - `ListenerFailed`: `onPhoneEvent` threw. Only readers of `events` get this.
 *
 * @since 0.1.0
 * @category schemas
 */
export const PhoneEvent = Schema.Union(
  Schema.TaggedStruct("DigitPressed", { digit: Schema.String }),
  Schema.TaggedStruct("GapFilled", { ms: Schema.Number }),
  Schema.TaggedStruct("MediaStalled", {}),
  Schema.TaggedStruct("LateMediaDropped", { count: Schema.Number }),
  Schema.TaggedStruct("FrameIgnored", { reason: Schema.String, count: Schema.Number }),
  Schema.TaggedStruct("EventsLost", { count: Schema.Number }),
  Schema.TaggedStruct("SpeechCleared", {}),
  Schema.TaggedStruct("HangUpRequested", {}),
  Schema.TaggedStruct("TransferRequested", { destination: Schema.String }),
  Schema.TaggedStruct("GoodbyeInterrupted", {}),
  Schema.TaggedStruct("RecordingFailed", { message: Schema.String }),
  Schema.TaggedStruct("TransferFailed", { destination: Schema.String, message: Schema.String }),
  Schema.TaggedStruct("ListenerFailed", { message: Schema.String, ...withheld })
)
/**
 * @since 0.1.0
 * @category models
 */
export type PhoneEvent = typeof PhoneEvent.Type
