import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { run } from "../child.js"
import type { Run } from "./Run.js"

const number = expect.any(Number)
const figures = { samples: number, p25: number, p50: number, p75: number, p95: number, p99: number, mean: number }

/** All that a row may have; `undefined` is not there. */
const row = (of: {
  readonly bench: string
  readonly floor?: boolean
  readonly floorEffect?: boolean
  readonly peer?: boolean
}) =>
  expect.objectContaining({
    bench: of.bench,
    case: expect.any(String),
    measure: expect.any(String),
    unit: expect.stringMatching(/^(us|ms|kB)$/),
    better: "lower",
    ours: figures,
    ...(of.floor ? { floor: figures, oursToFloor: number } : {}),
    ...(of.floorEffect ? { floorEffect: figures, oursToFloorEffect: number } : {}),
    ...(of.peer ? { peer: figures, oursToPeer: number, peerToOurs: number } : {}),
    goals: expect.any(Array),
    notes: expect.any(Array)
  })

it.live(
  "npm run bench prints one JSON document and nothing else, with the rows of every bench",
  () =>
    Effect.gen(function* () {
      const least = ["--json", "--quick", "--scale", "0.01", "--laps", "1"]
      const { code, stdout, stderr } = yield* Effect.promise(() =>
        run("test/bench/main.ts", least, { timeoutMs: 590_000 })
      )
      expect(stderr).toBe("")
      expect(code).toBe(0)
      const printed: Run = JSON.parse(stdout)
      expect(printed).toEqual({
        node: process.version,
        versions: {
          "effect-realtime": expect.any(String),
          effect: expect.stringMatching(/^3\./),
          ws: expect.stringMatching(/^8\./),
          "@openai/agents-realtime": expect.any(String)
        },
        machine: { cpu: expect.any(String), cores: number, loadBefore: number, loadAfter: number },
        date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
        rounds: 1,
        rows: expect.any(Array)
      })
      const of = (bench: string): Run["rows"] => printed.rows.filter((row) => row.bench === bench)
      const all = { floor: true, floorEffect: true, peer: true }
      const others = { floor: true, peer: true }
      expect(of("audio-out")).toEqual(Array(6).fill(row({ bench: "audio-out", ...all })))
      expect(of("audio-in")).toEqual(Array(6).fill(row({ bench: "audio-in", ...all })))
      expect(of("history")).toEqual(Array(4).fill(row({ bench: "history", ...others })))
      expect(of("tool-roundtrip")).toEqual(Array(4).fill(row({ bench: "tool-roundtrip", ...others })))
      expect(of("tool-roundtrip")[1]?.eighths).toHaveLength(8)
      expect(of("sessions")).toEqual(Array(10).fill(row({ bench: "sessions", ...others })))
      expect(of("worst")).toEqual(Array(6).fill(row({ bench: "worst" })))
      expect(of("worst").map(({ growth }) => growth)).toEqual(Array(6).fill(number))
      expect(of("import")).toEqual([row({ bench: "import", ...others })])
      expect(printed.rows).toHaveLength(37)
    }),
  600_000
)
