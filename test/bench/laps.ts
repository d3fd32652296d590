import type { Contender } from "./Contender.js"
import type { Lap, Outcome } from "./Contest.js"
import { median, rounded, split } from "./stats.js"

/** The laps of a process in which its compiler has most of its work still to do. */
const coldLaps = 3

/** What a unit of work took in a lap. */
export type Measure = (lap: Lap) => number

export const cpuUs: Measure = ({ cpuMs, amount }) => (cpuMs / amount) * 1000
export const cpuMs: Measure = (lap) => lap.cpuMs / lap.amount
export const wallUs: Measure = ({ wallMs, amount }) => (wallMs / amount) * 1000

/** Which laps of a process count. */
export type Choice = (laps: ReadonlyArray<Lap>) => ReadonlyArray<Lap>

export const ofStep =
  (step: string): Choice =>
  (laps) =>
    laps.filter((lap) => lap.step === step)

export const cold: Choice = (laps) => laps.slice(0, coldLaps)
export const all: Choice = (laps) => laps
export const warm: Choice = (laps) => laps.slice(Math.floor((laps.length * 2) / 3))

/** One sample for each lap that counts, of all rounds. */
export const samplesOf = (
  outcome: Outcome,
  choice: Choice,
  measure: Measure
): ReadonlyMap<Contender, ReadonlyArray<number>> =>
  new Map(
    Array.from(outcome, ([contender, rounds]) => [contender, rounds.flatMap(({ laps }) => choice(laps).map(measure))])
  )

/** The medians of the eighths of a run, over all rounds. */
export const eighthsOf = (
  outcome: Outcome,
  contender: Contender,
  choice: Choice,
  samples: (lap: Lap) => ReadonlyArray<number>
): ReadonlyArray<number> => {
  const runs = (outcome.get(contender) ?? []).map(({ laps }) => choice(laps))
  return Array.from({ length: 8 }, (_, eighth) => {
    const some = runs.flatMap((run) => {
      const start = split(run.length, 8)
        .slice(0, eighth)
        .reduce((sum, length) => sum + length, 0)
      return run.slice(start, start + (split(run.length, 8)[eighth] ?? 0))
    })
    return rounded(median(some.flatMap(samples)))
  })
}

/** The contenders that did not finish, and how far they came. */
export const stopped = (outcome: Outcome, unit: string): ReadonlyArray<string> => {
  const complete = Math.max(...Array.from(outcome.values()).flatMap((rounds) => rounds.map(({ laps }) => laps.length)))
  return Array.from(outcome).flatMap(([contender, rounds]) => {
    const round = rounds.find(({ laps }) => laps.length < complete)
    if (round === undefined) return []
    const amount = ofStep("lap")(round.laps).reduce((sum, lap) => sum + lap.amount, 0)
    return [`${contender} was stopped after ${amount} ${unit}: it had had its time.`]
  })
}
