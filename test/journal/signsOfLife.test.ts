import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as SignsOfLife from "../../src/journal/signsOfLife.js"

const leaseMs = 15_000
const hour = 3_600_000

/** A wall clock that can be set forward or back, beside a clock that never goes back. */
const movable = Effect.gen(function* () {
  const clock = yield* Effect.clock
  let moved = 0
  const moving: Clock.Clock = {
    ...clock,
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + moved),
    currentTimeNanos: clock.currentTimeNanos,
    unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis() + moved,
    unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
    sleep: (duration) => clock.sleep(duration)
  }
  const signs = yield* Effect.withClock(SignsOfLife.make, moving)
  return {
    wall: () => moving.unsafeCurrentTimeMillis(),
    move: (ms: number) => {
      moved += ms
    },
    remaining: (at: number) => Effect.withClock(signs.remaining("s", { mark: String(at), at, leaseMs }), moving)
  }
})

describe("Signs of life", () => {
  it.effect("of long ago are those of a dead writer, at first sight", () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      const { remaining, wall } = yield* movable
      expect(yield* remaining(wall() - leaseMs)).toBe(1)
      expect(yield* remaining(wall() - leaseMs - 1)).toBe(0)
    })
  )

  it.effect("that do not change for a lease are those of a dead writer, whatever its clock said", () =>
    Effect.gen(function* () {
      const { remaining, wall } = yield* movable
      const at = wall() + hour
      expect(yield* remaining(at)).toBe(leaseMs + 1)
      yield* TestClock.adjust("10 seconds")
      expect(yield* remaining(at)).toBe(5001)
      yield* TestClock.adjust(5001)
      expect(yield* remaining(at)).toBe(0)
    })
  )

  it.effect("are not taken for old as the clock was put forward an hour: the next one comes in time", () =>
    Effect.gen(function* () {
      const { move, remaining, wall } = yield* movable
      for (const jump of [hour, -hour, 12 * hour]) {
        yield* TestClock.adjust("1 minute")
        const at = wall()
        expect(yield* remaining(at)).toBeGreaterThan(0)
        move(jump)
        expect(yield* remaining(at)).toBeGreaterThan(0)
        yield* TestClock.adjust("4 seconds")
        expect(yield* remaining(at)).toBeGreaterThan(0)
        yield* TestClock.adjust("1 seconds")
        expect(yield* remaining(wall())).toBeGreaterThan(0)
      }
    })
  )

  it.effect("are found out to be those of a dead writer a lease after the clock was put forward", () =>
    Effect.gen(function* () {
      const { move, remaining, wall } = yield* movable
      const at = wall()
      move(hour)
      expect(yield* remaining(at)).toBe(leaseMs + 1)
      yield* TestClock.adjust(leaseMs + 1)
      expect(yield* remaining(at)).toBe(0)
    })
  )
})
