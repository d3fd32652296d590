/**
 * Whether a writer still lives that nothing but its signs of life tell of. Clocks of walls are all that two machines have
 * in common, and they are put forward and back; the time that passes while one looks is told by a clock that never goes
 * back. So there are two ways to be sure: a sign did not change for a whole lease while somebody looked, or it is older
 * than a lease by a wall clock that was not moved since. A clock that jumps makes nobody dead.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Milliseconds, by a clock that never goes back; only differences mean something. */
export const monotonic: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (now) => Number(now / 1_000_000n))

/** What a writer shows of itself. */
export interface Sign {
  /** Another one whenever it gave a sign of life. */
  readonly mark: string
  /** When it did, by its own wall clock: milliseconds since 1970. */
  readonly at: number
  readonly leaseMs: number
}

export interface SignsOfLife {
  /** How long until a writer without another sign counts as dead; 0: it does. */
  readonly remaining: (key: string, sign: Sign) => Effect.Effect<number>
}

/** A wall clock that is so much further than the other one was moved, or the machine slept. */
const JUMP_MS = 1000

/** Signs that are remembered, for those who ask again. */
const maxSeen = 1024

export const make: Effect.Effect<SignsOfLife> = Effect.gen(function* () {
  const seen = new Map<string, { readonly mark: string; readonly since: number }>()
  let ahead = (yield* Clock.currentTimeMillis) - (yield* monotonic)
  let movedAt: number | undefined

  const remaining: SignsOfLife["remaining"] = (key, { at, leaseMs, mark }) =>
    Effect.zipWith(Clock.currentTimeMillis, monotonic, (wall, now) => {
      if (Math.abs(wall - now - ahead) > JUMP_MS) movedAt = now
      ahead = wall - now

      const before = seen.get(key)
      const since = before?.mark === mark ? before.since : now
      seen.delete(key)
      seen.set(key, { mark, since })
      for (const oldest of seen.keys()) {
        if (seen.size <= maxSeen) break
        seen.delete(oldest)
      }

      const unchanged = leaseMs + 1 - (now - since)
      const isTrusted = movedAt === undefined || now - movedAt > leaseMs
      const byWall = isTrusted ? leaseMs + 1 - (wall - at) : Number.POSITIVE_INFINITY
      return Math.max(0, Math.min(unchanged, Number.isNaN(byWall) ? unchanged : byWall))
    })

  return { remaining }
})
