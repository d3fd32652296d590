import { describe, expect, it } from "vitest"
import { row } from "./Row.js"

const about = { bench: "audio-out", case: "9.6 kB", measure: "CPU, warm", unit: "us" } as const

describe("A row", () => {
  it("has the ratios of medians to the contenders that took part", () => {
    const samples = new Map([
      ["ours" as const, [2, 30, 3]],
      ["floor" as const, [2]],
      ["peer" as const, [6]]
    ])
    const made = row({ ...about, samples })
    expect(made).toMatchObject({ oursToFloor: 1.5, oursToPeer: 0.5, peerToOurs: 2, goals: [] })
    expect(made).not.toHaveProperty("floorEffect")
    expect(made).not.toHaveProperty("oursToFloorEffect")
    expect(made).not.toHaveProperty("growth")
  })

  it("says whether each goal is met, and nothing about a goal whose contender did not finish", () => {
    const samples = new Map([
      ["callbacks" as const, [3]],
      ["floor" as const, [2]]
    ])
    const { goals } = row({
      ...about,
      subject: "callbacks",
      samples,
      growth: 2.5,
      goals: [
        { of: "oursToFloor", atMost: 1.5 },
        { of: "oursToPeer", atMost: 0.6 },
        { of: "growth", atMost: 1.1 },
        { of: "ours", atMost: 3 }
      ]
    })
    expect(goals).toEqual([
      { of: "oursToFloor", atMost: 1.5, is: 1.5, met: true },
      { of: "growth", atMost: 1.1, is: 2.5, met: false },
      { of: "ours", atMost: 3, is: 3, met: true }
    ])
  })
})
