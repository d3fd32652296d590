import * as Either from "effect/Either"
import { type Bench, BenchFailed } from "./Bench.js"
import * as AudioIn from "./benches/audioIn.js"
import * as AudioOut from "./benches/audioOut.js"
import * as History from "./benches/history.js"
import * as Imports from "./benches/imports.js"
import * as Sessions from "./benches/sessions.js"
import * as ToolRoundtrip from "./benches/toolRoundtrip.js"
import * as Worst from "./benches/worst.js"

/** All of them, in the order in which they run. */
export const benches: ReadonlyArray<Bench> = [
  AudioOut.bench,
  AudioIn.bench,
  History.bench,
  ToolRoundtrip.bench,
  Sessions.bench,
  Worst.bench,
  Imports.bench
]

/** The one of this name; all without one. */
export const choose = (only: string | undefined): Either.Either<ReadonlyArray<Bench>, BenchFailed> => {
  const chosen = benches.filter(({ name }) => only === undefined || only === name)
  const names = benches.map(({ name }) => name).join(", ")
  return chosen.length > 0
    ? Either.right(chosen)
    : Either.left(new BenchFailed({ message: `There is no bench ${JSON.stringify(only)}. There are: ${names}.` }))
}
