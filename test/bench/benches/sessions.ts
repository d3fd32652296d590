import * as Effect from "effect/Effect"
import { type Bench, type BenchFailed, type Settings, scaled } from "../Bench.js"
import type { Contender } from "../Contender.js"
import * as Contest from "../Contest.js"
import { type Choice, cpuMs, type Measure, ofStep, samplesOf } from "../laps.js"
import { type Goal, type Row, row } from "../Row.js"
import { median } from "../stats.js"

/** Many sessions in one process, each of which somebody hears: what each takes while nothing is said, and while all talk. */
const contenders: ReadonlyArray<Contender> = ["ours", "callbacks", "floor", "peer"]
const ways = [
  { subject: "ours", way: "through Streams", heapKb: 120 },
  { subject: "callbacks", way: "to listeners", heapKb: 80 }
] as const

const idleSessions = 250
/** Sessions that are opened and closed before any is counted, to exclude what a process allocates once. */
const warmUpSessions = 50
/** As long as it is from one ping to the next. */
const idleSeconds = 20

const settlingSeconds = 5

/** In whole fifths of a second, each of four pieces of the model's. */
const shortened = ({ scale }: Settings, seconds: number): number => Math.max(1, Math.round(seconds * scale * 5)) / 5

/** The memory of one more session: several were opened between two measurements of the heap. */
const marginalHeap = (outcome: Contest.Outcome, sessions: number): ReadonlyMap<Contender, ReadonlyArray<number>> =>
  new Map(
    Array.from(outcome, ([contender, rounds]) => [
      contender,
      rounds.map(({ laps }) => {
        const [before = Number.NaN, after = Number.NaN] = ofStep("heap")(laps).map(({ values }) => values["heapKb"])
        return (after - before) / sessions
      })
    ])
  )

const idle = (settings: Settings): Effect.Effect<ReadonlyArray<Row>, BenchFailed> =>
  Effect.gen(function* () {
    const sessions = scaled(settings, idleSessions)
    const seconds = shortened(settings, idleSeconds)
    const outcome = yield* Contest.rounds(
      settings,
      { label: "sessions, idle", task: "sessions", contenders, nodeFlags: ["--expose-gc"] },
      ({ turn, together }) =>
        Effect.gen(function* () {
          yield* turn("open", scaled(settings, warmUpSessions))
          yield* turn("closeAll", 1)
          yield* turn("open", sessions)
          yield* turn("heap", 1)
          yield* turn("open", sessions)
          yield* turn("heap", 1)
          // Lets the leftovers of connecting settle.
          yield* together("wait", shortened(settings, settlingSeconds))
          yield* together("wait", seconds)
        })
    )
    const last =
      (step: string): Choice =>
      (laps) =>
        ofStep(step)(laps).slice(-1)
    const idleUs: Measure = (lap) => (cpuMs(lap) * 1000) / (2 * sessions)
    return ways.flatMap(({ subject, way, heapKb }) => {
      const about = { bench: "sessions", case: `${2 * sessions} idle, ${way}`, subject } as const
      return [
        row({
          ...about,
          measure: "heap of one more",
          unit: "kB",
          samples: marginalHeap(outcome, sessions),
          goals: [{ of: "ours", atMost: heapKb }]
        }),
        row({
          ...about,
          measure: "CPU to open",
          unit: "ms",
          samples: samplesOf(outcome, last("open"), cpuMs),
          goals: [{ of: "oursToPeer", atMost: 1.5 }]
        }),
        row({ ...about, measure: "CPU in a second", unit: "us", samples: samplesOf(outcome, last("wait"), idleUs) })
      ]
    })
  })

interface Talk {
  readonly sessions: number
  readonly lagGoal: Goal
  readonly isChosen: boolean
}

const talks: ReadonlyArray<Talk> = [
  { sessions: 30, lagGoal: { of: "oursToFloor", atMost: 2 }, isChosen: true },
  { sessions: 200, lagGoal: { of: "ours", atMost: 20 }, isChosen: false }
]
const talkLaps = 3
const talkSeconds = 4
/** What comes through in its time, of all that is said: less than this, and a process is at its limit, or its server. */
const onTime = 0.9
/** 8 kB as an event. */
const pieceBytes = 6000
const pieceEveryMs = 50

const talk = (settings: Settings, { lagGoal, ...of }: Talk): Effect.Effect<ReadonlyArray<Row>, BenchFailed> =>
  Effect.gen(function* () {
    const sessions = scaled(settings, of.sessions)
    const seconds = shortened(settings, talkSeconds)
    const deltas = (seconds * 1000) / pieceEveryMs
    const outcome = yield* Contest.rounds(
      settings,
      { label: `sessions, ${sessions} talking`, task: "sessions", contenders },
      ({ answers, turn }) =>
        Effect.gen(function* () {
          yield* answers({ _tag: "Audio", deltas, bytes: pieceBytes, everyMs: pieceEveryMs })
          yield* turn("open", sessions)
          yield* Effect.repeatN(turn("talk", seconds), settings.laps ?? talkLaps)
        })
    )
    /** The first one warms up. */
    const talked: Choice = (laps) => ofStep("talk")(laps).slice(1)
    const pace = samplesOf(
      outcome,
      talked,
      ({ values, wallMs }) => (values["heard"] ?? 0) / deltas / (wallMs / 1000 / seconds)
    )
    const late = Array.from(pace).flatMap(([contender, shares]) => {
      const share = median(shares)
      return share > onTime
        ? []
        : [
            `${sessions} talking: with ${contender}, ${Math.round(share * 100)} % of the speech came through in its time.`
          ]
    })
    return ways.flatMap(({ subject, way }) => {
      const about = { bench: "sessions", case: `${sessions} talking, ${way}`, unit: "ms", subject } as const
      return [
        row({
          ...about,
          measure: "CPU of a session-second",
          samples: samplesOf(outcome, talked, (lap) => cpuMs(lap) / sessions),
          goals: [
            { of: "oursToFloor", atMost: 1.5 },
            { of: "oursToPeer", atMost: 0.6 }
          ],
          notes: subject === "ours" ? late : []
        }),
        row({
          ...about,
          measure: "p99 lag of the event loop",
          samples: samplesOf(outcome, talked, ({ values }) => values["lagP99Ms"] ?? Number.NaN),
          goals: [lagGoal]
        })
      ]
    })
  })

export const bench: Bench = {
  name: "sessions",
  run: (settings) =>
    Effect.gen(function* () {
      const chosen = talks.filter(({ isChosen }) => isChosen || settings.extent === "all")
      const talking = yield* Effect.forEach(chosen, (one) => talk(settings, one))
      return [...(yield* idle(settings)), ...talking.flat()]
    })
}
