import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { Audio } from "../src/index.js"
import { numRuns } from "./runs.js"

const formats = [Audio.pcm16, Audio.pcmu, Audio.pcma]

describe("Formats", () => {
  it("are those of the protocol", () => {
    for (const format of formats) expect(Schema.is(Audio.AudioFormat)(format)).toBe(true)
    expect(Audio.defaultFormat).toEqual({ type: "audio/pcm", rate: 24000 })
  })

  it.each([
    [Audio.pcm16, 24_000, 2, 48_000],
    [{ type: "audio/pcm" } as const, 24_000, 2, 48_000],
    [Audio.pcmu, 8_000, 1, 8_000],
    [Audio.pcma, 8_000, 1, 8_000]
  ])("%j has its rate and its size", (format, rate, perSample, perSecond) => {
    expect(Audio.sampleRate(format)).toBe(rate)
    expect(Audio.bytesPerSample(format)).toBe(perSample)
    expect(Audio.bytesPerSecond(format)).toBe(perSecond)
    expect(Audio.durationMs(format, perSecond)).toBe(1000)
    expect(Audio.bytesOf(format, 1000)).toBe(perSecond)
  })

  it("counts whole samples", () => {
    expect(Audio.durationMs(Audio.pcm16, 1)).toBeCloseTo(1 / 48, 10)
    expect(Audio.bytesOf(Audio.pcm16, 0.03)).toBe(2)
    expect(Audio.bytesOf(Audio.pcmu, 0.05)).toBe(0)
    expect(Audio.bytesOf(Audio.pcm16, -5)).toBe(0)
    fc.assert(
      fc.property(fc.constantFrom(...formats), fc.nat(100_000_000), (format, samples) => {
        const bytes = samples * Audio.bytesPerSample(format)
        expect(Audio.bytesOf(format, Audio.durationMs(format, bytes))).toBe(bytes)
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("are found by their name and rate; an unknown one is refused with a list of those that exist", () => {
    for (const format of formats) {
      expect(Audio.formatOf(format.type)).toEqual(Either.right(format))
      expect(Audio.formatOf(format.type, Audio.sampleRate(format))).toEqual(Either.right(format))
    }
    expect(Either.getOrThrow(Either.flip(Audio.formatOf("audio/opus")))).toMatchObject({
      reason: "Format",
      message: 'The Realtime API has no audio format "audio/opus". Use audio/pcm, audio/pcmu or audio/pcma.'
    })
    expect(Either.getOrThrow(Either.flip(Audio.formatOf("audio/pcm", 16_000)))).toMatchObject({
      reason: "Rate",
      message: "audio/pcm has 24000 samples per second, not 16000. Resample the audio first."
    })
  })

  it.each(formats)("%j is silent where silence is asked for", (format) => {
    const bytes = Audio.silence(format, 250)
    expect(Audio.durationMs(format, bytes.length)).toBe(250)
    expect(Audio.level(Either.getOrThrow(Audio.decode(format, bytes)))).toBeLessThan(-70)
    expect(Audio.encode(format, new Int16Array(bytes.length / Audio.bytesPerSample(format)))).toEqual(bytes)
  })

  it.each(formats)("%j carries samples within its precision", (format) => {
    const samples = Int16Array.of(0, 1000, -1000, 30_000, -30_000)
    const heard = Either.getOrThrow(Audio.decode(format, Audio.encode(format, samples)))
    for (const [index, sample] of samples.entries()) {
      expect(Math.abs((heard[index] ?? 0) - sample)).toBeLessThanOrEqual(Math.max(8, Math.abs(sample) / 32))
    }
  })
})

describe("What is sent", () => {
  it("is a whole number of samples, in PCM16", () => {
    expect(Either.isRight(Audio.validate(Audio.pcm16, new Uint8Array(2)))).toBe(true)
    expect(Either.isRight(Audio.validate(Audio.pcmu, new Uint8Array(3)))).toBe(true)
    expect(Either.getOrThrow(Either.flip(Audio.validate(Audio.pcm16, new Uint8Array(3))))).toMatchObject({
      reason: "CutSample"
    })
    expect(Either.isLeft(Audio.decode(Audio.pcm16, new Uint8Array(3)))).toBe(true)
  })

  it("is 15 MiB of base64 at most, and can be split to fit", () => {
    const most = new Uint8Array(Audio.maxAppendBytes)
    expect(Audio.encodeBase64(most).length).toBe(15 * 1024 * 1024)
    expect(Either.isRight(Audio.validate(Audio.pcm16, most))).toBe(true)
    const more = new Uint8Array(Audio.maxAppendBytes + 2)
    const failure = Either.getOrThrow(Either.flip(Audio.validate(Audio.pcm16, more)))
    expect(failure).toMatchObject({ reason: "TooLarge" })
    expect(failure.message).toContain("Audio.split")
    expect(Audio.split(more).map((part) => part.length)).toEqual([Audio.maxAppendBytes, 2])
    expect(Audio.split(most)).toHaveLength(1)
  })

  it("is split in order, without loss or copies, and never within a sample", () => {
    const sizes = fc.oneof(
      fc.integer({ min: -3, max: 60 }),
      fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 2.5)
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), sizes, (bytes, maxBytes) => {
        const parts = Audio.split(bytes, maxBytes)
        expect(parts.flatMap((part) => Array.from(part))).toEqual(Array.from(bytes))
        for (const [index, part] of parts.entries()) {
          expect(part.buffer).toBe(bytes.buffer)
          expect(part.length).toBeGreaterThan(0)
          if (maxBytes >= 2) expect(part.length).toBeLessThanOrEqual(maxBytes)
          if (index < parts.length - 1) expect(part.length % 2).toBe(0)
        }
      }),
      { numRuns: numRuns(500) }
    )
  })
})

describe("InvalidAudio", () => {
  it.effect("is an error of an effect, and crosses a wire with its message", () =>
    Effect.gen(function* () {
      const failure = yield* Effect.flip(Audio.decodePcm16(new Uint8Array(1)))
      const wire = Schema.encodeSync(Audio.InvalidAudio)(failure)
      const received = Schema.decodeSync(Audio.InvalidAudio)(wire)
      expect(received).toBeInstanceOf(Audio.InvalidAudio)
      expect(received.message).toBe(failure.message)
    })
  )
})
