/**
 * `npm run soak [-- --minutes 10] [--leak BYTES]`
 *
 * Sessions and their server in one process, over loopback, under steady load: text, tools, audio both ways, and
 * connections that are lost now and then. At the end of each lap everybody rests, the server is replaced, and the heap
 * is measured after a collection, without code: at the same point of the same work. Fails if the heap grows more than chance explains.
 * With `--leak`, so many bytes are kept for each response, to see that this is noticed.
 */
import { parseArgs } from "node:util"
import { getHeapCodeStatistics, setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as Effect from "effect/Effect"
import * as Load from "./Load.js"
import { regress, type Sample } from "./regression.js"

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, leak: { type: "string", default: "0" } }
})
const minutes = Number(values.minutes)
const leak = Number(values.leak)
if (!(minutes > 0) || !(leak >= 0)) throw new Error("--minutes takes a number above 0, and --leak one from 0 on.")

setFlagsFromString("--expose-gc")
// The border with V8: the flag above makes it.
const collect: () => void = runInNewContext("gc")

/** Before the first sample: caches fill, and code is compiled. */
const warmUpMs = 20_000
const samplesWanted = 20
const lapMs = Math.max(2_000, (minutes * 60_000) / Math.max(samplesWanted, minutes * 4))
const isQuiet = process.env["CI"] !== undefined

const megabytes = (): number => {
  collect()
  collect()
  const { external, heapUsed } = process.memoryUsage()
  // V8 compiles what runs often anew for many minutes: that is no leak of anybody's.
  const { bytecode_and_metadata_size, code_and_metadata_size } = getHeapCodeStatistics()
  return (heapUsed + external - bytecode_and_metadata_size - code_and_metadata_size) / 1e6
}

const program = Effect.gen(function* () {
  const load = yield* Load.make({ callers: 6, seed: 1, leak })
  const samples: Array<Sample> = []
  let nextReport = 1
  const warmUp = performance.now() + warmUpMs
  while (performance.now() < warmUp) yield* load.lap(2_000, Effect.void)
  const before = load.responses()
  const began = performance.now()
  for (;;) {
    const measure = Effect.sync(() => {
      samples.push({ minutes: (performance.now() - began) / 60_000, megabytes: megabytes() })
    })
    yield* load.lap(lapMs, measure)
    const last = samples.at(-1)
    if (last === undefined) continue
    if (!isQuiet && last.minutes >= nextReport) {
      nextReport = Math.floor(last.minutes) + 1
      console.log(`${last.minutes.toFixed(1)} min: ${last.megabytes.toFixed(1)} MB`)
    }
    if (last.minutes >= minutes) return { samples, responses: load.responses() - before, losses: load.losses() }
  }
})

const { losses, responses, samples } = await Effect.runPromise(Effect.scoped(program))
const { noise, slope, verdict } = regress(samples)
const first = samples[0]?.megabytes.toFixed(1)
const last = samples.at(-1)?.megabytes.toFixed(1)
console.log(`${samples.length} samples, ${losses} connections lost; a slope below ${noise.toFixed(2)} MB/min is noise`)
console.log(
  `${minutes} min, ${responses.toLocaleString("en")} responses, heap ${first} → ${last} MB, slope ${slope.toFixed(2)} MB/min: ${verdict}`
)
if (verdict === "growing") process.exitCode = 1
