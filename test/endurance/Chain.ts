/** One session and the processes that had it, each killed at another moment, until the last one may end. */
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { Item } from "../../src/Conversation.js"
import type * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { between, chance } from "./chance.js"
import { unsettled } from "./Findings.js"

/** What a process says of its session. */
export type Report =
  | { readonly _tag: "Began"; readonly sessionId: string; readonly items: ReadonlyArray<Item> }
  | { readonly _tag: "ItemCompleted"; readonly item: Item }
  | { readonly _tag: "ItemDeleted"; readonly itemId: string }
  | { readonly _tag: "Omitted"; readonly itemIds: ReadonlyArray<string> }
  | { readonly _tag: "Failed"; readonly message: string }
  | { readonly _tag: "Done"; readonly turns: number }

/** When a process is killed: as the server exchanges its n-th event with it, or some time after the first. */
export type Kill =
  | { readonly _tag: "AtEvent"; readonly n: number }
  | { readonly _tag: "After"; readonly ms: number }
  | { readonly _tag: "Never" }

export interface Environment {
  /** The program of the processes. */
  readonly program: string
  readonly url: string
  /** Hears of each event that is exchanged with the clients of this name. */
  readonly watch: (name: string, onEvent: () => void) => void
  readonly connectionsOf: (name: string) => Effect.Effect<ReadonlyArray<EmbeddedRealtime.ServerConnection>>
}

export interface Outcome {
  readonly rounds: number
  readonly items: number
  readonly calls: number
  readonly turns: number
  /** How often what was written was replaced by what it came to. */
  readonly compactions: number
  readonly violations: ReadonlyArray<string>
}

/** A process that makes no progress for this long, in milliseconds, is stuck. */
const patience = 30_000

interface Life {
  readonly reports: ReadonlyArray<Report>
  readonly ending: "Killed" | "Stuck" | "Ended"
  readonly complaint: string
}

const live = (env: Environment, name: string, args: ReadonlyArray<string>, kill: Kill): Effect.Effect<Life> =>
  Effect.async((resume) => {
    const child: ChildProcess = spawn(process.execPath, [env.program, env.url, name, ...args], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let ending: Life["ending"] = "Ended"
    let output = ""
    let complaint = ""
    let events = 0
    let timer: NodeJS.Timeout | undefined
    const end = (how: Life["ending"]) => {
      if (ending === "Ended") ending = how
      child.kill("SIGKILL")
    }
    const guard = setTimeout(() => end("Stuck"), patience)
    env.watch(name, () => {
      events += 1
      if (kill._tag === "AtEvent" && events === kill.n) end("Killed")
      if (kill._tag === "After" && events === 1) timer = setTimeout(() => end("Killed"), kill.ms)
    })
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      complaint = (complaint + text).slice(-2000)
    })
    child.on("close", (code) => {
      clearTimeout(guard)
      clearTimeout(timer)
      // A line that was cut off was not said.
      const lines = output.split("\n").slice(0, -1)
      // The border with JSON: the output of mortal.ts.
      const reports = lines.map((line): Report => JSON.parse(line))
      if (ending === "Ended" && code !== 0) complaint += ` (exit code ${code})`
      resume(Effect.succeed({ reports, ending, complaint }))
    })
    return Effect.sync(() => end("Killed"))
  })

/** Early, while the conversation is told again, in the midst of a turn, or at any time. */
const killOf = (items: number, seed: number, round: number): Kill => {
  const where = chance(seed, round, 1)
  if (where < 0.25) return { _tag: "AtEvent", n: between(1, 10 + 3 * items, seed, round, 2) }
  if (where < 0.85) return { _tag: "AtEvent", n: 3 * items + between(5, 120, seed, round, 2) }
  return { _tag: "After", ms: between(0, 300, seed, round, 2) }
}

/** What was published before, and is not in the conversation that was taken up. */
const lost = (published: ReadonlyMap<string, string>, items: ReadonlyArray<Item>): ReadonlyArray<string> => {
  const found = new Map(items.map((item) => [item.id, JSON.stringify(item)]))
  return Array.from(published).flatMap(([id, text]) =>
    found.get(id) === text ? [] : `${text} became ${found.get(id)}`
  )
}

export const run = (env: Environment, seed: number, rounds: number): Effect.Effect<Outcome> =>
  Effect.acquireUseRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "effect-realtime-crash-"))),
    (directory) =>
      Effect.gen(function* () {
        const violations: Array<string> = []
        const published = new Map<string, string>()
        const connections: Array<EmbeddedRealtime.ServerConnection> = []
        let sessionId = ""
        let turns = 0
        for (let round = 0; round <= rounds; round += 1) {
          const name = `crash-${seed}-${round}`
          const isLast = round === rounds
          const kill: Kill = isLast ? { _tag: "Never" } : killOf(published.size, seed, round)
          const violated = (text: string) =>
            violations.push(`Seed ${seed}, round ${round} (${JSON.stringify(kill)}): ${text}`)
          const life = yield* live(env, name, [directory, sessionId, isLast ? "ends" : "talks"], kill)
          if (life.ending === "Stuck") violated("the process got nowhere.")
          if (life.complaint !== "") violated(`the process complained: ${life.complaint}`)
          for (const report of life.reports) {
            switch (report._tag) {
              case "Began":
                sessionId = report.sessionId
                for (const item of lost(published, report.items)) violated(`lost: ${item}`)
                break
              case "ItemCompleted":
                published.set(report.item.id, JSON.stringify(report.item))
                break
              case "ItemDeleted":
                published.delete(report.itemId)
                break
              case "Omitted":
                for (const itemId of report.itemIds) if (published.has(itemId)) violated(`not told again: ${itemId}`)
                break
              case "Failed":
                violated(report.message)
                break
              case "Done":
                turns = report.turns
                break
            }
          }
          const own = yield* env.connectionsOf(name)
          connections.push(...own)
          for (const { refused } of own) {
            for (const { refusal } of yield* refused) violated(`the server refused: ${refusal.code} ${refusal.message}`)
          }
        }
        violations.push(...(yield* unsettled(connections)).map((text) => `Seed ${seed}: ${text}`))
        if (turns === 0) violations.push(`Seed ${seed}: the last process did not come to its end.`)
        const effects = yield* Effect.promise(() => readFile(join(directory, "effects"), "utf8").catch(() => ""))
        const acts = effects.split("\n").slice(0, -1)
        for (const [at, act] of acts.entries()) {
          if (!act.startsWith("renew ") && acts.indexOf(act) !== at) violations.push(`Seed ${seed}: done twice: ${act}`)
        }
        const files = yield* Effect.promise(() => readdir(join(directory, `session-${sessionId}`)).catch(() => []))
        const compactions = Math.max(0, ...files.map((name) => Number(/^records-(\d+)\.journal$/.exec(name)?.[1] ?? 0)))
        // Those that were cut off leave nothing behind.
        const left = files.filter((name) => !name.endsWith(".lock"))
        if (left.length !== 1) violations.push(`Seed ${seed}: the journal has the files ${left.join(", ")}.`)
        if (compactions === 0) violations.push(`Seed ${seed}: the journal was never compacted.`)
        return { rounds, items: published.size, calls: new Set(acts).size, turns, compactions, violations }
      }),
    (directory) => Effect.promise(() => rm(directory, { recursive: true, force: true }))
  )
