/**
 * Puts the zoo through as many random programs as one likes: `npm run chaos -- --runs 100000 --seed 1`. A seed and a path,
 * as a failure names them, run that program again: `npm run chaos -- --agent zoo --seed 1 --steps 15 --path 3:1:0`.
 */
import { parseArgs } from "node:util"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import "../../examples/shared/pipe.js"
import { Testing } from "../../src/testing.js"
import { agents, replayOf, world } from "./zoo.js"

let programs = 0
let violations = 0
const isQuiet = (process.env["CI"] ?? "") !== "" || !process.stderr.isTTY
const progress = (): void => {
  programs += 1
  if (!isQuiet && programs % 50 === 0) process.stderr.write(`\r${programs} programs`)
}
const clearProgress = (): void => {
  if (!isQuiet) process.stderr.write("\r\u001b[K")
}

/** Whatever happens, this is the last that is said. */
const end = (exitCode: number): void => {
  clearProgress()
  console.log(`${programs} programs, ${violations} violations`)
  process.exitCode = exitCode
}

/** A path is the way to one program of one agent, from one seed. */
const optionsOf = (args: ReadonlyArray<string>) => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: "string" },
      steps: { type: "string", default: "15" },
      seed: { type: "string" },
      path: { type: "string" },
      agent: { type: "string" }
    }
  })
  const { agent, path } = values
  const chosen = agents.filter(({ name }) => agent === undefined || agent === name)
  // With `--path`, one program; with `--runs` as well, those after it too.
  const runs = Number(values.runs ?? (path === undefined ? 10_000 : 1))
  const maxSteps = Number(values.steps)
  const seed = values.seed === undefined ? Math.trunc(Date.now() % 0x7fffffff) : Number(values.seed)
  if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs is the number of programs: 1 or more.")
  if (!Number.isInteger(maxSteps) || maxSteps < 1)
    throw new Error("--steps is how many a program has at most: 1 or more.")
  if (!Number.isInteger(seed)) throw new Error("--seed is a whole number.")
  if (chosen.length === 0) throw new Error(`--agent is one of ${agents.map(({ name }) => name).join(", ")}.`)
  if (path !== undefined && (agent === undefined || values.seed === undefined)) {
    throw new Error("--path says which program of an agent and a seed: give --agent and --seed as well.")
  }
  return { chosen, maxSteps, path, runs, seed }
}

const run = async ({ chosen, maxSteps, path, runs, seed }: ReturnType<typeof optionsOf>): Promise<void> => {
  console.log(`seed ${seed}`)
  let left = runs
  for (const [index, { agent, laws, name, share, stage }] of chosen.entries()) {
    const count = index === chosen.length - 1 ? left : Math.min(left, Math.ceil(runs * share))
    left -= count
    if (count === 0) continue
    const exit = await Effect.runPromiseExit(
      Testing.chaos(agent, {
        ...world(laws),
        runs: count,
        seed,
        maxSteps,
        onProgress: progress,
        ...(path === undefined ? {} : { path })
      }).pipe(Effect.provide(stage ?? Context.empty()))
    )
    if (Exit.isSuccess(exit)) continue
    const failure = Cause.failureOption(exit.cause)
    clearProgress()
    if (failure._tag === "Some" && failure.value._tag === "LawsBroken") {
      programs += 1
      violations += failure.value.violations.length
      console.log(`${name}: ${failure.value.message}\n${replayOf(name, { ...failure.value, maxSteps })}\n`)
    } else {
      // Nothing was tried where not even the world could be made.
      violations += 1
      console.log(`${name}: ${Cause.pretty(exit.cause)}\n`)
    }
  }
}

process.once("SIGINT", () => {
  end(130)
  process.exit()
})
try {
  await run(optionsOf(process.argv.slice(2)))
  end(violations === 0 ? 0 : 1)
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown)
  console.error("Usage: npm run chaos -- [--runs N] [--steps N] [--agent NAME] [--seed S] [--path P]")
  end(2)
}
