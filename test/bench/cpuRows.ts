import type { Outcome } from "./Contest.js"
import { cold, cpuUs, samplesOf, stopped, wallUs, warm } from "./laps.js"
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
  const of = (measure: string, samples: Parameters<typeof row>[0]["samples"], wanted: ReadonlyArray<Goal>) =>
    row({ ...about, unit: "us", measure, samples, goals: wanted, notes })
  return [
    of("CPU, cold", samplesOf(outcome, cold, cpuUs), goals.cold),
    of("CPU, warm", samplesOf(outcome, warm, cpuUs), goals.warm),
    of("wall, warm", samplesOf(outcome, warm, wallUs), [])
  ]
}
