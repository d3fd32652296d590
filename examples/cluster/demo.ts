/**
 * `npm run demo:cluster [-- --calls 30] [-- --svg lanes.svg]`
 *
 * Three nodes, thirty callers, PostgreSQL. One node is killed, another one is told to stop, and the picture shows which
 * node had which call when. In the end: no call lost, no output doubled.
 */
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { randomOf, talk } from "../../test/cluster/caller.js"
import { type Outcome, untilTaken } from "../../test/cluster/calls.js"
import { milliseconds, spread } from "../../test/cluster/figures.js"
import * as Machines from "../../test/cluster/machines.js"
import type { Wanted } from "../../test/cluster/mind.js"
import { run } from "../../test/cluster/run.js"
import * as Terminal from "../concierge/terminal.js"
import { draw, type Incident, type Lane, type Picture } from "./lanes.js"
import { svg } from "./svg.js"
import { verdictOf, watch } from "./watch.js"
import "../shared/pipe.js"

const { values } = parseArgs({
  options: { calls: { type: "string", default: "30" }, svg: { type: "string", default: "cluster.svg" } }
})
const count = Number(values.calls)
if (!Number.isSafeInteger(count) || count < 3) throw new Error("--calls takes a whole number from 3 on.")

const leaseMs = 3000
/** When what happens, in milliseconds after the callers have begun. */
const killAt = 6000
const drainAt = 16_000
const endAt = 25_000

const { isTTY } = process.stdout
const terminal = Terminal.make({ isTty: isTTY, columns: process.stdout.columns, variables: process.env })
const say = (text: string): void => console.log(text)

const wanted = (random: () => number): ReadonlyArray<Wanted> => {
  const which = random()
  if (which < 0.25) return [{ tool: "note", ms: 0 }]
  if (which < 0.5) return [{ tool: "look", ms: 1500 }]
  if (which < 0.65) return [{ tool: "book", ms: 1500 }]
  if (which < 0.8) return [{ tool: "ship", ms: 1000 }]
  return which < 0.9 ? [{ tool: "pay", ms: 0 }] : []
}

const program = Effect.gen(function* () {
  say("Starting PostgreSQL, and a server in the place of the model …")
  const machines = yield* Machines.make
  const database = yield* machines.postgres.database("effect_realtime_demo")
  say("Starting three nodes …")
  const names = ["node 1", "node 2", "node 3"]
  const nodes = yield* machines.startAll(
    names.map((name) => ({ name: name.replace(" ", "-"), leaseMs, databaseUrl: database.url }))
  )
  const [killed, drained, last] = nodes
  if (killed === undefined || drained === undefined || last === undefined) return 1
  say(`They are ready. ${count} callers begin to talk; commands come through any node.`)

  const startedAt = Date.now()
  const now = () => Date.now() - startedAt
  const calls = Array.from({ length: count }, (_, at) => `call ${String(at + 1).padStart(2, "0")}`.replace(" ", "-"))
  yield* Effect.forEach(
    nodes,
    (node, at) => node.ask("start", { calls: calls.filter((_, call) => call % nodes.length === at) }),
    { concurrency: "unbounded" }
  )
  let open = nodes
  const outcomes: Array<Outcome> = []
  const late: Array<string> = []
  const callers = yield* Effect.forEach(calls, (call, at) => {
    const random = randomOf(at + 1)
    return Effect.fork(
      talk(
        machines,
        {
          nodes: () => open,
          goesOn: () => now() < endAt,
          wanted: () => wanted(random),
          pauseMs: 1200,
          random,
          onCommand: (outcome) => outcomes.push(outcome),
          onLate: (text) => late.push(text)
        },
        call
      )
    )
  })

  const incidents: Array<Incident> = []
  let lanes: ReadonlyArray<Lane> = []
  const picture = (): Picture => ({ nodes: names, lanes, incidents, now: now() })
  let drawn = 0
  const show = (): void => {
    if (!isTTY) return
    const lines = draw(picture(), terminal)
    process.stdout.write(`${drawn === 0 ? "" : `\u001b[${drawn}A\u001b[0J`}${lines.join("\n")}\n`)
    drawn = lines.length
  }
  const watching = yield* Effect.fork(
    watch(database, nodes, (seen) => {
      lanes = seen(lanes, now())
      show()
    })
  )
  const tell = (text: string): void => {
    if (!isTTY) say(`${(now() / 1000).toFixed(1).padStart(5)} s  ${text}`)
  }
  const callsOf = (node: number): ReadonlyArray<string> =>
    lanes
      .filter(({ stretches }) => stretches.at(-1)?.node === node && stretches.at(-1)?.to === undefined)
      .map(({ call }) => call)
  const later = (at: number) => Effect.sleep(Math.max(0, at - now()))

  yield* later(killAt)
  const orphans = callsOf(0)
  tell(`node 1 is killed with ${orphans.length} calls (SIGKILL).`)
  open = [drained, last]
  incidents.push({ node: 0, at: now(), what: "killed" })
  const killedAt = Date.now()
  yield* killed.kill
  const taken = yield* untilTaken(database.query, orphans, killed, killedAt)
  tell(`the other nodes have all of them: ${spread(taken)}.`)

  yield* later(drainAt)
  const moving = callsOf(1)
  tell(`node 2 is told to stop with ${moving.length} calls (SIGTERM).`)
  open = [last]
  incidents.push({ node: 1, at: now(), what: "drains" })
  const toldAt = Date.now()
  yield* drained.signal("SIGTERM")
  const ending = yield* drained.ended
  const drainMs = Date.now() - toldAt
  incidents.push({ node: 1, at: now(), what: "left" })
  tell(
    `node 2 has given its calls away after ${milliseconds(drainMs)}, and ended with ${ending.code ?? ending.signal}.`
  )

  yield* later(endAt)
  tell("the callers end their turns.")
  const turns = yield* Effect.forEach(callers, Fiber.join)
  yield* Effect.sleep("500 millis")
  yield* Fiber.interrupt(watching)

  const verdict = yield* verdictOf(machines, database, calls, moving, toldAt)
  lanes = lanes.map((lane) => ({
    ...lane,
    outputs: (verdict.answeredAt.get(lane.call) ?? []).map((at) => at - startedAt)
  }))
  show()
  if (!isTTY) for (const line of draw(picture(), terminal)) say(line)
  const failed = outcomes.filter(({ error }) => error !== undefined)
  const figures = [
    `${count} calls, ${turns.reduce((sum, one) => sum + one, 0)} turns: ${verdict.lost.length} calls lost`,
    `${verdict.toolCalls} calls of tools: ${verdict.unanswered.length} unanswered, ${verdict.doubled.length} doubled outputs, ${verdict.twice.length} second runs of what must not run twice`,
    `${orphans.length} calls of the killed node, lease ${leaseMs / 1000} s: taken over ${spread(taken)}`,
    `${moving.length} calls of the node that was told to stop: ${milliseconds(drainMs)} in all, each without the model for ${spread(verdict.gaps)}`,
    `${outcomes.length} commands through any node: ${failed.length} failed, ${spread(outcomes.map(({ ms }) => ms))}`
  ]
  say("")
  for (const figure of figures) say(`  ${figure}`)
  writeFileSync(values.svg, svg(picture(), figures))
  say(`\nThe picture is in ${values.svg}.`)
  const faults = [
    ...verdict.lost,
    ...late,
    ...verdict.unanswered,
    ...verdict.doubled,
    ...verdict.twice,
    ...failed.map(({ call, error }) => `${call}: ${error?._tag}: ${error?.message}`)
  ]
  for (const fault of faults.slice(0, 20)) say(terminal.red(`  ${fault}`))
  return faults.length === 0 && ending.code === 0 ? 0 : 1
})

run(program)
