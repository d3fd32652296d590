/**
 * Plivo's audio streams, in both directions: `<Stream bidirectional="true">`. µ-law at 8 kHz, or L16 at 8 or 16 kHz.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import {
  Chunk,
  type Codec,
  Command,
  jsonEvents,
  jsonFrames,
  mediaOf,
  type NamedEvent,
  Numeral,
  Parameters,
  Payload,
  type VendorEvent
} from "./Codec.js"

const ofStream = { sequenceNumber: Schema.optional(Schema.Number), streamId: Schema.optional(Schema.String) }

const Event = Schema.Union(
  Schema.Struct({
    event: Schema.Literal("start"),
    sequenceNumber: Schema.optional(Schema.Number),
    start: Schema.Struct({
      callId: Schema.String,
      streamId: Schema.String,
      mediaFormat: Schema.Struct({
        encoding: Schema.String,
        sampleRate: Schema.Number,
        channels: Schema.optional(Schema.Number)
      })
    }),
    extra_headers: Schema.optional(Schema.String)
  }),
  Schema.Struct({
    event: Schema.Literal("media"),
    ...ofStream,
    media: Chunk
  }),
  Schema.Struct({ event: Schema.Literal("dtmf"), ...ofStream, dtmf: Schema.Struct({ digit: Schema.String }) }),
  Schema.Struct({ event: Schema.Literal("playedStream"), ...ofStream, name: Schema.String }),
  Schema.Struct({ event: Schema.Literal("clearedAudio"), ...ofStream }),
  Schema.Struct({ event: Schema.Literal("stop"), ...ofStream })
)
type Event = typeof Event.Type

const readHeaders = Schema.decodeEither(Schema.parseJson(Parameters))

/** Plivo passes them as JSON, or as `key=value` with commas, as they were written. */
const headersOf = (text: string): { readonly [name: string]: string } =>
  Either.getOrElse(readHeaders(text), () =>
    Object.fromEntries(
      text.split(",").flatMap((pair) => {
        const [name = "", ...value] = pair.trim().split("=")
        return name === "" ? [] : [[name, value.join("=")]]
      })
    )
  )

const read = (wire: Event): VendorEvent => {
  const sequence = wire.sequenceNumber
  if (wire.event === "start") {
    const { callId, mediaFormat, streamId } = wire.start
    const format = { ...mediaFormat, channels: mediaFormat.channels ?? 1 }
    return { _tag: "Started", streamId, sequence, callId, format, parameters: headersOf(wire.extra_headers ?? "") }
  }
  const of = { streamId: wire.streamId ?? "", sequence }
  switch (wire.event) {
    case "media":
      return mediaOf(of, wire.media)
    case "dtmf":
      return { _tag: "Digit", ...of, digit: wire.dtmf.digit }
    case "playedStream":
      return { _tag: "Marked", ...of, name: wire.name }
    case "clearedAudio":
      return { _tag: "Cleared", ...of }
    case "stop":
      return { _tag: "Stopped", ...of, callId: "" }
  }
}

const write = (event: NamedEvent): Event | undefined => {
  if (event._tag === "Greeted") return undefined
  const { sequence, streamId } = event
  const sequenced = sequence === undefined ? {} : { sequenceNumber: sequence }
  const of = { streamId, ...sequenced }
  switch (event._tag) {
    case "Started": {
      const { callId, format: mediaFormat, parameters } = event
      const extra_headers = JSON.stringify(parameters)
      return { event: "start", ...sequenced, start: { callId, streamId, mediaFormat }, extra_headers }
    }
    case "Media": {
      const timestamp = event.atMs === undefined ? {} : { timestamp: event.atMs }
      return { event: "media", ...of, media: { track: "inbound", ...timestamp, payload: event.bytes } }
    }
    case "Digit":
      return { event: "dtmf", ...of, dtmf: { digit: event.digit } }
    case "Marked":
      return { event: "playedStream", ...of, name: event.name }
    case "Cleared":
      return { event: "clearedAudio", ...of }
    case "Outbound":
      return { event: "media", ...of, media: { track: "outbound", payload: new Uint8Array() } }
    case "Stopped":
      return { event: "stop", ...of }
  }
}

const ToVendor = Schema.Union(
  Schema.Struct({
    event: Schema.Literal("playAudio"),
    media: Schema.Struct({ contentType: Schema.String, sampleRate: Numeral, payload: Payload })
  }),
  Schema.Struct({ event: Schema.Literal("checkpoint"), streamId: Schema.String, name: Schema.String }),
  Schema.Struct({ event: Schema.Literal("clearAudio"), streamId: Schema.String })
)

/**
 * @since 0.1.0
 * @category codecs
 */
export const codec: Codec = {
  vendor: "Plivo",
  byteOrder: "little",
  returnsClearedMarks: false,
  event: jsonEvents(Event, { read, write }),
  command: jsonFrames(Command, ToVendor, {
    read: (wire): Command => {
      switch (wire.event) {
        case "playAudio": {
          const { contentType: encoding, payload, sampleRate } = wire.media
          return { _tag: "Play", streamId: "", bytes: payload, format: { encoding, sampleRate, channels: 1 } }
        }
        case "checkpoint":
          return { _tag: "Mark", streamId: wire.streamId, name: wire.name }
        case "clearAudio":
          return { _tag: "Clear", streamId: wire.streamId }
      }
    },
    write: (command): typeof ToVendor.Type => {
      switch (command._tag) {
        case "Play": {
          const { bytes: payload, format } = command
          const { encoding: contentType, sampleRate } = format
          return { event: "playAudio", media: { contentType, sampleRate, payload } }
        }
        case "Mark":
          return { event: "checkpoint", streamId: command.streamId, name: command.name }
        case "Clear":
          return { event: "clearAudio", streamId: command.streamId }
      }
    }
  })
}
