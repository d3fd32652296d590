import type { Outcome } from "./Contest.js"
import { all, cold, cpuUs, eighthsOf, samplesOf, stopped, wallUs, warm } from "./laps.js"
import { type Goal, type Row, row } from "./Row.js"

export interface Cpu {
  readonly bench: string
  readonly case: string
  readonly outcome: Outcome
  /** Who of this library it is about. Default: `ours`. */
  readonly subject?: "ours" | "callbacks"
  readonly goals: { readonly cold: ReadonlyArray<Goal>; readonly warm: ReadonlyArray<Goal> }
}

/**
 * What a unit of work takes of the processor in a process that is new to it, and in one that knows it; beside it what it
 * takes by the clock, with the server's part and all waiting.
 */
export const cpuRows = ({ outcome, goals, ...about }: Cpu): ReadonlyArray<Row> => {
  const notes = stopped(outcome, "units")
  const of = { ...about, unit: "us", notes } as const
  const eighths = eighthsOf(outcome, about.subject ?? "ours", all, (lap) => [cpuUs(lap)])
  return [
    row({ ...of, measure: "CPU, cold", samples: samplesOf(outcome, cold, cpuUs), goals: goals.cold }),
    row({ ...of, measure: "CPU, warm", samples: samplesOf(outcome, warm, cpuUs), goals: goals.warm, eighths }),
    row({ ...of, measure: "wall, warm", samples: samplesOf(outcome, warm, wallUs) })
  ]
}
