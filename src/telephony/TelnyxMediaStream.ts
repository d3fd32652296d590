/**
 * Telnyx's media streams, in both directions, with `stream_bidirectional_mode: "rtp"`: the default, `mp3`, is not audio
 * that can be sent here. PCMU, PCMA or L16, which Telnyx sends big-endian.
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
  type MediaFormat,
  mediaOf,
  type NamedEvent,
  Numeral,
  Parameters,
  Payload,
  type VendorEvent
} from "./Codec.js"

const ofStream = { sequence_number: Schema.optional(Numeral), stream_id: Schema.String }

const Event = Schema.Union(
  Schema.Struct({ event: Schema.Literal("connected"), version: Schema.optional(Schema.String) }),
  Schema.Struct({
    event: Schema.Literal("start"),
    ...ofStream,
    start: Schema.Struct({
      call_control_id: Schema.String,
      client_state: Schema.optional(Schema.NullOr(Schema.String)),
      custom_parameters: Schema.optional(Schema.NullOr(Parameters)),
      media_format: Schema.Struct({
        encoding: Schema.String,
        sample_rate: Schema.Number,
        channels: Schema.optional(Schema.Number)
      })
    })
  }),
  Schema.Struct({
    event: Schema.Literal("media"),
    ...ofStream,
    media: Chunk
  }),
  Schema.Struct({ event: Schema.Literal("dtmf"), ...ofStream, dtmf: Schema.Struct({ digit: Schema.String }) }),
  Schema.Struct({ event: Schema.Literal("mark"), ...ofStream, mark: Schema.Struct({ name: Schema.String }) }),
  Schema.Struct({
    event: Schema.Literal("stop"),
    ...ofStream,
    stop: Schema.optional(Schema.Struct({ call_control_id: Schema.optional(Schema.String) }))
  })
)
type Event = typeof Event.Type

const read = (wire: Event): VendorEvent => {
  if (wire.event === "connected") return { _tag: "Greeted" }
  const of = { streamId: wire.stream_id, sequence: wire.sequence_number }
  switch (wire.event) {
    case "start": {
      const { call_control_id: callId, client_state, custom_parameters, media_format } = wire.start
      const { channels = 1, encoding, sample_rate: sampleRate } = media_format
      const state = typeof client_state === "string" ? { client_state } : {}
      const parameters = { ...custom_parameters, ...state }
      return { _tag: "Started", ...of, callId, format: { encoding, sampleRate, channels }, parameters }
    }
    case "media":
      return mediaOf(of, wire.media)
    case "dtmf":
      return { _tag: "Digit", ...of, digit: wire.dtmf.digit }
    case "mark":
      return { _tag: "Marked", ...of, name: wire.mark.name }
    case "stop":
      return { _tag: "Stopped", ...of, callId: wire.stop?.call_control_id ?? "" }
  }
}

const write = (event: NamedEvent): Event | undefined => {
  if (event._tag === "Greeted") return { event: "connected", version: "1.0.0" }
  const { sequence, streamId: stream_id } = event
  const of = { stream_id, ...(sequence === undefined ? {} : { sequence_number: sequence }) }
  switch (event._tag) {
    case "Started": {
      const { callId: call_control_id, format, parameters } = event
      const { channels, encoding, sampleRate: sample_rate } = format
      const { client_state, ...custom_parameters } = parameters
      const state = client_state === undefined ? {} : { client_state }
      const media_format = { encoding, sample_rate, channels }
      return { event: "start", ...of, start: { call_control_id, ...state, custom_parameters, media_format } }
    }
    case "Media": {
      const timestamp = event.atMs === undefined ? {} : { timestamp: event.atMs }
      return { event: "media", ...of, media: { track: "inbound", ...timestamp, payload: event.bytes } }
    }
    case "Digit":
      return { event: "dtmf", ...of, dtmf: { digit: event.digit } }
    case "Marked":
      return { event: "mark", ...of, mark: { name: event.name } }
    case "Stopped":
      return { event: "stop", ...of, stop: { call_control_id: event.callId } }
    // It is not known to confirm a clear.
    case "Cleared":
      return undefined
    case "Outbound":
      return { event: "media", ...of, media: { track: "outbound", payload: new Uint8Array() } }
  }
}

const ToVendor = Schema.Union(
  Schema.Struct({ event: Schema.Literal("media"), media: Schema.Struct({ payload: Payload }) }),
  Schema.Struct({ event: Schema.Literal("mark"), mark: Schema.Struct({ name: Schema.String }) }),
  Schema.Struct({ event: Schema.Literal("clear") })
)

/** Commands name no stream and no format: both are those of the socket. */
const streamId = ""
const format: MediaFormat = { encoding: "", sampleRate: 0, channels: 1 }

/**
 * @since 0.1.0
 * @category codecs
 */
export const codec: Codec = {
  vendor: "Telnyx",
  byteOrder: "big",
  event: jsonEvents(Event, { read, write }),
  command: jsonFrames(Command, ToVendor, {
    read: (wire): Command => {
      switch (wire.event) {
        case "media":
          return { _tag: "Play", streamId, bytes: wire.media.payload, format }
        case "mark":
          return { _tag: "Mark", streamId, name: wire.mark.name }
        case "clear":
          return { _tag: "Clear", streamId }
      }
    },
    write: (command): typeof ToVendor.Type => {
      switch (command._tag) {
        case "Play":
          return { event: "media", media: { payload: command.bytes } }
        case "Mark":
          return { event: "mark", mark: { name: command.name } }
        case "Clear":
          return { event: "clear" }
      }
    }
  })
}
