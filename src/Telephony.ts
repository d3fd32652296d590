/**
 * Phone calls over the media streams of Twilio, Telnyx, Vonage and Plivo. It has its own entry point,
 * `effect-realtime/Telephony`.
 *
 * @since 0.1.0
 * @module
 */
export * as CallTokens from "./telephony/CallTokens.js"
export type { Codec, Command, Frame, MediaFormat, StreamFormat, VendorEvent } from "./telephony/Codec.js"
export * as FakeCaller from "./telephony/FakeCaller.js"
export * as FakeTwilio from "./telephony/FakeTwilio.js"
export * as MediaStream from "./telephony/MediaStream.js"
export * as PhoneCall from "./telephony/PhoneCall.js"
export * as PhoneTools from "./telephony/PhoneTools.js"
export * as PlivoMediaStream from "./telephony/PlivoMediaStream.js"
export * as Recording from "./telephony/Recording.js"
export { FormatUnsupported, StreamNotTrusted, StreamProtocol, TransferFailed } from "./telephony/StreamError.js"
export * as TelnyxMediaStream from "./telephony/TelnyxMediaStream.js"
export * as TwilioMediaStream from "./telephony/TwilioMediaStream.js"
export * as TwilioPhone from "./telephony/TwilioPhone.js"
export * as TwilioSignature from "./telephony/TwilioSignature.js"
export * as VonageMediaStream from "./telephony/VonageMediaStream.js"
