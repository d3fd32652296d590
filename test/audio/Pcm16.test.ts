import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import {
  decodePcm16,
  encodePcm16,
  energy,
  fromFloat32,
  level,
  readSamples,
  rms,
  toFloat32,
  toMono,
  writeSamples
} from "../../src/audio/Pcm16.js"
import { numRuns } from "../runs.js"

const everySample = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768)

describe("Pcm16", () => {
  it("is little-endian", () => {
    const bytes = Uint8Array.of(0x01, 0x00, 0xff, 0x7f, 0x00, 0x80, 0xff, 0xff)
    const samples = Int16Array.of(1, 32_767, -32_768, -1)
    expect(decodePcm16(bytes)).toEqual(Either.right(samples))
    expect(encodePcm16(samples)).toEqual(bytes)
  })

  it("reads and writes the same on a big-endian platform", () => {
    const bytes = writeSamples(everySample, false)
    expect(bytes).toEqual(writeSamples(everySample, true))
    expect(readSamples(bytes, false)).toEqual(everySample)
    expect(readSamples(bytes, true)).toEqual(everySample)
  })

  it("reads bytes that begin anywhere, also those of a Buffer, into memory of its own", () => {
    fc.assert(
      fc.property(fc.int16Array({ maxLength: 50 }), fc.nat(5), fc.boolean(), (samples, offset, asBuffer) => {
        const space = new Uint8Array(offset + samples.length * 2)
        space.set(encodePcm16(samples), offset)
        const bytes = asBuffer ? Buffer.from(space.buffer, offset) : space.subarray(offset)
        const read = Either.getOrThrow(decodePcm16(bytes))
        expect(read).toEqual(samples)
        bytes.fill(0x55)
        expect(read).toEqual(samples)
      }),
      { numRuns: numRuns(200) }
    )
  })

  it("writes a part of a larger array into memory of its own", () => {
    const samples = Int16Array.of(1, 2, 3, 4)
    const bytes = encodePcm16(samples.subarray(1, 3))
    samples.fill(0)
    expect(bytes).toEqual(Uint8Array.of(2, 0, 3, 0))
  })

  it("refuses half a sample, and says to keep the odd byte", () => {
    const failure = Either.getOrThrow(Either.flip(decodePcm16(new Uint8Array(4801))))
    expect(failure).toMatchObject({ _tag: "InvalidAudio", reason: "CutSample" })
    expect(failure.message).toBe(
      "4801 bytes are not a whole number of 16-bit samples. Keep the last byte for the next chunk."
    )
  })

  it("round-trips every sample through floats", () => {
    const floats = toFloat32(everySample)
    expect(floats[0]).toBe(-1)
    expect(floats[65_535]).toBe(32_767 / 32_768)
    expect(fromFloat32(floats)).toEqual(everySample)
  })

  it("clips values above full scale, and reads NaN as silence", () => {
    const floats = Float32Array.of(1, -1, 1.5, -7, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN)
    expect(fromFloat32(floats)).toEqual(Int16Array.of(32_767, -32_768, 32_767, -32_768, 32_767, -32_768, 0))
  })

  it("mixes channels to their mean", () => {
    expect(toMono(Int16Array.of(1, 3, -32_768, -32_768, 32_767, 32_767, 9), 2)).toEqual(
      Int16Array.of(2, -32_768, 32_767)
    )
    expect(toMono(Int16Array.of(1, 2), 1)).toEqual(Int16Array.of(1, 2))
  })
})

describe("Level", () => {
  const sine = Int16Array.from({ length: 4800 }, (_, index) =>
    Math.round(32_767 * Math.sin((2 * Math.PI * index) / 48))
  )

  it("is -3.01 dBFS for a sine at full scale, and 20 dB less at a tenth", () => {
    expect(level(sine)).toBeCloseTo(-3.01, 2)
    expect(level(sine.map((sample) => sample / 10))).toBeCloseTo(-23.01, 1)
    expect(rms(sine)).toBeCloseTo(Math.SQRT1_2, 3)
  })

  it("goes from silence to a square wave at full scale", () => {
    expect(energy(new Int16Array(10))).toBe(0)
    expect(energy(new Int16Array(0))).toBe(0)
    expect(energy(Uint8Array.of(7))).toBe(0)
    expect(level(new Int16Array(10))).toBe(Number.NEGATIVE_INFINITY)
    expect(energy(new Int16Array(10).fill(-32_768))).toBe(1)
  })

  it("is the same for samples and for their bytes, wherever they begin", () => {
    fc.assert(
      fc.property(fc.int16Array({ maxLength: 50 }), fc.nat(3), (samples, offset) => {
        const space = new Uint8Array(offset + samples.length * 2)
        space.set(encodePcm16(samples), offset)
        expect(energy(space.subarray(offset))).toBe(energy(samples))
      }),
      { numRuns: numRuns(200) }
    )
  })
})
