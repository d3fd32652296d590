import { execFile } from "node:child_process"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"

const main = fileURLToPath(new URL("main.ts", import.meta.url))

/** Runs the benchmarks as `npm run bench` does, without a terminal. */
const bench = (...args: ReadonlyArray<string>) =>
  Effect.async<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resume) => {
    execFile(process.execPath, ["--import", "tsx", main, ...args], (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1
      resume(Effect.succeed({ code, stdout, stderr }))
    })
  })

const milliseconds = expect.any(Number)

const figures = {
  samples: 20,
  p50: milliseconds,
  p95: milliseconds,
  p99: milliseconds,
  perSecond: expect.any(Number),
  eighths: Array.from({ length: 8 }, () => milliseconds)
}

describe("npm run bench", () => {
  it.live(
    "prints one JSON document and nothing else",
    () =>
      Effect.gen(function* () {
        const { code, stdout, stderr } = yield* bench("--only", "tool-roundtrip", "--calls", "20", "--json")
        expect(stderr).toBe("")
        expect(code).toBe(0)
        expect(JSON.parse(stdout)).toEqual({
          node: process.version,
          versions: {
            effect: expect.stringMatching(/^3\./),
            ws: expect.stringMatching(/^8\./),
            "@openai/agents-realtime": expect.any(String)
          },
          rows: [
            {
              bench: "tool-roundtrip",
              case: "20 calls",
              unit: "ms",
              better: "lower",
              ours: figures,
              floor: figures,
              peer: figures,
              oursToFloor: expect.any(Number),
              peerToOurs: expect.any(Number),
              eighths: figures.eighths,
              notes: []
            }
          ]
        })
      }),
    60_000
  )

  it.live("says what there is where it is asked for something else", () =>
    Effect.gen(function* () {
      const unknown = yield* bench("--only", "nothing")
      expect(unknown).toMatchObject({ code: 1, stdout: "" })
      expect(unknown.stderr).toBe('There is no bench "nothing". There are: tool-roundtrip.\n')
      const few = yield* bench("--calls", "7")
      expect(few).toMatchObject({ code: 1, stdout: "", stderr: "--calls takes a whole number from 8 on.\n" })
    })
  )
})
