import { describe, expect, it } from "vitest"
import { chart } from "./chart.js"
import { row } from "./Row.js"
import type { Run } from "./Run.js"
import { results } from "./results.js"
import { table } from "./table.js"

const rows = [
  row({
    bench: "audio-out",
    case: "9.6 kB",
    measure: "CPU, warm",
    unit: "us",
    samples: new Map([
      ["ours" as const, [100, 120, 140]],
      ["floor" as const, [60]],
      ["peer" as const, [480]]
    ]),
    goals: [
      { of: "oursToFloor", atMost: 1.4 },
      { of: "oursToPeer", atMost: 0.6 }
    ]
  }),
  row({
    bench: "worst",
    case: "64 calls & <more>",
    measure: "CPU of a call",
    unit: "us",
    samples: new Map([["ours" as const, [1]]]),
    growth: 0.9,
    goals: [{ of: "growth", atMost: 1.5 }],
    notes: ["Said once."]
  })
]

const run = (load: number): Run => ({
  node: "v20.0.0",
  versions: { effect: "3.22.4" },
  machine: { cpu: "a processor", cores: 2, loadBefore: load, loadAfter: 0 },
  date: "2026-11-30",
  rounds: 3,
  rows
})

const parts = { chart: "results.svg", remarks: "## What is left\n\nThe compiler.\n" }

describe("The results", () => {
  it("are a table of each bench on a terminal", () => {
    const lines = table(rows).split("\n")
    expect(lines[0]).toBe("audio-out")
    expect(lines[2]).toMatch(/^9\.6 kB +CPU, warm +120 µs +100–140 +60\.0 +480 +2\.00 +0\.25 +/)
    expect(lines[2]).toContain("/ floor 2.00 > 1.4 ✗; / peer 0.25 ≤ 0.6 ✓")
    expect(lines).toContain("note: Said once.")
  })

  it("are a page that says where they come from, and which goals are not met", () => {
    const page = results(run(0.5), parts)
    expect(page).toContain("2026-11-30, Node v20.0.0, effect 3.22.4; a processor, 2 cores; 3 rounds.")
    expect(page).not.toContain("other work")
    expect(page).toContain(
      "2 of 3 goals are met. These are not:\n\n- audio-out, 9.6 kB, CPU, warm: / floor 2.00 > 1.4 ✗"
    )
    expect(page).toContain("(results.svg)")
    expect(page).toContain("\n\n## What is left\n\nThe compiler.\n\n")
    const cells = page.split("\n").filter((line) => line.startsWith("|"))
    expect(new Set(cells.map((line) => line.split("|").length))).toEqual(new Set([14]))
    expect(results(run(7), parts)).toContain("The machine had other work")
  })

  it("are a picture of well-formed XML, with a bar and a line for each goal, in light and dark", () => {
    const svg = chart(rows)
    expect(svg.match(/<rect /g)).toHaveLength(3)
    expect(svg.match(/class="goal"/g)).toHaveLength(3)
    expect(svg.match(/class="missed"/g)).toHaveLength(1)
    expect(svg).toContain("64 calls &amp; &lt;more&gt;")
    expect(svg).toContain("prefers-color-scheme: dark")
    expect(svg).not.toContain("NaN")
    const open: Array<string> = []
    for (const [, closing, name = "", , empty] of svg.matchAll(/<(\/?)([a-z]+)([^<>]*?)(\/?)>/g)) {
      if (closing) expect(open.pop()).toBe(name)
      else if (!empty) open.push(name)
    }
    expect(open).toEqual([])
  })
})
