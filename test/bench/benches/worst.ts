import * as Effect from "effect/Effect"
import { type Bench, type BenchFailed, type Settings, scaled } from "../Bench.js"
import * as Contest from "../Contest.js"
import type { Answer } from "../process/messages.js"
import { type Row, row } from "../Row.js"
import { median } from "../stats.js"

/** Rare cases that must stay cheap, in two sizes: quadratic work costs more for each unit in the larger one. */
interface Case {
  readonly name: string
  readonly unit: string
  readonly step: string
  readonly sizes: readonly [small: number, large: number]
  readonly answer: ((size: number) => Answer) | undefined
  /** In one step, where not all of it comes at once. */
  readonly atOnce?: number
}

const cases: ReadonlyArray<Case> = [
  {
    name: "items in a conversation",
    unit: "an item",
    step: "items",
    sizes: [5000, 50_000],
    answer: (size) => ({ _tag: "Items", items: size }),
    atOnce: 500
  },
  { name: "tools, to open", unit: "a tool", step: "open", sizes: [10, 100], answer: undefined },
  {
    name: "parallel calls",
    unit: "a call",
    step: "calls",
    sizes: [8, 64],
    answer: (size) => ({ _tag: "Calls", calls: size, thenText: true })
  },
  {
    name: "kB of output",
    unit: "a kB",
    step: "output",
    sizes: [100, 1000],
    answer: () => ({ _tag: "Calls", calls: 1, thenText: true })
  },
  { name: "kB of audio at once", unit: "a kB", step: "append", sizes: [1500, 15_000], answer: undefined },
  {
    name: "frames in a burst",
    unit: "a frame",
    step: "burst",
    sizes: [1000, 10_000],
    answer: (size) => ({ _tag: "Text", deltas: size })
  }
]
const laps = 3
/** A unit may cost a little more in a large one, for the garbage; ten times as much is what would be quadratic. */
const growthGoal = { of: "growth", atMost: 1.5 } as const

/** What a unit took, in a session that is new and a process that is not. Microseconds. */
const once = (contest: Contest.Contest, { step, answer, atOnce }: Case, size: number) =>
  Effect.gen(function* () {
    if (answer !== undefined) yield* contest.answers(answer(Math.min(size, atOnce ?? size)))
    if (step !== "open") yield* contest.turn("open", 1)
    const taken = () => contest.runners.flatMap((runner) => runner.laps.filter((lap) => lap.step === step))
    const before = taken().length
    for (let done = 0; done < size; done += atOnce ?? size) {
      yield* contest.turn(step, Math.min(atOnce ?? size, size - done))
    }
    const cpuMs = taken()
      .slice(before)
      .reduce((sum, lap) => sum + lap.cpuMs, 0)
    return (cpuMs / size) * 1000
  })

const measure = (settings: Settings, contest: Contest.Contest, of: Case): Effect.Effect<Row, BenchFailed> =>
  Effect.gen(function* () {
    const [small, large] = [scaled(settings, of.sizes[0]), scaled(settings, of.sizes[1])]
    // The first one warms up.
    yield* once(contest, of, small)
    const samples: { readonly small: Array<number>; readonly large: Array<number> } = { small: [], large: [] }
    for (let lap = 1; lap <= (settings.laps ?? laps); lap += 1) {
      samples.small.push(yield* once(contest, of, small))
      samples.large.push(yield* once(contest, of, large))
    }
    return row({
      bench: "worst",
      case: `${large} ${of.name}`,
      measure: `CPU of ${of.unit}`,
      unit: "us",
      samples: new Map([["ours" as const, samples.large]]),
      growth: median(samples.large) / median(samples.small),
      goals: [growthGoal],
      notes: [`Growth is the cost of ${of.unit} at ${large} by that at ${small}.`]
    })
  })

export const bench: Bench = {
  name: "worst",
  run: (settings) =>
    Effect.scoped(
      Effect.flatMap(Contest.open(settings, { label: "worst", task: "worst", contenders: ["ours"] }), (contest) =>
        Effect.forEach(cases, (of) => measure(settings, contest, of))
      )
    )
}
