import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import { BenchFailed, type Settings } from "./Bench.js"

export interface CommandLine extends Omit<Settings, "directory"> {
  readonly only: string | undefined
  readonly output: "text" | "json"
  /** Whether its results replace the last ones. */
  readonly write: boolean
}

export const usage = `npm run bench [-- OPTIONS]

  --only NAME         one bench alone
  --quick             some cases, less work, one round: about a minute, for a look
  --laps N            laps of each process (default: the bench's own number)
  --rounds N          how often each case is run with fresh processes (default: 3)
  --scale X           the work in a lap, as a share of a full run's (default: 1)
  --json              one JSON document, and nothing else
  --write             into test/bench/RESULTS.md and results.svg too: half an hour, on a quiet machine
  --cpu-profiles DIR  leaves a CPU profile of each contender there
`

const number = (option: string, text: string | undefined, isRight: (value: number) => boolean, what: string) => {
  if (text === undefined) return undefined
  const value = Number(text)
  if (!isRight(value)) throw new Error(`--${option} takes ${what}.`)
  return value
}

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 1

/** A line that the next one overwrites; nothing if the output is not a terminal. */
const progress = process.stderr.isTTY ? (text: string) => void process.stderr.write(`\r\x1b[K${text}`) : () => undefined

export const read = (args: ReadonlyArray<string>): Effect.Effect<CommandLine, BenchFailed> =>
  Effect.try({
    try: () => {
      const { values } = parseArgs({
        args: [...args],
        options: {
          only: { type: "string" },
          quick: { type: "boolean", default: false },
          laps: { type: "string" },
          rounds: { type: "string" },
          scale: { type: "string" },
          json: { type: "boolean", default: false },
          write: { type: "boolean", default: false },
          "cpu-profiles": { type: "string" }
        }
      })
      if (values.write && (values.quick || values.only !== undefined)) {
        throw new Error("--write takes all of it. Leave out --only and --quick.")
      }
      const profiles = values["cpu-profiles"]
      return {
        only: values.only,
        extent: values.quick ? ("some" as const) : ("all" as const),
        laps: number("laps", values.laps, isCount, "a whole number from 1 on"),
        rounds: number("rounds", values.rounds, isCount, "a whole number from 1 on") ?? (values.quick ? 1 : 3),
        scale:
          number("scale", values.scale, (value) => value > 0 && value <= 1, "a number above 0, and at most 1") ??
          (values.quick ? 0.2 : 1),
        output: values.json ? ("json" as const) : ("text" as const),
        write: values.write,
        cpuProfiles: profiles === undefined ? undefined : resolve(profiles),
        progress
      }
    },
    catch: (error) =>
      new BenchFailed({ message: `${error instanceof Error ? error.message : String(error)}\n\n${usage}` })
  })
