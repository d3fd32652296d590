import type { Contender } from "./Contender.js"
import { type Figures, figures, rounded } from "./stats.js"

/** One figure of one case of a bench, of all that took part. Less is better. */
export interface Row {
  readonly bench: string
  readonly case: string
  /** What is measured, and when: "CPU, warm". */
  readonly measure: string
  readonly unit: Unit
  readonly better: "lower"
  readonly ours: Figures
  readonly floor?: Figures
  readonly floorEffect?: Figures
  readonly peer?: Figures
  /** Ratios of medians. */
  readonly oursToFloor?: number
  readonly oursToFloorEffect?: number
  readonly oursToPeer?: number
  readonly peerToOurs?: number
  /** Our medians over one run, in its order: that it gets warm shows here, and a cost that grows with the conversation. */
  readonly eighths?: ReadonlyArray<number>
  /** What becomes of our cost as the work grows: the cost of a unit in the larger case, by that in the smaller one. */
  readonly growth?: number
  readonly goals: ReadonlyArray<Verdict>
  /** What a reader of the numbers has to know, such as a contender that was stopped early. */
  readonly notes: ReadonlyArray<string>
}

export type Unit = "us" | "ms" | "kB"

/** What is to be at most so large: a ratio to another one, our own figure, or how it grows. */
export interface Goal {
  readonly of: "oursToFloor" | "oursToPeer" | "ours" | "growth"
  readonly atMost: number
}

export interface Verdict extends Goal {
  readonly is: number
  readonly met: boolean
}

export interface Measurement {
  readonly bench: string
  readonly case: string
  readonly measure: string
  readonly unit: Unit
  /** Of each that took part. */
  readonly samples: ReadonlyMap<Contender, ReadonlyArray<number>>
  /** Who of this library it is about. Default: `ours`. */
  readonly subject?: "ours" | "callbacks"
  readonly eighths?: ReadonlyArray<number>
  readonly growth?: number
  readonly goals?: ReadonlyArray<Goal>
  readonly notes?: ReadonlyArray<string>
}

/** Left out if there is nothing to say. */
const given = <K extends string, A>(key: K, value: A | undefined): { readonly [key in K]?: A } => {
  const field: { [key in K]?: A } = {}
  if (value !== undefined) field[key] = value
  return field
}

export const row = (measurement: Measurement): Row => {
  const { samples, subject = "ours", eighths, goals = [], notes = [] } = measurement
  const of = (contender: Contender): Figures | undefined => {
    const found = samples.get(contender) ?? []
    return found.length === 0 ? undefined : figures(found)
  }
  const ours = of(subject) ?? figures([])
  const [floor, floorEffect, peer] = [of("floor"), of("floorEffect"), of("peer")]
  const by = (other: Figures | undefined): number | undefined =>
    other === undefined ? undefined : rounded(ours.p50 / other.p50)
  const found = {
    ours: ours.p50,
    oursToFloor: by(floor),
    oursToPeer: by(peer),
    growth: measurement.growth === undefined ? undefined : rounded(measurement.growth)
  }
  return {
    bench: measurement.bench,
    case: measurement.case,
    measure: measurement.measure,
    unit: measurement.unit,
    better: "lower",
    ours,
    ...given("floor", floor),
    ...given("floorEffect", floorEffect),
    ...given("peer", peer),
    ...given("oursToFloor", found.oursToFloor),
    ...given("oursToFloorEffect", by(floorEffect)),
    ...given("oursToPeer", found.oursToPeer),
    ...given("peerToOurs", peer && rounded(peer.p50 / ours.p50)),
    ...given("eighths", eighths),
    ...given("growth", found.growth),
    goals: goals.flatMap((goal) => {
      const is = found[goal.of]
      return is === undefined ? [] : [{ ...goal, is, met: is <= goal.atMost }]
    }),
    notes
  }
}
