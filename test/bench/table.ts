import type { Row, Verdict } from "./Row.js"

/** Three digits are as precise as the measurement. */
export const shown = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

export const columns = [
  "case",
  "measure",
  "ours",
  "spread",
  "floor",
  "floor+Effect",
  "peer",
  "/ floor",
  "/ floor+Effect",
  "/ peer",
  "growth",
  "goals"
]

const names = { oursToFloor: "/ floor", oursToPeer: "/ peer", ours: "ours", growth: "growth" } as const

export const verdict = ({ of, atMost, is, met }: Verdict): string =>
  `${names[of]} ${shown(is)} ${met ? "≤" : ">"} ${atMost} ${met ? "✓" : "✗"}`

/** What is shown of a row, in the order of `columns`. */
export const cells = (row: Row): ReadonlyArray<string> => {
  const p50 = (figures: Row["peer"]): string => (figures === undefined ? "" : shown(figures.p50))
  const ratio = (value: number | undefined): string => (value === undefined ? "" : shown(value))
  return [
    row.case,
    row.measure,
    `${p50(row.ours)} ${row.unit === "us" ? "µs" : row.unit}`,
    `${shown(row.ours.p25)}–${shown(row.ours.p75)}`,
    p50(row.floor),
    p50(row.floorEffect),
    p50(row.peer),
    ratio(row.oursToFloor),
    ratio(row.oursToFloorEffect),
    ratio(row.oursToPeer),
    ratio(row.growth),
    row.goals.map(verdict).join("; ")
  ]
}

/** The benches, in their order, with the rows of each. */
export const byBench = (rows: ReadonlyArray<Row>): ReadonlyMap<string, ReadonlyArray<Row>> => {
  const groups = new Map<string, Array<Row>>()
  for (const row of rows) groups.set(row.bench, [...(groups.get(row.bench) ?? []), row])
  return groups
}

const notesOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => [...new Set(rows.flatMap(({ notes }) => notes))]

/** For people, on a terminal. */
export const table = (rows: ReadonlyArray<Row>): string =>
  Array.from(byBench(rows), ([bench, some]) => {
    const lines = [columns, ...some.map(cells)]
    const widths = columns.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
    const text = lines.map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()
    )
    return [bench, ...text, ...notesOf(some).map((note) => `note: ${note}`), ""].join("\n")
  }).join("\n")

/** For people, as Markdown. */
export const markdown = (rows: ReadonlyArray<Row>): string =>
  Array.from(byBench(rows), ([bench, some]) => {
    const line = (cells: ReadonlyArray<string>): string => `| ${cells.join(" | ")} |`
    return [
      `## ${bench}`,
      "",
      line(columns),
      line(columns.map(() => "---")),
      ...some.map((row) => line(cells(row))),
      ...notesOf(some).map((note, index) => `${index === 0 ? "\n" : ""}- ${note}`)
    ].join("\n")
  }).join("\n\n")
