/**
 * How often, and how soon, a response that is owed is asked for again, whatever became of it: it never began, it fell
 * silent, it failed for a passing reason, or the request was refused for one.
 */

/** All times in milliseconds. */
export interface Options {
  /** Further tries. Default: 2. */
  readonly maxRetries: number
  /** Before a further try, after a failure or a refusal; each next one waits twice as long. Default: 1,000. */
  readonly retryBackoff: number
  /** From the first try to the last one. Default: 120,000. */
  readonly retryWithin: number
}

export const defaults = {
  maxRetries: 2,
  retryBackoff: 1_000,
  retryWithin: 120_000
} satisfies Options

/** What was tried so far. */
export interface Tries {
  /** Further ones, after the first. */
  retries: number
  /** When the first one was made; absent where none was. */
  firstAt: number | undefined
  /** The next one is not made before. */
  notBefore: number
}

export const none = (): Tries => ({ retries: 0, firstAt: undefined, notBefore: 0 })

/**
 * Plans one more try. `after`: milliseconds to wait, where that is known; without it, ever longer. Whether there is to be
 * one: a server that names a time beyond the bound is not waited for.
 */
export const again = (tries: Tries, options: Options, now: number, after: number | undefined): boolean => {
  const notBefore = now + (after ?? options.retryBackoff * 2 ** tries.retries)
  const last = (tries.firstAt ?? now) + options.retryWithin
  if (tries.retries >= options.maxRetries || notBefore > last) return false
  tries.retries += 1
  tries.notBefore = notBefore
  return true
}

/** What stands for both has as many tries, and as much time, left as the fresher one. */
export const join = (tries: Tries, other: Tries): void => {
  tries.retries = Math.min(tries.retries, other.retries)
  tries.firstAt =
    tries.firstAt === undefined || other.firstAt === undefined ? undefined : Math.max(tries.firstAt, other.firstAt)
  tries.notBefore = Math.max(tries.notBefore, other.notBefore)
}
