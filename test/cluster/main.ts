/**
 * `npm run cluster:check [-- --small] [-- --only kill,drain]`
 *
 * Several nodes, each a process of its own, on PostgreSQL, and what can go wrong with them. Prints the figures of each
 * check; the last line is `N passed, M failed`. `--small` is for continuous integration: two nodes, few calls.
 */
import { parseArgs } from "node:util"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { checks } from "./checks/all.js"
import { type Check, full, small, stage } from "./checks/Check.js"
import * as Machines from "./machines.js"
import { run } from "./run.js"
import "../../examples/shared/pipe.js"

const { values } = parseArgs({ options: { small: { type: "boolean", default: false }, only: { type: "string" } } })
const size = values.small ? small : full
const names = checks.map(({ name }) => name)
const wanted = values.only?.split(",") ?? names
const unknown = wanted.filter((name) => !names.includes(name))
if (unknown.length > 0) throw new Error(`There is no check ${unknown.join(", ")}. There are: ${names.join(", ")}.`)
/** Checks mostly wait for leases to run out. */
const atOnce = 3
/** A check that takes longer hangs. */
const patience = values.small ? "4 minutes" : "15 minutes"

/** Where a person waits, what is being done. */
const progress = (text: string): void => {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[2K${text}`)
}

const program = Effect.gen(function* () {
  progress("Starting PostgreSQL and the model …")
  const machines = yield* Machines.make
  const running = new Set<string>()
  let passed = 0
  let failed = 0
  const chosen = checks.filter(({ name }) => wanted.includes(name))
  const isSkipped = ({ skipped }: Check): boolean => skipped !== undefined
  const skipped = chosen.filter(isSkipped)
  for (const { name, skipped: why } of skipped) console.log(`skipped ${name}: ${why}`)

  const judge = (check: Check) =>
    Effect.gen(function* () {
      running.add(check.name)
      progress(`${passed + failed} of ${chosen.length - skipped.length} done; ${[...running].join(", ")} …`)
      const since = Date.now()
      const exit = yield* stage(machines, size, check.name.replaceAll("-", "_")).pipe(
        Effect.flatMap(check.run),
        Effect.timeoutFail({ duration: patience, onTimeout: () => new Error(`It did not end within ${patience}.`) }),
        Effect.scoped,
        Effect.exit
      )
      running.delete(check.name)
      progress("")
      const violations = Exit.isSuccess(exit) ? exit.value.violations : [Cause.pretty(exit.cause)]
      if (violations.length === 0) passed += 1
      else failed += 1
      const seconds = Math.round((Date.now() - since) / 1000)
      console.log(`${violations.length === 0 ? "ok     " : "FAILED "} ${check.name} (${seconds} s): ${check.title}`)
      for (const figure of Exit.isSuccess(exit) ? exit.value.figures : []) console.log(`          ${figure}`)
      for (const violation of violations.slice(0, 12)) console.log(`        ! ${violation}`)
      if (violations.length > 12) console.log(`        ! and ${violations.length - 12} more`)
    })
  const able = chosen.filter((check) => !isSkipped(check))
  const isAlone = (check: Check): boolean => check.isAlone === true || !values.small
  yield* Effect.forEach(
    able.filter((check) => !isAlone(check)),
    judge,
    { concurrency: atOnce, discard: true }
  )
  yield* Effect.forEach(able.filter(isAlone), judge, { discard: true })
  if (skipped.length > 0) console.log(`${skipped.length} skipped`)
  console.log(`${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
})

run(program)
