import * as Effect from "effect/Effect"
import { type Bench, scaled } from "../Bench.js"
import * as Contest from "../Contest.js"
import { cold, cpuMs, eighthsOf, type Measure, samplesOf, stopped } from "../laps.js"
import { type Goal, type Row, row } from "../Row.js"
import { split } from "../stats.js"

/** A call, from `response.create` to the start of the handler, and its total processor time. */
interface Case {
  readonly calls: number
  readonly isChosen: boolean
  /** The peer's cost grows with the conversation, so the ratio means nothing without its length. */
  readonly toPeer: ReadonlyArray<Goal>
}

const cases: ReadonlyArray<Case> = [
  { calls: 2000, isChosen: true, toPeer: [] },
  { calls: 5000, isChosen: false, toPeer: [{ of: "oursToPeer", atMost: 0.05 }] }
]
/** As much as a compiler needs to know the code, so that what is left in the eighths is the conversation's length. */
const warmUp = { laps: 20, calls: 100 }

const perCallWallMs: Measure = ({ wallMs, amount }) => wallMs / amount

/** The laps of the warm-up, and of each case: each starts from scratch. */
const partOf = (laps: ReadonlyArray<Contest.Lap>, part: number): ReadonlyArray<Contest.Lap> => {
  const starts = laps.flatMap(({ step }, index) => (step === "anew" ? [index + 1] : []))
  return laps.slice([0, ...starts][part] ?? laps.length, (starts[part] ?? laps.length + 1) - 1)
}

const rowsOf = (outcome: Contest.Outcome, { calls, toPeer }: Case, part: number): ReadonlyArray<Row> => {
  const choice = (laps: ReadonlyArray<Contest.Lap>) => partOf(laps, part)
  const about = {
    bench: "tool-roundtrip",
    case: `${calls} calls`,
    unit: "ms",
    notes: stopped(outcome, "calls")
  } as const
  const latencies = new Map(
    Array.from(outcome, ([contender, rounds]) => [
      contender,
      rounds.flatMap(({ laps }) => choice(laps).flatMap(({ samples }) => samples))
    ])
  )
  const eighths = eighthsOf(outcome, "ours", choice, ({ samples }) => samples)
  return [
    row({
      ...about,
      measure: "request to handler",
      samples: latencies,
      eighths,
      growth: (eighths.at(-1) ?? Number.NaN) / (eighths[0] ?? Number.NaN),
      goals: [
        { of: "oursToFloor", atMost: 1.6 },
        { of: "growth", atMost: 1.1 }
      ]
    }),
    row({
      ...about,
      measure: "CPU, warm",
      samples: samplesOf(outcome, choice, cpuMs),
      goals: [{ of: "oursToFloor", atMost: 2.5 }, ...toPeer]
    }),
    row({ ...about, measure: "wall, warm", samples: samplesOf(outcome, choice, perCallWallMs) })
  ]
}

export const bench: Bench = {
  name: "tool-roundtrip",
  run: (settings) =>
    Effect.gen(function* () {
      const chosen = cases
        .filter(({ isChosen }) => isChosen || settings.extent === "all")
        .map((of) => ({ ...of, calls: scaled(settings, of.calls, 8) }))
      const outcome = yield* Contest.rounds(
        settings,
        {
          label: "tool-roundtrip",
          task: "toolRoundtrip",
          contenders: ["ours", "floor", "peer"],
          enoughMs: 150_000
        },
        ({ answers, turn }) =>
          Effect.gen(function* () {
            yield* answers({ _tag: "Calls", calls: 1, thenText: false })
            yield* Effect.repeatN(turn("lap", scaled(settings, warmUp.calls)), (settings.laps ?? warmUp.laps) - 1)
            for (const { calls } of chosen) {
              yield* turn("anew", 1)
              yield* Effect.forEach(split(calls, 8), (some) => turn("lap", some), { discard: true })
            }
          })
      )
      return [
        row({
          bench: "tool-roundtrip",
          case: "first calls",
          measure: "CPU, cold",
          unit: "ms",
          samples: samplesOf(outcome, cold, cpuMs),
          goals: [
            { of: "oursToFloor", atMost: 3 },
            { of: "oursToPeer", atMost: 0.5 }
          ]
        }),
        ...chosen.flatMap((of, index) => rowsOf(outcome, of, index + 1))
      ]
    })
}
