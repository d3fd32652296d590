/**
 * `npm run bench:journal [-- --hours 10] [--records 50000]`
 *
 * How large the journal of a long call becomes, and how long it takes to take a session up: from a journal that was
 * compacted as it grew, and from one that never was. The longest block is that of the event loop, measured beside it: on a
 * machine that others use too, what it took of the processors says more.
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { monitorEventLoopDelay } from "node:perf_hooks"
import { parseArgs } from "node:util"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Agent from "../../src/Agent.js"
import * as Fold from "../../src/journal/Fold.js"
import type { JournalRecord } from "../../src/journal/Record.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import * as RecordWriter from "../../src/session/RecordWriter.js"
import * as longCall from "../journal/longCall.js"
import "../../examples/shared/pipe.js"

const { values } = parseArgs({
  options: { hours: { type: "string", default: "10" }, records: { type: "string", default: "50000" } }
})
const hours = Number(values.hours)
const records = Number(values.records)

const directory = mkdtempSync(join(tmpdir(), "effect-realtime-bench-journal-"))

const sizeOf = (sessionId: string): number => {
  const session = join(directory, `session-${sessionId}`)
  return readdirSync(session).reduce(
    (sum, name) => sum + (statSync(join(session, name), { throwIfNoEntry: false })?.size ?? 0),
    0
  )
}

/** As a session writes, as fast as it can. Gives how many there were, and the largest size on the way. */
const write = (sessionId: string, stream: Iterable<JournalRecord>, compactAfter: number) =>
  Effect.scoped(
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      const writer = yield* journal.open(sessionId)
      let peak = 0
      const watched: SessionJournal.Writer = {
        ...writer,
        replace: (some) =>
          Effect.zipRight(
            writer.replace(some),
            Effect.sync(() => {
              peak = Math.max(peak, sizeOf(sessionId))
            })
          )
      }
      const recorder = yield* RecordWriter.RecordWriter.make({
        writer: watched,
        fold: Fold.make(),
        written: { snapshot: 0, behind: 0 },
        lag: { maxRecords: Number.POSITIVE_INFINITY, maxCharacters: Number.POSITIVE_INFINITY, maxDuration: 600_000 },
        compactAfter,
        now: () => performance.now(),
        changed: ({ _tag }) => {
          if (_tag === "GivenUp") console.error(`The journal ${sessionId} was given up.`)
        }
      })
      let count = 0
      for (const record of stream) {
        recorder.push(record)
        count += 1
        if (count % 50 > 0) continue
        yield* Effect.async<void>((resume) => recorder.whenWritten(() => resume(Effect.void)))
        peak = Math.max(peak, sizeOf(sessionId))
      }
      yield* recorder.close(60_000)
      return { count, peak, size: sizeOf(sessionId) }
    })
  )

const agent = Agent.make("Host", { instructions: "Be brief." })

/** The most that the processors did between two turns of the event loop, in milliseconds. Gives it when it is asked. */
const longestStep = (): (() => number) => {
  let longest = 0
  let before = process.cpuUsage()
  const look = (): void => {
    const { system, user } = process.cpuUsage(before)
    longest = Math.max(longest, (user + system) / 1000)
    before = process.cpuUsage()
  }
  let next: NodeJS.Immediate
  const turn = (): void => {
    look()
    next = setImmediate(turn)
  }
  next = setImmediate(turn)
  return () => {
    clearImmediate(next)
    look()
    return longest
  }
}

/** Takes the session up, and ends it. */
const resume = (sessionId: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const { model } = yield* ScriptedModel.make([])
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      const longest = longestStep()
      const cpu = process.cpuUsage()
      const from = performance.now()
      const session = yield* Effect.provideService(
        Session.resume(agent, sessionId, { journalCompactAfter: Number.POSITIVE_INFINITY }),
        RealtimeModel,
        model
      )
      const tookMs = performance.now() - from
      const { system, user } = process.cpuUsage(cpu)
      const stepMs = longest()
      delay.disable()
      const { items } = yield* session.conversation
      return { tookMs, cpuMs: (user + system) / 1000, blockMs: delay.max / 1e6, stepMs, items: items.length }
    })
  )

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`

const report = (name: string, sessionId: string) =>
  Effect.gen(function* () {
    // The first one pays for the compiler.
    for (const round of ["first", "second", "third"]) {
      const { blockMs, cpuMs, items, stepMs, tookMs } = yield* resume(sessionId)
      console.log(
        `${name}, ${round}: ${tookMs.toFixed(0)} ms (${cpuMs.toFixed(0)} ms of processors), longest block ${blockMs.toFixed(0)} ms (${stepMs.toFixed(0)} ms of processors), ${items} items told`
      )
    }
  })

const program = Effect.gen(function* () {
  const turns = longCall.turnsOf(hours)
  const call = yield* write("call", longCall.ofTurns(turns), Session.defaults.journalCompactAfter)
  console.log(
    `${hours} hours, ${turns} turns, ${call.count} records: at most ${megabytes(call.peak)} on the disk, ${megabytes(call.size)} at the end`
  )
  function* first() {
    let count = 0
    for (const record of longCall.ofTurns(records)) {
      if (count === records) return
      count += 1
      yield record
    }
  }
  const plain = yield* write("plain", first(), Number.POSITIVE_INFINITY)
  const compact = yield* write("compact", first(), Session.defaults.journalCompactAfter)
  console.log(`${records} records: ${megabytes(plain.size)} plain, ${megabytes(compact.size)} compacted`)
  yield* report("taken up, plain", "plain")
  yield* report("taken up, compacted", "compact")
})

const journals = SessionJournal.layerFile({ directory, fsync: "never" }).pipe(Layer.provide(NodeContext.layer))
try {
  await Effect.runPromise(Effect.provide(program, journals))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
