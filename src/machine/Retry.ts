/**
 * Whether, and how soon, a response that is owed is asked for again. One that never began or fell silent gives no reason:
 * it is tried a number of times. What failed or was refused for a reason that may pass is tried for a length of time, for
 * it passes when it does, however often somebody asked meanwhile.
 */

/** All times in milliseconds. */
export interface Options {
  /** Further tries after silence. Default: 2. */
  readonly maxRetries: number
  /** Before a further try, after a failure or a refusal; each next one waits twice as long, up to 8,000. Default: 1,000. */
  readonly retryBackoff: number
  /**
   * From the first failure or refusal on a connection to the last try. Default: 60,000, for rate limits are renewed within
   * a minute.
   */
  readonly retryWithin: number
}

export const defaults = {
  maxRetries: 2,
  retryBackoff: 1_000,
  retryWithin: 60_000
} satisfies Options

/** Nobody waits longer than this for a server that is back again. Milliseconds. */
const longestBackoff = 8_000

/** A reason that may pass. `after`: the milliseconds that the server wants to be left alone, where it names them. */
export interface Passing {
  readonly after: number | undefined
}

/** What became of a try. */
export type Setback =
  /** It never began, or fell silent. */
  { readonly _tag: "Silence" } | ({ readonly _tag: "Passing" } & Passing)

export const silence: Setback = { _tag: "Silence" }
export const passing = ({ after }: Passing): Setback => ({ _tag: "Passing", after })

/** What was tried so far. */
export interface Tries {
  /** After silence. */
  silences: number
  /** After a failure or a refusal, on this connection. */
  refusals: number
  /** When the first of those was; absent where none was. */
  refusedAt: number | undefined
  /** The next one is not made before. */
  notBefore: number
}

export const none = (): Tries => ({ silences: 0, refusals: 0, refusedAt: undefined, notBefore: 0 })

const backoff = ({ retryBackoff }: Options, refusals: number): number =>
  Math.min(retryBackoff * 2 ** refusals, Math.max(retryBackoff, longestBackoff))

/** A server that names a time is taken at its word once; where that was too soon, it is left alone for longer. */
const pause = ({ refusals }: Tries, options: Options, after: number | undefined): number =>
  after === undefined
    ? backoff(options, refusals)
    : Math.max(after, refusals === 0 ? 0 : backoff(options, refusals - 1))

/** Plans one more try, unless there is to be none: a server that names a time beyond the bound is not waited for. */
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

/** The connection on which it was refused is gone. How often there was silence still counts. */
export const forgive = (tries: Tries): void => {
  tries.refusals = 0
  tries.refusedAt = undefined
}

/** What stands for both has as many tries, and as much time, left as the fresher one. */
export const join = (tries: Tries, other: Tries): void => {
  tries.silences = Math.min(tries.silences, other.silences)
  tries.refusals = Math.min(tries.refusals, other.refusals)
  tries.refusedAt =
    tries.refusedAt === undefined || other.refusedAt === undefined
      ? undefined
      : Math.max(tries.refusedAt, other.refusedAt)
  tries.notBefore = Math.max(tries.notBefore, other.notBefore)
}
