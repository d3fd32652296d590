import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { maxWaitingBytes, moonshineTranscribe } from "../../src/voice/MoonshineTranscribe.js"
import type { Outcome } from "../../src/voice/messages.js"
import type { Thread } from "../../src/voice/Thread.js"
import { VoiceUnavailable } from "../../src/voice/VoiceUnavailable.js"

const thread = (ask: Thread["ask"]): Thread => ({ ask, newDetector: () => 1, forget: () => undefined })

const recognized: Outcome = { _tag: "Recognized", text: "Good morning." }

const transcribeWith = (ask: Thread["ask"]) => {
  const transcribe = moonshineTranscribe(thread(ask), "tiny")
  return (audio: Uint8Array | undefined) => {
    const given = transcribe({ itemId: "item", durationMs: 1_000, index: 0, audio, format: "audio/pcm" })
    return Effect.isEffect(given) ? given : Effect.succeed(given)
  }
}

describe("Moonshine's transcripts", () => {
  it.effect("fail with the reason if the thread fails, or if the audio is no longer kept", () =>
    Effect.gen(function* () {
      const ended = new VoiceUnavailable({ reason: "ThreadEnded", message: "The thread ended." })
      const transcribe = transcribeWith(() => ended)
      expect(yield* transcribe(new Uint8Array(10))).toEqual({ failed: "The thread ended." })
      expect(yield* transcribe(undefined)).toEqual({ failed: expect.stringContaining("Commit shorter turns") })
    })
  )

  it.effect("fail while too much audio waits, and work again when it is recognised or no longer wanted", () =>
    Effect.gen(function* () {
      const done = yield* Deferred.make<Outcome>()
      const transcribe = transcribeWith(() => Deferred.await(done))
      const half = new Uint8Array(maxWaitingBytes / 2)
      const waiting = yield* Effect.forEach([half, half], (audio) => Effect.fork(transcribe(audio)))
      yield* Effect.yieldNow()
      expect(yield* transcribe(new Uint8Array(2))).toEqual({ failed: expect.stringContaining("Too much audio") })
      yield* Effect.forEach(waiting.slice(1), Fiber.interrupt)
      yield* Deferred.succeed(done, recognized)
      expect(yield* transcribe(half)).toEqual({ text: "Good morning." })
      expect(yield* Effect.forEach(waiting.slice(0, 1), Fiber.join)).toEqual([{ text: "Good morning." }])
    })
  )
})
