import type { Goal, Row } from "./Row.js"
import { shown } from "./table.js"

/** A picture of the ratios that have goals: one bar each from 1, to the left where it is less, and the goal as a line. */

type Against = Exclude<Goal["of"], "ours">

const panels: ReadonlyArray<{ readonly of: Against; readonly title: string }> = [
  { of: "oursToFloor", title: "ours / floor (the least that the work takes)" },
  { of: "oursToPeer", title: "ours / peer (@openai/agents-realtime)" },
  { of: "growth", title: "growth: a unit at the end or in a large case / at the beginning or in a small one" }
]

interface Bar {
  readonly label: string
  readonly ratio: number
  readonly goal: number
}

const width = 1000
const labelWidth = 430
const valueWidth = 60
const rowHeight = 20
const headHeight = 44
const legendHeight = 24
const ticks = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]

const barsOf = (rows: ReadonlyArray<Row>, of: Against): ReadonlyArray<Bar> =>
  rows.flatMap((row) =>
    row.goals
      .filter((goal) => goal.of === of && Number.isFinite(goal.is) && goal.is > 0)
      .map(({ is, atMost }) => ({ label: `${row.bench}, ${row.case}: ${row.measure}`, ratio: is, goal: atMost }))
  )

const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")

const text = (x: number, y: number, kind: string, content: string, anchor = "start"): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" class="${kind}" text-anchor="${anchor}">${escaped(content)}</text>`

const line = (x: number, from: number, to: number, kind: string): string =>
  `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${from.toFixed(1)}" y2="${to.toFixed(1)}" class="${kind}"/>`

/** Logarithmic: half as much is as far from 1 as twice as much. */
const scaleOf = (bars: ReadonlyArray<Bar>): ((ratio: number) => number) => {
  const values = bars.flatMap(({ ratio, goal }) => [ratio, goal])
  const low = Math.log(Math.min(0.5, ...values) * 0.9)
  const high = Math.log(Math.max(2, ...values) * 1.1)
  const length = width - labelWidth - valueWidth
  return (ratio) => labelWidth + ((Math.log(ratio) - low) / (high - low)) * length
}

const panel = (title: string, bars: ReadonlyArray<Bar>, top: number): ReadonlyArray<string> => {
  const x = scaleOf(bars)
  const first = top + headHeight
  const bottom = first + bars.length * rowHeight
  const shownTicks = ticks.filter((tick) => x(tick) >= labelWidth && x(tick) <= width - valueWidth)
  return [
    text(0, top + 16, "title", title),
    ...shownTicks.flatMap((tick) => [
      text(x(tick), first - 6, "tick", `${tick}×`, "middle"),
      line(x(tick), first, bottom, tick === 1 ? "one" : "grid")
    ]),
    ...bars.flatMap(({ label, ratio, goal }, index) => {
      const y = first + index * rowHeight
      const isMet = ratio <= goal
      const [from, to] = ratio < 1 ? [x(ratio), x(1)] : [x(1), x(ratio)]
      const bar = `<rect x="${from.toFixed(1)}" y="${y + 4}" width="${Math.max(1, to - from).toFixed(1)}" height="${rowHeight - 8}" class="${isMet ? "met" : "missed"}"/>`
      return [
        text(labelWidth - 8, y + 14, "label", label, "end"),
        bar,
        line(x(goal), y + 1, y + rowHeight - 1, "goal"),
        text(width - valueWidth + 6, y + 14, "label", `${shown(ratio)} ${isMet ? "✓" : "✗"}`)
      ]
    })
  ]
}

/** Separate colours for dark pages. A goal that is met also differs by a sign from one that is not. */
const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.title { font-weight: 600; font-size: 14px }
.tick { fill: #656d76; font-size: 11px }
.grid { stroke: #d8dee4 }
.one { stroke: #656d76 }
.goal { stroke: #1f2328; stroke-width: 2 }
.met { fill: #2da44e }
.missed { fill: #d4732a }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .tick { fill: #8d96a0 }
  .grid { stroke: #30363d }
  .one { stroke: #8d96a0 }
  .goal { stroke: #e6edf3 }
  .met { fill: #3fb950 }
  .missed { fill: #e0823d }
}`

export const chart = (rows: ReadonlyArray<Row>): string => {
  const parts = [
    text(0, 14, "tick", "Bars begin at 1×; to the left is less, which is better. The upright line is the goal.")
  ]
  let top = legendHeight
  for (const { of, title } of panels) {
    const bars = barsOf(rows, of)
    if (bars.length === 0) continue
    parts.push(...panel(title, bars, top))
    top += headHeight + bars.length * rowHeight + 20
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" role="img">`,
    "<title>What this library costs: ratios, with the goal of each as a line. Less is better.</title>",
    `<style>${style}\n</style>`,
    ...parts,
    "</svg>",
    ""
  ].join("\n")
}
