/**
 * Runs the `effect-realtime` command with its arguments.
 */
import { stripVTControlCharacters } from "node:util"
import * as Command from "@effect/cli/Command"
import * as ValidationError from "@effect/cli/ValidationError"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { builtInsFirst } from "./builtIns.js"
import { console } from "./console.js"
import { serve } from "./serve.js"

/** What the command needs from the package. */
export interface Package {
  readonly version: string
  /** The folder with the built page of the console. */
  readonly page: string
}

const command = (page: string) =>
  Command.make("effect-realtime").pipe(
    Command.withDescription("Live voice agents on Effect."),
    Command.withSubcommands([serve, console(page)])
  )

/** The texts of the CLI library are always in colour, and end with an empty line. */
const tidied = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Console.consoleWith((console) => {
    const tidy = (stream: NodeJS.WriteStream, text: unknown) => {
      const trimmed = String(text).trimEnd()
      const colour = stream.isTTY === true && (process.env["NO_COLOR"] ?? "") === ""
      return colour ? trimmed : stripVTControlCharacters(trimmed)
    }
    return Effect.withConsole(effect, {
      ...console,
      log: (text) => console.log(tidy(process.stdout, text)),
      error: (text) => console.error(tidy(process.stderr, text))
    })
  })

const helpFor = (name: string | undefined): string =>
  name === "serve" || name === "console" ? `effect-realtime ${name} --help` : "effect-realtime --help"

/**
 * Returns the exit code: 0, 1 if the command failed, or 2 if its arguments were wrong.
 *
 * @param argv the arguments as in `process.argv`, with the runtime and the script
 */
export const run = (argv: ReadonlyArray<string>, { page, version }: Package) =>
  Command.run(command(page), { name: "effect-realtime", executable: "effect-realtime", version })([
    ...argv.slice(0, 2),
    ...builtInsFirst(argv.slice(2))
  ]).pipe(
    tidied,
    Effect.as(0),
    Effect.catchAll((error) =>
      ValidationError.isValidationError(error)
        ? Effect.as(Console.error(`Run \`${helpFor(argv[2])}\` to see the options.`), 2)
        : Effect.as(Console.error(error.message), 1)
    )
  )
