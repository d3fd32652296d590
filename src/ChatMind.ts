/**
 * A mind for the embedded server that can hold a conversation: a language model behind any endpoint that speaks OpenAI's
 * chat completions, such as Ollama, llama.cpp, vLLM or LM Studio on this machine, or a provider.
 *
 * Without it, the embedded server has no language model: its `router` picks the tool whose name fits the sentence.
 *
 * @since 0.1.0
 * @module
 */
import * as HttpClient from "@effect/platform/HttpClient"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { complete } from "./chatMind/complete.js"
import { completionsUrl, defaultTimeout, type Options, problemsOf, spokenStyle } from "./chatMind/Options.js"
import * as Discretion from "./common/Discretion.js"
import { fail, type Mind } from "./embedded/Mind.js"
import type { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"

export { type Options, spokenStyle } from "./chatMind/Options.js"
export { OptionsInvalid } from "./options/OptionsInvalid.js"

const headersOf = ({ apiKey, headers }: Options): ReadonlyArray<Discretion.Header> => [
  ...(apiKey === undefined ? [] : [["authorization", `Bearer ${Redacted.value(apiKey).trim()}`, true] as const]),
  ...Discretion.headersOf(headers).map(([name, ...rest]) => [name.toLowerCase(), ...rest] as const)
]

/**
 * Makes the mind. It sends no request before the first response.
 *
 * - Each response is one streaming request. Text is spoken as it arrives; calls follow when they are complete.
 * - A response that is cancelled, or interrupted by the user, aborts its request.
 * - An error ends the response as `failed`, with a message that says what to do. `server_error` and `rate_limit_exceeded`
 *   may be temporary, and a session tries again. `invalid_api_key` and `model_not_found` end a session.
 * - The model gets the whole conversation each time. It is not shortened to fit the model.
 *
 * Fails with `OptionsInvalid` if the URL, the key, a header or the timeout is not valid.
 *
 * @example
 * ```ts
 * import { FetchHttpClient } from "@effect/platform"
 * import { Console, Effect } from "effect"
 * import { EmbeddedRealtime } from "effect-realtime"
 * import * as ChatMind from "effect-realtime/ChatMind"
 *
 * const program = Effect.gen(function* () {
 *   const mind = yield* ChatMind.make({ url: "http://127.0.0.1:11434/v1", model: "qwen3:4b" })
 *   const server = yield* EmbeddedRealtime.serve({ port: 8080, mind })
 *   yield* Console.log(server.url)
 *   return yield* Effect.never
 * }).pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Options): Effect.Effect<Mind, OptionsInvalid, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    yield* Rule.validate("ChatMind.make", rules.chatMind, options, problemsOf)
    const url = completionsUrl(options.url)
    const headers = headersOf(options)
    const redact = Discretion.redactor([...Discretion.secretsOf(headers), ...Discretion.secretsOfUrl(url)])
    const endpoint = {
      // The endpoint may belong to a third party, so it gets no trace headers.
      client: HttpClient.withTracerPropagation(yield* HttpClient.HttpClient, false),
      url,
      model: options.model,
      headers: headers.map(([name, value]) => [name, value] as const),
      timeout: Duration.decode(options.timeout ?? defaultTimeout),
      body: options.body ?? {},
      spoken: options.spoken ?? spokenStyle
    }
    return {
      start: Effect.succeed((request) =>
        Stream.catchAll(complete(endpoint, request), ({ code, message }) => Stream.make(fail(code, redact(message))))
      )
    }
  })
