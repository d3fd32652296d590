import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { TurnChange, TurnDetectionSettings } from "../../src/embedded/TurnDetection.js"
import { VoiceActivity } from "../../src/embedded/VoiceActivity.js"
import { numRuns } from "../runs.js"
import { sound } from "./sound.js"

const settings: TurnDetectionSettings = { threshold: 0.5, prefixMs: 300, silenceMs: 500 }

const hear = (audio: Buffer, sizes: ReadonlyArray<number>, format: "audio/pcm" | "audio/pcmu" = "audio/pcm") => {
  const activity = new VoiceActivity()
  const bytesPerMs = format === "audio/pcm" ? 48 : 8
  const changes: Array<TurnChange> = []
  let at = 0
  for (let index = 0; at < audio.length; index++) {
    const size = sizes[index % sizes.length] ?? audio.length
    changes.push(...activity.detect({ audio: audio.subarray(at, at + size), format, atMs: at / bytesPerMs, settings }))
    at += size
  }
  return changes
}

describe("VoiceActivity", () => {
  it("finds where speech starts, with what came shortly before, and where it stops, with the silence after", () => {
    const audio = Buffer.concat([sound(1_000, 0), sound(800), sound(300, 0), sound(200), sound(700, 0)])
    expect(hear(audio, [audio.length])).toEqual([
      { _tag: "SpeechStarted", startMs: 700 },
      { _tag: "SpeechStopped", endMs: 2_800 }
    ])
  })

  it("gives no audio of an earlier turn to a later one", () => {
    const audio = Buffer.concat([sound(100), sound(500, 0), sound(100), sound(500, 0)])
    expect(hear(audio, [audio.length])).toEqual([
      { _tag: "SpeechStarted", startMs: 0 },
      { _tag: "SpeechStopped", endMs: 600 },
      { _tag: "SpeechStarted", startMs: 600 },
      { _tag: "SpeechStopped", endMs: 1_200 }
    ])
  })

  it("does not take a click, a murmur or silence for speech", () => {
    expect(hear(Buffer.concat([sound(40), sound(500, 0), sound(40)]), [480])).toEqual([])
    expect(hear(sound(2_000, 100), [960])).toEqual([])
    expect(hear(Buffer.alloc(8_000, 0xff), [160], "audio/pcmu")).toEqual([])
  })

  it("hears louder voices only where the threshold is higher", () => {
    const murmur = sound(200, 600)
    const at = (threshold: number) =>
      new VoiceActivity().detect({ audio: murmur, format: "audio/pcm", atMs: 0, settings: { ...settings, threshold } })
        .length
    expect([at(0), at(0.5), at(0.9), at(1)]).toEqual([1, 1, 0, 0])
  })

  it("gives the same result however the audio is split, even within a sample", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.constantFrom(0, 8_000)), { minLength: 1, maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 30_001 }), { minLength: 1, maxLength: 5 }),
        (segments, sizes) => {
          const audio = Buffer.concat(segments.map(([ms, peak]) => sound(ms, peak)))
          expect(hear(audio, sizes)).toEqual(hear(audio, [audio.length]))
        }
      ),
      { numRuns: numRuns(60) }
    )
  })

  it("alternates between starts and stops, in order of time", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 900 }), fc.constantFrom(0, 8_000)), { maxLength: 10 }),
        (segments) => {
          const changes = hear(Buffer.concat(segments.map(([ms, peak]) => sound(ms, peak))), [1_000_000])
          let last = 0
          for (const [index, change] of changes.entries()) {
            expect(change._tag).toBe(index % 2 === 0 ? "SpeechStarted" : "SpeechStopped")
            const ms = change._tag === "SpeechStarted" ? change.startMs : change.endMs
            expect(ms).toBeGreaterThanOrEqual(last)
            last = ms
          }
        }
      ),
      { numRuns: numRuns(60) }
    )
  })
})
