/** The command line. */
import { fileURLToPath } from "node:url"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"

export interface Options {
  /** What the guest says: from a file, typed at the terminal, or recorded. */
  readonly guest:
    | { readonly _tag: "File"; readonly file: string }
    | { readonly _tag: "Typed" }
    | { readonly _tag: "Recorded"; readonly file: string }
  readonly model: "embedded" | "openai"
}

/** The command line is not one that the demo knows. */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", { problem: Schema.String }) {
  override get message(): string {
    return `${this.problem} See --help.`
  }
}

export const help = `A hotel's concierge, with tools that work and tools that fail.

  npm run demo                  plays examples/concierge/conversation.txt on an embedded model; offline
  npm run demo -- FILE          plays another conversation, one sentence a line
  npm run demo -- --voice FILE  plays a recorded question, and writes the spoken answer to answer.wav
  npm start                     lets you type; Ctrl-D ends

  --interactive, -i   read what the guest says from the terminal
  --voice, -v         FILE is a WAV file; offline, this needs the packages of docs/voice.md
  --openai            talk to OpenAI's Realtime API; needs OPENAI_API_KEY
  --help, -h          show this

It exits with 1 if a call stayed without its one output or a failure was not published, and with 2 if it could not
begin. NO_COLOR and FORCE_COLOR are respected.`

const ownConversation = fileURLToPath(new URL("conversation.txt", import.meta.url))

export const parse = (args: ReadonlyArray<string>): Either.Either<Options | "help", UsageError> => {
  let file: string | undefined
  let typed = false
  let recorded = false
  let model: Options["model"] = "embedded"
  for (const arg of args) {
    switch (arg) {
      case "--help":
      case "-h":
        return Either.right("help")
      case "--interactive":
      case "-i":
        typed = true
        break
      case "--voice":
      case "-v":
        recorded = true
        break
      case "--openai":
        model = "openai"
        break
      default:
        if (arg.startsWith("-")) return Either.left(new UsageError({ problem: `There is no option ${arg}.` }))
        if (file !== undefined) return Either.left(new UsageError({ problem: "Give one conversation at most." }))
        file = arg
    }
  }
  if (typed && file !== undefined) {
    return Either.left(new UsageError({ problem: "Give a conversation or --interactive, not both." }))
  }
  if (recorded) {
    return file === undefined || typed
      ? Either.left(new UsageError({ problem: "Give one recording with --voice, such as question.wav." }))
      : Either.right({ guest: { _tag: "Recorded", file }, model })
  }
  return Either.right({ guest: typed ? { _tag: "Typed" } : { _tag: "File", file: file ?? ownConversation }, model })
}
