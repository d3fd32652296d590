import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { choose } from "./benches.js"
import { read } from "./commandLine.js"

describe("The command line of npm run bench", () => {
  it.effect("runs everything in full by default", () =>
    Effect.gen(function* () {
      expect(yield* read([])).toMatchObject({ extent: "all", scale: 1, rounds: 3, output: "text", write: false })
      expect(Either.map(choose(undefined), (chosen) => chosen.length)).toEqual(Either.right(7))
    })
  )

  it.effect("has a quick mode, each setting of which can be overridden", () =>
    Effect.gen(function* () {
      expect(yield* read(["--quick"])).toMatchObject({ extent: "some", rounds: 1 })
      const said = ["--quick", "--scale", "0.5", "--rounds", "2", "--laps", "9", "--json"]
      expect(yield* read(said)).toMatchObject({ scale: 0.5, rounds: 2, laps: 9, output: "json" })
      expect(yield* read(["--write"])).toMatchObject({ write: true })
    })
  )

  it.effect("lists what exists when asked for something else", () =>
    Effect.gen(function* () {
      const messageOf = (...args: ReadonlyArray<string>) =>
        Effect.map(Effect.flip(read(args)), ({ message }) => message.split("\n")[0])
      expect(yield* messageOf("--laps", "0")).toBe("--laps takes a whole number from 1 on.")
      expect(yield* messageOf("--scale", "2")).toBe("--scale takes a number above 0, and at most 1.")
      expect(yield* messageOf("--write", "--quick")).toBe("--write takes all of it. Leave out --only and --quick.")
      expect(yield* messageOf("--calls", "7")).toContain("--calls")
      expect(yield* Effect.flip(choose("nothing"))).toMatchObject({
        message:
          'There is no bench "nothing". There are: audio-out, audio-in, history, tool-roundtrip, sessions, worst, import.'
      })
    })
  )
})
