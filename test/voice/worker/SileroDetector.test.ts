import { describe, expect, it } from "vitest"
import type { TurnChange, TurnDetectionSettings } from "../../../src/embedded/TurnDetection.js"
import { SileroDetector } from "../../../src/voice/worker/SileroDetector.js"
import { sound } from "../../embedded/sound.js"

const server: TurnDetectionSettings = { threshold: 0.5, prefixMs: 300, silenceMs: 500 }
const semantic: TurnDetectionSettings = { threshold: 0.5, prefixMs: 300, silenceMs: 4_000, completeMs: 700 }

interface Asked {
  readonly ms: number
  readonly isWanted: () => boolean
}

/** A detector for which every loud frame is a voice, with a recogniser that gives `text`. */
const make = (text: (asked: Asked) => Promise<string | undefined>) => {
  const asked: Array<Asked> = []
  const counted = { frames: 0 }
  const detector = new SileroDetector({
    listener: { probability: async (frame) => (frame.some((sample) => Math.abs(sample) > 0.1) ? 1 : 0) },
    floorMs: 0,
    atMs: 0,
    step: (step) => {
      counted.frames += 1
      return step()
    },
    recognize: (samples, isWanted) => {
      const one = { ms: samples.length / 16, isWanted }
      asked.push(one)
      return text(one)
    }
  })
  let atMs = 0
  const detect = async (audio: Buffer, settings: TurnDetectionSettings): Promise<ReadonlyArray<TurnChange>> => {
    const changes = await detector.detect({ audio, format: "audio/pcm", atMs, settings })
    atMs += audio.length / 48
    return changes
  }
  return { asked, counted, detect, detector }
}

describe("The turn detector", () => {
  it("has the words ready when the turn ends, and recognises them once", async () => {
    const { asked, detect } = make(async () => "Good morning.")
    const changes = await detect(Buffer.concat([sound(1_000, 0), sound(800), sound(700, 0)]), server)
    expect(changes).toEqual([
      { _tag: "SpeechStarted", startMs: expect.closeTo(700, -2) },
      { _tag: "SpeechStopped", endMs: expect.closeTo(2_300, -2), text: "Good morning." }
    ])
    expect(asked.length).toBe(1)
  })

  it("discards the words before a pause after which the user spoke on", async () => {
    const { asked, detect } = make(async ({ ms }) => (ms < 1_500 ? "Good." : "Good morning."))
    const audio = Buffer.concat([sound(800), sound(350, 0), sound(800), sound(700, 0)])
    expect((await detect(audio, server)).at(-1)).toMatchObject({ _tag: "SpeechStopped", text: "Good morning." })
    expect(asked.length).toBe(2)
    expect(asked[0]?.isWanted()).toBe(false)
  })

  it("ends a turn of semantic detection early if it sounds complete, and otherwise waits", async () => {
    const audio = Buffer.concat([sound(800), sound(1_500, 0)])
    const complete = make(async () => "Good morning.")
    expect(await complete.detect(audio, semantic)).toMatchObject([
      { _tag: "SpeechStarted" },
      { _tag: "SpeechStopped", endMs: expect.closeTo(1_500, -2), text: "Good morning." }
    ])
    const open = make(async () => "I would like to.")
    expect(await open.detect(audio, semantic)).toMatchObject([{ _tag: "SpeechStarted" }])
    expect(await open.detect(sound(3_000, 0), semantic)).toMatchObject([
      { _tag: "SpeechStopped", endMs: expect.closeTo(4_800, -2), text: "I would like to." }
    ])
  })

  it("knows from its last words that long speech is complete, and leaves all of its words to the recogniser", async () => {
    const { asked, detect } = make(async () => "And that is my question.")
    const changes = await detect(Buffer.concat([sound(20_000), sound(1_500, 0)]), semantic)
    expect(changes.at(-1)).toEqual({ _tag: "SpeechStopped", endMs: expect.closeTo(20_700, -2) })
    expect(asked.length).toBe(1)
    expect(asked[0]?.ms).toBeLessThan(12_100)
  })

  it("ends a turn without words if the recogniser fails, or if the speech was long", async () => {
    const failing = make(() => Promise.reject(new Error("no memory")))
    const stop = (await failing.detect(Buffer.concat([sound(800), sound(700, 0)]), server)).at(-1)
    expect(stop).toEqual({ _tag: "SpeechStopped", endMs: expect.any(Number) })
    const long = make(async () => "Good morning.")
    const changes = await long.detect(Buffer.concat([sound(15_000), sound(700, 0)]), server)
    expect(changes.at(-1)).toEqual({ _tag: "SpeechStopped", endMs: expect.any(Number) })
    expect(long.asked).toEqual([])
  })

  it("finds the same turns however the audio is split, even within a sample", async () => {
    const audio = Buffer.concat([sound(200, 0), sound(800), sound(600, 0), sound(300), sound(600, 0)])
    const whole = await make(async () => "Yes.").detect(audio, server)
    const { detect } = make(async () => "Yes.")
    const pieces: Array<TurnChange> = []
    for (let at = 0; at < audio.length; at += 4_801)
      pieces.push(...(await detect(audio.subarray(at, at + 4_801), server)))
    expect(pieces).toEqual(whole)
    expect(whole.length).toBe(4)
  })

  it("stops working once its connection has ended", async () => {
    const { asked, counted, detect, detector } = make(() => new Promise(() => undefined))
    await detect(Buffer.concat([sound(800), sound(350, 0)]), server)
    expect(asked.map(({ isWanted }) => isWanted())).toEqual([true])
    const { frames } = counted
    const rest = detect(sound(10_000), server)
    detector.end()
    expect(await rest).toEqual([])
    expect(asked.map(({ isWanted }) => isWanted())).toEqual([false])
    expect(counted.frames - frames).toBeLessThan(3)
  })
})
