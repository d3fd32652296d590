/**
 * xAI's Grok voice API as a `RealtimeModel`. It is OpenAI's protocol with a few fields elsewhere, and with events that
 * are incomplete: this module puts both right, so that a session with Grok behaves as one with OpenAI.
 *
 * It has been tested against the embedded server with `dialect: "xai"`, which plays what is known of the differences,
 * and not yet against xAI's own service.
 *
 * @since 0.1.0
 * @module
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { noKey } from "./openai/ApiKeys.js"
import * as Endpoint from "./openai/Endpoint.js"
import * as Model from "./openai/Model.js"
import type { Options as OpenAiOptions } from "./openai/Options.js"
import type { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import { RealtimeModel } from "./RealtimeModel.js"
import * as dialect from "./xai/dialect.js"

export { OptionsInvalid } from "./options/OptionsInvalid.js"

/**
 * As for `OpenAiRealtime`, with xAI's defaults. `E` and `R` are the failures and requirements of the effect that gives
 * the API key.
 *
 * A client secret of xAI, for a browser, is sent as a subprotocol (`authentication: "subprotocol"`). It cannot carry
 * the settings of a session, so a page must not hold what the page's user may not change.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E = never, R = never>
  extends Omit<OpenAiOptions<E, R>, "authentication" | "organization" | "project"> {
  /**
   * `"bearer"`: `Authorization: Bearer <key>`. `"subprotocol"`: the only way in a browser. `"none"`: for a server of
   * your own. Default: `"bearer"`, or `"subprotocol"` if the WebSocket cannot send headers.
   */
  readonly authentication?: "bearer" | "subprotocol" | "none" | undefined
  /** Default: `wss://api.x.ai/v1/realtime`. */
  readonly url?: string | URL | undefined
  /** Default: `grok-voice-latest`. `null`: send none. */
  readonly model?: string | null | undefined
}

const defaultUrl = "wss://api.x.ai/v1/realtime"
const defaultModel = "grok-voice-latest"

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
    yield* Rule.validate("XaiRealtime", rules.xai, options)
    const { apiKey, ...rest } = options
    const all = {
      ...rest,
      url: options.url ?? defaultUrl,
      model: options.model === undefined ? defaultModel : options.model,
      provider: "x_ai"
    }
    return yield* Model.make<E, R>(all, {
      name: "XaiRealtime",
      apiKey: options.authentication === "none" ? noKey : apiKey,
      address: String(all.url),
      endpoint: (keys, { model }, sendsHeaders) =>
        Endpoint.make(all, keys, model, sendsHeaders, (key) => [`xai-client-secret.${key}`]),
      dialect: dialect.make
    })
  })

/**
 * Grok behind the given key. The layer requires what the effect that gives the key requires.
 *
 * ```ts
 * import { Redacted } from "effect"
 * import * as XaiRealtime from "effect-realtime/XaiRealtime"
 *
 * const grok = XaiRealtime.layer({ apiKey: Redacted.make("…") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E = never, R = never>(options: Options<E, R>): Layer.Layer<RealtimeModel, OptionsInvalid, R> =>
  Layer.effect(RealtimeModel, make(options))
