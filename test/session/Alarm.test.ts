import { expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { Alarm } from "../../src/session/Alarm.js"

it.effect("fires once for a time between two nanoseconds, and does not fire early forever because of rounding", () =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const now = () => clock.unsafeCurrentTimeMillis()
    // As delays with a jitter are: finer than the nanoseconds in which a sleep is counted.
    const at = now() + 1000.000_000_3
    const rings: Array<number> = []
    const alarm = new Alarm(now, () => rings.push(now()))
    yield* alarm.set(at)
    yield* TestClock.adjust(1000)
    expect(rings).toEqual([])
    yield* TestClock.adjust(1)
    expect(rings).toHaveLength(1)
    expect(rings[0]).toBeGreaterThanOrEqual(at)
  })
)
