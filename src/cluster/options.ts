import type * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type { JournalNotFound } from "../journal/JournalError.js"
import type * as Session from "../Session.js"
import type { AgentUnknown, SessionError } from "../SessionError.js"

/**
 * What a node does with its calls when it stops. `"hand over"`: each call goes on at another node as soon as no tool is
 * at work in it. `"wait"`: each call stays until it ends.
 *
 * @since 0.1.0
 * @category options
 */
export interface DrainOptions {
  /** Default: `"hand over"`. */
  readonly mode?: "hand over" | "wait"
  /** How long it may take in all. What is left then is handed over at once. Default: 25 seconds. */
  readonly within?: Duration.DurationInput
  /** How long a call may wait for its tools before it is handed over. Default: 10 seconds. */
  readonly toolsWithin?: Duration.DurationInput
}

/**
 * Why a call that another node had could not be resumed.
 *
 * @since 0.1.0
 * @category errors
 */
export type ResumeError = SessionError | AgentUnknown | JournalNotFound

/**
 * @since 0.1.0
 * @category options
 */
export interface HostOptions<in E = unknown> {
  /** Where the other nodes reach this one: that of `ClusterNode.shardingConfig`. No other node may have it. */
  readonly address: { readonly host: string; readonly port: number }
  /**
   * How long a node without a sign of life keeps its calls. The same on all nodes, and longer than the longest pause of
   * a process. At least one second. Default: 6 seconds.
   */
  readonly lease?: Duration.DurationInput
  /** How many calls the node may have. Default: 1,000. */
  readonly maxCalls?: number
  /** How many calls of dead nodes are resumed here at a time. Default: 8. */
  readonly maxTakeOvers?: number
  /** How long a resume is tried again when the model's server refuses or is away. Default: 2 minutes. */
  readonly takeOverWithin?: Duration.DurationInput
  /**
   * A call that nobody attends for this long is closed (`CallHost.attend`, which a gateway uses). `Infinity`: never.
   * Default: `Infinity`.
   */
  readonly abandonAfter?: Duration.DurationInput
  /** What happens when the node stops. */
  readonly drain?: DrainOptions
  /**
   * Called with each call of another node that could not be resumed here, and why: it is over, and its state is `failed`.
   * Nothing else is disturbed by it, even if it throws. Default: none.
   */
  readonly onNotResumed?: (callId: string, cause: Cause.Cause<ResumeError>) => void
  /**
   * For each session of the node. A session always needs its journal here; by default, the journal may lag for two
   * minutes, so that an outage of the database ends no call before that.
   */
  readonly session?: Omit<Session.Options<E>, "sessionId" | "journal">
}

/**
 * The defaults of the options. Times without a unit are in milliseconds.
 *
 * @since 0.1.0
 * @category options
 */
export const defaults = {
  lease: "6 seconds",
  maxCalls: 1000,
  maxTakeOvers: 8,
  takeOverWithin: "2 minutes",
  abandonAfter: Number.POSITIVE_INFINITY,
  drain: { mode: "hand over", within: "25 seconds", toolsWithin: "10 seconds" },
  session: { journalLag: { maxDuration: "2 minutes" } }
} as const satisfies Omit<HostOptions, "address">

export interface Draining {
  readonly mode: "hand over" | "wait"
  readonly withinMs: number
  readonly toolsWithinMs: number
}

export interface Resolved<in E> {
  readonly leaseMs: number
  /** How often the node gives a sign of life, and looks at the directory. */
  readonly tickMs: number
  readonly maxCalls: number
  readonly maxTakeOvers: number
  readonly takeOverWithinMs: number
  readonly abandonAfterMs: number
  readonly drain: Draining
  readonly onNotResumed: HostOptions["onNotResumed"]
  readonly session: Session.Options<E>
}

export const resolveDrain = ({ mode, toolsWithin, within }: DrainOptions): Draining => ({
  mode: mode ?? defaults.drain.mode,
  withinMs: Duration.toMillis(within ?? defaults.drain.within),
  toolsWithinMs: Duration.toMillis(toolsWithin ?? defaults.drain.toolsWithin)
})

export const resolve = <E>(options: HostOptions<E>): Resolved<E> => {
  const leaseMs = Duration.toMillis(options.lease ?? defaults.lease)
  return {
    leaseMs,
    tickMs: Math.min(500, leaseMs / 6),
    maxCalls: options.maxCalls ?? defaults.maxCalls,
    maxTakeOvers: options.maxTakeOvers ?? defaults.maxTakeOvers,
    takeOverWithinMs: Duration.toMillis(options.takeOverWithin ?? defaults.takeOverWithin),
    abandonAfterMs: Duration.toMillis(options.abandonAfter ?? defaults.abandonAfter),
    drain: resolveDrain(options.drain ?? {}),
    onNotResumed: options.onNotResumed,
    session: { ...defaults.session, ...options.session, journal: "required" }
  }
}
