/**
 * What vendors of telephony say over a media stream, in words that are common to all of them. A codec turns the frames
 * of one vendor into these events, and these commands into frames; both ways, so that a test can play the vendor.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { decodeBase64, encodeBase64 } from "../audio/Base64.js"
import { type SampleRate, toSampleRate } from "../audio/Resampler.js"
import { jsonText } from "../protocol/nesting.js"
import { FormatUnsupported } from "./StreamError.js"

/**
 * One frame of a WebSocket.
 *
 * @since 0.1.0
 * @category models
 */
export type Frame = string | Uint8Array

/**
 * A format as the vendor names it, such as `audio/x-mulaw`. `sampleRate`: samples per second.
 *
 * @since 0.1.0
 * @category schemas
 */
export const MediaFormat = Schema.Struct({
  encoding: Schema.String,
  sampleRate: Schema.Number,
  channels: Schema.Number
})
/**
 * @since 0.1.0
 * @category models
 */
export type MediaFormat = typeof MediaFormat.Type

/** `streamId`: empty if the vendor has none. `sequence`: the number of the event, if the vendor counts them. */
const ofStream = { streamId: Schema.String, sequence: Schema.UndefinedOr(Schema.Number) }

/** The stream begins: which call it belongs to, and its format. `parameters`: what the application passed to it. */
export const Started = Schema.TaggedStruct("Started", {
  ...ofStream,
  callId: Schema.String,
  format: MediaFormat,
  parameters: Schema.Record({ key: Schema.String, value: Schema.String })
})

/** Audio of the caller. */
export const Media = Schema.TaggedStruct("Media", {
  ...ofStream,
  bytes: Schema.Uint8ArrayFromSelf,
  /** Milliseconds on a clock of the vendor's; absent if the vendor does not say. */
  atMs: Schema.UndefinedOr(Schema.Number)
})

/** The caller pressed a key: `0` to `9`, `*`, `#`, or `A` to `D`. */
export const Digit = Schema.TaggedStruct("Digit", { ...ofStream, digit: Schema.String })

/** The vendor has played everything before this mark, or was told to clear it. */
export const Marked = Schema.TaggedStruct("Marked", { ...ofStream, name: Schema.String })

/**
 * An event of a vendor. `Greeted`: comes before `Started`. `Outbound`: audio of the agent's own, which the vendor sends
 * back if the stream has both tracks. `Cleared`: confirms a `Clear`. `Stopped`: the stream is over. `Unknown`: an event
 * that this version does not know.
 *
 * @since 0.1.0
 * @category schemas
 */
export const VendorEvent = Schema.Union(
  Schema.TaggedStruct("Greeted", {}),
  Started,
  Media,
  Schema.TaggedStruct("Outbound", ofStream),
  Digit,
  Marked,
  Schema.TaggedStruct("Cleared", ofStream),
  Schema.TaggedStruct("Stopped", { ...ofStream, callId: Schema.String }),
  Schema.TaggedStruct("Unknown", { type: Schema.String })
)
/**
 * @since 0.1.0
 * @category models
 */
export type VendorEvent = typeof VendorEvent.Type

const to = { streamId: Schema.String }

/**
 * A command to a vendor. `Play`: audio in the stream's format, of whole frames of 20 ms. `Mark`: comes back as `Marked`
 * when everything before it was played. `Clear`: drops what was not played.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Command = Schema.Union(
  Schema.TaggedStruct("Play", { ...to, bytes: Schema.Uint8ArrayFromSelf, format: MediaFormat }),
  Schema.TaggedStruct("Mark", { ...to, name: Schema.String }),
  Schema.TaggedStruct("Clear", to)
)
/**
 * @since 0.1.0
 * @category models
 */
export type Command = typeof Command.Type

/**
 * How one vendor writes events and commands.
 *
 * @since 0.1.0
 * @category models
 */
export interface Codec {
  readonly vendor: string
  readonly event: Schema.Schema<VendorEvent, Frame>
  readonly command: Schema.Schema<Command, Frame>
  /** The byte order of 16-bit samples. Absent: the vendor sends none. */
  readonly byteOrder?: "little" | "big"
  /** Each `Play` must have exactly this duration, in milliseconds. Absent: any whole number of 20 ms. */
  readonly frameMs?: number
  /** Whether marks come back when they are cleared. Default: true. */
  readonly returnsClearedMarks?: boolean
  /** What a stream has if nobody chooses. Default: µ-law at 8 kHz. */
  readonly format?: MediaFormat
}

/**
 * A format that can be decoded. `pcm16`: 16-bit samples, little-endian once they are here.
 *
 * @since 0.1.0
 * @category models
 */
export interface StreamFormat {
  readonly encoding: "pcmu" | "pcma" | "pcm16"
  /** Samples per second: 8,000 for G.711. */
  readonly sampleRate: SampleRate
}

const encodings = new Map<string, StreamFormat["encoding"]>([
  ["mulaw", "pcmu"],
  ["ulaw", "pcmu"],
  ["pcmu", "pcmu"],
  ["alaw", "pcma"],
  ["pcma", "pcma"],
  ["l16", "pcm16"]
])

/**
 * What a vendor's name of a format means. Vendors write `audio/x-mulaw`, `PCMU`, `audio/x-l16` and the like.
 *
 * @since 0.1.0
 * @category formats
 */
export const formatOf = (
  { byteOrder, vendor }: Codec,
  format: MediaFormat
): Either.Either<StreamFormat, FormatUnsupported> => {
  const name = format.encoding
    .toLowerCase()
    .replace(/^audio\//, "")
    .replace(/^x-/, "")
  const encoding = encodings.get(name)
  const rate = toSampleRate(format.sampleRate)
  const isKnown = encoding === "pcm16" ? byteOrder !== undefined : format.sampleRate === 8_000
  return encoding === undefined || Either.isLeft(rate) || !isKnown || format.channels !== 1
    ? Either.left(new FormatUnsupported({ vendor, ...format }))
    : Either.right({ encoding, sampleRate: rate.right })
}

/** Audio in base64. */
export const Payload = Schema.transformOrFail(Schema.String, Schema.Uint8ArrayFromSelf, {
  strict: true,
  decode: (text, _, ast) =>
    Either.mapLeft(decodeBase64(text), ({ message }) => new ParseResult.Type(ast, text.slice(0, 40), message)),
  encode: (bytes) => ParseResult.succeed(encodeBase64(bytes))
})

/** A number that the vendor writes as text. Numbers are also read. */
export const Numeral = Schema.transform(Schema.Union(Schema.String, Schema.Number), Schema.Number, {
  strict: true,
  decode: Number,
  encode: String
})

/** The field `media` of an event of Twilio and Telnyx, which counts its chunks. */
export const Chunk = Schema.Struct({
  track: Schema.optional(Schema.String),
  chunk: Schema.optional(Numeral),
  timestamp: Schema.optional(Numeral),
  payload: Payload
})

/** Which side the audio of a `Chunk` is of. */
export const mediaOf = (
  of: { readonly streamId: string; readonly sequence: number | undefined },
  { payload: bytes, timestamp: atMs, track = "inbound" }: typeof Chunk.Type
): VendorEvent => (track.startsWith("outbound") ? { _tag: "Outbound", ...of } : { _tag: "Media", ...of, bytes, atMs })

/** Text under any names. */
const Texts = Schema.Record({ key: Schema.String, value: Schema.String })

/** What an application gave to a vendor, as text: what is no text there is JSON. */
export const textsOf = (values: { readonly [name: string]: unknown }): typeof Texts.Type =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, typeof value === "string" ? value : jsonText(value)])
  )

/** Values of any kind under any names. */
export const Values = Schema.Record({ key: Schema.String, value: Schema.Unknown })

/** What the application passed to the stream. */
export const Parameters = Schema.transform(Values, Texts, { strict: true, decode: textsOf, encode: (texts) => texts })

export const FrameSchema: Schema.Schema<Frame> = Schema.Union(Schema.String, Schema.Uint8ArrayFromSelf)

const binary = (ast: SchemaAST.AST, frame: Frame) =>
  ParseResult.fail(new ParseResult.Type(ast, frame, "There are no binary frames in this protocol."))

/** Frames of JSON: `wire` is what is in them, as the vendor documents it. */
export const jsonFrames = <A, W, WI>(
  target: Schema.Schema<A>,
  wire: Schema.Schema<W, WI>,
  { read, write }: { readonly read: (wire: W) => A; readonly write: (value: A) => W }
): Schema.Schema<A, Frame> => {
  const json = Schema.parseJson(wire)
  const parse = ParseResult.decodeUnknown(json)
  const print = ParseResult.encode(json)
  return Schema.transformOrFail(FrameSchema, target, {
    strict: true,
    decode: (frame, _, ast) => (typeof frame === "string" ? ParseResult.map(parse(frame), read) : binary(ast, frame)),
    encode: (value) => print(write(value))
  })
}

/** An event that is named in a frame of JSON. */
export type NamedEvent = Exclude<VendorEvent, { readonly _tag: "Unknown" }>

/** The types of the events of a union. */
const typesIn = (ast: SchemaAST.AST): ReadonlySet<SchemaAST.LiteralValue> =>
  new Set(
    (SchemaAST.isUnion(ast) ? ast.types : [ast]).flatMap((member) =>
      SchemaAST.getPropertySignatures(member).flatMap(({ name, type }) =>
        name === "event" && SchemaAST.isLiteral(type) ? [type.literal] : []
      )
    )
  )

const parseJson = ParseResult.decodeUnknown(Schema.parseJson())

/**
 * Events in frames of JSON, whose types stand in the field `event`. An event of a type that `wire` knows, but that lacks
 * something, is not valid; one of another type is `Unknown`. `write` returns `undefined` for an event that the vendor does
 * not have, which then cannot be encoded.
 */
export const jsonEvents = <W, WI>(
  wire: Schema.Schema<W, WI>,
  { read, write }: { readonly read: (wire: W) => VendorEvent; readonly write: (event: NamedEvent) => W | undefined }
): Schema.Schema<VendorEvent, Frame> => {
  const types = typesIn(SchemaAST.encodedAST(wire.ast))
  const decode = ParseResult.decodeUnknown(wire)
  const print = ParseResult.encode(Schema.parseJson(wire))
  return Schema.transformOrFail(FrameSchema, VendorEvent, {
    strict: true,
    decode: (frame, _, ast) =>
      typeof frame === "string"
        ? ParseResult.flatMap(parseJson(frame), (value) => {
            const type = Predicate.hasProperty(value, "event") ? value.event : undefined
            return typeof type === "string" && !types.has(type)
              ? ParseResult.succeed<VendorEvent>({ _tag: "Unknown", type })
              : ParseResult.map(decode(value), read)
          })
        : binary(ast, frame),
    encode: (event, _, ast) => {
      if (event._tag === "Unknown") return ParseResult.succeed(JSON.stringify({ event: event.type }))
      const written = write(event)
      return written === undefined
        ? ParseResult.fail(new ParseResult.Type(ast, event, "The vendor has no such event."))
        : print(written)
    }
  })
}
