/**
 * `npm run soak [-- --minutes 10] [--leak BYTES]`
 *
 * Sessions and their server in one process, over loopback, under steady load: text, tools, audio both ways, and
 * connections that are lost now and then. After each lap the server is replaced, and the heap is measured after a
 * collection: at the same point of the same work. Fails if the heap grows by more than chance explains, in three stretches
 * of so many minutes one after the other. Growth is told by the response, not by the minute, however slow the machine is.
 *
 * With `--leak`, so many bytes are kept for each response, to see that this is noticed.
 *
 * The script in package.json runs it without V8's compilers, and with what V8 learns of a function allocated at its first
 * call: both grow for many minutes, by more than a leak that is worth finding.
 */
import { parseArgs } from "node:util"
import * as Effect from "effect/Effect"
import * as Load from "./Load.js"
import { regress, type Sample } from "./regression.js"
import "../../examples/shared/pipe.js"

const { values } = parseArgs({
  options: { minutes: { type: "string", default: "10" }, leak: { type: "string", default: "0" } }
})
const minutes = Number(values.minutes)
const leak = Number(values.leak)
if (!(minutes > 0) || !(leak >= 0)) throw new Error("--minutes takes a number above 0, and --leak one from 0 on.")
const collect = globalThis.gc
if (collect === undefined) throw new Error("Run it as `npm run soak`, which lets it collect garbage.")

/** Before the first sample: modules are loaded, functions have run, and small caches are full. */
const warmUpLaps = 8
/** Many times the duration of one. */
const patience = "2 minutes"
/** A sample is the least of so many laps: after one in ten, a collection leaves garbage that the next one takes. */
const lapsOfASample = 3
/**
 * A leak grows in each of them; what is held for some seconds more, such as a socket that closes while the machine is
 * busy, makes one stretch rise where it is met at the end. Where the first is flat, there is no other.
 */
const stretchesOfALeak = 3
/** On a machine so slow that the time is up before. */
const leastSamples = 8
const isQuiet = process.env["CI"] !== undefined

/** An unused object may have to finish in the event loop before the next collection can free its memory. */
const settled = Effect.gen(function* () {
  for (let round = 0; round < 4; round += 1) {
    collect()
    yield* Effect.promise(() => new Promise(setImmediate))
  }
})

const bytes = (): number => {
  const { external, heapUsed } = process.memoryUsage()
  return heapUsed + external
}

const program = Effect.gen(function* () {
  const load = yield* Load.make({ staying: 2, passing: 2, seed: 1, leak })
  const lap = Effect.timeoutFail(load.lap, {
    duration: patience,
    onTimeout: () => new Error(`A lap took longer than ${patience}: somebody waits in vain.`)
  })
  const sample = Effect.gen(function* () {
    const measured: Array<Sample> = []
    for (let laps = 0; laps < lapsOfASample; laps += 1) {
      yield* lap
      yield* settled
      measured.push({ responses: load.responses(), bytes: bytes() })
    }
    return measured.reduce((least, next) => (next.bytes < least.bytes ? next : least))
  })
  const stretch = Effect.gen(function* () {
    const samples: Array<Sample> = []
    const before = { responses: load.responses(), losses: load.losses() }
    const began = performance.now()
    let nextReport = 1
    for (;;) {
      samples.push(yield* sample)
      const passed = (performance.now() - began) / 60_000
      if (!isQuiet && passed >= nextReport) {
        nextReport = Math.floor(passed) + 1
        console.log(`${passed.toFixed(1)} min: ${megabytes(samples.at(-1))} MB`)
      }
      if (passed < minutes || samples.length < leastSamples) continue
      const line = regress(samples)
      console.log(
        `${samples.length} samples, ${load.losses() - before.losses} connections lost; a slope below ${line.noise.toFixed(0)} bytes a response is noise`
      )
      const responses = load.responses() - before.responses
      console.log(
        `${passed.toFixed(1)} min, ${responses.toLocaleString("en")} responses, heap ${megabytes(samples[0])} → ${megabytes(samples.at(-1))} MB, slope ${line.slope.toFixed(0)} bytes a response: ${line.verdict}`
      )
      return line.verdict
    }
  })
  for (let laps = 0; laps < warmUpLaps; laps += 1) yield* lap
  for (let stretches = 0; stretches < stretchesOfALeak; stretches += 1) {
    if ((yield* stretch) === "flat") return "flat"
  }
  return "growing"
})

const megabytes = (sample: Sample | undefined): string => ((sample?.bytes ?? 0) / 1e6).toFixed(2)

if ((await Effect.runPromise(Effect.scoped(program))) === "growing") process.exitCode = 1
