import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as Audio from "../../src/Audio.js"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import { type Harness, open } from "./harness.js"

const agentWith = (settings: Agent.Settings = {}) => Agent.make("Speaker", { instructions: "Speak.", settings })
const audioOut: Agent.Settings = { output_modalities: ["audio"] }

const second = (value = 1) => new Uint8Array(48_000).fill(value)
const position = { response_id: "r1", item_id: "i1", output_index: 0, content_index: 0 }

/** The server begins a response and sends so many seconds of audio at once. */
const speak = <E>({ model }: Harness<E>, seconds: number, at: Partial<typeof position> = {}) =>
  Effect.gen(function* () {
    const where = { ...position, ...at }
    yield* model.push({ type: "response.created", response: { id: where.response_id, status: "in_progress" } })
    yield* model.push({
      type: "response.output_item.added",
      response_id: where.response_id,
      output_index: 0,
      item: { type: "message", id: where.item_id, role: "assistant", content: [] }
    })
    for (let index = 0; index < seconds; index += 1) {
      yield* model.push({ type: "response.output_audio.delta", ...where, delta: Audio.encodeBase64(second()) })
    }
  })

const done = { type: "response.done", response: { id: "r1", status: "completed", output: [] } } as const
const speechStarted = { type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u1" } as const

const sentOf = <E, T extends ClientEvent["type"]>({ model }: Harness<E>, type: T) =>
  Effect.map(model.sent, (sent) =>
    sent.filter((event): event is Extract<ClientEvent, { type: T }> => event.type === type)
  )

describe("Interruption and playback", () => {
  it.scoped("gives the application the audio as bytes", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith(), [], { settings: audioOut })
      const chunks = yield* Effect.fork(Stream.runCollect(Stream.take(h.session.audio, 2)))
      yield* speak(h, 2)
      const expected = { responseId: "r1", itemId: "i1", contentIndex: 0, bytes: second() }
      expect([...(yield* Fiber.join(chunks))]).toEqual([expected, expected])
    })
  )

  it.scoped("cuts what was not heard yet when the user begins to speak, also after generation has ended", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith(), [], { settings: audioOut })
      yield* speak(h, 5)
      yield* h.model.push(done)
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("1500 millis")
      yield* h.model.push(speechStarted)
      const interrupted = yield* h.first("AudioInterrupted")
      expect(interrupted).toEqual({
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
      // The server stops by itself.
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
    })
  )

  it.scoped("never cuts beyond what was received, and nothing that was heard to its end", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith(), [], { settings: audioOut })
      yield* speak(h, 1)
      yield* h.first("ItemAdded")
      yield* TestClock.adjust("10 seconds")
      yield* h.model.push(speechStarted)
      yield* h.first("SpeechStarted")
      const [truncate] = yield* sentOf(h, "conversation.item.truncate")
      expect(truncate?.audio_end_ms ?? 1000).toBe(1000)
    })
  )

  it.scoped("takes the application's word for what was heard", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith(), [], { settings: audioOut })
      yield* speak(h, 5)
      yield* h.first("ItemAdded")
      yield* h.session.reportPlayback("i1", 0, 320)
      yield* TestClock.adjust("3 seconds")
      yield* h.session.interrupt
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ heardMs: 320 })
    })
  )

  it.scoped("cancels the active response on session.interrupt, and drops what it still says", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith(), [], { settings: audioOut })
      yield* speak(h, 2)
      yield* h.first("ItemAdded")
      yield* h.session.interrupt
      expect(yield* h.model.next("response.cancel")).toMatchObject({ response_id: "r1" })
      yield* h.model.push({ type: "response.output_audio.delta", ...position, delta: Audio.encodeBase64(second(9)) })
      yield* h.model.push({ type: "response.output_audio_transcript.delta", ...position, delta: "unheard" })
      yield* h.model.push({ ...done, response: { ...done.response, status: "cancelled" } })
      yield* h.first("ResponseDone")
      yield* h.session.close
      const chunks = yield* Stream.runCollect(h.session.audio)
      expect([...chunks].every(({ bytes }) => bytes[0] === 1)).toBe(true)
      expect(h.all("TextDelta")).toEqual([])
    })
  )

  it.scoped(
    "cuts each of several audio items: the one that is heard where it is, those behind it at their beginning",
    () =>
      Effect.gen(function* () {
        const h = yield* open(agentWith(), [], { settings: audioOut })
        yield* speak(h, 2)
        yield* speak(h, 2, { item_id: "i2" })
        yield* h.nth("ItemAdded", 2)
        yield* TestClock.adjust("500 millis")
        yield* h.session.interrupt
        yield* h.nth("AudioInterrupted", 2)
        const truncations = [
          yield* h.model.next("conversation.item.truncate"),
          yield* h.model.next("conversation.item.truncate")
        ]
        expect(truncations).toMatchObject([
          { item_id: "i1", audio_end_ms: 500 },
          { item_id: "i2", audio_end_ms: 0 }
        ])
      })
  )

  it.scoped("does not cut anything where interrupt_response is off", () =>
    Effect.gen(function* () {
      const detection = { turn_detection: { type: "server_vad", interrupt_response: false } } as const
      const h = yield* open(agentWith({ audio: { input: detection } }), [], { settings: audioOut })
      yield* speak(h, 2)
      yield* h.model.push(speechStarted)
      yield* h.first("SpeechStarted")
      expect(h.all("AudioInterrupted")).toEqual([])
    })
  )

  it.scoped("publishes audio that is not base64, and goes on", () =>
    Effect.gen(function* () {
      const h = yield* open(agentWith(), [], { settings: audioOut })
      yield* h.model.push({ type: "response.output_audio.delta", ...position, delta: "***" })
      expect(yield* h.first("ProtocolViolation")).toMatchObject({ type: "response.output_audio.delta" })
    })
  )
})

describe("The user's audio", () => {
  it.scoped("sends it in chunks of any size, and refuses half a sample before anything is sent", () =>
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

  it.scoped("asks for an answer when the user's turn ends by hand, and leaves that to the server otherwise", () =>
    Effect.gen(function* () {
      const talk = yield* open(agentWith({ audio: { input: { turn_detection: null } } }), [])
      yield* talk.session.sendAudio(second())
      yield* talk.session.commitAudio
      yield* talk.first("ResponseDone")
      expect(yield* talk.requests).toBe(1)

      const automatic = yield* open(agentWith(), [])
      yield* automatic.session.sendAudio(second())
      yield* automatic.session.commitAudio
      yield* automatic.model.next("input_audio_buffer.commit")
      yield* TestClock.adjust("1 minute")
      expect(yield* automatic.requests).toBe(0)
    })
  )
})
