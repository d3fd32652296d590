/**
 * Twilio's media streams: `<Connect><Stream>`, in both directions. µ-law at 8 kHz.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  Chunk,
  type Codec,
  Command,
  jsonEvents,
  jsonFrames,
  MediaFormat,
  mediaOf,
  type NamedEvent,
  Numeral,
  Parameters,
  Payload,
  type VendorEvent
} from "./Codec.js"

const ofStream = { sequenceNumber: Schema.optional(Numeral), streamSid: Schema.String }

const Event = Schema.Union(
  Schema.Struct({
    event: Schema.Literal("connected"),
    protocol: Schema.optional(Schema.String),
    version: Schema.optional(Schema.String)
  }),
  Schema.Struct({
    event: Schema.Literal("start"),
    ...ofStream,
    start: Schema.Struct({
      streamSid: Schema.optional(Schema.String),
      callSid: Schema.String,
      tracks: Schema.optional(Schema.Array(Schema.String)),
      customParameters: Schema.optional(Parameters),
      mediaFormat: MediaFormat
    })
  }),
  Schema.Struct({
    event: Schema.Literal("media"),
    ...ofStream,
    media: Chunk
  }),
  Schema.Struct({
    event: Schema.Literal("dtmf"),
    ...ofStream,
    dtmf: Schema.Struct({ track: Schema.optional(Schema.String), digit: Schema.String })
  }),
  Schema.Struct({ event: Schema.Literal("mark"), ...ofStream, mark: Schema.Struct({ name: Schema.String }) }),
  Schema.Struct({
    event: Schema.Literal("stop"),
    ...ofStream,
    stop: Schema.optional(Schema.Struct({ callSid: Schema.optional(Schema.String) }))
  })
)
type Event = typeof Event.Type

const read = (wire: Event): VendorEvent => {
  if (wire.event === "connected") return { _tag: "Greeted" }
  const of = { streamId: wire.streamSid, sequence: wire.sequenceNumber }
  switch (wire.event) {
    case "start": {
      const { callSid: callId, customParameters: parameters = {}, mediaFormat: format } = wire.start
      return { _tag: "Started", ...of, callId, format, parameters }
    }
    case "media":
      return mediaOf(of, wire.media)
    case "dtmf":
      return { _tag: "Digit", ...of, digit: wire.dtmf.digit }
    case "mark":
      return { _tag: "Marked", ...of, name: wire.mark.name }
    case "stop":
      return { _tag: "Stopped", ...of, callId: wire.stop?.callSid ?? "" }
  }
}

const write = (event: NamedEvent): Event | undefined => {
  if (event._tag === "Greeted") return { event: "connected", protocol: "Call", version: "1.0.0" }
  const { sequence: sequenceNumber, streamId: streamSid } = event
  const of = { streamSid, ...(sequenceNumber === undefined ? {} : { sequenceNumber }) }
  switch (event._tag) {
    case "Started": {
      const { callId: callSid, format: mediaFormat, parameters: customParameters } = event
      return {
        event: "start",
        ...of,
        start: { streamSid, callSid, tracks: ["inbound"], customParameters, mediaFormat }
      }
    }
    case "Media": {
      const { atMs, bytes: payload } = event
      // The start is the first event, and the first chunk the second.
      const chunk = sequenceNumber === undefined ? {} : { chunk: sequenceNumber - 1 }
      const timestamp = atMs === undefined ? {} : { timestamp: atMs }
      return { event: "media", ...of, media: { track: "inbound", ...chunk, ...timestamp, payload } }
    }
    case "Digit":
      return { event: "dtmf", ...of, dtmf: { track: "inbound_track", digit: event.digit } }
    case "Marked":
      return { event: "mark", ...of, mark: { name: event.name } }
    case "Stopped":
      return { event: "stop", ...of, stop: { callSid: event.callId } }
    // It confirms no clear.
    case "Cleared":
      return undefined
    case "Outbound":
      return { event: "media", ...of, media: { track: "outbound", payload: new Uint8Array() } }
  }
}

const ToVendor = Schema.Union(
  Schema.Struct({
    event: Schema.Literal("media"),
    streamSid: Schema.String,
    media: Schema.Struct({ payload: Payload })
  }),
  Schema.Struct({
    event: Schema.Literal("mark"),
    streamSid: Schema.String,
    mark: Schema.Struct({ name: Schema.String })
  }),
  Schema.Struct({ event: Schema.Literal("clear"), streamSid: Schema.String })
)

/** The only format of a stream in both directions. */
const format: MediaFormat = { encoding: "audio/x-mulaw", sampleRate: 8_000, channels: 1 }

/**
 * @since 0.1.0
 * @category codecs
 */
export const codec: Codec = {
  vendor: "Twilio",
  event: jsonEvents(Event, { read, write }),
  command: jsonFrames(Command, ToVendor, {
    read: (wire): Command => {
      switch (wire.event) {
        case "media":
          return { _tag: "Play", streamId: wire.streamSid, bytes: wire.media.payload, format }
        case "mark":
          return { _tag: "Mark", streamId: wire.streamSid, name: wire.mark.name }
        case "clear":
          return { _tag: "Clear", streamId: wire.streamSid }
      }
    },
    write: (command): typeof ToVendor.Type => {
      const { streamId: streamSid } = command
      switch (command._tag) {
        case "Play":
          return { event: "media", streamSid, media: { payload: command.bytes } }
        case "Mark":
          return { event: "mark", streamSid, mark: { name: command.name } }
        case "Clear":
          return { event: "clear", streamSid }
      }
    }
  })
}
