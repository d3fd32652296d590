/**
 * Whether a writer is still alive, if only its signs of life tell. Two machines only share their wall clocks, which can
 * be set forward and back; the time while one observes is measured by a clock that never goes back. So there are two
 * ways to be sure that a writer is dead: its sign did not change for a whole lease while somebody observed it, or the
 * sign is older than a lease by a wall clock that was not changed since. A clock that jumps makes nobody dead.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Milliseconds on a clock that never goes back. Only differences have a meaning. */
export const monotonic: Effect.Effect<number> = Effect.map(Clock.currentTimeNanos, (now) => Number(now / 1_000_000n))

/** A sign of life of a writer. */
export interface Sign {
  /** Different for each sign of life. */
  readonly mark: string
  /** When it was given, by the writer's wall clock: milliseconds since 1970. */
  readonly at: number
  readonly leaseMs: number
}

export interface SignsOfLife {
  /** How long until a writer without another sign counts as dead; 0: it counts as dead. */
  readonly remaining: (key: string, sign: Sign) => Effect.Effect<number>
}

/** If the wall clock is this much ahead of the other clock, it was changed, or the machine slept. */
const JUMP_MS = 1000

/** How many signs are remembered, for later questions. */
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
