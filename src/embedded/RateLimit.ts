/** The content of `rate_limits.updated` at the start of each response. */

/**
 * @since 0.1.0
 * @category options
 */
export interface RateLimit {
  readonly name: "requests" | "tokens"
  readonly limit: number
  readonly remaining: number
  readonly reset_seconds: number
}

/**
 * The limits for every response, or for the n-th response of a connection, from 1.
 *
 * @since 0.1.0
 * @category options
 */
export type RateLimits = ReadonlyArray<RateLimit> | ((nth: number) => ReadonlyArray<RateLimit>)

const AMPLE: ReadonlyArray<RateLimit> = [
  { name: "requests", limit: 1_000, remaining: 999, reset_seconds: 0.06 },
  { name: "tokens", limit: 50_000, remaining: 45_000, reset_seconds: 6 }
]

/** The limits for the n-th response; by default ample ones. */
export const at = (limits: RateLimits | undefined, nth: number): ReadonlyArray<RateLimit> =>
  typeof limits === "function" ? limits(nth) : (limits ?? AMPLE)
