/** The demo: `npm run demo`, `npm start`; see `--help`. */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import { help, parse } from "./options.js"
import { run } from "./run.js"
import "../shared/pipe.js"

const couldNotBegin = 2

const program = Effect.gen(function* () {
  const options = yield* parse(process.argv.slice(2))
  if (options === "help") return yield* Effect.as(Console.log(help), 0)
  return yield* run(options)
}).pipe(
  Effect.catchTags({
    UsageError: (error) => refuse(error.message),
    ConversationUnreadable: (error) => refuse(error.message),
    RecordingUnreadable: (error) => refuse(error.message),
    VoiceUnavailable: (error) => refuse(error.message),
    KeyMissing: (error) => refuse(error.message)
  }),
  Effect.catchAll((error) => Effect.as(Console.error(`${error._tag}: ${error.message}`), 1)),
  Effect.provide(NodeFileSystem.layer),
  // The timeline shows calls that die, so the log need not.
  Logger.withMinimumLogLevel(LogLevel.Error)
)

const refuse = (message: string) => Effect.as(Console.error(message), couldNotBegin)

NodeRuntime.runMain(program, {
  teardown: (exit, onExit) => {
    if (Exit.isSuccess(exit)) onExit(typeof exit.value === "number" ? exit.value : 0)
    else onExit(Cause.isInterruptedOnly(exit.cause) ? 130 : 1)
  }
})
