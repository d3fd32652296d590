import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { numRuns } from "../runs.js"
import { type Client, connect } from "./client.js"
import { base64, sound } from "./sound.js"

const { say, script, stall } = EmbeddedRealtime

const start = (options: EmbeddedRealtime.Options = {}, input: object = {}) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make({ mind: script([]), ...options })
    const client = yield* connect(server.model)
    yield* configure(client, input)
    return { client, connection: yield* server.connection }
  })

const configure = (client: Client, input: object) =>
  Effect.gen(function* () {
    yield* client.sendRaw({ type: "session.update", session: { type: "realtime", audio: { input } } })
    yield* client.until("session.updated")
  })

const vad = (fields: object = {}) => ({ turn_detection: { type: "server_vad", ...fields } })

const append = (client: Client, ...pieces: ReadonlyArray<Buffer>) =>
  client.send({ type: "input_audio_buffer.append", audio: base64(...pieces) })

/** Sends an event that is always refused, and returns the types of the events before its refusal. */
const typesSoFar = (client: Client) =>
  Effect.gen(function* () {
    yield* client.send({ type: "output_audio_buffer.clear" })
    return (yield* client.typesUntil("error")).slice(0, -1)
  })

const turn = [
  "input_audio_buffer.speech_started",
  "input_audio_buffer.speech_stopped",
  "input_audio_buffer.committed",
  "conversation.item.added",
  "conversation.item.done"
]

describe("server_vad", () => {
  it.scoped("finds a turn in the audio, commits it, and responds", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start({ mind: script([[say("Hello.")]]) })
      yield* append(client, sound(400, 0), sound(600))
      const started = yield* client.take
      expect(started).toMatchObject({ type: "input_audio_buffer.speech_started", audio_start_ms: 100 })
      yield* append(client, sound(500, 0))
      const stopped = yield* client.until("input_audio_buffer.speech_stopped")
      expect(stopped).toMatchObject({ audio_end_ms: 1_500 })
      const committed = yield* client.until("input_audio_buffer.committed")
      expect(committed).toMatchObject({ previous_item_id: null })
      const { item } = yield* client.until("conversation.item.done")
      expect(item).toMatchObject({ role: "user", status: "completed", content: [{ type: "input_audio" }] })
      expect(new Set([stopped.item_id, committed.item_id, item.id])).toEqual(
        new Set(started.type === "input_audio_buffer.speech_started" ? [started.item_id] : [])
      )
      const { response } = yield* client.until("response.done")
      // 1,400 ms of the user's voice: 14 tokens.
      expect(response.usage?.input_token_details).toMatchObject({ audio_tokens: 14, text_tokens: 0 })
      expect(yield* connection.conversation).toMatchObject([{ role: "user" }, { role: "assistant" }])
    })
  )

  it.scoped("sends the events of a turn in the order of the real API, however the audio is cut", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 4 }), (sizes) =>
          Effect.gen(function* () {
            const { client } = yield* start({}, vad({ create_response: false }))
            const audio = Buffer.concat([sound(200, 0), sound(300), sound(700, 0), sound(300), sound(700, 0)])
            let at = 0
            for (let index = 0; at < audio.length; index++) {
              const size = sizes[index % sizes.length] ?? audio.length
              yield* append(client, audio.subarray(at, at + size))
              at += size
            }
            expect(yield* typesSoFar(client)).toEqual([...turn, ...turn])
          }).pipe(Effect.scoped, Effect.runPromise)
        ),
        { numRuns: numRuns(15) }
      )
    )
  )

  it.scoped("hears G.711", () =>
    Effect.gen(function* () {
      const { client } = yield* start({}, { format: { type: "audio/pcmu" }, ...vad({ create_response: false }) })
      // 0x80 and 0x00 are the loudest samples of µ-law, 0xff is silence.
      const loud = Buffer.from(Array.from({ length: 8 * 200 }, (_, index) => (index % 16 < 8 ? 0x80 : 0x00)))
      yield* append(client, loud, Buffer.alloc(8 * 500, 0xff))
      expect(yield* client.take).toMatchObject({ audio_start_ms: 0 })
      expect(yield* client.take).toMatchObject({ audio_end_ms: 700 })
    })
  )

  it.scoped("goes by threshold, prefix_padding_ms and silence_duration_ms", () =>
    Effect.gen(function* () {
      const { client } = yield* start(
        {},
        vad({ prefix_padding_ms: 20, silence_duration_ms: 200, create_response: false })
      )
      yield* append(client, sound(400, 0), sound(100), sound(300, 0))
      expect(yield* client.take).toMatchObject({ audio_start_ms: 380 })
      expect(yield* client.take).toMatchObject({ audio_end_ms: 700 })
      yield* client.until("conversation.item.done")
      yield* configure(client, vad({ threshold: 1 }))
      yield* append(client, sound(400, 1_000), sound(600, 0))
      expect(yield* typesSoFar(client)).toEqual([])
    })
  )

  it.scoped("cancels the active response when the user speaks, and responds to the turn", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ mind: script([[say("One."), stall], [say("Two.")]]) })
      yield* client.send({ type: "response.create" })
      yield* client.until("conversation.item.done")
      yield* append(client, sound(100))
      yield* client.until("input_audio_buffer.speech_started")
      const cancelled = yield* client.until("response.done")
      expect(cancelled.response).toMatchObject({
        status: "cancelled",
        status_details: { type: "cancelled", reason: "turn_detected" }
      })
      yield* append(client, sound(500, 0))
      expect((yield* client.until("response.output_audio_transcript.done")).transcript).toBe("Two.")
    })
  )

  it.scoped("leaves responses beside the conversation alone", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ mind: script([[stall]]) }, vad({ create_response: false }))
      yield* client.send({ type: "response.create", response: { conversation: "none" } })
      yield* client.until("rate_limits.updated")
      yield* append(client, sound(100), sound(500, 0))
      expect(yield* typesSoFar(client)).toEqual(turn)
    })
  )

  it.scoped("only reports where the session wants neither a response nor an interruption", () =>
    Effect.gen(function* () {
      const { client } = yield* start(
        { mind: script([[stall]]) },
        vad({ create_response: false, interrupt_response: false })
      )
      yield* client.send({ type: "response.create" })
      yield* client.until("rate_limits.updated")
      yield* append(client, sound(100), sound(500, 0))
      expect(yield* typesSoFar(client)).toEqual(turn)
      yield* client.send({ type: "response.cancel" })
      expect((yield* client.until("response.done")).response.status_details?.reason).toBe("client_cancelled")
    })
  )

  it.scoped("gives a turn no response of its own while one is active that may not be interrupted", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ mind: script([[stall]]) }, vad({ interrupt_response: false }))
      yield* client.send({ type: "response.create" })
      yield* client.until("rate_limits.updated")
      yield* append(client, sound(100), sound(500, 0))
      expect(yield* typesSoFar(client)).toEqual(turn)
    })
  )

  it.scoped("keeps the announced item when the client commits in the middle of a speech", () =>
    Effect.gen(function* () {
      const { client } = yield* start({}, vad({ create_response: false }))
      yield* append(client, sound(300))
      const started = yield* client.until("input_audio_buffer.speech_started")
      yield* client.send({ type: "input_audio_buffer.commit" })
      expect((yield* client.until("conversation.item.done")).item.id).toBe(started.item_id)
      yield* append(client, sound(300, 0), sound(300))
      const again = yield* client.until("input_audio_buffer.speech_started")
      expect(again.item_id).not.toBe(started.item_id)
      expect(again.audio_start_ms).toBe(300)
    })
  )

  it.scoped("leaves only the audio after the turn in the buffer", () =>
    Effect.gen(function* () {
      const { client } = yield* start({}, vad({ create_response: false }))
      yield* append(client, sound(300), sound(580, 0))
      yield* client.until("conversation.item.done")
      yield* client.send({ type: "input_audio_buffer.commit" })
      expect((yield* client.until("error")).error.message).toContain("only has 80.00ms")
    })
  )

  it.scoped("forgets a speech whose audio the client clears", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      yield* append(client, sound(300))
      yield* client.until("input_audio_buffer.speech_started")
      yield* client.send({ type: "input_audio_buffer.clear" })
      yield* append(client, sound(600, 0))
      expect(yield* typesSoFar(client)).toEqual(["input_audio_buffer.cleared"])
    })
  )
})

describe("semantic_vad", () => {
  for (const [eagerness, ms] of [
    ["low", 8_000],
    ["medium", 4_000],
    ["auto", 4_000],
    ["high", 2_000]
  ] as const) {
    it.scoped(`waits ${ms} ms of silence when its eagerness is ${eagerness}`, () =>
      Effect.gen(function* () {
        const { client } = yield* start(
          {},
          { turn_detection: { type: "semantic_vad", eagerness, create_response: false } }
        )
        yield* append(client, sound(100), sound(ms - 10, 0))
        expect(yield* typesSoFar(client)).toEqual(turn.slice(0, 1))
        yield* append(client, sound(10, 0))
        expect(yield* client.take).toMatchObject({ audio_end_ms: 100 + ms })
      })
    )
  }
})

describe("push-to-talk", () => {
  const off = { turn_detection: null }

  it.scoped("reports nothing, and responds to nothing by itself", () =>
    Effect.gen(function* () {
      const { client } = yield* start({}, off)
      yield* append(client, sound(500), sound(1_000, 0))
      expect(yield* typesSoFar(client)).toEqual([])
      yield* client.send({ type: "input_audio_buffer.commit" })
      expect(yield* typesSoFar(client)).toEqual(turn.slice(2))
    })
  )

  it.scoped("refuses to commit less than 100 ms, also after a commit or a clear", () =>
    Effect.gen(function* () {
      const { client } = yield* start({}, off)
      const refused = Effect.gen(function* () {
        yield* append(client, sound(99))
        yield* client.send({ type: "input_audio_buffer.commit" })
        const { error } = yield* client.until("error")
        expect(error).toMatchObject({
          code: "input_audio_buffer_commit_empty",
          message:
            "Error committing input audio buffer: buffer too small. Expected at least 100ms of audio, but buffer only has 99.00ms of audio."
        })
      })
      yield* refused
      yield* append(client, sound(1))
      yield* client.send({ type: "input_audio_buffer.commit" })
      yield* client.until("conversation.item.done")
      yield* refused
      yield* client.send({ type: "input_audio_buffer.clear" })
      yield* client.until("input_audio_buffer.cleared")
      yield* refused
    })
  )

  it.scoped("drops a speech that was being heard when it was turned on", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      yield* append(client, sound(300))
      yield* client.until("input_audio_buffer.speech_started")
      yield* configure(client, off)
      yield* append(client, sound(600, 0))
      expect(yield* typesSoFar(client)).toEqual([])
      yield* client.send({ type: "input_audio_buffer.commit" })
      expect(yield* typesSoFar(client)).toEqual(turn.slice(2))
    })
  )
})
