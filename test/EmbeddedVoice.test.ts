import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Audio from "../src/Audio.js"
import * as EmbeddedRealtime from "../src/EmbeddedRealtime.js"
import * as EmbeddedVoice from "../src/EmbeddedVoice.js"
import type { ServerEvent } from "../src/protocol/ServerEvent.js"
import { type Client, connect } from "./embedded/client.js"

const { say, script } = EmbeddedRealtime

const untilDone = (client: Client) =>
  Effect.gen(function* () {
    const events: Array<ServerEvent> = []
    while (true) {
      const event = yield* client.take
      events.push(event)
      if (event.type === "response.done") return events
    }
  })

/** Has the server say something, in a format. */
const said = (text: string, format: Audio.AudioFormat, options: EmbeddedVoice.Options = {}) =>
  Effect.gen(function* () {
    const parts = yield* EmbeddedVoice.make(options)
    const server = yield* EmbeddedRealtime.make({ ...parts, mind: script([[say(text)]]) })
    const client = yield* connect(server.model)
    yield* client.send({ type: "session.update", session: { type: "realtime", audio: { output: { format } } } })
    yield* client.send({ type: "response.create" })
    return yield* untilDone(client)
  })

const soundOf = (events: ReadonlyArray<ServerEvent>) =>
  events.flatMap((event) => (event.type === "response.output_audio.delta" ? [Buffer.from(event.delta, "base64")] : []))

/** The speech as PCM16 at 24 kHz, with the silence that ends a turn. */
const spoken = (voice: EmbeddedRealtime.Voice, text: string) =>
  voice.speak(text, { format: "audio/pcm" }).pipe(
    Stream.runCollect,
    Effect.map((pieces) => Buffer.concat([...Array.from(pieces, ({ audio }) => audio), Audio.silence(pcm, 1_000)]))
  )

/** A client that speaks to a server with the embedded voice. */
const talking = (options: EmbeddedRealtime.Options, input: object = {}, heard: EmbeddedVoice.Options = {}) =>
  Effect.gen(function* () {
    const parts = yield* EmbeddedVoice.make(heard)
    const { voice } = yield* EmbeddedVoice.make({ speaker: "slt" })
    const server = yield* EmbeddedRealtime.make({ ...parts, ...options })
    const client = yield* connect(server.model)
    const transcription = { model: "gpt-4o-transcribe" }
    yield* client.sendRaw({
      type: "session.update",
      session: { type: "realtime", audio: { input: { transcription, ...input } } }
    })
    yield* client.until("session.updated")
    const append = (audio: Uint8Array) =>
      client.send({ type: "input_audio_buffer.append", audio: Audio.encodeBase64(audio) })
    return { append, client, say: (text: string) => Effect.flatMap(spoken(voice, text), append) }
  })

const weather = {
  type: "function",
  name: "get_weather",
  description: "The weather in a city",
  parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] }
}

const pcm: Audio.AudioFormat = { type: "audio/pcm", rate: 24_000 }

/** Keeps the thread, so that its models are loaded once for all tests. */
const kept = Effect.runSync(Scope.make())

beforeAll(() => Effect.runPromise(Effect.asVoid(EmbeddedVoice.make().pipe(Scope.extend(kept)))), 180_000)
afterAll(() => Effect.runPromise(Scope.close(kept, Exit.void)))

describe("The embedded voice", () => {
  it.live("speaks a sentence clause by clause, and sends each word before its sound", () =>
    Effect.gen(function* () {
      const sentence = "It is sunny in Paris this morning, and it rains in London."
      const events = yield* said(sentence, pcm)
      const pieces = soundOf(events)
      const ms = Audio.durationMs(pcm, Buffer.concat(pieces).length)
      expect(ms).toBeGreaterThan(2_000)
      expect(ms).toBeLessThan(6_000)
      expect(Audio.level(Buffer.concat(pieces))).toBeGreaterThan(-35)
      const words: Array<string> = []
      let playedMs = 0
      const behind: Array<number> = []
      for (const event of events) {
        if (event.type === "response.output_audio.delta") {
          playedMs += Audio.durationMs(pcm, Buffer.from(event.delta, "base64").length)
        }
        if (event.type !== "response.output_audio_transcript.delta") continue
        words.push(event.delta)
        behind.push(playedMs / ms)
      }
      expect(words.join("")).toBe(sentence)
      // A word comes when as much of the sound has come as there is text before it, give or take a quarter.
      let length = 0
      for (const [index, word] of words.entries()) {
        expect(Math.abs((behind[index] ?? 0) - length / sentence.length), word).toBeLessThan(0.25)
        length += word.length
      }
      expect(events.at(-1)).toMatchObject({ response: { status: "completed" } })
    }).pipe(Effect.scoped)
  )

  it.live("speaks in a telephone's format, with the same duration as for a computer", () =>
    Effect.gen(function* () {
      const text = "Your table is booked."
      const wide = Buffer.concat(soundOf(yield* said(text, pcm, { speaker: "slt" })))
      const narrow = Buffer.concat(soundOf(yield* said(text, { type: "audio/pcmu" }, { speaker: "slt" })))
      expect(Math.abs(wide.length / 48 - narrow.length / 8)).toBeLessThan(5)
      expect(Audio.level(Audio.decodePcmu(narrow))).toBeCloseTo(Audio.level(wide), 0)
    }).pipe(Effect.scoped)
  )

  it.live("completes an answer that it cannot pronounce, without a sound", () =>
    Effect.gen(function* () {
      const events = yield* said("…", pcm)
      expect(soundOf(events).length).toBe(0)
      expect(events.at(-1)).toMatchObject({
        response: { status: "completed", output: [{ content: [{ transcript: "…" }] }] }
      })
    }).pipe(Effect.scoped)
  )

  it.live("understands a question, calls the tool for it, and shows the transcript", () =>
    Effect.gen(function* () {
      const { client, say } = yield* talking({})
      yield* client.sendRaw({ type: "session.update", session: { type: "realtime", tools: [weather] } })
      yield* say("What is the weather in Paris?")
      const started = yield* client.until("input_audio_buffer.speech_started")
      // The speech begins after a short silence, which belongs to the turn.
      expect(started.audio_start_ms).toBeLessThan(300)
      const { transcript } = yield* client.until("conversation.item.input_audio_transcription.completed")
      expect(transcript).toBe("What is the weather in Paris?")
      const { response } = yield* client.until("response.done")
      expect(response.output).toMatchObject([{ name: "get_weather", arguments: '{"city":"Paris"}' }])
    }).pipe(Effect.scoped)
  )

  it.live("understands audio that the client commits, in a telephone's format too", () =>
    Effect.gen(function* () {
      const { append, client } = yield* talking(
        { mind: EmbeddedRealtime.fromFunction(() => [say("Yes.")]) },
        { turn_detection: null, format: { type: "audio/pcmu" } }
      )
      const { voice } = yield* EmbeddedVoice.make({ speaker: "slt" })
      const pieces = yield* Stream.runCollect(voice.speak("Good morning, everybody.", { format: "audio/pcmu" }))
      yield* append(Buffer.concat(Array.from(pieces, ({ audio }) => audio)))
      yield* client.send({ type: "input_audio_buffer.commit" })
      const { transcript } = yield* client.until("conversation.item.input_audio_transcription.completed")
      expect(transcript).toMatch(/good morning,? everybody/i)
    }).pipe(Effect.scoped)
  )

  it.live("finds no turn in silence or noise", () =>
    Effect.gen(function* () {
      const { append, client, say } = yield* talking({
        mind: EmbeddedRealtime.fromFunction(() => [EmbeddedRealtime.say("Yes.")])
      })
      const noise = Int16Array.from({ length: 24_000 }, (_, index) => ((index * 7_919) % 8_001) - 4_000)
      for (const samples of [new Int16Array(24_000), noise]) {
        yield* append(Audio.encodePcm16(samples))
        yield* append(Audio.silence(pcm, 1_000))
      }
      yield* say("Good morning.")
      const { audio_start_ms } = yield* client.until("input_audio_buffer.speech_started")
      // The prefix reaches back into the silence.
      expect(audio_start_ms).toBeGreaterThanOrEqual(3_700)
    }).pipe(Effect.scoped)
  )

  it.live("ends a turn of semantic detection early if it sounds complete", () =>
    Effect.gen(function* () {
      const { client, say } = yield* talking(
        { mind: EmbeddedRealtime.fromFunction(() => [EmbeddedRealtime.say("Yes.")]) },
        { turn_detection: { type: "semantic_vad", eagerness: "high" } }
      )
      yield* say("What is the weather in Paris?")
      const { audio_end_ms } = yield* client.until("input_audio_buffer.speech_stopped")
      // About two seconds of speech, and 0.4 s of the silence. Otherwise, it waits for two seconds of silence.
      expect(audio_end_ms).toBeLessThan(3_200)
      const { transcript } = yield* client.until("conversation.item.input_audio_transcription.completed")
      expect(transcript).toBe("What is the weather in Paris?")
    }).pipe(Effect.scoped)
  )

  it.live("understands a question with the Tiny model too", () =>
    Effect.gen(function* () {
      const mind = EmbeddedRealtime.fromFunction(() => [EmbeddedRealtime.say("Yes.")])
      const { client, say } = yield* talking({ mind }, {}, { recognizer: "tiny" })
      yield* say("What is the weather in Paris?")
      const { transcript } = yield* client.until("conversation.item.input_audio_transcription.completed")
      expect(transcript).toBe("What is the weather in Paris?")
    }).pipe(Effect.scoped)
  )

  it.live("stops in the middle of a sentence when somebody speaks", () =>
    Effect.gen(function* () {
      const long = "This is a long story, which goes on and on, and does not come to an end for a while. ".repeat(20)
      const { client, say } = yield* talking({
        mind: EmbeddedRealtime.fromFunction(() => [EmbeddedRealtime.say(long)]),
        pace: "20 millis"
      })
      yield* client.send({ type: "response.create" })
      yield* client.until("response.output_audio.delta")
      yield* say("Stop it, please.")
      const { response } = yield* client.until("response.done")
      expect(response).toMatchObject({
        status: "cancelled",
        status_details: { reason: "turn_detected" },
        output: [{ status: "incomplete" }]
      })
    }).pipe(Effect.scoped)
  )

  it.live("serves several sessions at once, each with its own words", () =>
    Effect.gen(function* () {
      const cities = ["Paris", "London", "Sydney", "Berlin"]
      const heard = yield* Effect.forEach(
        cities,
        (city) =>
          Effect.gen(function* () {
            const { client, say } = yield* talking({})
            yield* client.sendRaw({ type: "session.update", session: { type: "realtime", tools: [weather] } })
            yield* say(`What is the weather in ${city}?`)
            const { response } = yield* client.until("response.done")
            return response.output
          }).pipe(Effect.scoped),
        { concurrency: "unbounded" }
      )
      expect(heard).toMatchObject(cities.map((city) => [{ arguments: JSON.stringify({ city }) }]))
    })
  )

  it.live("refuses a speaker that does not exist, and lists those that do", () =>
    Effect.gen(function* () {
      // JSON border: a configuration may say anything.
      const options = { speaker: "marin" } as unknown as EmbeddedVoice.Options
      const error = yield* Effect.flip(EmbeddedVoice.make(options))
      expect(error._tag).toBe("OptionsInvalid")
      expect(error.message).toContain("slt")
    }).pipe(Effect.scoped)
  )
})
