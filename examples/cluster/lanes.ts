/** Which node had which call when, as it is seen from outside, and a picture of it in the terminal. */
import type { Paint, Terminal } from "../concierge/terminal.js"

/** A stretch of time in which one node had a call. Times are in milliseconds since the beginning. */
export interface Stretch {
  /** The number of the node, from 0. */
  readonly node: number
  readonly from: number
  /** Absent: it has the call still. */
  readonly to: number | undefined
}

export interface Lane {
  readonly call: string
  readonly stretches: ReadonlyArray<Stretch>
  /** When outputs of tools reached the model. */
  readonly outputs: ReadonlyArray<number>
}

/** What happened to a node. */
export interface Incident {
  readonly node: number
  readonly at: number
  readonly what: "killed" | "drains" | "left"
}

export interface Picture {
  readonly nodes: ReadonlyArray<string>
  readonly lanes: ReadonlyArray<Lane>
  readonly incidents: ReadonlyArray<Incident>
  readonly now: number
}

/** A call as the directory has it at one moment; without a node while none has it. */
export interface Sighting {
  readonly call: string
  readonly node: number | undefined
}

const extend = (lane: Lane, node: number | undefined, at: number): Lane => {
  const last = lane.stretches.at(-1)
  if (last !== undefined && last.to === undefined) {
    if (last.node === node) return lane
    const stretches = [...lane.stretches.slice(0, -1), { ...last, to: at }]
    return extend({ ...lane, stretches }, node, at)
  }
  return node === undefined ? lane : { ...lane, stretches: [...lane.stretches, { node, from: at, to: undefined }] }
}

/** Adds what is seen at one moment. A call that is not seen has no node. */
export const see = (
  lanes: ReadonlyArray<Lane>,
  sightings: ReadonlyArray<Sighting>,
  at: number
): ReadonlyArray<Lane> => {
  const nodeOf = new Map(sightings.map(({ call, node }) => [call, node]))
  const known = new Set(lanes.map(({ call }) => call))
  const added = sightings.flatMap(({ call }) => (known.has(call) ? [] : { call, stretches: [], outputs: [] }))
  return [...lanes, ...added].map((lane) => extend(lane, nodeOf.get(lane.call), at))
}

/** The node that has a call at a time. */
const nodeAt = ({ stretches }: Lane, at: number): number | undefined =>
  stretches.find(({ from, to }) => from <= at && (to === undefined || at < to))?.node

/** In the order of the nodes that had them first, so that the calls of one node are beside each other. */
export const inOrder = (lanes: ReadonlyArray<Lane>): ReadonlyArray<Lane> =>
  lanes.toSorted(
    (a, b) =>
      (a.stretches[0]?.node ?? Number.MAX_VALUE) - (b.stretches[0]?.node ?? Number.MAX_VALUE) ||
      a.call.localeCompare(b.call)
  )

const blocks = ["█", "▓", "▒", "░"]

const paintsOf = ({ cyan, green, yellow }: Terminal): ReadonlyArray<Paint> => [cyan, green, yellow]

const labelWidth = 9

/** A line for each call: a sign of the node that has it for each slice of time, and a dot where none has. */
export const draw = ({ incidents, lanes, nodes, now }: Picture, terminal: Terminal): ReadonlyArray<string> => {
  const { bold, dim, red } = terminal
  const paints = paintsOf(terminal)
  const paintOf = (node: number): Paint => paints[node % paints.length] ?? bold
  const signOf = (node: number): string => blocks[node % blocks.length] ?? "█"
  const width = terminal.width - labelWidth - 2
  const slice = Math.max(1000, now) / width
  const columnOf = (at: number): number => Math.min(width - 1, Math.floor(at / slice))

  const row = (lane: Lane): string => {
    let line = ""
    for (let column = 0; column < width; column += 1) {
      const at = (column + 0.5) * slice
      const node = at > now ? undefined : nodeAt(lane, at)
      const isOpen = (lane.stretches[0]?.from ?? now) < at && at < Math.min(now, lane.stretches.at(-1)?.to ?? now)
      line += node === undefined ? (isOpen ? red("·") : " ") : paintOf(node)(signOf(node))
    }
    return `${dim(lane.call.padEnd(labelWidth))} ${line}`
  }

  const marks = incidents.map(({ at, node, what }) => {
    const text = `${nodes[node] ?? node} ${words[what]}`
    const column = columnOf(at)
    const isLeft = column + text.length + 2 > width
    const before = " ".repeat(Math.max(0, isLeft ? column - text.length - 1 : column))
    return `${" ".repeat(labelWidth)} ${before}${red(isLeft ? `${text} ▼` : `▼ ${text}`)}`
  })
  const end = `${(Math.max(1000, now) / 1000).toFixed(0)} s`
  return [
    `${" ".repeat(labelWidth)} ${nodes.map((name, node) => `${paintOf(node)(signOf(node).repeat(2))} ${name}`).join("   ")}   ${red("·")} nobody`,
    ...marks,
    ...inOrder(lanes).map(row),
    `${" ".repeat(labelWidth)} ${dim(`0 s${end.padStart(width - 3)}`)}`
  ]
}

export const words: Readonly<Record<Incident["what"], string>> = {
  killed: "is killed (SIGKILL)",
  drains: "is told to stop (SIGTERM)",
  left: "has gone"
}
