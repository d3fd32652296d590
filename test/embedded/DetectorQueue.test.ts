import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { maxWaitingBytes } from "../../src/embedded/DetectorQueue.js"
import type { AudioPiece, TurnChange } from "../../src/embedded/TurnDetection.js"
import { connect } from "./client.js"
import { base64, sound } from "./sound.js"

interface Asked {
  readonly piece: AudioPiece
  readonly answer: (...changes: ReadonlyArray<TurnChange>) => Effect.Effect<void>
  readonly fail: Effect.Effect<void>
}

/** A server whose turn detector finds what the test tells it to find, when the test tells it to. */
const start = Effect.gen(function* () {
  const asked: Array<Asked> = []
  const floors: Array<number> = []
  let ended = 0
  const utterances: Array<EmbeddedRealtime.Utterance> = []
  const server = yield* EmbeddedRealtime.make({
    mind: EmbeddedRealtime.fromFunction(() => [EmbeddedRealtime.say("Good day.")]),
    turnDetection: {
      start: () => ({
        detect: (piece) =>
          Effect.gen(function* () {
            const answered = yield* Deferred.make<ReadonlyArray<TurnChange>>()
            const answer = (...changes: ReadonlyArray<TurnChange>) =>
              Effect.zipRight(Deferred.succeed(answered, changes), Effect.yieldNow())
            const fail = Effect.zipRight(Deferred.die(answered, new Error("no memory")), Effect.yieldNow())
            asked.push({ piece, answer, fail })
            return yield* Deferred.await(answered)
          }),
        reset: (floorMs) => void floors.push(floorMs),
        end: () => {
          ended += 1
        }
      })
    },
    transcribe: (utterance) => {
      utterances.push(utterance)
      return { text: "What time is it?" }
    }
  })
  const client = yield* connect(server.model)
  const append = (...pieces: ReadonlyArray<Buffer>) =>
    client.send({ type: "input_audio_buffer.append", audio: base64(...pieces) })
  /** The pieces that the detector was given, once there are so many. */
  const given = (count: number): Effect.Effect<ReadonlyArray<Asked>> =>
    Effect.suspend(() =>
      asked.length < count ? Effect.zipRight(Effect.yieldNow(), given(count)) : Effect.succeed(asked)
    )
  const answer = (index: number, ...changes: ReadonlyArray<TurnChange>) =>
    Effect.flatMap(given(index + 1), (all) => all[index]?.answer(...changes) ?? Effect.void)
  const fail = (index: number) => Effect.flatMap(given(index + 1), (all) => all[index]?.fail ?? Effect.void)
  return { append, answer, client, fail, ended: () => ended, floors, given, utterances }
})

describe("A slow turn detector", () => {
  it.scoped("gets one piece after the other, and the turn that it finds is answered", () =>
    Effect.gen(function* () {
      const { answer, append, client, given, utterances } = yield* start
      yield* append(sound(500, 0))
      yield* append(sound(1_000))
      yield* append(sound(700, 0))
      expect((yield* given(1)).map(({ piece }) => piece.atMs)).toEqual([0])
      yield* answer(0)
      yield* answer(1, { _tag: "SpeechStarted", startMs: 400 })
      expect(yield* client.until("input_audio_buffer.speech_started")).toMatchObject({ audio_start_ms: 400 })
      yield* answer(2, { _tag: "SpeechStopped", endMs: 2_000 })
      expect(yield* client.until("input_audio_buffer.speech_stopped")).toMatchObject({ audio_end_ms: 2_000 })
      expect(yield* client.until("response.done")).toMatchObject({ response: { status: "completed" } })
      const [utterance] = utterances
      expect(utterance).toMatchObject({ index: 0, durationMs: 1_600, format: "audio/pcm" })
      // All that was said, and nothing else: 100 ms of silence, the voice, and 500 ms of silence.
      const audio = Buffer.from(utterance?.audio ?? [])
      expect(audio.equals(Buffer.concat([sound(100, 0), sound(1_000), sound(500, 0)]))).toBe(true)
    })
  )

  it.scoped("gives the words itself, and `transcribe` is not called", () =>
    Effect.gen(function* () {
      const { answer, append, client, utterances } = yield* start
      yield* client.sendRaw({
        type: "session.update",
        session: { type: "realtime", audio: { input: { transcription: { model: "whisper-1" } } } }
      })
      yield* append(sound(1_000))
      yield* answer(
        0,
        { _tag: "SpeechStarted", startMs: 0 },
        { _tag: "SpeechStopped", endMs: 900, text: "Good morning." }
      )
      expect(yield* client.until("conversation.item.input_audio_transcription.completed")).toMatchObject({
        transcript: "Good morning."
      })
      expect(utterances).toEqual([])
    })
  )

  it.scoped("finds speech that began long ago, if it is behind", () =>
    Effect.gen(function* () {
      const { answer, append, client, utterances } = yield* start
      yield* append(sound(1_000))
      for (let second = 1; second < 40; second++) yield* append(sound(1_000, 0))
      yield* answer(0, { _tag: "SpeechStarted", startMs: 0 })
      yield* answer(1, { _tag: "SpeechStopped", endMs: 1_500 })
      yield* client.until("response.done")
      expect(utterances[0]?.audio?.length).toBe(1_500 * 48)
    })
  )

  it.scoped("cannot change what was committed in the meantime", () =>
    Effect.gen(function* () {
      const { answer, append, client, floors, given, utterances } = yield* start
      yield* append(sound(1_000))
      yield* append(sound(1_000))
      yield* given(1)
      yield* client.send({ type: "input_audio_buffer.commit" })
      yield* client.until("input_audio_buffer.committed")
      expect(floors).toEqual([2_000])
      expect(utterances[0]?.durationMs).toBe(2_000)
      // Its result for the audio before the commit comes too late.
      yield* answer(0, { _tag: "SpeechStarted", startMs: 0 })
      yield* append(sound(600))
      yield* answer(1, { _tag: "SpeechStarted", startMs: 2_100 })
      expect(yield* client.until("input_audio_buffer.speech_started")).toMatchObject({ audio_start_ms: 2_100 })
      expect((yield* given(2)).map(({ piece }) => piece.atMs)).toEqual([0, 2_000])
    })
  )

  it.scoped("gets the next piece after it failed on one", () =>
    Effect.gen(function* () {
      const { append, client, fail, given } = yield* start
      yield* append(sound(1_000))
      yield* append(sound(1_000))
      yield* fail(0)
      const all = yield* given(2)
      yield* all[1]?.answer({ _tag: "SpeechStarted", startMs: 1_000 }) ?? Effect.void
      expect(yield* client.until("input_audio_buffer.speech_started")).toMatchObject({ audio_start_ms: 1_000 })
    })
  )

  it.scoped("skips the oldest audio if too much waits, and keeps the session's clock", () =>
    Effect.gen(function* () {
      const { answer, append, client, given } = yield* start
      const large = new Uint8Array(maxWaitingBytes / 2)
      yield* append(sound(1_000, 0))
      yield* append(Buffer.from(large))
      yield* append(Buffer.from(large))
      yield* append(sound(1_000))
      // The client's events were handled when this one is answered.
      yield* client.send({ type: "session.update", session: { type: "realtime" } })
      yield* client.until("session.updated")
      yield* answer(0)
      const startMs = 1_000 + large.length / 48
      expect((yield* given(2))[1]?.piece.atMs).toBeCloseTo(startMs)
      yield* answer(1)
      yield* answer(2, { _tag: "SpeechStarted", startMs: 2_000 })
      expect(yield* client.until("input_audio_buffer.speech_started")).toMatchObject({ audio_start_ms: 2_000 })
    })
  )

  it.scoped("is not used for push-to-talk if the words come from elsewhere", () =>
    Effect.gen(function* () {
      const { append, client, given, utterances } = yield* start
      yield* client.sendRaw({
        type: "session.update",
        session: { type: "realtime", audio: { input: { turn_detection: null } } }
      })
      yield* append(sound(1_000))
      yield* client.send({ type: "input_audio_buffer.commit" })
      yield* client.until("input_audio_buffer.committed")
      expect(yield* given(0)).toEqual([])
      expect(utterances.length).toBe(1)
    })
  )

  it.effect("ends with its connection", () =>
    Effect.gen(function* () {
      const ended = yield* Effect.scoped(
        Effect.gen(function* () {
          const { append, ended, given } = yield* start
          yield* append(sound(1_000))
          yield* given(1)
          expect(ended()).toBe(0)
          return ended
        })
      )
      expect(ended()).toBe(1)
    })
  )
})
