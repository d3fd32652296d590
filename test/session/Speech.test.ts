import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as Audio from "../../src/Audio.js"
import { open } from "./harness.js"
import {
  begin,
  beginItem,
  end,
  handled,
  position,
  second,
  sentOf,
  sound,
  soundDone,
  speak,
  userBegins
} from "./speaking.js"

const agentWith = (settings: Agent.Settings = {}) => Agent.make("Speaker", { instructions: "Speak.", settings })
const openAudio = (settings: Agent.Settings = {}) =>
  open(agentWith(settings), [], { settings: { output_modalities: ["audio"] } })

describe("§4 What the model says", () => {
  it.scoped("reaches the application as bytes", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      const chunks = yield* Effect.fork(Stream.runCollect(Stream.take(h.session.audio, 2)))
      yield* speak(h, 2)
      const expected = { responseId: "r1", itemId: "i1", contentIndex: 0, outOfBand: false, bytes: second() }
      expect([...(yield* Fiber.join(chunks))]).toEqual([expected, expected])
    })
  )

  it.scoped("is published if it is not base64, and the rest is played", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      yield* begin(h)
      yield* h.model.push({ type: "response.output_audio.delta", ...position, delta: "***" })
      expect(yield* h.first("ProtocolViolation")).toMatchObject({ type: "response.output_audio.delta" })
      yield* sound(h)
      expect([...(yield* Stream.runCollect(Stream.take(h.session.audio, 1)))]).toMatchObject([{ bytes: second() }])
    })
  )
})

describe("§4 The clock of what was heard", () => {
  it.scoped("starts at the first delta of the item, not at its response", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      yield* begin(h)
      yield* beginItem(h)
      yield* h.first("ItemAdded")
      yield* TestClock.adjust("2 seconds")
      yield* sound(h)
      yield* handled(h)
      yield* TestClock.adjust("300 millis")
      yield* h.session.interrupt
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ heardMs: 300 })
    })
  )

  it.scoped("runs at the item's rate: that of the format which the server speaks", () =>
    Effect.gen(function* () {
      const h = yield* openAudio({ audio: { output: { format: { type: "audio/pcmu" } } } })
      yield* begin(h)
      yield* beginItem(h)
      // G.711 has 8,000 bytes a second: these are six.
      yield* sound(h)
      yield* handled(h)
      yield* TestClock.adjust("1500 millis")
      yield* h.session.interrupt
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ heardMs: 1500 })
    })
  )

  it.scoped("never exceeds what was received", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      yield* speak(h, 1)
      yield* handled(h)
      yield* TestClock.adjust("10 seconds")
      yield* userBegins(h)
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ heardMs: 1000 })
      expect(yield* h.model.next("conversation.item.truncate")).toMatchObject({ audio_end_ms: 1000 })
    })
  )

  it.scoped("goes on after generation has ended, and cuts what was not heard by then", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      yield* speak(h, 5)
      yield* end(h)
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("1500 millis")
      yield* userBegins(h)
      expect(yield* h.first("AudioInterrupted")).toEqual({
        _tag: "AudioInterrupted",
        responseId: "r1",
        itemId: "i1",
        contentIndex: 0,
        heardMs: 1500
      })
      expect(yield* h.model.next("conversation.item.truncate")).toEqual({
        type: "conversation.item.truncate",
        event_id: expect.stringMatching(/^trc_/),
        item_id: "i1",
        content_index: 0,
        audio_end_ms: 1500
      })
    })
  )

  it.scoped("reaches the end of an item, which is then not cut", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      yield* speak(h, 1)
      yield* soundDone(h)
      yield* handled(h)
      yield* TestClock.adjust("1 second")
      yield* userBegins(h)
      yield* handled(h)
      expect(h.all("AudioInterrupted")).toEqual([])
      expect(yield* sentOf(h, "conversation.item.truncate")).toEqual([])
    })
  )

  it.scoped("is the application's if it reports, in whole milliseconds", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      yield* speak(h, 5)
      yield* handled(h)
      yield* h.session.reportPlayback("i1", 0, 320.9)
      yield* TestClock.adjust("3 seconds")
      yield* h.session.interrupt
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ heardMs: 320 })
      expect(yield* h.model.next("conversation.item.truncate")).toMatchObject({ audio_end_ms: 320 })
    })
  )

  it.scoped("is the application's even if that reports more than was received", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      yield* speak(h, 2)
      yield* handled(h)
      yield* h.session.reportPlayback("i1", 0, 60_000)
      yield* h.session.interrupt
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ itemId: "i1", heardMs: 2000 })
      expect(yield* h.model.next("conversation.item.truncate")).toMatchObject({ audio_end_ms: 2000 })
    })
  )

  it.scoped("is the application's also where that reports the end: nothing of the item is cut then", () =>
    Effect.gen(function* () {
      const h = yield* openAudio()
      yield* speak(h, 2)
      yield* soundDone(h)
      yield* handled(h)
      yield* h.session.reportPlayback("i1", 0, "finished")
      yield* h.session.interrupt
      yield* handled(h)
      expect(h.all("AudioInterrupted")).toEqual([])
      expect(yield* sentOf(h, "conversation.item.truncate")).toEqual([])
    })
  )
})

describe("§4 The user's audio", () => {
  it.scoped("is sent in chunks of any size, and half a sample is refused before anything is sent", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith(), [])
      yield* h.session.sendAudio(second())
      const big = new Uint8Array(12_000_000)
      yield* h.session.sendAudio(big)
      expect(yield* Effect.flip(h.session.sendAudio(new Uint8Array(12_000_001)))).toMatchObject({
        _tag: "InvalidAudio"
      })
      yield* h.session.clearAudio
      yield* h.model.next("input_audio_buffer.clear")
      const sent = yield* sentOf(h, "input_audio_buffer.append")
      expect(sent.reduce((sum, { audio }) => sum + Buffer.from(audio, "base64").length, 0)).toBe(48_000 + big.length)
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("is committed in push-to-talk, and then a response is requested", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith({ audio: { input: { turn_detection: null } } }), [])
      yield* h.session.sendAudio(second())
      yield* h.session.commitAudio
      yield* h.first("ResponseDone")
      expect((yield* h.model.sent).slice(1).map(({ type }) => type)).toEqual([
        "input_audio_buffer.append",
        "input_audio_buffer.commit",
        "response.create"
      ])
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("is committed under turn detection too, and the response is left to the server", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith(), [])
      yield* h.session.sendAudio(second())
      yield* h.session.commitAudio
      yield* h.model.next("input_audio_buffer.commit")
      yield* TestClock.adjust("1 minute")
      expect(yield* h.requests).toBe(0)
    })
  )
})

describe("§4 Audio in the format of the session", () => {
  it.scoped("is what the user's is checked against", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith({ audio: { input: { format: { type: "audio/pcma" } } } }), [])
      // One byte is a sample of G.711, and half of one of PCM16.
      yield* h.session.sendAudio(Uint8Array.of(1))
      expect(yield* h.model.next("input_audio_buffer.append")).toMatchObject({
        audio: Audio.encodeBase64(Uint8Array.of(1))
      })
    })
  )
})
