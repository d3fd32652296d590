import { describe, expect, it } from "@effect/vitest"
import { decodePcma, decodePcmu, encodePcma, encodePcmu } from "../../src/audio/G711.js"
import { level } from "../../src/audio/Pcm16.js"

const everyCode = Uint8Array.from({ length: 256 }, (_, code) => code)
const everySample = Int16Array.from({ length: 65_536 }, (_, index) => index - 32_768)

/** The start of each segment, as in the tables that are in every telephone switch (codes 0x00, 0x10, … 0xF0). */
const segments = {
  pcmu: [-32124, -15996, -7932, -3900, -1884, -876, -372, -120, 32124, 15996, 7932, 3900, 1884, 876, 372, 120],
  pcma: [-5504, -2752, -22016, -11008, -344, -88, -1376, -688, 5504, 2752, 22016, 11008, 344, 88, 1376, 688]
}

/** Where the second to eighth positive segments begin, in 16 bits, and the code there (ITU-T G.711, tables 1a and 2a). */
const decisions = {
  pcmu: [31, 95, 223, 479, 991, 2015, 4063].map((value, index) => [4 * value, 0xef - 16 * index] as const),
  pcma: [256, 512, 1024, 2048, 4096, 8192, 16_384].map((value, index) => [value, (0x90 + 16 * index) ^ 0x55] as const)
}

/** One period of 1 kHz at 0 dBm0, the digital milliwatt (ITU-T G.711, tables 5 and 6). */
const milliwatt = {
  pcmu: Uint8Array.of(0x1e, 0x0b, 0x0b, 0x1e, 0x9e, 0x8b, 0x8b, 0x9e),
  pcma: Uint8Array.of(0x34, 0x21, 0x21, 0x34, 0xb4, 0xa1, 0xa1, 0xb4)
}

const laws = [
  { name: "pcmu", encode: encodePcmu, decode: decodePcmu, silence: 0xff, overloadDbm0: 3.17, clip: 32_124 },
  { name: "pcma", encode: encodePcma, decode: decodePcma, silence: 0xd5, overloadDbm0: 3.14, clip: 32_256 }
] as const

describe.each(laws)("G.711 $name", ({ name, encode, decode, silence, overloadDbm0, clip }) => {
  it("encodes silence as the standard does", () => {
    expect(encode(Int16Array.of(0))).toEqual(Uint8Array.of(silence))
    expect(Math.abs(decode(Uint8Array.of(silence))[0] ?? 99)).toBeLessThanOrEqual(8)
  })

  it("has the published values at the start of each segment", () => {
    const starts = Uint8Array.from({ length: 16 }, (_, high) => high << 4)
    expect(Array.from(decode(starts))).toEqual(segments[name])
  })

  it("decodes the digital milliwatt to its level", () => {
    const samples = decode(milliwatt[name])
    // A sine at the overload point is at full scale, -3.01 dBFS.
    expect(level(samples)).toBeCloseTo(-3.01 - overloadDbm0, 1)
    expect(encode(samples)).toEqual(milliwatt[name])
  })

  it("round-trips every code; the negative zero of µ-law becomes the positive one", () => {
    const expected = everyCode.map((code) => (name === "pcmu" && code === 0x7f ? 0xff : code))
    expect(encode(decode(everyCode))).toEqual(expected)
  })

  it("has no value louder than the curve's last", () => {
    expect(Math.max(...decode(everyCode))).toBe(clip)
    expect(Math.min(...decode(everyCode))).toBe(-clip)
  })

  it("enters each segment at the published decision value", () => {
    for (const [index, [sample, code]] of decisions[name].entries()) {
      expect(encode(Int16Array.of(sample)), `segment ${index + 2}`).toEqual(Uint8Array.of(code))
      expect(encode(Int16Array.of(sample - 1)), `segment ${index + 1}`).not.toEqual(Uint8Array.of(code))
    }
  })

  it("stays within half a step of every sample, and keeps their order", () => {
    const values = Array.from(decode(everyCode)).sort((a, b) => a - b)
    const decoded = decode(encode(everySample))
    for (const [index, sample] of everySample.entries()) {
      const got = decoded[index] ?? Number.NaN
      const at = values.indexOf(got)
      const step = Math.max(got - (values[at - 1] ?? got), (values[values.lastIndexOf(got) + 1] ?? got) - got)
      const clipped = Math.max(0, Math.abs(sample) - clip)
      if (!(Math.abs(got - sample) <= Math.max(step / 2, clipped))) expect.fail(`${sample} became ${got}`)
      if (!(got >= (decoded[index - 1] ?? -clip))) expect.fail(`${sample} became less than the one before it`)
    }
  })

  it("reads a part of a larger buffer", () => {
    const bytes = Uint8Array.of(0x00, silence, 0x80).subarray(1)
    expect(decode(bytes)).toEqual(Int16Array.of(decode(Uint8Array.of(silence))[0] ?? 99, decode(everyCode)[0x80] ?? 0))
  })
})
