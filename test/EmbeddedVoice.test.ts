import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
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

const pcm: Audio.AudioFormat = { type: "audio/pcm", rate: 24_000 }

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
