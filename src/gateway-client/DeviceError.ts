/** Why a microphone or a speaker cannot be used. */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"

/**
 * The page cannot use this device.
 *
 * - `Unsupported`: the platform has no such devices, or the page was loaded neither over HTTPS nor from this machine.
 * - `Denied`: the user, or the page's permissions policy, does not allow it.
 * - `NotFound`: there is no such device.
 * - `Busy`: another program uses it.
 * - `Failed`: anything else; `detail` has the browser's message.
 *
 * @since 0.1.0
 * @category errors
 */
export class DeviceError extends Schema.TaggedError<DeviceError>("effect-realtime/gateway-client/DeviceError")(
  "DeviceError",
  {
    device: Schema.Literal("microphone", "speaker"),
    reason: Schema.Literal("Unsupported", "Denied", "NotFound", "Busy", "Failed"),
    /** The browser's message, if there is one. */
    detail: Schema.String
  }
) {
  override get message(): string {
    const advice = {
      Unsupported: "This platform has none for this page. Load the page over HTTPS, or from localhost, in a browser.",
      Denied: "It is not allowed. Allow it in the browser's settings for this page, and try again.",
      NotFound: "There is no such device. Connect one, or choose another one.",
      Busy: "Another program uses it. Close that program, and try again.",
      Failed: "The browser could not open it."
    }
    return `The ${this.device} cannot be used. ${advice[this.reason]}${this.detail === "" ? "" : ` (${this.detail})`}`
  }
}

/** The names of the exceptions of `getUserMedia` and `setSinkId` (Media Capture and Streams; Audio Output Devices API). */
const reasons = new Map<unknown, DeviceError["reason"]>([
  ["NotAllowedError", "Denied"],
  ["SecurityError", "Denied"],
  ["NotFoundError", "NotFound"],
  ["OverconstrainedError", "NotFound"],
  ["NotReadableError", "Busy"],
  ["NotSupportedError", "Unsupported"]
])

/** Converts an exception of the browser. Not every browser's `OverconstrainedError` is an `Error`. */
export const deviceError =
  (device: DeviceError["device"]) =>
  (thrown: unknown): DeviceError => {
    const name = Predicate.hasProperty(thrown, "name") ? thrown.name : undefined
    const detail = Predicate.hasProperty(thrown, "message") ? String(thrown.message) : String(thrown)
    return new DeviceError({ device, reason: reasons.get(name) ?? "Failed", detail })
  }
