import { describe, expect, it } from "@effect/vitest"
import { chance } from "./chance.js"
import { grain, regress } from "./regression.js"

/** A heap of about 40 MB, measured every few seconds for a minute. */
const heap = (growth: number, noise: number, seed: number) =>
  Array.from({ length: 20 }, (_, at) => ({
    minutes: at / 20,
    megabytes: 40 + (growth * at) / 20 + noise * (chance(seed, at) - 0.5)
  }))

const seeds = Array.from({ length: 200 }, (_, seed) => seed)
const growing = (growth: number, noise: number) =>
  seeds.filter((seed) => regress(heap(growth, noise, seed)).verdict === "growing").length

describe("regress", () => {
  it("finds the slope of a line", () => {
    const { noise, slope, verdict } = regress(heap(1.5, 0, 1))
    expect(slope).toBeCloseTo(1.5, 6)
    expect({ noise, verdict }).toEqual({ noise: grain, verdict: "growing" })
  })

  it("takes noise for noise, and what rises out of it for growth", () => {
    expect(growing(0, 0.5)).toBeLessThanOrEqual(2)
    expect(growing(2, 0.5)).toBe(seeds.length)
    expect(regress(heap(grain / 2, 0, 1)).verdict).toBe("flat")
    expect(regress(heap(-3, 0, 1)).verdict).toBe("flat")
  })

  it("judges nothing by a few samples", () => {
    expect(regress(heap(100, 0, 1).slice(0, 3))).toEqual({ slope: 0, noise: Number.POSITIVE_INFINITY, verdict: "flat" })
  })
})
