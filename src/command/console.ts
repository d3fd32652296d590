/** `effect-realtime console`: the options and the program. */
import * as Args from "@effect/cli/Args"
import * as Command from "@effect/cli/Command"
import * as Options from "@effect/cli/Options"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { example } from "../console/example.js"
import * as PageFiles from "../console/PageFiles.js"
import { serve } from "../console/serve.js"
import * as EmbeddedRealtime from "../EmbeddedRealtime.js"
import * as EmbeddedVoice from "../EmbeddedVoice.js"
import * as OpenAiRealtime from "../OpenAiRealtime.js"
import { agentOf, type Loaded } from "./agentFile.js"
import { type Chosen, introduction, mind } from "./mind.js"
import { port } from "./port.js"
import { recognizer } from "./recognizer.js"

const DESCRIPTION =
  "Opens a page on this machine that talks to an agent, and shows everything that happens " +
  "meanwhile. Without a file, the agent is an example. Without --openai, the embedded server answers."

const KEY_VARIABLE = "OPENAI_API_KEY"

const options = {
  port: port(8_090),
  openai: Options.boolean("openai").pipe(
    Options.withDescription(`Talk to OpenAI's model, with the key of the environment variable ${KEY_VARIABLE}`)
  ),
  mind,
  recognizer,
  quiet: Options.boolean("quiet").pipe(Options.withDescription("Print only the address"))
}

const file = Args.text({ name: "file" }).pipe(
  Args.withDescription("A module that exports an agent, such as ./agent.ts (default: an example)"),
  Args.optional
)

/** A failure, with a message in terms of the command. */
class ConsoleFailed extends Data.TaggedError("ConsoleFailed")<{ readonly message: string }> {}

const openAi = Effect.gen(function* () {
  const key = yield* Effect.option(Config.redacted(KEY_VARIABLE))
  if (Option.isNone(key)) return yield* new ConsoleFailed({ message: `Set ${KEY_VARIABLE}, or leave out --openai.` })
  return {
    layer: OpenAiRealtime.layer({ apiKey: key.value }),
    mind: "OpenAI's model answers.",
    voice: "The model hears you and speaks.",
    hears: true
  }
})

const embedded = (chosen: Chosen, recognizer: EmbeddedVoice.Recognizer) =>
  Effect.gen(function* () {
    const voice = yield* EmbeddedVoice.make({ recognizer }).pipe(
      Effect.map((parts) => ({
        parts,
        hears: true,
        text: "Silero and Moonshine hear you, and Flite speaks: English only, on this machine."
      })),
      Effect.catchTag("VoiceUnavailable", ({ message }) =>
        Effect.succeed({
          parts: {},
          hears: false,
          text: `Nothing hears you, so type. Tones take the place of speech. ${message}`
        })
      )
    )
    const options = chosen._tag === "Chat" ? { mind: chosen.mind, model: chosen.model } : {}
    return {
      layer: EmbeddedRealtime.layer({ ...options, ...voice.parts }),
      mind: introduction(chosen),
      voice: voice.text,
      hears: voice.hears
    }
  })

/** @param page the folder of the built page */
export const console = (page: string) =>
  Command.make("console", { ...options, file }, ({ file, mind, openai, port, quiet, recognizer }) =>
    Effect.gen(function* () {
      const files = yield* PageFiles.read(page)
      const loaded: Loaded = Option.isSome(file) ? yield* agentOf(file.value) : { agent: example, layer: Layer.empty }
      const model = yield* openai ? openAi : embedded(mind, recognizer)
      const context = yield* Layer.build(Layer.merge(loaded.layer, model.layer)).pipe(
        Effect.mapError(
          (error) => new ConsoleFailed({ message: `The services that the agent requires cannot be built: ${error}` })
        )
      )
      const { hears, mind: answers, voice } = model
      const served = yield* serve({ port, files, agent: loaded.agent, mind: answers, voice, hears }).pipe(
        Effect.provide(context)
      )
      const url = Redacted.value(served.url)
      yield* Console.log(
        quiet
          ? url
          : `Open ${url} (Ctrl-C stops)\nWhoever has this address can talk to the agent.\n${model.mind}\n${model.voice}`
      )
      return yield* Effect.never
    }).pipe(Effect.scoped)
  ).pipe(Command.withDescription(DESCRIPTION))
