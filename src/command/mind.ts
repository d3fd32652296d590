/** `--mind` and `--model`: which mind answers in `effect-realtime serve`. */
import * as HelpDoc from "@effect/cli/HelpDoc"
import * as Options from "@effect/cli/Options"
import * as ValidationError from "@effect/cli/ValidationError"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as ChatMind from "../ChatMind.js"
import type { Mind } from "../EmbeddedRealtime.js"

export type Chosen =
  | { readonly _tag: "Router" }
  | { readonly _tag: "Chat"; readonly mind: Mind; readonly model: string; readonly address: string }

/** The environment variable with the key of the chat endpoint. It is a separate one, so that no other server gets the key. */
export const KEY_VARIABLE = "MIND_API_KEY"

/** Who answers, and what they cannot do. */
export const introduction = (chosen: Chosen): string =>
  chosen._tag === "Router"
    ? "The router answers: it picks tools, and cannot hold a conversation. Connect a language model with --mind and --model."
    : `${chosen.model} at ${chosen.address} answers. It reads transcripts, and does not hear the audio.`

const invalid = (message: string): ValidationError.ValidationError => ValidationError.invalidValue(HelpDoc.p(message))

/** The API key is read when the command starts. Local endpoints do not need one. */
const apiKey = Config.redacted(KEY_VARIABLE).pipe(
  Config.option,
  Config.map(Option.filter((key) => Redacted.value(key).trim() !== ""))
)

const chat = (url: string, model: string): Effect.Effect<Chosen, ValidationError.ValidationError> =>
  Effect.gen(function* () {
    const key = yield* Effect.orDie(apiKey)
    const mind = yield* ChatMind.make({ url, model, ...(Option.isSome(key) ? { apiKey: key.value } : {}) })
    const { origin, pathname } = new URL(url)
    return { _tag: "Chat" as const, mind, model, address: `${origin}${pathname}` }
  }).pipe(
    Effect.provide(FetchHttpClient.layer),
    Effect.mapError(({ problems }) => {
      const text = problems.map(({ message }) => message).join(" ")
      return invalid(
        text.replaceAll("`url`", "--mind").replaceAll("`model`", "--model").replaceAll("`apiKey`", KEY_VARIABLE)
      )
    })
  )

export const mind: Options.Options<Chosen> = Options.all({
  url: Options.text("mind").pipe(
    Options.withDescription(
      `Base URL of an OpenAI-compatible chat endpoint that answers in place of the router, such as http://127.0.0.1:11434/v1. Its API key is read from the environment variable ${KEY_VARIABLE}.`
    ),
    Options.optional
  ),
  model: Options.text("model").pipe(
    Options.withDescription("Name of the model at that endpoint, such as qwen3:4b"),
    Options.optional
  )
}).pipe(
  Options.mapEffect(({ model, url }): Effect.Effect<Chosen, ValidationError.ValidationError> => {
    if (Option.isSome(url) && Option.isSome(model)) return chat(url.value, model.value)
    if (Option.isSome(url)) return Effect.fail(invalid("Name the endpoint's model with --model."))
    if (Option.isSome(model)) return Effect.fail(invalid("Give the URL of the model's endpoint with --mind."))
    return Effect.succeed({ _tag: "Router" })
  })
)
