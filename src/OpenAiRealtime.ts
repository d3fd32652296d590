/**
 * The OpenAI Realtime API, or any server that speaks its protocol, as a `RealtimeModel` over a WebSocket.
 *
 * @since 0.1.0
 * @module
 */
import * as Config from "effect/Config"
import * as ConfigError from "effect/ConfigError"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import { noKey } from "./openai/ApiKeys.js"
import { type AzureCredentials, type AzureOptions, addressOf } from "./openai/Azure.js"
import { attaching, callIdOf } from "./openai/attach.js"
import * as Endpoint from "./openai/Endpoint.js"
import * as Model from "./openai/Model.js"
import type { ApiKey, Authentication, Options } from "./openai/Options.js"
import * as Defaults from "./openai/Options.js"
import type { WebSocketConstructor, WebSocketEvent, WebSocketInstance } from "./openai/platformWebSocket.js"
import type { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import * as together from "./options/together.js"
import { RealtimeModel } from "./RealtimeModel.js"

export { OptionsInvalid } from "./options/OptionsInvalid.js"
export type {
  ApiKey,
  Authentication,
  AzureCredentials,
  AzureOptions,
  Options,
  WebSocketConstructor,
  WebSocketEvent,
  WebSocketInstance
}

/**
 * Makes the service. Fails if a limit or a duration in the options is not valid. It does not connect or ask for the key
 * until `connect` is called.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E = never, R = never>(
  options: Options<E, R>
): Effect.Effect<Context.Tag.Service<RealtimeModel>, OptionsInvalid, R> => makeFor(options, "openai")

/** The name is the provider's in telemetry. */
const makeFor = <E, R>(
  options: Options<E, R>,
  provider: string
): Effect.Effect<Context.Tag.Service<RealtimeModel>, OptionsInvalid, R> =>
  Effect.gen(function* () {
    yield* Rule.validate("OpenAiRealtime", rules.openAi, options)
    const callId = callIdOf(options)
    return yield* Model.make<E, R>(options, {
      name: "OpenAiRealtime",
      apiKey: options.authentication === "none" ? noKey : options.apiKey,
      address: String(options.url ?? Defaults.defaultUrl),
      endpoint: (keys, { model }, sendsHeaders) => Endpoint.make({ ...options, provider }, keys, model, sendsHeaders),
      ...(callId === undefined
        ? {}
        : { around: attaching(callId, Duration.decode(options.attachWithin ?? Defaults.defaultAttachWithin)) })
    })
  })

/**
 * The model behind the given endpoint and key. The layer requires what the effect that gives the key requires.
 *
 * ```ts
 * import { OpenAiRealtime } from "effect-realtime"
 * import { Redacted } from "effect"
 *
 * const compatible = OpenAiRealtime.layer({
 *   apiKey: Redacted.make("…"),
 *   url: "https://voice.example.com/v1/realtime",
 *   model: "a-model-of-its-own"
 * })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E = never, R = never>(options: Options<E, R>): Layer.Layer<RealtimeModel, OptionsInvalid, R> =>
  Layer.effect(RealtimeModel, make(options))

/**
 * Azure OpenAI, with its current API: no `api-version`. The layer requires what the effect that gives the token
 * requires, and fails if an option is not valid.
 *
 * ```ts
 * import { OpenAiRealtime } from "effect-realtime"
 * import type { Effect, Redacted } from "effect"
 *
 * const azure = <E, R>(entraToken: Effect.Effect<Redacted.Redacted, E, R>) =>
 *   OpenAiRealtime.azure({ resource: "my-resource", deployment: "my-deployment", token: entraToken })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const azure = <E = never, R = never>(
  options: AzureOptions<E, R>
): Layer.Layer<RealtimeModel, OptionsInvalid, R> =>
  Layer.effect(
    RealtimeModel,
    Effect.gen(function* () {
      yield* Rule.validate("OpenAiRealtime.azure", rules.azure, options, together.azure(addressOf))
      const { apiKey, deployment, resource, token, ...rest } = options
      const given = token === undefined ? apiKey : token
      const all: Options<E, R> = {
        ...rest,
        apiKey: given,
        authentication: token === undefined ? "api-key" : "bearer",
        url: addressOf(resource) ?? "",
        model: deployment
      }
      return yield* makeFor(all, "azure.ai.openai")
    })
  )

/**
 * Options whose values are read when the layer is built. Options that are left out have the defaults of
 * `defaultConfig`.
 *
 * @since 0.1.0
 * @category config
 */
export type ConfigOptions = {
  readonly [K in keyof Options]?: Config.Config<Options[K]>
}

const variable = (name: string): Config.Config<string | undefined> =>
  Config.option(Config.string(name)).pipe(
    Config.map((value) =>
      Option.getOrUndefined(
        Option.filter(
          Option.map(value, (text) => text.trim()),
          (text) => text !== ""
        )
      )
    )
  )

const apiKey: Config.Config<Redacted.Redacted> = variable("OPENAI_API_KEY").pipe(
  Config.mapOrFail((key) =>
    key === undefined
      ? Either.left(
          ConfigError.MissingData(
            ["OPENAI_API_KEY"],
            "The API key is missing. Set OPENAI_API_KEY, or give `apiKey` to OpenAiRealtime.layerConfig"
          )
        )
      : Either.right(Redacted.make(key))
  )
)

const url: Config.Config<string | undefined> = Config.map(
  Config.all([variable("OPENAI_REALTIME_URL"), variable("OPENAI_BASE_URL")]),
  ([endpoint, base]) => endpoint ?? (base === undefined ? undefined : `${base.replace(/\/+$/, "")}/realtime`)
)

/**
 * The variables that `layerConfig` reads for options that it is not given. An empty variable counts as not set.
 *
 * | variable | option |
 * |---|---|
 * | `OPENAI_API_KEY` | `apiKey`, required |
 * | `OPENAI_REALTIME_URL` | `url`, as it is |
 * | `OPENAI_BASE_URL` | `url`, if there is no `OPENAI_REALTIME_URL`: the base of all endpoints, such as `https://api.openai.com/v1`, to which `/realtime` is added |
 * | `OPENAI_REALTIME_MODEL` | `model` |
 * | `OPENAI_ORG_ID` | `organization` |
 * | `OPENAI_PROJECT_ID` | `project` |
 *
 * All names except those with `REALTIME` are the ones that OpenAI's own SDKs read.
 *
 * @since 0.1.0
 * @category config
 */
export const defaultConfig = {
  apiKey,
  url,
  model: variable("OPENAI_REALTIME_MODEL"),
  organization: variable("OPENAI_ORG_ID"),
  project: variable("OPENAI_PROJECT_ID")
}

const configError = ({ problems }: OptionsInvalid): ConfigError.ConfigError =>
  problems
    .map(({ message, option }) => ConfigError.InvalidData([option], message))
    .reduce((left, right) => ConfigError.And(left, right))

/**
 * The model that the configuration describes. The default `ConfigProvider` reads the environment. Where `layer` fails
 * with `OptionsInvalid`, this fails with invalid data under the name of the option.
 *
 * ```ts
 * import { OpenAiRealtime } from "effect-realtime"
 * import { Config } from "effect"
 *
 * const fromEnvironment = OpenAiRealtime.layerConfig()
 * const other = OpenAiRealtime.layerConfig({ apiKey: Config.redacted("VOICE_KEY"), model: Config.succeed("gpt-realtime-2") })
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layerConfig = (
  config: Config.Config<Options> | ConfigOptions = {}
): Layer.Layer<RealtimeModel, ConfigError.ConfigError> =>
  Layer.effect(
    RealtimeModel,
    Effect.flatMap(
      Config.unwrap<Options>(Config.isConfig(config) ? config : { ...defaultConfig, ...config }),
      (options) => Effect.mapError(make(options), configError)
    )
  )
