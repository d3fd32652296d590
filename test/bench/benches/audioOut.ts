import * as Effect from "effect/Effect"
import { type Bench, scaled } from "../Bench.js"
import * as Contest from "../Contest.js"
import { type Cpu, cpuRows } from "../cpuRows.js"

/** The model's audio, from the socket to the player: deltas of this many bytes of PCM. */
const cases = [
  { bytes: 4800, deltas: 100, isChosen: false },
  { bytes: 9600, deltas: 100, isChosen: true },
  { bytes: 24_000, deltas: 100, isChosen: false }
]
const laps = 120

const goals = (warmToFloor: number): Cpu["goals"] => ({
  cold: [
    { of: "oursToFloor", atMost: 1.8 },
    { of: "oursToPeer", atMost: 0.8 }
  ],
  warm: [
    { of: "oursToFloor", atMost: warmToFloor },
    { of: "oursToPeer", atMost: 0.6 }
  ]
})

export const bench: Bench = {
  name: "audio-out",
  run: (settings) =>
    Effect.gen(function* () {
      const chosen = cases.filter(({ isChosen }) => isChosen || settings.extent === "all")
      const rows = yield* Effect.forEach(chosen, ({ bytes, deltas }) =>
        Effect.gen(function* () {
          const name = `${bytes / 1000} kB`
          const amount = scaled(settings, deltas)
          const outcome = yield* Contest.rounds(
            settings,
            {
              label: `audio-out, ${name}`,
              task: "audioOut",
              contenders: ["ours", "callbacks", "floor", "floorEffect", "peer"],
              bytes
            },
            (contest) =>
              Effect.zipRight(
                contest.answers({ _tag: "Audio", deltas: amount, bytes }),
                Effect.repeatN(contest.turn("lap", amount), (settings.laps ?? laps) - 1)
              )
          )
          const about = { bench: "audio-out", outcome }
          return [
            ...cpuRows({ ...about, case: `${name}, through a Stream`, goals: goals(1.4) }),
            ...cpuRows({ ...about, case: `${name}, to a listener`, subject: "callbacks", goals: goals(1.2) })
          ]
        })
      )
      return rows.flat()
    })
}
