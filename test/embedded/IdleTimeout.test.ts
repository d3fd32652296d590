import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { type Client, connect } from "./client.js"
import { base64, sound } from "./sound.js"

const { pause, say, script, stall } = EmbeddedRealtime

/** Ten characters at 100 ms: the first response plays for one second. */
const start = (detection: object, options: EmbeddedRealtime.Options = {}) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make({
      mind: script([[say("Ten chars.")], [say("Are you there?")], [say("Still?")]]),
      voice: EmbeddedRealtime.toneVoice({ msPerCharacter: 100 }),
      ...options
    })
    const client = yield* connect(server.model)
    yield* configure(client, detection)
    yield* client.send({ type: "response.create" })
    yield* client.until("response.done")
    return { client, connection: yield* server.connection }
  })

const configure = (client: Client, turn_detection: object) =>
  Effect.gen(function* () {
    yield* client.sendRaw({
      type: "session.update",
      session: { type: "realtime", audio: { input: { turn_detection, transcription: { model: "whisper-1" } } } }
    })
    yield* client.until("session.updated")
  })

const append = (client: Client, ...pieces: ReadonlyArray<Buffer>) =>
  client.send({ type: "input_audio_buffer.append", audio: base64(...pieces) })

const typesSoFar = (client: Client) =>
  Effect.gen(function* () {
    yield* client.send({ type: "output_audio_buffer.clear" })
    return (yield* client.typesUntil("error")).slice(0, -1)
  })

const idle = { type: "server_vad", idle_timeout_ms: 6_000 }

describe("idle_timeout_ms", () => {
  it.scoped("commits the silence after the model's audio was played, and says something", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start(idle)
      // One second plays while 1,000 ms of silence come in, and the user is silent for the six that follow.
      yield* append(client, sound(1_000, 0))
      expect(yield* typesSoFar(client)).toEqual([])
      yield* TestClock.adjust("1 second")
      yield* append(client, sound(5_900, 0))
      expect(yield* typesSoFar(client)).toEqual([])
      yield* TestClock.adjust("5999 millis")
      expect(yield* typesSoFar(client)).toEqual([])
      yield* TestClock.adjust("1 millis")
      const triggered = yield* client.take
      expect(triggered).toMatchObject({
        type: "input_audio_buffer.timeout_triggered",
        audio_start_ms: 1_000,
        audio_end_ms: 6_900
      })
      const types = yield* client.typesUntil("response.created")
      expect(types).toEqual([
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.input_audio_transcription.completed",
        "response.created"
      ])
      expect((yield* client.until("response.output_audio_transcript.done")).transcript).toBe("Are you there?")
      expect(yield* connection.conversation).toMatchObject([
        { role: "assistant" },
        { role: "user", content: [{ type: "input_audio", transcript: "" }] },
        { role: "assistant" }
      ])
    })
  )

  it.scoped("counts again after each response", () =>
    Effect.gen(function* () {
      const { client } = yield* start(idle)
      yield* TestClock.adjust("7 seconds")
      yield* client.until("input_audio_buffer.timeout_triggered")
      yield* client.until("response.done")
      // "Are you there?" plays for 1.4 s.
      yield* TestClock.adjust("7399 millis")
      expect(yield* typesSoFar(client)).toEqual([])
      yield* TestClock.adjust("1 millis")
      yield* client.until("input_audio_buffer.timeout_triggered")
      expect((yield* client.until("response.output_audio_transcript.done")).transcript).toBe("Still?")
    })
  )

  it.scoped("does not fire when the user speaks, or when another response begins", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ ...idle, create_response: false })
      yield* append(client, sound(100))
      yield* client.until("input_audio_buffer.speech_started")
      yield* TestClock.adjust("1 minute")
      expect(yield* typesSoFar(client)).toEqual([])
      yield* append(client, sound(500, 0))
      yield* client.until("conversation.item.input_audio_transcription.completed")
      yield* TestClock.adjust("1 minute")
      expect(yield* typesSoFar(client)).toEqual([])
      // The next response begins a new count, which the one after it replaces.
      yield* client.send({ type: "response.create" })
      yield* client.until("response.done")
      yield* TestClock.adjust("5 seconds")
      yield* client.send({ type: "response.create" })
      yield* client.until("response.done")
      yield* TestClock.adjust("6500 millis")
      expect(yield* typesSoFar(client)).toEqual([])
    })
  )

  it.scoped("does not fire while a response is active, nor for one beside the conversation", () =>
    Effect.gen(function* () {
      const { client } = yield* start(idle, { mind: script([[say("Ten chars.")], [stall], [say("Beside.")]]) })
      yield* client.send({ type: "response.create" })
      yield* client.until("rate_limits.updated")
      yield* client.send({ type: "response.create", response: { conversation: "none" } })
      yield* client.until("response.done")
      yield* TestClock.adjust("1 minute")
      expect(yield* typesSoFar(client)).toEqual([])
    })
  )

  it.scoped("does not count while the user speaks over the end of a response", () =>
    Effect.gen(function* () {
      const { client } = yield* start(
        { ...idle, interrupt_response: false, create_response: false },
        { mind: script([[say("Ten chars.")], [pause("1 second"), say("On and on.")]]) }
      )
      yield* client.send({ type: "response.create" })
      yield* client.until("rate_limits.updated")
      yield* append(client, sound(100))
      yield* client.until("input_audio_buffer.speech_started")
      yield* TestClock.adjust("1 second")
      yield* client.until("response.done")
      yield* TestClock.adjust("1 minute")
      expect(yield* typesSoFar(client)).toEqual([])
    })
  )

  it.scoped("commits without a response where the session wants none, and ends when it is turned off", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ ...idle, create_response: false })
      yield* TestClock.adjust("7 seconds")
      yield* client.until("conversation.item.input_audio_transcription.completed")
      expect(yield* typesSoFar(client)).toEqual([])

      const other = yield* start(idle)
      yield* configure(other.client, { type: "server_vad" })
      yield* TestClock.adjust("1 minute")
      expect(yield* typesSoFar(other.client)).toEqual([])
    })
  )

  it.scoped("is off by default", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ type: "server_vad" })
      yield* TestClock.adjust("10 minutes")
      expect(yield* typesSoFar(client)).toEqual([])
    })
  )

  it.scoped("makes the router ask whether the user is still there", () =>
    Effect.gen(function* () {
      const { client } = yield* start(idle, { mind: EmbeddedRealtime.router, voice: EmbeddedRealtime.silentVoice(0) })
      yield* TestClock.adjust("6 seconds")
      yield* client.until("input_audio_buffer.timeout_triggered")
      expect((yield* client.until("response.output_audio_transcript.done")).transcript).toBe("Are you still there?")
    })
  )
})
