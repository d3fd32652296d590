import { describe, expect, it } from "@effect/vitest"
import { chance } from "./chance.js"
import { grain, regress } from "./regression.js"

/** A heap of about 30 MB, measured after each of 25 laps of 80 responses. */
const heap = (growth: number, noise: number, seed: number) =>
  Array.from({ length: 25 }, (_, at) => ({
    responses: at * 80,
    bytes: 30e6 + growth * at * 80 + noise * (chance(seed, at) - 0.5)
  }))

const seeds = Array.from({ length: 200 }, (_, seed) => seed)
const growing = (growth: number, noise: number) =>
  seeds.filter((seed) => regress(heap(growth, noise, seed)).verdict === "growing").length

describe("regress", () => {
  it("finds the slope of a line", () => {
    const { noise, slope, verdict } = regress(heap(150, 0, 1))
    expect(slope).toBeCloseTo(150, 6)
    expect({ noise, verdict }).toEqual({ noise: grain, verdict: "growing" })
  })

  it("tells growth from noise", () => {
    expect(growing(0, 100_000)).toBeLessThanOrEqual(2)
    expect(growing(100, 100_000)).toBe(seeds.length)
    expect(regress(heap(grain / 2, 0, 1)).verdict).toBe("flat")
    expect(regress(heap(-300, 0, 1)).verdict).toBe("flat")
  })

  it("makes no judgement from a few samples", () => {
    const few = heap(1e6, 0, 1).slice(0, 3)
    expect(regress(few)).toEqual({ slope: 0, noise: Number.POSITIVE_INFINITY, verdict: "flat" })
  })
})
