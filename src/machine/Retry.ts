/**
 * Whether and when an owed response is requested again. A response that never began or fell silent has no known reason:
 * it is retried a number of times. A temporary failure or refusal is retried for a length of time, because it ends when
 * it ends, however often somebody asks.
 */

/** All times in milliseconds. */
export interface Options {
  /** Retries after silence. Default: 2. */
  readonly maxRetries: number
  /** The delay before a retry after a failure or a refusal. It doubles each time, up to 8,000. Default: 1,000. */
  readonly retryBackoff: number
  /**
   * From the first failure or refusal on a connection to the last retry. Default: 60,000, because rate limits are
   * renewed within a minute.
   */
  readonly retryWithin: number
}

export const defaults = {
  maxRetries: 2,
  retryBackoff: 1_000,
  retryWithin: 60_000
} satisfies Options

/** The longest delay: a server that has recovered should not be kept waiting. Milliseconds. */
const longestBackoff = 8_000

/** A temporary reason. `after`: the delay that the server asks for, in milliseconds, if it names one. */
export interface Passing {
  readonly after: number | undefined
}

/** How an attempt failed. */
export type Setback =
  /** It never began, or fell silent. */
  { readonly _tag: "Silence" } | ({ readonly _tag: "Passing" } & Passing)

export const silence: Setback = { _tag: "Silence" }
export const passing = ({ after }: Passing): Setback => ({ _tag: "Passing", after })

/** The attempts so far. */
export interface Tries {
  /** The number of silences. */
  silences: number
  /** The number of failures and refusals on this connection. */
  refusals: number
  /** When the first of those was; absent if there was none. */
  refusedAt: number | undefined
  /** The earliest time of the next attempt. */
  notBefore: number
}

export const none = (): Tries => ({ silences: 0, refusals: 0, refusedAt: undefined, notBefore: 0 })

const backoff = ({ retryBackoff }: Options, refusals: number): number =>
  Math.min(retryBackoff * 2 ** refusals, Math.max(retryBackoff, longestBackoff))

/** The delay that a server names is used once. If it was too short, the delay is at least as long as the backoff. */
const pause = ({ refusals }: Tries, options: Options, after: number | undefined): number =>
  after === undefined
    ? backoff(options, refusals)
    : Math.max(after, refusals === 0 ? 0 : backoff(options, refusals - 1))

/** Plans a retry. Returns `false` if there is none: a server that names a time beyond the limit is not waited for. */
export const again = (tries: Tries, options: Options, now: number, setback: Setback): boolean => {
  if (setback._tag === "Silence") {
    if (tries.silences >= options.maxRetries) return false
    tries.silences += 1
    tries.notBefore = now
    return true
  }
  tries.refusedAt ??= now
  const notBefore = now + pause(tries, options, setback.after)
  if (notBefore > tries.refusedAt + options.retryWithin) return false
  tries.refusals += 1
  tries.notBefore = notBefore
  return true
}

/** The connection that refused it is gone. The number of silences still counts. */
export const forgive = (tries: Tries): void => {
  tries.refusals = 0
  tries.refusedAt = undefined
}

/** Merges two histories: the result has as many retries and as much time left as the better one. */
export const join = (tries: Tries, other: Tries): void => {
  tries.silences = Math.min(tries.silences, other.silences)
  tries.refusals = Math.min(tries.refusals, other.refusals)
  tries.refusedAt =
    tries.refusedAt === undefined || other.refusedAt === undefined
      ? undefined
      : Math.max(tries.refusedAt, other.refusedAt)
  tries.notBefore = Math.max(tries.notBefore, other.notBefore)
}
