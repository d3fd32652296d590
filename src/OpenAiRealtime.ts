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
import { defaultSocket } from "#openai/socket"
import * as ApiKeys from "./openai/ApiKeys.js"
import { type AzureCredentials, type AzureOptions, addressOf } from "./openai/Azure.js"
import { attaching, callIdOf } from "./openai/attach.js"
import type { Limits } from "./openai/Connection.js"
import * as Connection from "./openai/Connection.js"
import * as Discretion from "./openai/Discretion.js"
import * as Endpoint from "./openai/Endpoint.js"
import type { ApiKey, Authentication, Options } from "./openai/Options.js"
import * as Defaults from "./openai/Options.js"
import type { WebSocketConstructor, WebSocketEvent, WebSocketInstance } from "./openai/platformWebSocket.js"
import { platformWebSocket } from "./openai/platformWebSocket.js"
import type { WebSocketFactory } from "./openai/WebSocket.js"
import type { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import * as together from "./options/together.js"
import { defaultMaxFrameLength } from "./protocol/Codec.js"
import { ConnectFailed, RealtimeModel } from "./RealtimeModel.js"

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

const selectWebSocket = (options: Endpoint.EndpointOptions): Effect.Effect<WebSocketFactory, ConnectFailed> => {
  if (options.webSocket !== undefined) return Effect.succeed(platformWebSocket(options.webSocket))
  const url = Discretion.showAddress(String(options.url ?? Defaults.defaultUrl))
  return Effect.mapError(defaultSocket, (message) => new ConnectFailed({ url, message }))
}

const toLimits = (options: Endpoint.EndpointOptions): Limits => {
  const maxFrameLength = options.maxFrameBytes ?? defaultMaxFrameLength
  const pingInterval = Duration.decode(options.pingInterval ?? Defaults.defaultPingInterval)
  return {
    openTimeout: Duration.decode(options.openTimeout ?? Defaults.defaultOpenTimeout),
    closeTimeout: Duration.decode(options.closeTimeout ?? Defaults.defaultCloseTimeout),
    pingInterval,
    pingTimeout:
      options.pingTimeout === undefined ? Duration.times(pingInterval, 2) : Duration.decode(options.pingTimeout),
    maxFrameLength,
    maxMessageBytes: Math.max(maxFrameLength, Defaults.defaultMaxMessageBytes),
    maxQueuedFrames: options.maxQueuedFrames ?? Defaults.defaultMaxQueuedFrames,
    maxQueuedBytes: options.maxQueuedBytes ?? Defaults.defaultMaxQueuedBytes,
    maxBufferedBytes: options.maxBufferedBytes ?? Defaults.defaultMaxBufferedBytes
  }
}

const noKey = Redacted.make("")

/**
 * Makes the service. Fails if a limit or a duration in the options is not valid. It does not connect or ask for the key
 * until `connect` is called.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <E = never, R = never>(
  options: Options<E, R>
): Effect.Effect<Context.Tag.Service<RealtimeModel>, OptionsInvalid, R> =>
  Effect.gen(function* () {
    yield* Rule.validate("OpenAiRealtime", rules.openAi, options)
    const limits = toLimits(options)
    const keys = yield* ApiKeys.make(options.authentication === "none" ? noKey : options.apiKey, {
      url: Discretion.showAddress(String(options.url ?? Defaults.defaultUrl)),
      within: limits.openTimeout
    })
    const callId = callIdOf(options)
    const attach =
      callId === undefined
        ? <A>(connect: A): A => connect
        : attaching(callId, Duration.decode(options.attachWithin ?? Defaults.defaultAttachWithin))
    return RealtimeModel.of({
      connect: ({ model }) =>
        Effect.gen(function* () {
          const webSocket = yield* selectWebSocket(options)
          const openWith = (key: Redacted.Redacted, refused?: Redacted.Redacted) =>
            Effect.gen(function* () {
              const others = refused === undefined ? keys.given() : [...keys.given(), refused]
              const endpoint = yield* Endpoint.make(options, { key, others }, model, webSocket.sendsHeaders)
              yield* Effect.annotateCurrentSpan("url.full", endpoint.shownUrl)
              return yield* Connection.open(webSocket, endpoint, limits)
            })
          const key = yield* keys.take
          // A token may expire on its way, or be revoked; a fresh one is worth one more try.
          return yield* Effect.catchTag(openWith(key), "HandshakeRefused", (refusal) =>
            refusal.status !== 401 || !keys.areAsked
              ? refusal
              : Effect.flatMap(keys.take, (fresh) =>
                  Redacted.value(fresh) === Redacted.value(key) ? refusal : openWith(fresh, key)
                )
          )
        }).pipe(
          attach,
          Effect.withSpan("OpenAiRealtime.connect", {
            kind: "client",
            captureStackTrace: false
          })
        )
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
      return yield* make<E, R>({
        ...rest,
        apiKey: given,
        authentication: token === undefined ? "api-key" : "bearer",
        url: addressOf(resource) ?? "",
        model: deployment
      })
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
