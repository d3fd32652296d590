import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Row } from "./Row.js"

/** One question, such as what a piece of audio costs, with its cases and its contenders. */
export interface Bench {
  readonly name: string
  readonly run: (settings: Settings) => Effect.Effect<ReadonlyArray<Row>, BenchFailed>
}

export interface Settings {
  /** Where the compiled sources are. */
  readonly directory: string
  /** Every case, or one or two of each bench. */
  readonly extent: "all" | "some"
  /** How much work there is in a lap, as a share of a full run's. */
  readonly scale: number
  /** How many laps each process runs; the bench's own number without it. */
  readonly laps: number | undefined
  /** How often a case is run with fresh processes: a compiler does not do the same each time. */
  readonly rounds: number
  /** Where each contender writes a CPU profile of its run. By default, none does. */
  readonly cpuProfiles: string | undefined
  readonly progress: (line: string) => void
}

/** This share of a full run's amount, but never nothing. */
export const scaled = ({ scale }: Pick<Settings, "scale">, amount: number, atLeast = 1): number =>
  Math.max(atLeast, Math.round(amount * scale))

export class BenchFailed extends Schema.TaggedError<BenchFailed>("effect-realtime/BenchFailed")("BenchFailed", {
  message: Schema.String
}) {}
