/**
 * Draws a call that fails and is answered, as it happened: `npx tsx examples/picture.ts FILE.svg`, or to the standard
 * output. The tool never comes back; the session gives it one second, tells the model, and the model tells the caller.
 */
import { FileSystem } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Effect, Stream } from "effect"
import { Agent, EmbeddedRealtime, Session, type SessionEvent, Tool } from "effect-realtime"

const findTable = Tool.make("find_table", {
  description: "Finds a free table tonight",
  timeout: "1 second",
  handler: () => Effect.never
})
const agent = Agent.make("Concierge", { instructions: "Answer in one sentence.", tools: [findTable] })
const question = "Find a free table tonight."

interface Moment {
  readonly atMs: number
  readonly event: SessionEvent.SessionEvent<never>
}

/** What happened until the model had told the caller about the failure. */
const happened = Effect.gen(function* () {
  const session = yield* Session.make(agent)
  const began = yield* Clock.currentTimeMillis
  yield* session.sendText(question)
  let hasFailed = false
  const moments = yield* session.events.pipe(
    Stream.mapEffect((event) => Effect.map(Clock.currentTimeMillis, (now): Moment => ({ atMs: now - began, event }))),
    Stream.tap(({ event }) =>
      Effect.sync(() => {
        hasFailed ||= event._tag === "ToolFailed"
      })
    ),
    Stream.takeUntil(({ event }) => hasFailed && event._tag === "ResponseDone"),
    Stream.runCollect
  )
  return Array.from(moments)
}).pipe(Effect.scoped, Effect.provide(EmbeddedRealtime.layer()))

const width = 960
const laneHeight = 74
const left = 120
const right = 36
const top = 16
const lanes = ["caller", "model", "tool", "application"] as const
type Lane = (typeof lanes)[number]

const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;")

const style = `
  text { font: 13px ui-sans-serif, system-ui, sans-serif; fill: #1f2328 }
  .lane, .time { fill: #656d76 } .code { font: 12px ui-monospace, monospace } .end { text-anchor: end }
  .rule { stroke: #d1d9e0 } .arrow { stroke: #656d76; fill: none; marker-end: url(#head) } .head { fill: #656d76 }
  .model { fill: #0969da } .waits { fill: #ffebe9; stroke: #cf222e } .failed { fill: #cf222e } .caller { fill: #1a7f37 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .lane, .time { fill: #9198a1 } .rule { stroke: #3d444d } .arrow { stroke: #9198a1 }
    .head { fill: #9198a1 } .model { fill: #4493f8 } .waits { fill: #4c1d1f; stroke: #f85149 } .failed { fill: #f85149 }
    .caller { fill: #3fb950 }
  }`

/** One lane for each who takes part; time runs from left to right. */
const draw = (moments: ReadonlyArray<Moment>): string => {
  const endMs = Math.max(...moments.map(({ atMs }) => atMs))
  const x = (atMs: number): number => Math.round(left + (atMs / endMs) * (width - left - right))
  const y = (lane: Lane): number => top + laneHeight * lanes.indexOf(lane) + laneHeight / 2
  const atOf = (tag: SessionEvent.SessionEvent<never>["_tag"], index = 0): number =>
    moments.filter(({ event }) => event._tag === tag).at(index)?.atMs ?? endMs
  const text = (atMs: number, lane: Lane, dy: number, words: string, as = ""): string =>
    `<text class="${as}" x="${x(atMs) + (as.includes("end") ? -6 : 6)}" y="${y(lane) + dy}">${escaped(words)}</text>`
  const bar = (fromMs: number, toMs: number, lane: Lane, as: string): string =>
    `<rect class="${as}" x="${x(fromMs)}" y="${y(lane) - 9}" width="${Math.max(4, x(toMs) - x(fromMs))}" height="18" rx="3"/>`
  const arrow = (atMs: number, from: Lane, to: Lane): string => {
    const sign = y(to) > y(from) ? 1 : -1
    return `<path class="arrow" d="M ${x(atMs)} ${y(from) + 10 * sign} V ${y(to) - 12 * sign}"/>`
  }

  const startedMs = atOf("ToolStarted")
  const failedMs = atOf("ToolFailed")
  const failed = moments.flatMap(({ event }) => (event._tag === "ToolFailed" ? [event] : []))[0]
  const said = moments.flatMap(({ event }) => (event._tag === "TextCompleted" ? [event.text] : [])).at(-1) ?? ""
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`
  const height = top + laneHeight * lanes.length + 34

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="A call that fails and is answered">`,
    `<style>${style}\n</style>`,
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path class="head" d="M 0 0 L 8 4 L 0 8 z"/></marker></defs>',
    ...lanes.flatMap((lane) => [
      `<text class="lane" x="8" y="${y(lane) + 4}">${lane}</text>`,
      `<line class="rule" x1="${left}" x2="${width - right}" y1="${y(lane)}" y2="${y(lane)}"/>`
    ]),
    bar(0, 0, "caller", "caller"),
    text(0, "caller", -14, `“${question}”`),
    bar(atOf("ResponseStarted"), atOf("ResponseDone"), "model", "model"),
    text(atOf("ResponseDone"), "model", -14, "find_table({})", "code"),
    arrow(startedMs, "model", "tool"),
    bar(startedMs, failedMs, "tool", "waits"),
    text(startedMs, "tool", 4, "the handler hangs: it has one second"),
    text(startedMs, "application", -14, "ToolStarted", "code"),
    bar(startedMs, startedMs, "application", "model"),
    bar(failedMs, failedMs, "tool", "failed"),
    arrow(failedMs, "tool", "model"),
    ...(failed?.output ?? "")
      .split(/(?<=",)/)
      .map((line, index) => text(failedMs, "model", 26 + 16 * index, line, "code end")),
    bar(failedMs, failedMs, "application", "failed"),
    text(failedMs, "application", -14, `ToolFailed: ${failed?.error._tag ?? ""}`, "code end"),
    bar(atOf("ResponseStarted", -1), atOf("ResponseDone", -1), "model", "model"),
    bar(endMs, endMs, "caller", "caller"),
    text(endMs, "caller", -14, `“${said}”`, "end"),
    ...[0, startedMs, failedMs].map(
      (atMs) => `<text class="time" x="${x(atMs)}" y="${height - 12}">${seconds(atMs)}</text>`
    ),
    "</svg>",
    ""
  ].join("\n")
}

const program = Effect.gen(function* () {
  const picture = draw(yield* happened)
  const file = process.argv[2]
  if (file === undefined) return yield* Console.log(picture)
  yield* Effect.flatMap(FileSystem.FileSystem, (files) => files.writeFileString(file, picture))
})

NodeRuntime.runMain(Effect.provide(program, NodeContext.layer))
