/**
 * Vonage's Voice API over a WebSocket: binary frames of L16 at 8 or 16 kHz, little-endian, of exactly 20 ms. (Vonage
 * Video's Audio Connector is another protocol.)
 *
 * Vonage does not say which call it is: pass its `uuid` in the `headers` of the endpoint.
 *
 * @since 0.1.0
 */
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import {
  type Codec,
  Command,
  type Frame,
  FrameSchema,
  jsonEvents,
  jsonFrames,
  type MediaFormat,
  type NamedEvent,
  textsOf,
  Values,
  VendorEvent
} from "./Codec.js"

const ofMark = { payload: Schema.Struct({ mark: Schema.String }) }

const Event = Schema.Union(
  Schema.Struct({ event: Schema.Literal("websocket:connected"), "content-type": Schema.String }).pipe(
    Schema.extend(Values)
  ),
  Schema.Struct({ event: Schema.Literal("websocket:dtmf"), digit: Schema.String }),
  Schema.Struct({ event: Schema.Literal("websocket:notify"), ...ofMark }),
  Schema.Struct({ event: Schema.Literal("websocket:cleared") }),
  Schema.Struct({ event: Schema.Literal("websocket:disconnected") })
)
type Event = typeof Event.Type

/** There is one stream per socket, without a name, and nothing is counted. */
const ofStream = { streamId: "", sequence: undefined }

/** Such as `audio/l16;rate=16000`. */
const formatOf = (contentType: string): MediaFormat => {
  const [encoding = "", ...fields] = contentType.split(";").map((field) => field.trim())
  const rate = fields.find((field) => field.startsWith("rate="))?.slice(5)
  return { encoding, sampleRate: Number(rate ?? 16_000), channels: 1 }
}

const read = (wire: Event): VendorEvent => {
  switch (wire.event) {
    case "websocket:connected": {
      const { "content-type": contentType, event: _, ...headers } = wire
      const parameters = textsOf(headers)
      return {
        _tag: "Started",
        ...ofStream,
        callId: parameters["uuid"] ?? "",
        format: formatOf(contentType),
        parameters
      }
    }
    case "websocket:dtmf":
      return { _tag: "Digit", ...ofStream, digit: wire.digit }
    case "websocket:notify":
      return { _tag: "Marked", ...ofStream, name: wire.payload.mark }
    case "websocket:cleared":
      return { _tag: "Cleared", ...ofStream }
    case "websocket:disconnected":
      return { _tag: "Stopped", ...ofStream, callId: "" }
  }
}

const write = (event: NamedEvent): Event | undefined => {
  switch (event._tag) {
    case "Started": {
      const { callId: uuid, format, parameters } = event
      const contentType = `${format.encoding};rate=${format.sampleRate}`
      return { ...parameters, uuid, event: "websocket:connected", "content-type": contentType }
    }
    case "Digit":
      return { event: "websocket:dtmf", digit: event.digit }
    case "Marked":
      return { event: "websocket:notify", payload: { mark: event.name } }
    case "Cleared":
      return { event: "websocket:cleared" }
    case "Stopped":
      return { event: "websocket:disconnected" }
    // Audio is binary, and nothing comes before the start.
    case "Media":
    case "Outbound":
    case "Greeted":
      return undefined
  }
}

const ToVendor = Schema.Union(
  Schema.Struct({ action: Schema.Literal("notify"), ...ofMark }),
  Schema.Struct({ action: Schema.Literal("clear") })
)

/** Binary frames are audio, and texts are JSON. */
const withBinary = <A extends { readonly _tag: string }>(
  target: Schema.Schema<A>,
  texts: Schema.Schema<A, Frame>,
  fromBytes: (bytes: Uint8Array) => A,
  toBytes: (value: A) => Uint8Array | undefined
): Schema.Schema<A, Frame> => {
  const decode = ParseResult.decode(texts)
  const encode = ParseResult.encode(texts)
  return Schema.transformOrFail(FrameSchema, target, {
    strict: true,
    decode: (frame) => (typeof frame === "string" ? decode(frame) : ParseResult.succeed(fromBytes(frame))),
    encode: (value) => {
      const bytes = toBytes(value)
      return bytes === undefined ? encode(value) : ParseResult.succeed(bytes)
    }
  })
}

/** The format of binary frames is that of the socket. */
const format: MediaFormat = { encoding: "audio/l16", sampleRate: 16_000, channels: 1 }

const controls = jsonFrames(Command, ToVendor, {
  read: (wire): Command =>
    wire.action === "clear" ? { _tag: "Clear", streamId: "" } : { _tag: "Mark", streamId: "", name: wire.payload.mark },
  // Audio does not come here.
  write: (command): typeof ToVendor.Type =>
    command._tag === "Mark" ? { action: "notify", payload: { mark: command.name } } : { action: "clear" }
})

/**
 * @since 0.1.0
 * @category codecs
 */
export const codec: Codec = {
  vendor: "Vonage",
  byteOrder: "little",
  frameMs: 20,
  format,
  event: withBinary(
    VendorEvent,
    jsonEvents(Event, { read, write }),
    (bytes): VendorEvent => ({ _tag: "Media", ...ofStream, bytes, atMs: undefined }),
    (event) => (event._tag === "Media" ? event.bytes : undefined)
  ),
  command: withBinary(
    Command,
    controls,
    (bytes): Command => ({ _tag: "Play", streamId: "", bytes, format }),
    (command) => (command._tag === "Play" ? command.bytes : undefined)
  )
}
