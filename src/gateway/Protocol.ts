/**
 * The messages between a client and the gateway. Both sides use these schemas.
 *
 * Each text frame is one message in JSON, and `_tag` says which. Binary frames are audio. A client sends only audio, in
 * the format `Welcome.input`. The gateway sends a header and audio in the format `Welcome.output`; see `encodeAudio`.
 *
 * The client connects with the subprotocols `[subprotocol, tokenProtocol(token)]`, or with the header
 * `Authorization: Bearer`. Its first message is `Start` or `Resume`, and the gateway answers with `Welcome`, or closes the
 * socket with one of `closeCodes`. Every frame from the gateway, text or
 * binary, has a number, except `Welcome` and `Pong`. The first one after a `Start` is 1. The client acknowledges frames
 * with `Ack`, and gets the ones that it lacks after a `Resume`.
 *
 * @since 0.1.0
 */
import * as Encoding from "effect/Encoding"
import * as Schema from "effect/Schema"
import { AudioFormat } from "../protocol/SessionConfig.js"
import { SessionEvent } from "../SessionEvent.js"

export { type Audio, decodeAudio, encodeAudio } from "./AudioFrame.js"

/**
 * The WebSocket subprotocol, with the version of this protocol. A client that does not offer it is refused.
 *
 * @since 0.1.0
 * @category handshake
 */
export const subprotocol = "effect-realtime.v1"

/** The prefix of a token that is sent as a subprotocol. */
export const tokenPrefix = "effect-realtime.token."

/**
 * Encodes a token as a subprotocol, so that a browser can send it: a prefix, then the token in base64url.
 *
 * @since 0.1.0
 * @category handshake
 */
export const tokenProtocol = (token: string): string => tokenPrefix + Encoding.encodeBase64Url(token)

/**
 * Who decides when a turn of the user ends: the model's turn detection, or the client with `CommitAudio` (push-to-talk).
 *
 * @since 0.1.0
 * @category schemas
 */
export const Turns = Schema.Literal("detected", "committed")
/**
 * @since 0.1.0
 * @category models
 */
export type Turns = typeof Turns.Type

/**
 * Begins a call. With `playback: "reported"`, only what the client reports with `Played` counts as heard; with
 * `"estimated"`, the session estimates it by the clock.
 *
 * @since 0.1.0
 * @category openings
 */
export const Start = Schema.TaggedStruct("Start", {
  playback: Schema.Literal("reported", "estimated"),
  /** Default: as in the agent's settings. */
  turns: Schema.optionalWith(Turns, { exact: true })
})

/**
 * Continues a call on a new socket after the old one broke. If another socket is still attached to the call, it is closed.
 *
 * @since 0.1.0
 * @category openings
 */
export const Resume = Schema.TaggedStruct("Resume", {
  /** From `Welcome`. */
  callId: Schema.String,
  /** From `Welcome`: the secret that proves whose call it is. */
  key: Schema.String,
  /** The number of the last frame that the client has; 0 if none. */
  received: Schema.NonNegativeInt
})

/**
 * The first message of a client.
 *
 * @since 0.1.0
 * @category openings
 */
export const Opening = Schema.Union(Start, Resume)
/**
 * @since 0.1.0
 * @category models
 */
export type Opening = typeof Opening.Type

/** Starts at 1 in each call, and increases. After a `Resume`, commands without a reply are sent again unchanged. */
const numbered = { id: Schema.Int.pipe(Schema.positive()) }

/**
 * A client's commands. Each command is carried out once, in order, and answered with `Done` or `Failed`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Command = Schema.Union(
  /** Says something as the user, and asks the model to answer. */
  Schema.TaggedStruct("SendText", { ...numbered, text: Schema.String }),
  /** Ends the user's turn. Without turn detection, the model is asked to answer. */
  Schema.TaggedStruct("CommitAudio", numbered),
  /** Discards the audio that was sent but not committed. */
  Schema.TaggedStruct("ClearAudio", numbered),
  /** Chooses who decides when a turn of the user ends, and waits for the model's server to confirm it. */
  Schema.TaggedStruct("SetTurns", { ...numbered, turns: Turns }),
  /** Asks the model to speak. */
  Schema.TaggedStruct("RequestResponse", numbered),
  /** Stops what the model is saying. */
  Schema.TaggedStruct("Interrupt", numbered),
  /** `always`: also approves later calls of this tool by the same agent. */
  Schema.TaggedStruct("Approve", {
    ...numbered,
    callId: Schema.String,
    always: Schema.optionalWith(Schema.Boolean, { exact: true })
  }),
  Schema.TaggedStruct("Reject", {
    ...numbered,
    callId: Schema.String,
    /** What the model reads. */
    reason: Schema.optionalWith(Schema.String, { exact: true }),
    always: Schema.optionalWith(Schema.Boolean, { exact: true })
  }),
  /** Ends the call. If the socket only closes, the call waits to be resumed. */
  Schema.TaggedStruct("HangUp", numbered)
)
/**
 * @since 0.1.0
 * @category models
 */
export type Command = typeof Command.Type

/**
 * Reports how much of a content part was played. `heardMs` counts from the beginning of the part, in milliseconds.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Played = Schema.TaggedStruct("Played", {
  itemId: Schema.String,
  contentIndex: Schema.NonNegativeInt,
  heardMs: Schema.Union(Schema.NonNegative, Schema.Literal("finished"))
})

/**
 * Acknowledges all frames up to this number. The gateway limits how much it sends without an acknowledgement, so
 * acknowledge at least every 64 KiB.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Ack = Schema.TaggedStruct("Ack", { received: Schema.NonNegativeInt })

/**
 * A keep-alive, answered with `Pong`. A client that sends nothing for `Welcome.silenceMs` is disconnected.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Ping = Schema.TaggedStruct("Ping", {})

/**
 * All text messages that a client may send after the first one.
 *
 * @since 0.1.0
 * @category schemas
 */
export const ClientMessage = Schema.Union(...Command.members, Played, Ack, Ping)
/**
 * @since 0.1.0
 * @category models
 */
export type ClientMessage = typeof ClientMessage.Type

/**
 * The answer to `Start` and `Resume`.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Welcome = Schema.TaggedStruct("Welcome", {
  /** The id of the call, for `Resume`. */
  callId: Schema.String,
  /** The secret for `Resume`, together with the same token. Keep it secret. */
  key: Schema.String,
  sessionId: Schema.String,
  /** The number of the next frame. After a `Resume`, frames before it are lost only if `EventsMissed` follows. */
  next: Schema.Int,
  /** The number of the last command that the gateway has received; 0 if none. */
  taken: Schema.Int,
  /** The format of the audio from the client. */
  input: AudioFormat,
  /** The format of the audio from the gateway. */
  output: AudioFormat,
  /** How long a call waits for its client after a broken socket, in milliseconds. */
  resumeWithinMs: Schema.Number,
  /** How long a client may be silent before it is disconnected, in milliseconds. */
  silenceMs: Schema.Number,
  /** The longest message that a client may send, in bytes. */
  maxMessageBytes: Schema.Number
})
/**
 * @since 0.1.0
 * @category models
 */
export interface Welcome extends Schema.Schema.Type<typeof Welcome> {}

/**
 * Why a call has ended.
 *
 * @since 0.1.0
 * @category schemas
 */
export const EndReason = Schema.Literal("HungUp", "SessionEnded", "Abandoned", "ShutDown", "Misused")
/**
 * @since 0.1.0
 * @category models
 */
export type EndReason = typeof EndReason.Type

/**
 * All text messages from the gateway.
 *
 * @since 0.1.0
 * @category schemas
 */
export const GatewayMessage = Schema.Union(
  Welcome,
  /** An event of the session, without the data that stays in the server's process. */
  Schema.TaggedStruct("Event", { event: SessionEvent }),
  /** A command was carried out. */
  Schema.TaggedStruct("Done", {
    ...numbered,
    /** The item that `SendText` made. */
    itemId: Schema.optionalWith(Schema.String, { exact: true })
  }),
  /** A command was not carried out. */
  Schema.TaggedStruct("Failed", {
    ...numbered,
    error: Schema.Struct({ _tag: Schema.String, message: Schema.String })
  }),
  /** The gateway is about to stop. Calls may finish within this time, in milliseconds. */
  Schema.TaggedStruct("Draining", { withinMs: Schema.Number }),
  /** The call has ended. This is the last message. */
  Schema.TaggedStruct("Ended", { reason: EndReason, message: Schema.String }),
  Schema.TaggedStruct("Pong", {})
)
/**
 * @since 0.1.0
 * @category models
 */
export type GatewayMessage = typeof GatewayMessage.Type

/**
 * Why the gateway closed a socket: the code of its CLOSE frame.
 *
 * - `ended` (4000): the call has ended.
 * - `malformed` (4400): a message is not of this protocol, or acknowledges a frame that was never sent.
 * - `notFound` (4404): there is no such call to resume: it has ended, or the key is wrong.
 * - `silent` (4408): the client sent no opening, or nothing for too long.
 * - `replaced` (4409): another socket resumed the call.
 * - `tooLarge` (4413): a message is longer than `Welcome.maxMessageBytes`.
 * - `tooFast` (4429): the client exceeds a rate limit.
 * - `failed` (4500): the call could not begin, or was refused.
 * - `full` (4503): there are too many calls, or the gateway is about to stop.
 *
 * @since 0.1.0
 * @category constants
 */
export const closeCodes = {
  ended: 4000,
  moved: 4307,
  malformed: 4400,
  notFound: 4404,
  silent: 4408,
  replaced: 4409,
  tooLarge: 4413,
  tooFast: 4429,
  failed: 4500,
  full: 4503
} as const

const final: ReadonlySet<number> = new Set([
  closeCodes.ended,
  closeCodes.malformed,
  closeCodes.notFound,
  closeCodes.replaced,
  closeCodes.tooLarge,
  closeCodes.failed,
  closeCodes.full
])

/**
 * Whether a client may try to resume its call after its socket closed with this code. Some codes say that this is
 * pointless.
 *
 * @since 0.1.0
 * @category constants
 */
export const isResumable = (code: number): boolean => !final.has(code)
