import { readFileSync } from "node:fs"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import type { Bench, BenchFailed, Settings } from "../Bench.js"
import { root } from "../Build.js"
import type { Contender } from "../Contender.js"
import { compiled } from "../Contest.js"
import * as Process from "../Process.js"
import { type Row, row } from "../Row.js"

/** The cost of loading each public entry, beside all of `effect`, and the peer. */
const laps = 5

/** From how the package names it to the file that it is: `./Session` is `src/Session.js` here. */
const entries = (): ReadonlyArray<readonly [name: string, file: string]> => {
  // The border with JSON: the package's own manifest.
  const { exports }: { exports: Record<string, string> } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"))
  return Object.entries(exports)
    .filter(([, file]) => file.endsWith(".js"))
    .map(([name, file]) => [name, file.replace("./dist/", "src/")])
}

const cpuOf = (settings: Settings, specifier: string): Effect.Effect<number, BenchFailed> =>
  Effect.scoped(
    Effect.gen(function* () {
      const importing = yield* Process.start(compiled(settings.directory, "importing.js"), [specifier])
      return (yield* importing.expect("Taken")).cpuMs
    })
  )

export const bench: Bench = {
  name: "import",
  run: (settings) =>
    Effect.gen(function* () {
      const chosen = entries().filter(([name]) => name === "." || settings.extent === "all")
      const ours = new Map<string, Array<number>>(chosen.map(([name]) => [name, []]))
      const effect: Array<number> = []
      const peer: Array<number> = []
      for (let lap = 1; lap <= (settings.laps ?? laps); lap += 1) {
        for (const [name, file] of chosen) {
          settings.progress(`import ${name}, ${lap}`)
          ours.get(name)?.push(yield* cpuOf(settings, pathToFileURL(join(settings.directory, file)).href))
        }
        effect.push(yield* cpuOf(settings, "effect"))
        peer.push(yield* cpuOf(settings, "@openai/agents-realtime"))
      }
      return Array.from(ours, ([name, samples]): Row => {
        const of: ReadonlyArray<readonly [Contender, ReadonlyArray<number>]> = [
          ["ours", samples],
          ["floor", effect],
          ["peer", peer]
        ]
        return row({
          bench: "import",
          case: name,
          measure: "CPU",
          unit: "ms",
          samples: new Map(of),
          goals: [{ of: "oursToFloor", atMost: 1.2 }],
          notes: ["The floor is the import of all of `effect`."]
        })
      })
    })
}
