/** Connects to a server, with a key for each connection. */
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import { defaultSocket } from "#openai/socket"
import * as Discretion from "../common/Discretion.js"
import { defaultMaxFrameLength } from "../protocol/Codec.js"
import { type ConnectError, ConnectFailed, type ConnectOptions, RealtimeModel } from "../RealtimeModel.js"
import type { Dialect } from "../realtimeModel/Dialect.js"
import * as ApiKeys from "./ApiKeys.js"
import type { Limits } from "./Connection.js"
import * as Connection from "./Connection.js"
import type { Endpoint, EndpointOptions, Keys } from "./Endpoint.js"
import type { ApiKey } from "./Options.js"
import * as Defaults from "./Options.js"
import { platformWebSocket } from "./platformWebSocket.js"
import type { WebSocketFactory } from "./WebSocket.js"

/** The options that concern the socket and its bounds, whatever is said on it. */
export type SocketOptions = Pick<
  EndpointOptions,
  | "openTimeout"
  | "closeTimeout"
  | "pingInterval"
  | "pingTimeout"
  | "maxFrameBytes"
  | "maxQueuedFrames"
  | "maxQueuedBytes"
  | "maxBufferedBytes"
  | "webSocket"
>

/** What a provider adds to a connection. */
export interface Provider<E, R> {
  /** Of the module, for its spans. */
  readonly name: string
  readonly apiKey: ApiKey<E, R>
  /** The address, which may not be a URL yet, for errors. */
  readonly address: string
  /** The target of one connection. */
  readonly endpoint: (
    keys: Keys,
    connect: ConnectOptions,
    sendsHeaders: boolean
  ) => Either.Either<Endpoint, ConnectFailed>
  /** What is done around each connect. Default: nothing. */
  readonly around?: <A, R>(connect: Effect.Effect<A, ConnectError, R>) => Effect.Effect<A, ConnectError, R>
  /** The dialect of one connection, if the server does not speak exactly OpenAI's. */
  readonly dialect?: (connect: ConnectOptions) => Dialect
}

const toLimits = (options: SocketOptions): Limits => {
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

/** The options must be valid. Nothing is connected, and no key is asked for, until `connect` is called. */
export const make = <E, R>(
  options: SocketOptions,
  provider: Provider<E, R>
): Effect.Effect<Context.Tag.Service<RealtimeModel>, never, R> =>
  Effect.gen(function* () {
    const limits = toLimits(options)
    const url = Discretion.showAddress(provider.address)
    const selectWebSocket: Effect.Effect<WebSocketFactory, ConnectFailed> =
      options.webSocket === undefined
        ? Effect.mapError(defaultSocket, (message) => new ConnectFailed({ url, message }))
        : Effect.succeed(platformWebSocket(options.webSocket))
    const keys = yield* ApiKeys.make(provider.apiKey, { url, within: limits.openTimeout })
    return RealtimeModel.of({
      connect: (connect) =>
        Effect.gen(function* () {
          const webSocket = yield* selectWebSocket
          const openWith = (key: Redacted.Redacted, refused?: Redacted.Redacted) =>
            Effect.gen(function* () {
              const others = refused === undefined ? keys.given() : [...keys.given(), refused]
              const endpoint = yield* provider.endpoint({ key, others }, connect, webSocket.sendsHeaders)
              yield* Effect.annotateCurrentSpan("url.full", endpoint.shownUrl)
              return yield* Connection.open(webSocket, endpoint, limits, provider.dialect?.(connect))
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
          provider.around ?? ((connect) => connect),
          Effect.withSpan(`${provider.name}.connect`, { kind: "client", captureStackTrace: false })
        )
    })
  })
