/**
 * The options of a gateway, and their defaults.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Agent } from "../Agent.js"
import { TaggedError } from "../common/TaggedError.js"
import type * as Session from "../Session.js"
import type { SessionError } from "../SessionError.js"
import type { Authenticate, Identity } from "./Authentication.js"
import type { Home, Unavailable } from "./Home.js"

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
 * The client may not make a call: its socket is closed with this message.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallRefused extends TaggedError<CallRefused>()("CallRefused", {
  /** What the client reads. */
  message: Schema.String
}) {}

/**
 * Why a client was not served, for a reason that is not the client's. `NotAuthenticated`: `authenticate` died. `NotBegun`:
 * `call` died, or the session could not begin.
 *
 * @since 0.1.0
 * @category models
 */
export type Failed<I> =
  | { readonly _tag: "NotAuthenticated"; readonly cause: Cause.Cause<never> }
  | { readonly _tag: "NotBegun"; readonly identity: I; readonly cause: Cause.Cause<SessionError | Unavailable> }

/**
 * @since 0.1.0
 * @category options
 */
export interface Options<I extends Identity, E, R, RA = never, RC = never> {
  /** Authenticates clients. There is no default; `Gateway.token` is the simplest choice. */
  readonly authenticate: Authenticate<I, RA>
  /** Chooses the agent that talks to an authenticated client. */
  readonly call: (identity: I) => Effect.Effect<Call<E, R>, CallRefused, RC>
  /**
   * Called with each client that is not served for a reason that is not its own. The client hears nothing of the cause,
   * and the log nothing of a defect. Nothing else is disturbed by it, even if it throws. Default: none.
   */
  readonly onFailed?: (failed: Failed<I>) => void
  /**
   * Where the sessions live, if the calls are shared with other nodes. The sessions then have the agent of those nodes,
   * which must be the one that `call` gives. Default: in the gateway, which ends them when it stops.
   */
  readonly home?: Home<E>
  /**
   * The hosts that a client may name in its request: host names or addresses. An entry without a port allows any port. This
   * protects against DNS rebinding. Default: `localhost`, `127.0.0.1`, `[::1]`.
   */
  readonly hosts?: ReadonlyArray<string>
  /**
   * The origins of pages that may connect, such as `https://app.example.com`; `"same"`: only pages from the host
   * that they connect to. Clients other than browsers send no origin, and are accepted. Default: `"same"`.
   */
  readonly origins?: "same" | ReadonlyArray<string>
  /** The largest number of calls at a time, including those that wait to be resumed. Default: 100. */
  readonly maxCalls?: number
  /** The largest number of sockets whose client has not sent its first message yet. Default: 128. */
  readonly maxPending?: number
  /** How long `authenticate` may take. Default: 5 seconds. */
  readonly authenticationTimeout?: Duration.DurationInput
  /** How long a client may take to send `Start` or `Resume`. Default: 5 seconds. */
  readonly openingTimeout?: Duration.DurationInput
  /** How long a client may send nothing. Default: 30 seconds. */
  readonly silenceTimeout?: Duration.DurationInput
  /** How long a call waits for its client after a broken socket. Default: 30 seconds. */
  readonly resumeWithin?: Duration.DurationInput
  /** How long `drain` lets calls continue. Default: 30 seconds. */
  readonly drainWithin?: Duration.DurationInput
  /** The longest message of a client, in bytes. Default: 262,144. */
  readonly maxMessageBytes?: number
  /** How many bytes a client may send per second. Default: 262,144. PCM16 audio takes 48,000. */
  readonly maxBytesPerSecond?: number
  /** How many bytes a client may send at once. Default: 2 MiB, which is 43 seconds of PCM16 audio. */
  readonly maxBurstBytes?: number
  /** How many messages a client may send per second. It may send ten times as many at once. Default: 200. */
  readonly maxMessagesPerSecond?: number
  /** How many bytes are sent to a client before it acknowledges any of them. Default: 1 MiB. */
  readonly maxUnacknowledgedBytes?: number
  /**
   * How many bytes are kept for a client that is disconnected or slow. If there are more, the client continues from a
   * snapshot, and gets `EventsMissed`. Default: 8 MiB, which is nearly 3 minutes of PCM16 audio.
   */
  readonly maxKeptBytes?: number
}

/**
 * The default options.
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

/** The limits of a gateway, with the defaults filled in. Times are in milliseconds. */
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

/** The options that are limits. */
export type LimitOptions = Omit<Options<Identity, unknown, unknown>, "authenticate" | "call" | "home" | "onFailed">

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
