/**
 * Google's Gemini Live API as a `RealtimeModel`. It has a protocol of its own, which this module translates at the border:
 * agents, tools and sessions stay the same. What Gemini cannot do is refused with a typed error: see
 * [Providers](../docs/providers.md).
 *
 * It has been tested against a server of its own in the tests, which Google's SDK talks to as well, and not yet against
 * Google's service.
 *
 * @since 0.1.0
 * @module
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Discretion from "./common/Discretion.js"
import { Border } from "./gemini/Border.js"
import * as Endpoint from "./openai/Endpoint.js"
import * as Model from "./openai/Model.js"
import type { ApiKey } from "./openai/Options.js"
import type { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import { ConnectFailed, RealtimeModel } from "./RealtimeModel.js"

export { OptionsInvalid } from "./options/OptionsInvalid.js"

/**
 * `E` and `R` are the failures and requirements of the effect that gives the API key.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E = never, R = never> extends Model.SocketOptions {
  /** An API key, or an effect that returns one and runs before each connection, as in `OpenAiRealtime`. */
  readonly apiKey: ApiKey<E, R>
  /**
   * What the key is: `"key"` of a project, or a short-lived `"token"`, which a server of yours makes for a page. Default:
   * `"key"`.
   */
  readonly credential?: "key" | "token" | undefined
  /** The model for connections that do not ask for another one. Default: `gemini-2.5-flash-native-audio-preview-12-2025`. */
  readonly model?: string | undefined
  /** The address, with `ws`, `wss`, `http` or `https`. Default: that of Google, for the credential. */
  readonly url?: string | URL | undefined
  /**
   * Fields of Gemini's `setup` that the settings of a session do not have, such as
   * `{ generationConfig: { thinkingConfig: { thinkingBudget: 0 } } }`. The settings of the session win. By default,
   * `contextWindowCompression` is on, so that a session may last.
   */
  readonly setup?: { readonly [key: string]: unknown } | undefined
  /**
   * How the model takes words. `"content"`: as contents of the conversation. `"input"`: as input that it answers, as Gemini
   * 3 does, which takes contents only at the beginning: a message that asks for no answer is then told with the next one
   * that does. Default: by the model's name.
   */
  readonly words?: "content" | "input" | undefined
}

const service = "google.ai.generativelanguage"
const host = "wss://generativelanguage.googleapis.com/ws"
const defaultUrls = {
  key: `${host}/${service}.v1beta.GenerativeService.BidiGenerateContent`,
  token: `${host}/${service}.v1alpha.GenerativeService.BidiGenerateContentConstrained`
}
const defaultModel = "gemini-2.5-flash-native-audio-preview-12-2025"

const parameters = { key: "key", token: "access_token" }

/** The key travels in the query, the only place that a browser's WebSocket has, too. */
const withKey = (address: string, name: string, key: string): string => {
  if (!URL.canParse(address)) return address
  const url = new URL(address)
  url.searchParams.set(name, key)
  return url.href
}

/**
 * Makes the service. Fails if an option is not valid. It does not connect or ask for the key until `connect` is called.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E = never, R = never>(
  options: Options<E, R>
): Effect.Effect<Context.Tag.Service<RealtimeModel>, OptionsInvalid, R> =>
  Effect.gen(function* () {
    yield* Rule.validate("GeminiLive", rules.gemini, options)
    const { apiKey, credential = "key", model: usual = defaultModel, setup = {}, words, ...socket } = options
    const address = String(options.url ?? defaultUrls[credential])
    // The ids of another process must not come again in a session that it left.
    const origin = (yield* Random.nextIntBetween(0, 36 ** 6)).toString(36)
    let connections = 0
    return yield* Model.make<E, R>(socket, {
      name: "GeminiLive",
      apiKey,
      address,
      endpoint: ({ key, others }, _, sendsHeaders) => {
        const value = Redacted.value(key).trim()
        if (value === "") {
          const message = "The API key is empty. Give `apiKey`, such as the value of GEMINI_API_KEY."
          return Either.left(new ConnectFailed({ url: Discretion.showAddress(address), message }))
        }
        const url = withKey(address, parameters[credential], value)
        const redact = Discretion.redactor(others.map((other) => Redacted.value(other).trim()))
        return Either.map(
          Endpoint.make(
            { url, model: null, authentication: "none", provider: "gcp.gemini" },
            { key, others },
            undefined,
            sendsHeaders
          ),
          (endpoint) => ({ ...endpoint, redact: (text) => endpoint.redact(redact(text)) })
        )
      },
      dialect: ({ model = usual, resumption }) => {
        connections += 1
        const takesWordsAsInput = words === undefined ? /^(models\/)?gemini-[3-9]/.test(model) : words === "input"
        return new Border({
          manner: { model, setup, takesWordsAsInput },
          prefix: `${origin}${connections.toString(36)}`,
          resumption
        })
      }
    })
  })

/**
 * Gemini behind the given key. The layer requires what the effect that gives the key requires.
 *
 * ```ts
 * import { Redacted } from "effect"
 * import * as GeminiLive from "effect-realtime/GeminiLive"
 *
 * const gemini = GeminiLive.layer({ apiKey: Redacted.make("…") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E = never, R = never>(options: Options<E, R>): Layer.Layer<RealtimeModel, OptionsInvalid, R> =>
  Layer.effect(RealtimeModel, make(options))
