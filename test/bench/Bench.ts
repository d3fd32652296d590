import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { Figures } from "./stats.js"

/** One case of one bench: this library, the least that the work takes, and the peer. */
export interface Row {
  readonly bench: string
  readonly case: string
  readonly unit: "ms"
  readonly better: "lower"
  readonly ours: Figures
  readonly floor: Figures
  readonly peer: Figures
  /** Ratios of medians. */
  readonly oursToFloor: number
  readonly peerToOurs: number
  /** Those of ours. */
  readonly eighths: ReadonlyArray<number>
  /** What a reader of the numbers has to know, such as a contender that was stopped early. */
  readonly notes: ReadonlyArray<string>
}

export interface Settings {
  /** How many calls instead of the bench's own cases. */
  readonly calls: number | undefined
  /** Where each contender leaves a CPU profile of its run; none without it. */
  readonly cpuProfiles: string | undefined
  readonly progress: (line: string) => void
}

export interface Bench {
  readonly name: string
  readonly run: (settings: Settings) => Effect.Effect<ReadonlyArray<Row>, BenchFailed, Scope.Scope>
}

export class BenchFailed extends Schema.TaggedError<BenchFailed>("effect-realtime/BenchFailed")("BenchFailed", {
  message: Schema.String
}) {}
