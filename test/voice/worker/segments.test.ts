import { describe, expect, it } from "vitest"
import { segmentsOf } from "../../../src/voice/worker/segments.js"

const RATE = 16_000

/** Noise with a silence of half a second at each of these seconds. */
const speech = (seconds: number, pauses: ReadonlyArray<number>): Float32Array =>
  Float32Array.from({ length: seconds * RATE }, (_, index) =>
    pauses.some((at) => index >= at * RATE && index < (at + 0.5) * RATE) ? 0 : Math.sin(index) / 2
  )

describe("Segments of long speech", () => {
  it("end in pauses, and together are the whole", () => {
    const samples = speech(50, [5, 16, 33])
    const segments = segmentsOf(samples)
    const ends = segments.map(
      (
        (end) => (segment: Float32Array) =>
          (end += segment.length / RATE)
      )(0)
    )
    expect(ends[0]).toBeGreaterThan(16)
    expect(ends[0]).toBeLessThan(16.5)
    expect(ends[1]).toBeGreaterThan(33)
    expect(ends[1]).toBeLessThan(33.5)
    expect(ends.at(-1)).toBe(50)
    for (const segment of segments) expect(segment.length).toBeLessThanOrEqual(21 * RATE)
  })

  it("are never longer than the recogniser takes, even without pauses, and short speech is one segment", () => {
    expect(segmentsOf(speech(3, [])).map(({ length }) => length)).toEqual([3 * RATE])
    for (const segment of segmentsOf(speech(70, []))) expect(segment.length).toBeLessThanOrEqual(21 * RATE)
  })
})
