/**
 * Puts the zoo through as many random programs as one likes: `npm run chaos -- --runs 100000 --seed 1`. A seed and a path,
 * as a failure names them, run that program again: `npm run chaos -- --agent zoo --seed 1 --path 3:1:0`.
 */
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { Testing } from "../../src/testing.js"
import { agents, LedgerLive, secret } from "./zoo.js"

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "10000" },
    seed: { type: "string" },
    path: { type: "string" },
    agent: { type: "string" }
  }
})
const runs = Number(values.runs)
const seed = values.seed === undefined ? Math.trunc(Date.now() % 0x7fffffff) : Number(values.seed)
const chosen = agents.filter(({ name }) => values.agent === undefined || values.agent === name)
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(seed) || chosen.length === 0) {
  console.error(
    `Usage: npm run chaos -- [--runs N] [--seed S] [--path P] [--agent ${agents.map(({ name }) => name).join("|")}]`
  )
  process.exit(2)
}
const isQuiet = (process.env["CI"] ?? "") !== "" || !process.stderr.isTTY

let programs = 0
let violations = 0
const progress = (): void => {
  programs += 1
  if (!isQuiet && programs % 50 === 0) process.stderr.write(`\r${programs} programs`)
}

for (const { agent, name, share } of chosen) {
  const outcome = await Effect.runPromise(
    Effect.either(
      Testing.chaos(agent, {
        runs: values.path === undefined ? Math.max(1, Math.round(chosen.length === 1 ? runs : runs * share)) : 1,
        seed,
        layer: LedgerLive,
        secrets: [secret],
        onProgress: progress,
        ...(values.path === undefined ? {} : { path: values.path })
      })
    )
  )
  if (Either.isRight(outcome)) continue
  programs += 1
  violations += outcome.left._tag === "LawsBroken" ? outcome.left.violations.length : 1
  console.log(`${isQuiet ? "" : "\n"}${name}: ${outcome.left.message}`)
  if (outcome.left._tag === "LawsBroken") {
    console.log(`npm run chaos -- --agent ${name} --seed ${outcome.left.seed} --path ${outcome.left.path}\n`)
  }
}

console.log(`${isQuiet ? "" : "\r"}seed ${seed}\n${programs} programs, ${violations} violations`)
process.exitCode = violations === 0 ? 0 : 1
