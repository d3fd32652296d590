import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { PlivoMediaStream, TelnyxMediaStream, TwilioMediaStream, VonageMediaStream } from "../../src/Telephony.js"
import { type Codec, formatOf, type VendorEvent } from "../../src/telephony/Codec.js"

const read = (codec: Codec, frame: unknown) =>
  Schema.decodeSync(codec.event)(frame instanceof Uint8Array ? frame : JSON.stringify(frame))
const written = (codec: Codec, command: Parameters<typeof write>[1]): unknown => {
  const frame = write(codec, command)
  return typeof frame === "string" ? JSON.parse(frame) : frame
}
const write = (codec: Codec, command: Schema.Schema.Type<Codec["command"]>) => Schema.encodeSync(codec.command)(command)

const mulaw = { encoding: "audio/x-mulaw", sampleRate: 8_000, channels: 1 }
const bytes = new Uint8Array([0xff, 0x7f, 0])
const payload = "/38A"
const twilio = TwilioMediaStream.codec
const telnyx = TelnyxMediaStream.codec
const vonage = VonageMediaStream.codec
const plivo = PlivoMediaStream.codec

describe("Twilio's frames, as its documentation has them", () => {
  const start = {
    event: "start",
    sequenceNumber: "1",
    start: {
      accountSid: "AC1",
      streamSid: "MZ1",
      callSid: "CA1",
      tracks: ["inbound"],
      mediaFormat: mulaw,
      customParameters: { token: "secret" }
    },
    streamSid: "MZ1"
  }
  const of = { streamId: "MZ1" }
  const media = { track: "inbound", chunk: "2", timestamp: "5", payload }
  const events: ReadonlyArray<readonly [frame: object, event: VendorEvent]> = [
    [{ event: "connected", protocol: "Call", version: "1.0.0" }, { _tag: "Greeted" }],
    [start, { _tag: "Started", ...of, sequence: 1, callId: "CA1", format: mulaw, parameters: { token: "secret" } }],
    [
      { event: "media", sequenceNumber: "3", media, streamSid: "MZ1" },
      { _tag: "Media", ...of, sequence: 3, bytes, atMs: 5 }
    ],
    [
      { event: "dtmf", streamSid: "MZ1", sequenceNumber: "5", dtmf: { track: "inbound_track", digit: "1" } },
      { _tag: "Digit", ...of, sequence: 5, digit: "1" }
    ],
    [
      { event: "mark", sequenceNumber: "4", streamSid: "MZ1", mark: { name: "m" } },
      { _tag: "Marked", ...of, sequence: 4, name: "m" }
    ],
    [
      { event: "stop", sequenceNumber: "5", stop: { accountSid: "AC1", callSid: "CA1" }, streamSid: "MZ1" },
      { _tag: "Stopped", ...of, sequence: 5, callId: "CA1" }
    ],
    [
      { event: "sung", streamSid: "MZ1" },
      { _tag: "Unknown", type: "sung" }
    ]
  ]
  it.each(events)("are read: %j", (frame, event) => expect(read(twilio, frame)).toEqual(event))

  it("are written", () => {
    const streamId = "MZ1"
    expect(written(twilio, { _tag: "Play", streamId, bytes, format: mulaw })).toEqual({
      event: "media",
      streamSid: "MZ1",
      media: { payload }
    })
    expect(written(twilio, { _tag: "Mark", streamId, name: "m" })).toEqual({
      event: "mark",
      streamSid: "MZ1",
      mark: { name: "m" }
    })
    expect(written(twilio, { _tag: "Clear", streamId })).toEqual({ event: "clear", streamSid: "MZ1" })
  })

  it("have their numbers as text when a test plays the vendor", () => {
    const text = Schema.encodeSync(twilio.event)({ _tag: "Media", ...of, sequence: 3, bytes, atMs: 20 })
    expect(JSON.parse(String(text))).toEqual({
      event: "media",
      sequenceNumber: "3",
      streamSid: "MZ1",
      media: { track: "inbound", chunk: "2", timestamp: "20", payload }
    })
  })

  const wrong: ReadonlyArray<unknown> = [
    { event: "media", streamSid: "MZ1", media: { payload: "?" } },
    { event: "media", streamSid: "MZ1" },
    { event: "start", streamSid: "MZ1", start: {} },
    { event: 1 },
    {},
    null,
    [],
    new Uint8Array(160)
  ]
  it.each(wrong)("are refused if they lack something: %j", (frame) => {
    expect(() => read(twilio, frame)).toThrow()
  })
})

describe("Frames of the other vendors", () => {
  it("of Telnyx are read and written", () => {
    const of = { streamId: "s", sequence: 1 }
    const start = {
      event: "start",
      sequence_number: "1",
      start: {
        user_id: "u",
        call_control_id: "v3:1",
        client_state: "aGk=",
        media_format: { encoding: "PCMU", sample_rate: 8_000, channels: 1 }
      },
      stream_id: "s"
    }
    const format = { encoding: "PCMU", sampleRate: 8_000, channels: 1 }
    expect(read(telnyx, start)).toEqual({
      _tag: "Started",
      ...of,
      callId: "v3:1",
      format,
      parameters: { client_state: "aGk=" }
    })
    const media = { track: "inbound", chunk: "2", timestamp: "5", payload }
    expect(read(telnyx, { event: "media", sequence_number: "1", media, stream_id: "s" })).toEqual({
      _tag: "Media",
      ...of,
      bytes,
      atMs: 5
    })
    expect(read(telnyx, { event: "error", payload: { code: 100_002 } })).toEqual({ _tag: "Unknown", type: "error" })
    expect(written(telnyx, { _tag: "Play", streamId: "s", bytes, format })).toEqual({
      event: "media",
      media: { payload }
    })
    expect(written(telnyx, { _tag: "Clear", streamId: "s" })).toEqual({ event: "clear" })
  })

  it("of Vonage are read and written: audio is binary", () => {
    const connected = { event: "websocket:connected", "content-type": "audio/l16;rate=8000", uuid: "u", shop: "Kiel" }
    expect(read(vonage, connected)).toMatchObject({
      _tag: "Started",
      callId: "u",
      format: { encoding: "audio/l16", sampleRate: 8_000, channels: 1 },
      parameters: { uuid: "u", shop: "Kiel" }
    })
    expect(read(vonage, bytes)).toMatchObject({ _tag: "Media", bytes })
    expect(read(vonage, { event: "websocket:dtmf", digit: "5", duration: 260 })).toMatchObject({ digit: "5" })
    expect(read(vonage, { event: "websocket:notify", payload: { mark: "m" } })).toMatchObject({ name: "m" })
    const format = { encoding: "audio/l16", sampleRate: 8_000, channels: 1 }
    expect(written(vonage, { _tag: "Play", streamId: "", bytes, format })).toEqual(bytes)
    expect(written(vonage, { _tag: "Mark", streamId: "", name: "m" })).toEqual({
      action: "notify",
      payload: { mark: "m" }
    })
    expect(written(vonage, { _tag: "Clear", streamId: "" })).toEqual({ action: "clear" })
  })

  it("of Plivo are read and written", () => {
    const start = {
      sequenceNumber: 0,
      event: "start",
      start: {
        callId: "c",
        streamId: "s",
        accountId: "1",
        tracks: ["inbound"],
        mediaFormat: { encoding: "audio/x-mulaw", sampleRate: 8_000 }
      },
      extra_headers: '{"token":"secret"}'
    }
    expect(read(plivo, start)).toEqual({
      ...{ _tag: "Started", streamId: "s", sequence: 0, callId: "c", format: mulaw },
      parameters: { token: "secret" }
    })
    expect(read(plivo, { ...start, extra_headers: "token=secret,shop=Kiel" })).toMatchObject({
      parameters: { token: "secret", shop: "Kiel" }
    })
    expect(read(plivo, { event: "playedStream", sequenceNumber: 3, streamId: "s", name: "m" })).toMatchObject({
      _tag: "Marked",
      name: "m"
    })
    expect(written(plivo, { _tag: "Play", streamId: "s", bytes, format: mulaw })).toEqual({
      event: "playAudio",
      media: { contentType: "audio/x-mulaw", sampleRate: "8000", payload }
    })
    expect(written(plivo, { _tag: "Mark", streamId: "s", name: "m" })).toEqual({
      event: "checkpoint",
      streamId: "s",
      name: "m"
    })
    expect(written(plivo, { _tag: "Clear", streamId: "s" })).toEqual({ event: "clearAudio", streamId: "s" })
  })
})

describe("What a vendor calls its format", () => {
  const known: ReadonlyArray<readonly [Codec, string, number, string]> = [
    [twilio, "audio/x-mulaw", 8_000, "pcmu"],
    [telnyx, "PCMU", 8_000, "pcmu"],
    [telnyx, "PCMA", 8_000, "pcma"],
    [telnyx, "L16", 16_000, "pcm16"],
    [vonage, "audio/l16", 16_000, "pcm16"],
    [plivo, "audio/x-l16", 8_000, "pcm16"]
  ]
  it.each(known)("is understood: $1", (codec, encoding, sampleRate, expected) => {
    expect(formatOf(codec, { encoding, sampleRate, channels: 1 })).toEqual(
      Either.right({ encoding: expected, sampleRate })
    )
  })

  const foreign: ReadonlyArray<readonly [Codec, string, number, number]> = [
    [telnyx, "G722", 8_000, 1],
    [telnyx, "OPUS", 48_000, 1],
    [telnyx, "AMR-WB", 16_000, 1],
    [twilio, "audio/x-mulaw", 16_000, 1],
    [twilio, "audio/x-mulaw", 8_000, 2],
    [twilio, "L16", 16_000, 1],
    [vonage, "audio/l16", 7_000, 1]
  ]
  it.each(foreign)("is a typed error if it cannot be decoded: %o", (codec, encoding, sampleRate, channels) => {
    const format = formatOf(codec, { encoding, sampleRate, channels })
    expect(Either.isLeft(format) ? format.left._tag : "").toBe("FormatUnsupported")
  })
})

describe("Any frame", () => {
  const codecs = [twilio, telnyx, vonage, plivo]
  it.each(codecs.map((codec) => [codec.vendor, codec] as const))(
    "of %s is read or refused, and throws nothing",
    (_, codec) => {
      const decode = Schema.decodeEither(codec.event)
      FastCheck.assert(
        FastCheck.property(FastCheck.oneof(FastCheck.json(), FastCheck.string()), (text) => {
          decode(text)
        })
      )
    }
  )
})
