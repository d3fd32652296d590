import type { Row } from "./Bench.js"
import type { Figures } from "./stats.js"

const columns = ["", "p50", "p95", "p99", "per second", "samples", "first eighth", "last eighth"]

const cells = (name: string, figures: Figures): ReadonlyArray<string> => [
  name,
  ...[figures.p50, figures.p95, figures.p99].map((value) => value.toFixed(3)),
  String(figures.perSecond),
  String(figures.samples),
  ...[figures.eighths.at(0), figures.eighths.at(-1)].map((value) => (value ?? Number.NaN).toFixed(3))
]

const line = (row: ReadonlyArray<string>): string =>
  row.map((cell, index) => (index === 0 ? cell.padEnd(8) : cell.padStart(14))).join("")

/** A row for people. */
export const table = (row: Row): string =>
  [
    `${row.bench}, ${row.case} (${row.unit}, ${row.better} is better)`,
    line(columns),
    line(cells("ours", row.ours)),
    line(cells("floor", row.floor)),
    line(cells("peer", row.peer)),
    `ours / floor ${row.oursToFloor.toFixed(2)}, peer / ours ${row.peerToOurs.toFixed(1)}`,
    ...row.notes.map((note) => `note: ${note}`),
    ""
  ].join("\n")
