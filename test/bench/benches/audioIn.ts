import * as Effect from "effect/Effect"
import { type Bench, scaled } from "../Bench.js"
import * as Contest from "../Contest.js"
import { cpuRows } from "../cpuRows.js"

/** The user's audio, from the microphone to the socket: pieces of this many bytes of PCM, each a separate append. */
const cases = [
  { bytes: 4800, pieces: 100, coldToFloor: 1.4, isChosen: true },
  { bytes: 24_000, pieces: 40, coldToFloor: 1.1, isChosen: false },
  { bytes: 96_000, pieces: 20, coldToFloor: 0.8, isChosen: false }
]
const laps = 100

export const bench: Bench = {
  name: "audio-in",
  run: (settings) =>
    Effect.gen(function* () {
      const chosen = cases.filter(({ isChosen }) => isChosen || settings.extent === "all")
      const rows = yield* Effect.forEach(chosen, ({ bytes, pieces, coldToFloor }) =>
        Effect.gen(function* () {
          const name = `${bytes / 1000} kB`
          const outcome = yield* Contest.rounds(
            settings,
            {
              label: `audio-in, ${name}`,
              task: "audioIn",
              contenders: ["ours", "callbacks", "floor", "floorEffect", "peer"],
              bytes
            },
            ({ turn }) => Effect.repeatN(turn("lap", scaled(settings, pieces)), (settings.laps ?? laps) - 1)
          )
          const about = { bench: "audio-in", outcome }
          return [
            ...cpuRows({ ...about, case: `${name}, from a Stream`, goals: { cold: [], warm: [] } }),
            ...cpuRows({
              ...about,
              case: `${name}, from a callback`,
              subject: "callbacks",
              goals: { cold: [{ of: "oursToFloor", atMost: coldToFloor }], warm: [] }
            })
          ]
        })
      )
      return rows.flat()
    })
}
