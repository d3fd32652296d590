/**
 * `npm run load [-- --calls 200] [--nodes 3] [--minutes 5] [--seed 1] [--silent]`
 *
 * Callers who talk to nodes: with audio in both directions, tools, approvals and hang-ups. Whoever hangs up is followed
 * by the next caller. Prints what the commands took and what the nodes needed; no call may be lost. With `--silent`, the
 * callers write, and no audio is sent.
 */
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { randomOf, type Talk, talk, through } from "./caller.js"
import { directory, doneTwice, type Outcome } from "./calls.js"
import { quantile, spread } from "./figures.js"
import * as Machines from "./machines.js"
import type { Wanted } from "./mind.js"
import { run } from "./run.js"
import type { Used } from "./usage.js"
import "../../examples/shared/pipe.js"

const { values } = parseArgs({
  options: {
    calls: { type: "string", default: "200" },
    nodes: { type: "string", default: "3" },
    minutes: { type: "string", default: "5" },
    seed: { type: "string", default: "1" },
    silent: { type: "boolean", default: false }
  }
})
const numberOf = (name: "calls" | "nodes" | "minutes" | "seed", least: number): number => {
  const value = Number(values[name])
  if (!Number.isFinite(value) || value < least) throw new Error(`--${name} takes a number from ${least} on.`)
  return value
}
const calls = numberOf("calls", 1)
const nodeCount = numberOf("nodes", 1)
const minutes = numberOf("minutes", 0.1)
const seed = numberOf("seed", 0)

interface Usage extends Used {
  readonly calls: number
}

const wanted = (random: () => number): ReadonlyArray<Wanted> => {
  const which = random()
  if (which < 0.3) return []
  if (which < 0.5) return [{ tool: "note", ms: 0 }]
  if (which < 0.7) return [{ tool: "look", ms: 800 }]
  if (which < 0.8)
    return [
      { tool: "book", ms: 800 },
      { tool: "note", ms: 0 }
    ]
  return which < 0.9 ? [{ tool: "pay", ms: 0 }] : [{ tool: "ship", ms: 500 }]
}

const program = Effect.gen(function* () {
  console.log("Starting PostgreSQL, and a server in the place of the model …")
  const machines = yield* Machines.make
  const database = yield* machines.postgres.database("effect_realtime_load")
  const nodes = yield* machines.startAll(
    Array.from({ length: nodeCount }, (_, at) => ({
      name: `n${at + 1}`,
      leaseMs: 6000,
      databaseUrl: database.url,
      ...(values.silent ? {} : { modality: "audio" as const })
    }))
  )
  console.log(`${nodes.length} nodes are ready. ${calls} callers talk for ${minutes} minutes.`)
  const startedAt = Date.now()
  const endAt = startedAt + minutes * 60_000
  const outcomes: Array<Outcome> = []
  const late: Array<string> = []
  let begun = 0
  let hungUp = 0
  let turns = 0

  /** One caller after the other, on the same line. */
  const line = (at: number) =>
    Effect.gen(function* () {
      const random = randomOf(seed * 100_000 + at)
      const node = nodes[at % nodes.length]
      if (node === undefined) return
      // Not all at once: a session costs more to begin than to go on.
      yield* Effect.sleep((at / calls) * Math.min(20_000, minutes * 20_000))
      for (let nth = 1; Date.now() < endAt; nth += 1) {
        const call = `load-${at + 1}-${nth}`
        const last = 4 + Math.floor(random() * 12)
        const options: Talk = {
          nodes: () => nodes,
          goesOn: (turn) => turn <= last && Date.now() < endAt,
          wanted: () => wanted(random),
          pauseMs: 4000,
          random,
          onCommand: (outcome) => outcomes.push(outcome),
          onLate: (text) => late.push(text)
        }
        yield* Effect.orDie(node.ask("start", { calls: [call] }))
        if (!values.silent) yield* Effect.orDie(node.ask("speak", { calls: [call] }))
        begun += 1
        const taken = yield* talk(machines, options, call)
        turns += taken
        // Those whom the end of the load meets stay: all of them must be there still.
        if (Date.now() >= endAt) return
        yield* through(options, call, { _tag: "Close" })
        hungUp += 1
      }
    })

  const commits = Effect.map(
    database.query("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"),
    ([row]) => Number(row?.["xact_commit"] ?? 0)
  )
  yield* Effect.forEach(nodes, (node) => node.ask("usage"))
  const commitsBefore = yield* commits
  const lines = yield* Effect.forEach(
    Array.from({ length: calls }, (_, at) => at),
    (at) => Effect.fork(line(at))
  )
  const usages: Array<ReadonlyArray<Usage>> = []
  const every = Math.min(15_000, minutes * 15_000)
  let lookedAt = Date.now()
  while (Date.now() < endAt) {
    yield* Effect.sleep(Math.min(every, Math.max(100, endAt - Date.now())))
    const sinceMs = Date.now() - lookedAt
    lookedAt = Date.now()
    const usage = yield* Effect.forEach(nodes, (node) => node.ask<Usage>("usage"))
    usages.push(usage.map((one) => ({ ...one, cpuMs: (one.cpuMs / sinceMs) * 1000 })))
    const recent = outcomes.slice(-500).map(({ ms }) => ms)
    const shown = usage.map(
      (one, at) => `${nodes[at]?.name} ${one.calls} calls ${Math.round((one.cpuMs / sinceMs) * 100)} %`
    )
    console.log(
      `${String(Math.round((Date.now() - startedAt) / 1000)).padStart(4)} s  ${shown.join("  ")}  commands p50 ${quantile(recent, 0.5).toFixed(1)} ms`
    )
  }
  yield* Effect.forEach(lines, Fiber.join)

  const transactions = ((yield* commits) - commitsBefore) / ((Date.now() - startedAt) / 1000)
  const rows = yield* directory(database.query)
  const facts = yield* machines.facts
  const open = rows.filter(({ state }) => state === "live").length
  const lost = rows.filter(({ state }) => state === "failed").length + Math.max(0, begun - hungUp - open)
  const violations = facts.flatMap((one) => one.violations)
  const twice = yield* doneTwice(machines, "load-")
  const failed = outcomes.filter(({ error }) => error !== undefined)
  const most = (of: (usage: Usage) => number, at: number) => Math.max(...usages.map((usage) => of(usage[at] ?? never)))
  console.log("")
  console.log(`calls        ${begun} begun, ${hungUp} hung up, ${open} open at the end, lost = ${lost}`)
  console.log(
    `turns        ${turns}, answers of tools ${facts.reduce((sum, { outputs }) => sum + outputs.length, 0)} (of the calls that the model remembers)`
  )
  console.log(`commands     ${spread(outcomes.map(({ ms }) => ms))}, ${failed.length} failed`)
  console.log(
    `database     ${transactions.toFixed(0)} transactions a second, ${(transactions / calls).toFixed(1)} for each call`
  )
  for (const [at, { name }] of nodes.entries()) {
    const steady = usages.slice(Math.floor(usages.length / 3)).map((usage) => usage[at] ?? never)
    const mean = (of: (usage: Usage) => number) =>
      steady.reduce((sum, one) => sum + of(one), 0) / Math.max(1, steady.length)
    console.log(
      `${name.padEnd(12)} ${most((one) => one.calls, at)} calls at most; CPU ${(mean((one) => one.cpuMs) / 10).toFixed(0)} % of a core, ${(
        mean((one) => one.cpuMs) /
          Math.max(
            1,
            mean((one) => one.calls)
          )
      ).toFixed(1)} ms a second for each call; ` +
        `${(most((one) => one.rssBytes, at) / 1_048_576).toFixed(0)} MB; lag p99 ${mean((one) => one.lagP99Ms).toFixed(0)} ms; audio ${(mean((one) => one.audioBytes) / 1_048_576).toFixed(1)} MB and ${(mean((one) => one.clusterBytes) / 1024).toFixed(0)} kB between nodes, every ${(every / 1000).toFixed(0)} s`
    )
  }
  for (const violation of [
    ...violations,
    ...late,
    ...twice,
    ...failed.map(({ call, error }) => `${call}: ${error?._tag}: ${error?.message}`)
  ].slice(0, 20)) {
    console.log(`! ${violation}`)
  }
  return lost === 0 && late.length === 0 && violations.length === 0 && twice.length === 0 ? 0 : 1
})

const never: Usage = { calls: 0, cpuMs: 0, rssBytes: 0, lagP99Ms: 0, clusterBytes: 0, audioBytes: 0 }

run(program)
