/**
 * Runs every example, one after the other: `npm run examples`. Exits with 1 if one of them fails. Where `CI` is set, only
 * those that fail are named.
 */
import { Command, FileSystem, Path } from "@effect/platform"
import { NodeContext, NodeRuntime } from "@effect/platform-node"
import { Console, Duration, Effect, Either, Stream } from "effect"
import "./shared/pipe.js"

/** Far more than any of them takes. */
const timeLimit = "60 seconds"

const folder = import.meta.dirname

const examples = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const files = yield* fs.readDirectory(folder)
  return files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file !== "run-all.ts").sort()
})

/** Fails with what the example printed. Without a terminal to read from, no example waits for an answer. */
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
    return code === 0 ? undefined : yield* Effect.fail({ message: `${stdout}${stderr}It ended with code ${code}.` })
  }).pipe(
    Effect.timeoutFail({ duration: timeLimit, onTimeout: () => ({ message: `It did not end within ${timeLimit}.` }) }),
    Effect.scoped
  )

const program = Effect.gen(function* () {
  const quiet = (process.env["CI"] ?? "") !== ""
  const files = yield* examples
  const width = Math.max(...files.map((file) => file.length))
  let failures = 0
  for (const file of files) {
    const [time, outcome] = yield* Effect.timed(Effect.either(run(file)))
    const line = `${file.padEnd(width)}  ${Duration.toSeconds(time).toFixed(1)} s`
    if (Either.isLeft(outcome)) {
      failures += 1
      yield* Console.log(`failed  ${line}\n${outcome.left.message.replace(/^/gm, "        ")}`)
    } else if (!quiet) {
      yield* Console.log(`ok      ${line}`)
    }
  }
  yield* Console.log(`${files.length - failures} of ${files.length} examples ran to their end.`)
  process.exitCode = failures === 0 ? 0 : 1
})

NodeRuntime.runMain(Effect.provide(program, NodeContext.layer))
