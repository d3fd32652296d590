/**
 * Runs every example, as many at once as there are cores, and shows how its output begins: `npm run examples`. Exits
 * with 1 if one of them fails. Where `CI` is set, only those that fail are shown.
 */
import { availableParallelism } from "node:os"
import { Command, FileSystem, Path } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Duration, Effect, Either, Fiber, Stream } from "effect"
import "./shared/pipe.js"

/** Far more than any of them takes. */
const timeLimit = "60 seconds"

const folder = import.meta.dirname

const examples = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const files = yield* fs.readDirectory(folder)
  return files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "run-all.ts").sort()
})

const shownLines = 5
const shownColumns = 110

/** The first lines of an output, cut to the width of a terminal. */
const beginning = (output: string): string => {
  const lines = output.split("\n").filter((line) => line.trim() !== "")
  const shown = lines
    .slice(0, shownLines)
    .map((line) => (line.length > shownColumns ? `${line.slice(0, shownColumns - 1)}…` : line))
  const more = lines.length - shown.length
  return (more > 0 ? [...shown, `… ${more} more`] : shown).join("\n")
}

const indented = (text: string): string => text.replace(/^/gm, "        ")

/** Gives what the example printed, or fails with it. Without a terminal to read from, no example waits for an answer. */
const run = (file: string) =>
  Effect.gen(function* () {
    const path = yield* Path.Path
    const child = yield* Command.make(process.execPath, "--import", "tsx", path.join(folder, file)).pipe(
      Command.stdin(Stream.empty),
      Command.start
    )
    const [stdout, stderr, code] = yield* Effect.all(
      [
        Stream.mkString(Stream.decodeText(child.stdout)),
        Stream.mkString(Stream.decodeText(child.stderr)),
        child.exitCode
      ],
      { concurrency: "unbounded" }
    )
    return code === 0 ? stdout : yield* Effect.fail({ message: `${stdout}${stderr}It ended with code ${code}.` })
  }).pipe(
    Effect.timeoutFail({ duration: timeLimit, onTimeout: () => ({ message: `It did not end within ${timeLimit}.` }) }),
    Effect.scoped
  )

const program = Effect.gen(function* () {
  const quiet = (process.env["CI"] ?? "") !== ""
  const files = yield* examples
  const width = Math.max(...files.map((file) => file.length))
  const gate = yield* Effect.makeSemaphore(availableParallelism())
  const runs = yield* Effect.forEach(files, (file) =>
    run(file).pipe(
      Effect.either,
      Effect.timed,
      gate.withPermits(1),
      Effect.fork,
      Effect.map((fiber) => ({ file, fiber }))
    )
  )
  let failures = 0
  for (const { fiber, file } of runs) {
    const [time, outcome] = yield* Fiber.join(fiber)
    const line = `${file.padEnd(width)}  ${Duration.toSeconds(time).toFixed(1)} s`
    if (Either.isLeft(outcome)) {
      failures += 1
      yield* Console.log(`failed  ${line}\n${indented(outcome.left.message)}`)
    } else if (!quiet) {
      yield* Console.log(`ok      ${line}\n${indented(beginning(outcome.right))}\n`)
    }
  }
  yield* Console.log(`${files.length - failures} of ${files.length} examples ran to their end.`)
  process.exitCode = failures === 0 ? 0 : 1
})

NodeRuntime.runMain(Effect.provide(program, NodeContext.layer))
