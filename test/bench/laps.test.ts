import { describe, expect, it } from "vitest"
import type { Lap } from "./Contest.js"
import { cold, cpuUs, eighthsOf, samplesOf, stopped, warm } from "./laps.js"

const laps = (count: number): ReadonlyArray<Lap> =>
  Array.from({ length: count }, (_, index) => ({
    step: "lap",
    amount: 10,
    cpuMs: count - index,
    wallMs: 1,
    samples: [],
    values: {}
  }))

const outcome = new Map([
  ["ours" as const, [{ laps: laps(16) }, { laps: laps(16) }]],
  ["peer" as const, [{ laps: laps(16) }, { laps: laps(4) }]]
])

describe("Laps", () => {
  it("are cold at the beginning of each process, and warm in its last third", () => {
    expect(samplesOf(outcome, cold, cpuUs).get("ours")).toEqual([1600, 1500, 1400, 1600, 1500, 1400])
    expect(samplesOf(new Map([["ours" as const, [{ laps: laps(6) }]]]), warm, cpuUs).get("ours")).toEqual([200, 100])
  })

  it("have their medians in the order of the run, over all rounds", () => {
    const eighths = eighthsOf(
      outcome,
      "ours",
      (all) => all,
      (lap) => [cpuUs(lap)]
    )
    expect(eighths).toEqual([1500, 1300, 1100, 900, 700, 500, 300, 100])
  })

  it("say which contender was stopped, and not one that finished", () => {
    expect(stopped(outcome, "items")).toEqual(["peer was stopped after 40 items: it had had its time."])
    expect(stopped(new Map([...outcome].slice(0, 1)), "items")).toEqual([])
  })
})
