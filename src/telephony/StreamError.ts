/**
 * Why a media stream of a phone vendor is not accepted, or ends.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

/**
 * The vendor sends audio in a format that cannot be decoded here.
 *
 * @since 0.1.0
 * @category errors
 */
export class FormatUnsupported extends TaggedError<FormatUnsupported>()("FormatUnsupported", {
  vendor: Schema.String,
  /** As the vendor names it. */
  encoding: Schema.String,
  sampleRate: Schema.Number,
  channels: Schema.Number
}) {
  override get message(): string {
    return `${this.vendor} sends ${this.encoding} with ${this.sampleRate} samples per second and ${this.channels} channels. Configure the stream for µ-law or A-law at 8,000, or 16-bit PCM (L16) at 8,000, 16,000 or 24,000, with one channel.`
  }
}

/**
 * How a stream broke the vendor's protocol. `NoStart`: it did not say in time which call it belongs to.
 * `BeforeStart`: another event came first. `Junk`: a frame that is no event of the vendor, before the start.
 * `TooLong`: a frame of more than 64 KiB. `Closed`: it ended before it began.
 *
 * @since 0.1.0
 * @category errors
 */
export const ProtocolBreach = Schema.Literal("NoStart", "BeforeStart", "Junk", "TooLong", "Closed")
/**
 * @since 0.1.0
 * @category errors
 */
export type ProtocolBreach = typeof ProtocolBreach.Type

/**
 * The other side does not speak the vendor's protocol. Its socket was closed.
 *
 * @since 0.1.0
 * @category errors
 */
export class StreamProtocol extends TaggedError<StreamProtocol>()("StreamProtocol", {
  vendor: Schema.String,
  breach: ProtocolBreach,
  message: Schema.String
}) {}

/**
 * Why nobody may talk. `Signature`: the request was not signed by the vendor. `NoToken`: the stream has no token.
 * `UnknownToken`: no such token waits: it was never issued, was used, or has expired. `OtherCall`: the token was issued
 * for another call. `SecondStream`: the call has a stream already.
 *
 * @since 0.1.0
 * @category errors
 */
export const Distrust = Schema.Literal("Signature", "NoToken", "UnknownToken", "OtherCall", "SecondStream")
/**
 * @since 0.1.0
 * @category errors
 */
export type Distrust = typeof Distrust.Type

const doubts: Readonly<Record<Distrust, string>> = {
  Signature:
    "The request is not signed with the account's token. Compare `authToken` with the vendor's console, and `publicUrl` with the URL that the vendor calls, character by character.",
  NoToken:
    "The stream has no token. Pass the one that `issue` gave for the call when it rang: to the stream, as a custom parameter or header, and from there to `redeem`.",
  UnknownToken: "The stream's token is not known: it was used before, or is too old, or was never issued.",
  OtherCall: "The stream's token was issued for another call.",
  SecondStream: "This call has a stream already."
}

/**
 * The stream was not let in: nobody knows who talks there, and the talk costs money.
 *
 * @since 0.1.0
 * @category errors
 */
export class StreamNotTrusted extends TaggedError<StreamNotTrusted>()("StreamNotTrusted", {
  reason: Distrust,
  /** As the stream claims; absent for a request that did not get so far. */
  callId: Schema.UndefinedOr(Schema.String)
}) {
  override get message(): string {
    return doubts[this.reason]
  }
}

/**
 * The vendor could not be told where to connect the call. The call goes on.
 *
 * @since 0.1.0
 * @category errors
 */
export class TransferFailed extends TaggedError<TransferFailed>()("TransferFailed", {
  destination: Schema.String,
  message: Schema.String
}) {}
