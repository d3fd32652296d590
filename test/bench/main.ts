/**
 * `npm run bench [-- --only NAME] [--calls N] [--json] [--cpu-profiles DIR]`
 *
 * Comparisons side by side on one machine: quote medians and ratios, for the machine is shared and noisy.
 */
import { readFileSync } from "node:fs"
import { join, resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import { BenchFailed, type Row, type Settings } from "./Bench.js"
import { root } from "./Build.js"
import * as ToolRoundtrip from "./ToolRoundtrip.js"
import { table } from "./table.js"

const benches = [ToolRoundtrip.bench]

interface CommandLine extends Settings {
  readonly only: string | undefined
  readonly json: boolean
}

/** Eighths need a sample each. */
const fewestCalls = 8

const readCommandLine = Effect.try({
  try: (): CommandLine => {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        calls: { type: "string" },
        json: { type: "boolean", default: false },
        "cpu-profiles": { type: "string" }
      }
    })
    const calls = values.calls === undefined ? undefined : Number(values.calls)
    if (calls !== undefined && !(Number.isSafeInteger(calls) && calls >= fewestCalls)) {
      throw new Error(`--calls takes a whole number from ${fewestCalls} on.`)
    }
    const profiles = values["cpu-profiles"]
    return {
      only: values.only,
      json: values.json,
      calls,
      cpuProfiles: profiles === undefined ? undefined : resolve(profiles),
      progress: process.stderr.isTTY ? (text) => void process.stderr.write(`\r\x1b[K${text}`) : () => undefined
    }
  },
  catch: (error) => new BenchFailed({ message: error instanceof Error ? error.message : String(error) })
})

const versions = (names: ReadonlyArray<string>): Record<string, string> =>
  Object.fromEntries(
    names.map((name) => {
      // The border with JSON: every package has a version.
      const manifest: { version: string } = JSON.parse(
        readFileSync(join(root, "node_modules", name, "package.json"), "utf8")
      )
      return [name, manifest.version]
    })
  )

const program = Effect.gen(function* () {
  const settings = yield* readCommandLine
  const chosen = benches.filter(({ name }) => settings.only === undefined || settings.only === name)
  if (chosen.length === 0) {
    const names = benches.map(({ name }) => name).join(", ")
    return yield* new BenchFailed({
      message: `There is no bench ${JSON.stringify(settings.only)}. There are: ${names}.`
    })
  }
  const rows: Array<Row> = []
  for (const { run } of chosen) rows.push(...(yield* Effect.scoped(run(settings))))
  settings.progress("")
  const head = { node: process.version, versions: versions(["effect", "ws", "@openai/agents-realtime"]) }
  process.stdout.write(settings.json ? `${JSON.stringify({ ...head, rows }, null, 2)}\n` : rows.map(table).join("\n"))
}).pipe(
  Effect.catchTag("BenchFailed", ({ message }) =>
    Effect.sync(() => {
      process.stderr.write(`${message}\n`)
      process.exitCode = 1
    })
  )
)

await Effect.runPromise(program)
