#!/usr/bin/env node
/**
 * The `effect-realtime` command: `effect-realtime serve` runs the embedded realtime server.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as EmbeddedRealtime from "./EmbeddedRealtime.js"
import * as CommandLine from "./embedded/commandLine.js"

// Whoever reads the log may leave (EPIPE): the server stays, and says no more. Without a listener, the process would end.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined)

const print = (text: string): void => {
  if (process.stdout.writable) process.stdout.write(`${text}\n`)
}

const run = (command: Extract<CommandLine.Command, { readonly _tag: "Serve" }>): Effect.Effect<void> => {
  const style = { colour: process.stdout.isTTY === true && (process.env["NO_COLOR"] ?? "") === "" }
  return EmbeddedRealtime.serve({
    port: command.port,
    host: command.host,
    ...(command.apiKey === undefined ? {} : { apiKey: Redacted.make(command.apiKey) }),
    observe: (activity) => {
      const line = command.quiet ? undefined : CommandLine.line(activity, style)
      if (line !== undefined) print(line)
    }
  }).pipe(
    Effect.flatMap((server) =>
      Effect.zipRight(
        Effect.sync(() => print(command.quiet ? server.url : `Listening on ${server.url} (Ctrl-C stops)`)),
        Effect.never
      )
    ),
    Effect.scoped,
    Effect.catchAll((error) =>
      Effect.sync(() => {
        process.stderr.write(`${error.message}\n`)
        process.exitCode = 1
      })
    )
  )
}

const command = CommandLine.parse(process.argv.slice(2))

switch (command._tag) {
  case "Help":
    process.stdout.write(CommandLine.HELP)
    break
  case "Invalid":
    process.stderr.write(`${command.message}\n`)
    process.exitCode = 2
    break
  case "Serve": {
    const fiber = Effect.runFork(run(command))
    // A second signal, while connections are being closed, ends the process at once: there is no listener any more.
    const stop = () => {
      process.off("SIGINT", stop)
      process.off("SIGTERM", stop)
      Effect.runFork(Fiber.interrupt(fiber))
    }
    process.on("SIGINT", stop)
    process.on("SIGTERM", stop)
  }
}
