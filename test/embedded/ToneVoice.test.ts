import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Stream from "effect/Stream"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { VoiceActivity } from "../../src/embedded/VoiceActivity.js"
import { numRuns } from "../runs.js"

const { toneVoice } = EmbeddedRealtime

const speak = (sentence: string, format: "audio/pcm" | "audio/pcmu" | "audio/pcma", voice = toneVoice()) =>
  Effect.map(Stream.runCollect(voice.speak(sentence, { format })), Chunk.toReadonlyArray)

const bytesOf = (pieces: ReadonlyArray<EmbeddedRealtime.Speech>) => Buffer.concat(pieces.map(({ audio }) => audio))

const FORMATS = [
  { format: "audio/pcm", bytesPerMs: 48 },
  { format: "audio/pcmu", bytesPerMs: 8 },
  { format: "audio/pcma", bytesPerMs: 8 }
] as const

describe("toneVoice", () => {
  it("is as long as its sentence, in pieces of 160 ms at most, in each format", () =>
    fc.assert(
      fc.asyncProperty(
        fc.string({ maxLength: 80 }),
        fc.constantFrom(...FORMATS),
        fc.integer({ min: 0, max: 200 }),
        async (sentence, { format, bytesPerMs }, msPerCharacter) => {
          const pieces = await Effect.runPromise(speak(sentence, format, toneVoice({ msPerCharacter })))
          const ms = pieces.reduce((sum, piece) => sum + piece.ms, 0)
          expect(ms).toBe(sentence.length * msPerCharacter)
          expect(bytesOf(pieces).length).toBe(ms * bytesPerMs)
          for (const piece of pieces) {
            expect(piece.ms).toBeLessThanOrEqual(160)
            expect(piece.audio.length).toBe(piece.ms * bytesPerMs)
          }
        }
      ),
      { numRuns: numRuns(50) }
    ))

  it.effect("has the pitch that was asked for, and neither clicks nor clips", () =>
    Effect.gen(function* () {
      const bytes = bytesOf(yield* speak("x".repeat(50), "audio/pcm", toneVoice({ frequency: 300 })))
      const samples = Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readInt16LE(index * 2))
      const crossings = samples.filter((sample, index) => sample > 0 && (samples[index - 1] ?? 0) <= 0).length
      // 3 s of 300 Hz.
      expect(Math.abs(crossings - 900)).toBeLessThanOrEqual(12)
      expect(Math.max(...samples.map(Math.abs))).toBeLessThanOrEqual(8_192)
      const steps = samples.map((sample, index) => Math.abs(sample - (samples[index - 1] ?? 0)))
      // The steepest step of a sine of that size: 2π · 300 / 24,000 of its peak.
      expect(Math.max(...steps)).toBeLessThan(8_192 * 0.09)
      expect(Math.abs(samples.at(-1) ?? 1)).toBe(0)
    })
  )

  it.effect("is heard as one speech by voice activity detection, in each format", () =>
    Effect.gen(function* () {
      for (const { format, bytesPerMs } of FORMATS) {
        const speech = bytesOf(yield* speak("How is the weather in Paris?", format))
        const silence = Buffer.alloc(
          600 * bytesPerMs,
          { "audio/pcm": 0, "audio/pcmu": 0xff, "audio/pcma": 0xd5 }[format]
        )
        const settings = { threshold: 0.5, prefixMs: 0, silenceMs: 500 }
        const changes = new VoiceActivity().detect({
          audio: Buffer.concat([speech, silence]),
          format,
          atMs: 0,
          settings
        })
        expect(changes.map(({ _tag }) => _tag)).toEqual(["SpeechStarted", "SpeechStopped"])
      }
    })
  )
})
