/** The picture of the lanes as an SVG, in light and in dark. */
import { inOrder, type Lane, type Picture, words } from "./lanes.js"

const left = 88
const right = 16
const width = 960
const rowHeight = 14
const top = 92

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;")

/** Seconds between two marks of the axis: about eight of them. */
const stepOf = (ms: number): number => [1, 2, 5, 10, 20, 30, 60, 120, 300].find((step) => ms / 1000 / step <= 10) ?? 600

export const svg = ({ incidents, lanes, nodes, now }: Picture, figures: ReadonlyArray<string>): string => {
  const scale = (width - left - right) / Math.max(1000, now)
  const x = (at: number): string => (left + at * scale).toFixed(1)
  const rows = inOrder(lanes)
  const bottom = top + rows.length * rowHeight
  const height = bottom + 46 + figures.length * 18

  const row = (lane: Lane, at: number): string => {
    const y = top + at * rowHeight
    const first = lane.stretches[0]
    const last = lane.stretches.at(-1)
    const gap =
      first === undefined || last === undefined
        ? ""
        : `<rect class="gap" x="${x(first.from)}" y="${y + 5}" width="${((last.from - first.from) * scale).toFixed(1)}" height="2"/>`
    const stretches = lane.stretches.map(
      ({ from, node, to }) =>
        `<rect class="n${node % 4}" x="${x(from)}" y="${y + 1}" width="${Math.max(1, ((to ?? now) - from) * scale).toFixed(1)}" height="${rowHeight - 4}" rx="2"/>`
    )
    const outputs = lane.outputs.map((output) => `<circle class="output" cx="${x(output)}" cy="${y + 6}" r="1.8"/>`)
    return [`<text class="call" x="8" y="${y + 10}">${escaped(lane.call)}</text>`, gap, ...stretches, ...outputs].join(
      ""
    )
  }

  const marks = incidents.map(({ at, node, what }, index) => {
    const y = 50 + (index % 3) * 14
    const isLeft = at * scale > (width - left - right) * 0.7
    return (
      `<line class="mark" x1="${x(at)}" x2="${x(at)}" y1="${y - 8}" y2="${bottom}"/>` +
      `<text class="what${isLeft ? " end" : ""}" x="${(Number(x(at)) + (isLeft ? -5 : 5)).toFixed(1)}" y="${y}">${escaped(`${nodes[node] ?? node} ${words[what]}`)}</text>`
    )
  })

  const step = stepOf(now)
  const axis = Array.from({ length: Math.floor(now / 1000 / step) + 1 }, (_, at) => at * step).map(
    (seconds) =>
      `<line class="rule" x1="${x(seconds * 1000)}" x2="${x(seconds * 1000)}" y1="${top - 4}" y2="${bottom + 4}"/>` +
      `<text class="time" x="${x(seconds * 1000)}" y="${bottom + 18}">${seconds} s</text>`
  )
  const legend = nodes.map(
    (name, node) =>
      `<rect class="n${node % 4}" x="${left + node * 110}" y="12" width="14" height="10" rx="2"/>` +
      `<text x="${left + node * 110 + 20}" y="21">${escaped(name)}</text>`
  )
  const after = left + nodes.length * 110
  const texts = figures.map((text, at) => `<text x="8" y="${bottom + 42 + at * 18}">${escaped(text)}</text>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Which node had which call when">
<style>
  text { font: 12px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 } .call { font: 10px ui-monospace, monospace }
  .call, .time { fill: #656d76 } .time { text-anchor: middle } .rule { stroke: #e6ebf0 } .end { text-anchor: end }
  .n0 { fill: #54aeff } .n1 { fill: #4ac26b } .n2 { fill: #d4a72c } .n3 { fill: #c297ff }
  .gap { fill: #cf222e } .output { fill: #1f2328 } .mark { stroke: #cf222e; stroke-dasharray: 3 3 } .what { fill: #cf222e }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .call, .time { fill: #9198a1 } .rule { stroke: #2a313a }
    .n0 { fill: #1f6feb } .n1 { fill: #238636 } .n2 { fill: #9e6a03 } .n3 { fill: #8957e5 }
    .gap { fill: #f85149 } .output { fill: #e6edf3 } .mark { stroke: #f85149 } .what { fill: #f85149 }
  }
</style>
${axis.join("\n")}
${legend.join("\n")}
<rect class="gap" x="${after}" y="16" width="14" height="2"/><text x="${after + 20}" y="21">nobody</text>
<circle class="output" cx="${after + 107}" cy="17" r="2.5"/><text x="${after + 116}" y="21">a tool's output reaches the model</text>
${rows.map(row).join("\n")}
${marks.join("\n")}
${texts.join("\n")}
</svg>
`
}
