/**
 * What a gateway is told, and what holds where it is told nothing.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Agent } from "../Agent.js"
import type * as Session from "../Session.js"
import type { Authenticate, Identity } from "./Authentication.js"

/**
 * Who talks in a call, and how.
 *
 * @since 0.1.0
 * @category models
 */
export interface Call<E, R> {
  readonly agent: Agent<E, R>
  readonly options?: Session.Options<E>
}

/**
 * The client may not have a call: its socket is closed, and it reads the message.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallRefused extends Schema.TaggedError<CallRefused>("effect-realtime/CallRefused")("CallRefused", {
  /** What the client reads. */
  message: Schema.String
}) {}

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<I extends Identity, E, R, RA = never, RC = never> {
  /** Lets clients in. There is no default: `Gateway.token` is the simplest. */
  readonly authenticate: Authenticate<I, RA>
  /** Says who talks to a client that was let in. */
  readonly call: (identity: I) => Effect.Effect<Call<E, R>, CallRefused, RC>
  /**
   * The names that a client may know this server by: host names or addresses, with any port unless they name one. It
   * keeps pages out whose name was pointed to this machine (DNS rebinding). Default: `localhost`, `127.0.0.1`, `[::1]`.
   */
  readonly hosts?: ReadonlyArray<string>
  /**
   * The origins of pages that may connect, such as `https://app.example.com`; `"same"`: only pages of the host that they
   * connect to. Clients that are no browsers send no origin, and are let in. Default: `"same"`.
   */
  readonly origins?: "same" | ReadonlyArray<string>
  /** Calls at a time, those included that wait to be resumed. Default: 100. */
  readonly maxCalls?: number
  /** Sockets whose client has not said yet what it wants. Default: 128. */
  readonly maxPending?: number
  /** How long `authenticate` may take. Default: 5 seconds. */
  readonly authenticationTimeout?: Duration.DurationInput
  /** How long a client may take to send `Start` or `Resume`. Default: 5 seconds. */
  readonly openingTimeout?: Duration.DurationInput
  /** How long a client may send nothing. Default: 30 seconds. */
  readonly silenceTimeout?: Duration.DurationInput
  /** How long a call waits for its client after a broken socket. Default: 30 seconds. */
  readonly resumeWithin?: Duration.DurationInput
  /** How long `drain` lets calls go on. Default: 30 seconds. */
  readonly drainWithin?: Duration.DurationInput
  /** The longest message of a client, in bytes. Default: 262,144. */
  readonly maxMessageBytes?: number
  /** What a client may send in a second, in bytes. Default: 262,144: PCM16 has 48,000. */
  readonly maxBytesPerSecond?: number
  /** What a client may send at once, in bytes. Default: 2 MiB: 43 seconds of PCM16. */
  readonly maxBurstBytes?: number
  /** How many messages a client may send in a second; ten times as many at once. Default: 200. */
  readonly maxMessagesPerSecond?: number
  /** How much may be on its way to a client that acknowledges nothing, in bytes. Default: 1 MiB. */
  readonly maxUnacknowledgedBytes?: number
  /**
   * How much is kept for a client that is away or slow, in bytes. Beyond it, the client continues from a snapshot, and
   * `EventsMissed` says so. Default: 8 MiB: nearly 3 minutes of PCM16.
   */
  readonly maxKeptBytes?: number
}

/**
 * What holds where the options say nothing.
 *
 * @since 0.1.0
 * @category options
 */
export const defaults = {
  hosts: ["localhost", "127.0.0.1", "[::1]"],
  origins: "same",
  maxCalls: 100,
  maxPending: 128,
  authenticationTimeout: "5 seconds",
  openingTimeout: "5 seconds",
  silenceTimeout: "30 seconds",
  resumeWithin: "30 seconds",
  drainWithin: "30 seconds",
  maxMessageBytes: 262_144,
  maxBytesPerSecond: 262_144,
  maxBurstBytes: 2_097_152,
  maxMessagesPerSecond: 200,
  maxUnacknowledgedBytes: 1_048_576,
  maxKeptBytes: 8_388_608
} as const

/** What a gateway keeps to, with a value for everything; times in milliseconds. */
export interface Limits {
  readonly hosts: ReadonlyArray<string>
  readonly origins: "same" | ReadonlyArray<string>
  readonly maxCalls: number
  readonly maxPending: number
  readonly authenticationTimeout: number
  readonly openingTimeout: number
  readonly silenceTimeout: number
  readonly resumeWithin: number
  readonly drainWithin: number
  readonly maxMessageBytes: number
  readonly maxBytesPerSecond: number
  readonly maxBurstBytes: number
  readonly maxMessagesPerSecond: number
  readonly maxUnacknowledgedBytes: number
  readonly maxKeptBytes: number
}

/** Without those that are no limits. */
export type LimitOptions = Omit<Options<Identity, unknown, unknown>, "authenticate" | "call">

export const resolve = (options: LimitOptions): Limits => ({
  hosts: (options.hosts ?? defaults.hosts).map((host) => host.toLowerCase()),
  origins: options.origins ?? defaults.origins,
  maxCalls: options.maxCalls ?? defaults.maxCalls,
  maxPending: options.maxPending ?? defaults.maxPending,
  authenticationTimeout: Duration.toMillis(options.authenticationTimeout ?? defaults.authenticationTimeout),
  openingTimeout: Duration.toMillis(options.openingTimeout ?? defaults.openingTimeout),
  silenceTimeout: Duration.toMillis(options.silenceTimeout ?? defaults.silenceTimeout),
  resumeWithin: Duration.toMillis(options.resumeWithin ?? defaults.resumeWithin),
  drainWithin: Duration.toMillis(options.drainWithin ?? defaults.drainWithin),
  maxMessageBytes: options.maxMessageBytes ?? defaults.maxMessageBytes,
  maxBytesPerSecond: options.maxBytesPerSecond ?? defaults.maxBytesPerSecond,
  maxBurstBytes: options.maxBurstBytes ?? defaults.maxBurstBytes,
  maxMessagesPerSecond: options.maxMessagesPerSecond ?? defaults.maxMessagesPerSecond,
  maxUnacknowledgedBytes: options.maxUnacknowledgedBytes ?? defaults.maxUnacknowledgedBytes,
  maxKeptBytes: options.maxKeptBytes ?? defaults.maxKeptBytes
})
