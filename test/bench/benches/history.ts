import * as Effect from "effect/Effect"
import { type Bench, scaled } from "../Bench.js"
import * as Contest from "../Contest.js"
import { type Choice, cpuUs, type Measure, samplesOf, stopped } from "../laps.js"
import { type Goal, row } from "../Row.js"
import { median } from "../stats.js"

/** The cost of one event of an item, as the conversation grows to 50,000 items. */
const itemsOfLap = 500
const laps = 100
/** The events with which the API reports an item: it was added, it is complete. */
const eventsOfItem = 2

/** How far the run is. Medians of three laps, but for the first, which is the cold one. */
const points: ReadonlyArray<{ readonly share: number; readonly goals: ReadonlyArray<Goal> }> = [
  { share: 0, goals: [{ of: "oursToFloor", atMost: 2 }] },
  { share: 0.1, goals: [{ of: "oursToFloor", atMost: 1.3 }] },
  { share: 0.4, goals: [{ of: "oursToFloor", atMost: 1.3 }] },
  {
    share: 1,
    goals: [
      { of: "oursToFloor", atMost: 1.3 },
      { of: "growth", atMost: 1.1 }
    ]
  }
]

const perEvent: Measure = (lap) => cpuUs(lap) / eventsOfItem

export const bench: Bench = {
  name: "history",
  run: (settings) =>
    Effect.gen(function* () {
      const amount = scaled(settings, itemsOfLap)
      const times = settings.laps ?? laps
      const outcome = yield* Contest.rounds(
        settings,
        { label: "history", task: "history", contenders: ["ours", "floor", "peer"], enoughMs: 20_000 },
        (contest) =>
          Effect.zipRight(
            contest.answers({ _tag: "Items", items: amount }),
            Effect.repeatN(contest.turn("lap", amount), times - 1)
          )
      )
      const choiceAt = (share: number): Choice => {
        const end = Math.max(1, Math.round(share * times))
        return (all) => (all.length < end ? [] : all.slice(Math.max(0, end - 3), end))
      }
      const oursAt = (share: number): number => median(samplesOf(outcome, choiceAt(share), perEvent).get("ours") ?? [])
      return points.map(({ share, goals }) =>
        row({
          bench: "history",
          case: share === 0 ? `first ${amount} items` : `at ${Math.max(1, Math.round(share * times)) * amount} items`,
          measure: share === 0 ? "CPU, cold" : "CPU of an event",
          unit: "us",
          samples: samplesOf(outcome, choiceAt(share), perEvent),
          // From the point at which the compiler is done.
          growth: oursAt(1) / oursAt(0.4),
          goals,
          notes: stopped(outcome, "items")
        })
      )
    })
}
