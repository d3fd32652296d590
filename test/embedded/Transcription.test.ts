import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { type Client, connect } from "./client.js"
import { base64, sound } from "./sound.js"

const { call, fromFunction, say, script, UNINTELLIGIBLE } = EmbeddedRealtime

/** Echoes the user's last words, as the model knows them. */
const echo = fromFunction((conversation) => {
  const last = conversation.findLast((item) => item.type === "message" && item.role === "user")
  const [part] = last?.type === "message" ? last.content : []
  return [say(part?.type === "input_audio" && part.transcript !== null ? `You said: ${part.transcript}` : "What?")]
})

const start = (options: EmbeddedRealtime.Options, model: string | null = "gpt-4o-transcribe", tools: object = {}) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make({ mind: echo, ...options })
    const client = yield* connect(server.model)
    yield* client.sendRaw({
      type: "session.update",
      session: { type: "realtime", audio: { input: { transcription: model === null ? null : { model } } }, ...tools }
    })
    yield* client.until("session.updated")
    return { client, connection: yield* server.connection }
  })

/** A turn of one second, as voice activity detection hears it. */
const speak = (client: Client) =>
  client.send({ type: "input_audio_buffer.append", audio: base64(sound(500), sound(500, 0)) })

const completed = "conversation.item.input_audio_transcription.completed"
const failed = "conversation.item.input_audio_transcription.failed"
const said = (client: Client) =>
  Effect.map(client.until("response.output_audio_transcript.done"), ({ transcript }) => transcript)

describe("transcribe", () => {
  it.scoped("says what each utterance meant: to the client in pieces, and to the mind", () =>
    Effect.gen(function* () {
      const heard: Array<EmbeddedRealtime.Utterance> = []
      const lines = ["good morning", "good night"]
      const { client } = yield* start({
        transcribe: (utterance) => {
          heard.push(utterance)
          return { text: lines[utterance.index] ?? "" }
        }
      })
      for (const line of lines) {
        yield* speak(client)
        const { item } = yield* client.until("conversation.item.done")
        expect(item).toMatchObject({ content: [{ transcript: null }] })
        for (const delta of line.match(/ ?\S+/g) ?? []) {
          expect(yield* client.until("conversation.item.input_audio_transcription.delta")).toMatchObject({ delta })
        }
        expect(yield* client.until(completed)).toMatchObject({
          item_id: item.id,
          content_index: 0,
          transcript: line,
          usage: { type: "tokens", input_token_details: { audio_tokens: 10 } }
        })
        expect(yield* said(client)).toBe(`You said: ${line}`)
        yield* client.until("response.done")
      }
      expect(heard).toMatchObject([
        { index: 0, durationMs: 1_000 },
        { index: 1, durationMs: 1_000 }
      ])
    })
  )

  it.scoped("lets the router run a tool for what was spoken", () =>
    Effect.gen(function* () {
      const { client } = yield* start(
        { mind: EmbeddedRealtime.router, transcribe: () => ({ text: "How is the weather in Paris?" }) },
        null,
        {
          tools: [
            {
              type: "function",
              name: "get_weather",
              description: "Current weather in a city",
              parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
            }
          ]
        }
      )
      yield* speak(client)
      const done = yield* client.until("response.done")
      expect(done.response.output).toMatchObject([{ type: "function_call", arguments: '{"city":"Paris"}' }])
    })
  )

  it.scoped("tells the mind at once, and the client late", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ transcribe: () => ({ text: "hello", delay: "3 seconds" }) }, "whisper-1")
      yield* speak(client)
      expect(yield* said(client)).toBe("You said: hello")
      yield* client.until("response.done")
      yield* TestClock.adjust("2999 millis")
      yield* client.send({ type: "output_audio_buffer.clear" })
      expect((yield* client.take).type).toBe("error")
      yield* TestClock.adjust("1 millis")
      // Whisper gives its transcript in one piece.
      expect(yield* client.take).toMatchObject({ delta: "hello" })
      expect(yield* client.take).toMatchObject({ transcript: "hello", usage: { type: "duration", seconds: 1 } })
    })
  )

  it.scoped("may overtake the item", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ transcribe: () => ({ text: "hello", beforeItem: true }) })
      yield* speak(client)
      yield* client.until("input_audio_buffer.committed")
      expect(yield* client.typesUntil("conversation.item.done")).toEqual([
        "conversation.item.input_audio_transcription.delta",
        completed,
        "conversation.item.added",
        "conversation.item.done"
      ])
      expect(yield* said(client)).toBe("You said: hello")
    })
  )

  it.scoped("may fail, and then neither side knows what was said", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ transcribe: () => ({ failed: "Too noisy." }) })
      yield* speak(client)
      expect(yield* client.until(failed)).toMatchObject({
        content_index: 0,
        error: { type: "transcription_error", code: "audio_unintelligible", message: "Too noisy.", param: null }
      })
      expect(yield* said(client)).toBe("What?")
    })
  )

  it.scoped("that throws is a transcription that failed", () =>
    Effect.gen(function* () {
      const { client } = yield* start({
        transcribe: () => {
          throw new Error("no ears")
        }
      })
      yield* speak(client)
      expect((yield* client.until(failed)).error.message).toContain("no ears")
      expect(yield* said(client)).toBe("What?")
    })
  )

  it.scoped("may take its time: the response has begun, and waits for it", () =>
    Effect.gen(function* () {
      const words = yield* Deferred.make<string>()
      const { client, connection } = yield* start({
        transcribe: () => Effect.map(Deferred.await(words), (text) => ({ text }))
      })
      yield* speak(client)
      yield* client.until("response.created")
      expect(yield* connection.conversation).toMatchObject([{ content: [{ transcript: null }] }])
      yield* Deferred.succeed(words, "at last")
      expect((yield* client.until(completed)).transcript).toBe("at last")
      expect(yield* said(client)).toBe("You said: at last")
    })
  )

  it.scoped("counts for push-to-talk too", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ transcribe: ({ durationMs }) => ({ text: `${durationMs} ms` }) })
      yield* client.send({ type: "input_audio_buffer.append", audio: base64(sound(250, 0)) })
      yield* client.send({ type: "input_audio_buffer.commit" })
      expect((yield* client.until(completed)).transcript).toBe("250 ms")
    })
  )
})

describe("without a script", () => {
  it.scoped("the server says honestly that it heard a voice and no words, and silence is silence", () =>
    Effect.gen(function* () {
      const { client } = yield* start({})
      yield* speak(client)
      expect((yield* client.until(completed)).transcript).toBe(UNINTELLIGIBLE)
      expect(yield* said(client)).toBe("What?")
      yield* client.until("response.done")
      yield* client.send({ type: "input_audio_buffer.append", audio: base64(sound(250, 0)) })
      yield* client.send({ type: "input_audio_buffer.commit" })
      expect((yield* client.until(completed)).transcript).toBe("")
    })
  )

  it.scoped("nothing is transcribed where the session does not ask for it", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ mind: script([[call("a")]]) }, null)
      yield* speak(client)
      const types = yield* client.typesUntil("response.done")
      expect(types.filter((type) => type.includes("transcription"))).toEqual([])
    })
  )
})
