import { join } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { BenchFailed, Settings } from "./Bench.js"
import { type Contender, isOurs } from "./Contender.js"
import * as Process from "./Process.js"
import type { Answer, Taken } from "./process/messages.js"

/**
 * Contenders that do the same work against one server, each in a process of its own, in turn: what else the machine does
 * hits all alike.
 */
export interface Contest {
  /** What the server answers from now on. */
  readonly answers: (answer: Answer) => Effect.Effect<void, BenchFailed>
  /** Everyone takes this step, one after the other; the first one changes with each turn. */
  readonly turn: (step: string, amount: number) => Effect.Effect<void, BenchFailed>
  /** Everyone takes this step at the same time: for steps that only wait. */
  readonly together: (step: string, amount: number) => Effect.Effect<void, BenchFailed>
  readonly runners: ReadonlyArray<Runner>
}

/** One step that was taken. */
export interface Lap extends Taken {
  readonly step: string
  readonly amount: number
}

export interface Runner {
  readonly contender: Contender
  readonly laps: ReadonlyArray<Lap>
  /** It has used up its time before the contest was over, and takes no further part. */
  readonly isStopped: boolean
}

export interface Plan {
  /** The name of the measurement, for the progress display and the names of profiles. */
  readonly label: string
  readonly task: string
  readonly contenders: ReadonlyArray<Contender>
  readonly bytes?: number
  readonly nodeFlags?: ReadonlyArray<string>
  /** A contender, other than this library, whose steps took longer altogether is stopped. Default: 60 seconds. */
  readonly enoughMs?: number
}

/** A file of `process`, as it runs. */
export const compiled = (directory: string, file: string): string => join(directory, "test", "bench", "process", file)

const profiling = (directory: string | undefined, name: string): ReadonlyArray<string> =>
  directory === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${directory}`, `--cpu-prof-name=${name.replace(/[^\w.]+/g, "-")}.cpuprofile`]

export const open = (
  settings: Settings,
  { label, task, contenders, bytes = 0, nodeFlags = [], enoughMs = 60_000 }: Plan
): Effect.Effect<Contest, BenchFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const server = yield* Process.start(compiled(settings.directory, "server.js"), [])
    const { url } = yield* server.expect("Listening")
    const enter = (contender: Contender) =>
      Effect.gen(function* () {
        const process = yield* Process.start(
          compiled(settings.directory, "contend.js"),
          [contender, task, url, String(bytes)],
          [...nodeFlags, ...profiling(settings.cpuProfiles, `${label} ${contender}`)]
        )
        yield* process.expect("Ready")
        const laps: Array<Lap> = []
        return { contender, process, laps, isStopped: false }
      })
    const runners = yield* Effect.forEach(contenders, enter, { concurrency: "unbounded" })
    let turns = 0

    const take = (runner: (typeof runners)[number], step: string, amount: number) =>
      Effect.gen(function* () {
        settings.progress(`${label}: ${runner.contender}, ${step} ${runner.laps.length + 1}`)
        yield* runner.process.order({ _tag: "Step", step, amount })
        runner.laps.push({ step, amount, ...(yield* runner.process.expect("Taken")) })
        const spentMs = runner.laps.reduce((sum, { wallMs }) => sum + wallMs, 0)
        runner.isStopped = !isOurs(runner.contender) && spentMs > enoughMs
      })

    const active = () => runners.filter(({ isStopped }) => !isStopped)

    return {
      answers: (answer) => Effect.zipRight(server.order({ _tag: "Answer", answer }), server.expect("Ready")),
      turn: (step, amount) =>
        Effect.suspend(() => {
          const some = active()
          const first = turns % some.length
          turns += 1
          const inTurn = [...some.slice(first), ...some.slice(0, first)]
          return Effect.forEach(inTurn, (runner) => take(runner, step, amount), { discard: true })
        }),
      together: (step, amount) =>
        Effect.suspend(() =>
          Effect.forEach(active(), (runner) => take(runner, step, amount), { concurrency: "unbounded", discard: true })
        ),
      runners
    }
  })

/** Runs a contest as often as the settings say, each time with fresh processes. Gives everyone's laps of each round. */
export const rounds = (
  settings: Settings,
  plan: Plan,
  run: (contest: Contest) => Effect.Effect<void, BenchFailed>
): Effect.Effect<Outcome, BenchFailed> =>
  Effect.gen(function* () {
    const outcome = new Map<Contender, Array<Round>>()
    for (let round = 1; round <= settings.rounds; round += 1) {
      const label = settings.rounds === 1 ? plan.label : `${plan.label}, round ${round}`
      const runners = yield* Effect.scoped(
        Effect.gen(function* () {
          const contest = yield* open(settings, { ...plan, label })
          yield* run(contest)
          return contest.runners
        })
      )
      for (const runner of runners) outcome.set(runner.contender, [...(outcome.get(runner.contender) ?? []), runner])
    }
    return outcome
  })

export type Round = Pick<Runner, "laps">
export type Outcome = ReadonlyMap<Contender, ReadonlyArray<Round>>
