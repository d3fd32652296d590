import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Bench, BenchFailed, Row, Settings } from "./Bench.js"
import { build } from "./Build.js"
import * as Process from "./Process.js"
import { figures, rounded, split } from "./stats.js"

/**
 * Sequential tool calls over a loopback WebSocket: the time from sending `response.create` to the start of the handler.
 * The contenders take turns, an eighth of their calls at a time, so that what else the machine does hits all alike.
 */

const cases: ReadonlyArray<number> = [2000, 5000]
/** As much as a compiler needs to know the code, so that what is left in the eighths is the conversation's length. */
const warmUp = 2000
/** A contender that has made so many calls is stopped once it has had its time. */
const enoughCalls = 2000
const enoughMs = 60_000

const contenders = ["ours", "floor", "peer"] as const
type Name = (typeof contenders)[number]

interface Runner {
  readonly name: Name
  readonly process: Process.Process
  readonly samples: Array<number>
  elapsedMs: number
}

const isDone = ({ samples, elapsedMs }: Runner): boolean => samples.length >= enoughCalls && elapsedMs > enoughMs

const measure = (
  directory: string,
  calls: number,
  { cpuProfiles, progress }: Settings
): Effect.Effect<Row, BenchFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* Process.start(join(directory, "server.js"), [])
    const { url } = yield* server.expect("Listening")
    const runners = yield* Effect.forEach(contenders, (name) =>
      Effect.gen(function* () {
        const flags =
          cpuProfiles === undefined
            ? []
            : ["--cpu-prof", `--cpu-prof-dir=${cpuProfiles}`, `--cpu-prof-name=${name}-${calls}.cpuprofile`]
        const warmUpCalls = String(Math.min(calls, warmUp))
        const process = yield* Process.start(join(directory, `${name}.js`), [url, warmUpCalls], flags)
        yield* process.expect("Ready")
        const runner: Runner = { name, process, samples: [], elapsedMs: 0 }
        return runner
      })
    )
    for (const [index, samples] of split(calls, 8).entries()) {
      for (const runner of runners) {
        if (isDone(runner)) continue
        progress(`tool-roundtrip, ${calls} calls: ${runner.name}, ${index + 1} of 8`)
        yield* runner.process.order({ _tag: "Run", samples })
        const ran = yield* runner.process.expect("Ran")
        for (const sample of ran.samples) runner.samples.push(sample)
        runner.elapsedMs += ran.elapsedMs
      }
    }
    return row(calls, runners)
  })

const row = (calls: number, runners: ReadonlyArray<Runner>): Row => {
  const of = (name: Name) => {
    const { samples = [], elapsedMs = 0 } = runners.find((runner) => runner.name === name) ?? {}
    return figures(samples, elapsedMs)
  }
  const [ours, floor, peer] = [of("ours"), of("floor"), of("peer")]
  return {
    bench: "tool-roundtrip",
    case: `${calls} calls`,
    unit: "ms",
    better: "lower",
    ours,
    floor,
    peer,
    oursToFloor: rounded(ours.p50 / floor.p50),
    peerToOurs: rounded(peer.p50 / ours.p50),
    eighths: ours.eighths,
    notes: runners.flatMap(({ name, samples }) =>
      samples.length < calls ? [`${name} was stopped after ${samples.length} calls: they took it more than 60 s`] : []
    )
  }
}

export const bench: Bench = {
  name: "tool-roundtrip",
  run: (settings) =>
    Effect.gen(function* () {
      const directory = join(yield* build, "test", "bench", "tool-roundtrip")
      return yield* Effect.forEach(settings.calls === undefined ? cases : [settings.calls], (calls) =>
        Effect.scoped(measure(directory, calls, settings))
      )
    })
}
