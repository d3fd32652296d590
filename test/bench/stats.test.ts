import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { figures, percentile, split } from "./stats.js"

describe("percentile", () => {
  it("is a sample, with the right share of the samples at or below it", () => {
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect([0.5, 0.95, 0.99, 1].map((rank) => percentile(hundred, rank))).toEqual([50, 95, 99, 100])
    expect(percentile([7], 0.5)).toBe(7)
    expect(percentile([], 0.5)).toBeNaN()
  })
})

describe("split", () => {
  it("covers the whole with parts that differ by one at most", () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 20 }), (whole, parts) => {
        const lengths = split(whole, parts)
        expect(lengths).toHaveLength(parts)
        expect(lengths.reduce((sum, length) => sum + length, 0)).toBe(whole)
        expect(Math.max(...lengths) - Math.min(...lengths)).toBeLessThanOrEqual(1)
      })
    )
  })
})

describe("figures", () => {
  it("are the medians, their spread and the mean", () => {
    const samples = Array.from({ length: 100 }, (_, index) => 100 - index)
    expect(figures(samples)).toEqual({ samples: 100, p25: 25, p50: 50, p75: 75, p95: 95, p99: 99, mean: 50.5 })
  })
})
