/**
 * `npm run bench`: what live conversations cost, beside the least that they can cost and beside another library. The
 * options are in commandLine.ts, the last results in RESULTS.md.
 */
import { readFile, writeFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { build } from "./Build.js"
import { choose } from "./benches.js"
import { chart } from "./chart.js"
import { read } from "./commandLine.js"
import { load, machine, type Run, versions } from "./Run.js"
import { results } from "./results.js"
import { table } from "./table.js"
import "../../examples/shared/pipe.js"

const beside = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

const write = (run: Run): Effect.Effect<void> =>
  Effect.promise(async () => {
    const remarks = await readFile(beside("remarks.md"), "utf8")
    await writeFile(beside("RESULTS.md"), results(run, { chart: "results.svg", remarks }))
    await writeFile(beside("results.svg"), chart(run.rows))
  })

const program = Effect.gen(function* () {
  const commandLine = yield* read(process.argv.slice(2))
  const { only, output, progress } = commandLine
  const chosen = yield* choose(only)
  const loadBefore = load()
  const date = new Date().toISOString().slice(0, 10)
  progress("compiling")
  const settings = { ...commandLine, directory: yield* build }
  const rows = yield* Effect.forEach(chosen, ({ run }) => run(settings)).pipe(
    Effect.ensuring(Effect.sync(() => progress("")))
  )
  const run: Run = {
    node: process.version,
    versions: versions(),
    machine: machine(loadBefore),
    date,
    rounds: settings.rounds,
    rows: rows.flat()
  }
  if (commandLine.write) yield* write(run)
  process.stdout.write(output === "json" ? `${JSON.stringify(run, null, 2)}\n` : table(run.rows))
}).pipe(
  Effect.scoped,
  Effect.catchTag("BenchFailed", ({ message }) =>
    Effect.sync(() => {
      process.stderr.write(`${message}\n`)
      process.exitCode = 1
    })
  )
)

await Effect.runPromise(program)
