import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { encodePcm16, level } from "../../src/audio/Pcm16.js"
import { make, resample, type SampleRate, sampleRates, toSampleRate } from "../../src/audio/Resampler.js"
import { numRuns } from "../runs.js"

const pairs = sampleRates.flatMap((from) => sampleRates.map((to) => ({ from, to })))
const filtering = pairs.filter(({ from, to }) => from !== to)

const PEAK = 30_000

const sineAt = (rate: number, frequency: number, index: number): number =>
  PEAK * Math.sin((2 * Math.PI * frequency * index) / rate)

const sine = (rate: SampleRate, frequency: number, seconds: number): Int16Array =>
  Int16Array.from({ length: Math.round(rate * seconds) }, (_, index) => Math.round(sineAt(rate, frequency, index)))

/** Where neither end of the recording reaches: the filter's half length, 48 samples of the lower rate, on each side. */
const inside = (from: SampleRate, to: SampleRate, output: Int16Array) => {
  const edge = Math.ceil((50 * to) / Math.min(from, to))
  return { edge, body: output.subarray(edge, output.length - edge) }
}

/** Signal to noise in dB against the same sine, sampled at the new rate without delay. */
const signalToNoise = (from: SampleRate, to: SampleRate, frequency: number, seconds: number): number => {
  const { edge, body } = inside(from, to, resample(sine(from, frequency, seconds), from, to))
  let signal = 0
  let noise = 0
  for (const [index, sample] of body.entries()) {
    const ideal = sineAt(to, frequency, index + edge)
    signal += ideal ** 2
    noise += (sample - ideal) ** 2
  }
  return 10 * Math.log10(signal / noise)
}

const anyPair = fc.constantFrom(...pairs)

describe("Resampler", () => {
  it.each(filtering)("keeps a sine from $from to $to above 80 dB, in its place", ({ from, to }) => {
    const nyquist = Math.min(from, to) / 2
    for (const share of [0.05, 0.3, 0.85]) {
      expect(signalToNoise(from, to, share * nyquist, 0.04)).toBeGreaterThan(80)
    }
  })

  it.each(filtering.filter(({ from, to }) => from > to))("lets nothing fold back from $from to $to", ({ from, to }) => {
    for (const share of [0.02, 0.2, 0.9]) {
      const frequency = to / 2 + share * ((from - to) / 2)
      const { body } = inside(from, to, resample(sine(from, frequency, 0.04), from, to))
      expect(level(body)).toBeLessThan(level(sine(from, frequency, 0.04)) - 80)
    }
  })

  it.each(filtering.filter(({ from, to }) => from < to))("adds no image from $from to $to", ({ from, to }) => {
    const output = resample(Int16Array.of(...new Int16Array(200), 32_767, ...new Int16Array(200)), from, to)
    const at = (frequency: number): number => {
      let re = 0
      let im = 0
      for (const [index, sample] of output.entries()) {
        re += sample * Math.cos((2 * Math.PI * frequency * index) / to)
        im += sample * Math.sin((2 * Math.PI * frequency * index) / to)
      }
      return Math.hypot(re, im)
    }
    // An impulse has all frequencies alike, but its samples are rounded: noise of the sum's size.
    const gain = 20 * Math.log10(at(from / 2 + 0.01 * from) / at(0))
    expect(gain).toBeLessThan(-60)
  })

  it("has linear phase: the answer to an impulse is symmetric", () => {
    for (const { from, to } of filtering) {
      const middle = 10 * 441
      const input = new Int16Array(2 * middle + 1)
      input[middle] = 32_767
      const output = resample(input, from, to)
      const centre = (middle * to) / from
      if (!Number.isInteger(centre)) continue
      for (let distance = 1; distance < 300; distance++) {
        expect(output[centre - distance]).toBe(output[centre + distance])
      }
    }
  })

  it("gives the same output however the input is split, in samples or in bytes", () => {
    const cuts = fc.array(fc.nat(700), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(
        anyPair,
        fc.int16Array({ maxLength: 3000 }),
        cuts,
        fc.boolean(),
        ({ from, to }, samples, sizes, cutBytes) => {
          const whole = Array.from(resample(samples, from, to))
          const resampler = make({ from, to })
          const source = cutBytes ? encodePcm16(samples) : samples
          const output: Array<number> = []
          let at = 0
          for (const size of sizes) {
            output.push(...resampler.push(source.subarray(at, at + size)))
            at += size
          }
          output.push(...resampler.push(source.subarray(at)), ...resampler.flush())
          expect(output).toEqual(whole)
        }
      ),
      { numRuns: numRuns(300) }
    )
  })

  it("does not drift: n samples become round(n * to / from), and no push gives more than is known", () => {
    fc.assert(
      fc.property(anyPair, fc.array(fc.nat(9000), { maxLength: 8 }), ({ from, to }, sizes) => {
        const resampler = make({ from, to })
        let received = 0
        let produced = 0
        for (const size of sizes) {
          received += size
          produced += resampler.push(new Int16Array(size)).length
          expect(produced).toBeLessThanOrEqual((received * to) / from)
        }
        expect(produced + resampler.flush().length).toBe(Math.round((received * to) / from))
      }),
      { numRuns: numRuns(200) }
    )
  })

  it("has not drifted after a minute", () => {
    expect(signalToNoise(44100, 24000, 997, 60)).toBeGreaterThan(80)
  })

  it("holds back at most 48 samples of the lower rate", () => {
    for (const { from, to } of filtering) {
      const resampler = make({ from, to })
      const held = Math.round((from * to) / from) - resampler.push(new Int16Array(from)).length
      expect((held * Math.min(from, to)) / to).toBeLessThanOrEqual(50)
    }
  })

  it("passes equal rates through unchanged", () => {
    fc.assert(
      fc.property(fc.constantFrom(...sampleRates), fc.int16Array({ maxLength: 100 }), (rate, samples) => {
        expect(resample(samples, rate, rate)).toEqual(samples)
      }),
      { numRuns: numRuns(100) }
    )
  })

  it("clips overshoot instead of wrapping it", () => {
    const square = Int16Array.from({ length: 2400 }, (_, index) => (index % 240 < 120 ? 32_767 : -32_768))
    const output = resample(square, 24000, 48000)
    expect(output.reduce((most, sample) => Math.max(most, sample), 0)).toBe(32_767)
    for (const [index, sample] of output.entries()) {
      const within = index % 480
      if (within > 4 && within < 235) expect(sample).toBeGreaterThan(20_000)
      if (within > 244 && within < 475) expect(sample).toBeLessThan(-20_000)
    }
  })

  it("leaves a constant signal unchanged", () => {
    for (const { from, to } of filtering) {
      const { body } = inside(from, to, resample(new Int16Array(from / 25).fill(12_345), from, to))
      expect(new Set(body)).toEqual(new Set([12_345]))
    }
  })

  it("is reset by a flush, half a sample included", () => {
    const resampler = make({ from: 16000, to: 24000 })
    const noise = Int16Array.from({ length: 500 }, (_, index) => ((index * 7919) % 60_000) - 30_000)
    resampler.push(encodePcm16(noise).subarray(1))
    resampler.flush()
    const again = [...resampler.push(encodePcm16(noise)), ...resampler.flush()]
    expect(again).toEqual(Array.from(resample(noise, 16000, 24000)))
  })

  it("gives no output for no input", () => {
    const resampler = make({ from: 8000, to: 44100 })
    expect(resampler.push(new Uint8Array(0))).toHaveLength(0)
    expect(resampler.flush()).toHaveLength(0)
  })

  it("lists the rates that it supports when it is given another", () => {
    expect(toSampleRate(44100)).toEqual(Either.right(44100))
    const failure = Either.getOrThrow(Either.flip(toSampleRate(37_800)))
    expect(failure).toMatchObject({ _tag: "InvalidAudio", reason: "Rate" })
    expect(failure.message).toContain("8000, 11025, 12000")
  })
})
