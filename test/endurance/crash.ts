/**
 * `npm run crash [-- --rounds 100] [--seed S]`
 *
 * Processes with a session and a journal, killed with SIGKILL and taken up by the next, ten times each. This process is
 * the server, so it knows what was exchanged when. At the end of each session: nothing that was published is lost, every
 * call has one output in the last conversation, and nothing was done twice that must not be.
 */
import { join } from "node:path"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { build } from "../bench/Build.js"
import * as Chain from "./Chain.js"
import { mind } from "./mind.js"
import "../../examples/shared/pipe.js"

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "100" }, seed: { type: "string", default: "1" } }
})
const rounds = Number(values.rounds)
const seed = Number(values.seed)
if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error("--rounds takes a whole number from 1 on.")

/** How often one session is killed: its conversation grows, and with it what has to be right. */
const roundsEach = 10
/** A process uses a whole core while it starts. */
const atATime = 2

const program = Effect.gen(function* () {
  // Plain JavaScript starts in half the time, and a loader would be one more process to kill.
  const directory = yield* build
  const watchers = new Map<string, () => void>()
  const names = new Map<number, string>()
  const server = yield* EmbeddedRealtime.serve({
    mind,
    pace: "1 millis",
    observe: (activity) => {
      if (activity._tag === "Connected") names.set(activity.connection, activity.model)
      watchers.get(names.get(activity.connection) ?? "")?.()
    }
  })
  const env: Chain.Environment = {
    program: join(directory, "test", "endurance", "mortal.js"),
    url: server.url,
    watch: (name, onEvent) => watchers.set(name, onEvent),
    connectionsOf: (name) =>
      Effect.map(server.connections, (all) => all.filter(({ number }) => names.get(number) === name))
  }
  const sessions = Array.from({ length: Math.ceil(rounds / roundsEach) }, (_, at) => at)
  let ended = 0
  return yield* Effect.forEach(
    sessions,
    (at) =>
      Effect.tap(Chain.run(env, seed + at, Math.min(roundsEach, rounds - at * roundsEach)), (outcome) =>
        Effect.sync(() => {
          ended += outcome.rounds
          if (process.stderr.isTTY) process.stderr.write(`\r${ended} of ${rounds} rounds`)
        })
      ),
    { concurrency: atATime }
  )
})

const outcomes = await Effect.runPromise(Effect.scoped(program))
const total = (of: (outcome: Chain.Outcome) => number): number =>
  outcomes.reduce((sum, outcome) => sum + of(outcome), 0)
const violations = outcomes.flatMap((outcome) => outcome.violations)
for (const violation of violations) console.error(violation)
console.log(
  `${total((one) => one.turns)} turns, ${total((one) => one.items)} items and ${total((one) => one.calls)} calls of ${outcomes.length} sessions, whose journals were compacted ${total((one) => one.compactions)} times`
)
console.log(`${total((one) => one.rounds)} rounds, ${violations.length} violations (seed ${seed})`)
if (violations.length > 0) process.exitCode = 1
