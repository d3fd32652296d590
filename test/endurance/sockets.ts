/**
 * `sockets.ts [--sessions N] [--seed S]`: sessions over loopback, in waves, while their server is killed and restarted,
 * connections are dropped, and handshakes refused. Prints what came of it as one line of JSON, and must end by itself.
 */
import { writeSync } from "node:fs"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Supervisor from "effect/Supervisor"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import { type Findings, none, sum } from "./Findings.js"
import * as Wave from "./Wave.js"

const { values } = parseArgs({
  options: { sessions: { type: "string", default: "200" }, seed: { type: "string", default: "1" } }
})
const sessions = Number(values.sessions)
const seed = Number(values.seed)
/** How many sessions are open at a time: as many as two cores can run. */
const width = 25

let unhandled = 0
for (const event of ["unhandledRejection", "uncaughtException", "warning"]) {
  process.on(event, (reason: unknown) => {
    unhandled += 1
    console.error(event, reason)
  })
}

const program = Effect.gen(function* () {
  let findings: Findings = none
  for (let first = 0; first < sessions; first += width) {
    const wave = Wave.run({ seed: seed + first, first, size: Math.min(width, sessions - first) })
    findings = sum(findings, yield* Effect.scoped(wave))
    if (process.stderr.isTTY) process.stderr.write(`\r${first + width} of ${sessions} sessions`)
  }
  return findings
})

const supervised = Effect.gen(function* () {
  const supervisor = yield* Supervisor.track
  const findings = yield* Effect.supervised(program, supervisor)
  // Handles are closed in the turns of the event loop that follow.
  for (let turn = 0; turn < 5; turn += 1) yield* Effect.promise(() => new Promise(setImmediate))
  return { findings, fibers: (yield* supervisor.value).map((fiber) => String(fiber.id().id)) }
})

const { fibers, findings } = await Effect.runPromise(
  Effect.provide(supervised, OpenAiRealtime.layer({ apiKey: Redacted.make("key"), url: "ws://127.0.0.1:1" }))
)
const resources = process.getActiveResourcesInfo()
process.once("beforeExit", () => {
  // Nothing is left that the event loop would wait for: the process ends here, and not because it was told to.
  writeSync(1, `${JSON.stringify({ findings, fibers, resources, unhandled })}\n`)
})
