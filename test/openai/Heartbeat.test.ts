import { describe, expect, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Heartbeat from "../../src/openai/Heartbeat.js"

/** A watch over a peer that answers as the test says. */
const start = (interval: Duration.DurationInput, timeout: Duration.DurationInput, ping: () => boolean = () => true) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const state = { listening: true, pings: [] as Array<number> }
    const heartbeat = yield* Heartbeat.make({
      interval: Duration.decode(interval),
      timeout: Duration.decode(timeout)
    })
    const watch = yield* Effect.fork(
      heartbeat.watch({
        ping: () => {
          state.pings.push(clock.unsafeCurrentTimeMillis())
          return ping()
        },
        listening: () => state.listening
      })
    )
    return { heartbeat, state, watch }
  })

const seconds = (...list: ReadonlyArray<number>) => list.map((n) => n * 1000)

describe("Heartbeat", () => {
  it.effect("pings at each interval, and gives up on a peer that is silent for the timeout", () =>
    Effect.gen(function* () {
      const { state, watch } = yield* start("20 seconds", "50 seconds")
      yield* TestClock.adjust("49999 millis")
      expect(state.pings).toEqual(seconds(20, 40))
      expect(watch.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(watch)).toBe(50_000)
    })
  )

  it.effect("counts from the last sign of life, to the millisecond", () =>
    Effect.gen(function* () {
      const { heartbeat, watch } = yield* start("20 seconds", "40 seconds")
      for (let n = 0; n < 10; n++) {
        yield* TestClock.adjust("39 seconds")
        heartbeat.beat()
      }
      yield* TestClock.adjust("39999 millis")
      expect(watch.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(watch)).toBe(40_000)
    })
  )

  it.effect("pings twice before it gives up, also where the timeout is shorter than the interval", () =>
    Effect.gen(function* () {
      const { state, watch } = yield* start("20 seconds", "10 seconds")
      yield* TestClock.adjust("10 seconds")
      expect(state.pings).toContain(5000)
      expect(yield* Fiber.join(watch)).toBe(10_000)
    })
  )

  it.effect("does not take its own deafness for the peer's silence", () =>
    Effect.gen(function* () {
      const { heartbeat, state, watch } = yield* start("20 seconds", "40 seconds")
      state.listening = false
      yield* TestClock.adjust("10 minutes")
      state.listening = true
      heartbeat.beat()
      yield* TestClock.adjust("39 seconds")
      expect(watch.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(watch)
    })
  )

  it.effect.each([
    { title: "slept", jumpMs: 3_600_000 },
    { title: "had its clock set back", jumpMs: -3_600_000 }
  ])("counts nothing against the peer while its process $title, and goes on after that", ({ jumpMs }) =>
    Effect.gen(function* () {
      const test = yield* Effect.clock
      let offset = 0
      const now = () => test.unsafeCurrentTimeMillis() + offset
      const jumping: Clock.Clock = {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: now,
        unsafeCurrentTimeNanos: () => BigInt(now()) * 1_000_000n,
        currentTimeMillis: Effect.sync(now),
        currentTimeNanos: Effect.sync(() => BigInt(now()) * 1_000_000n),
        sleep: (duration) => test.sleep(duration)
      }
      const { state, watch } = yield* Effect.withClock(start("20 seconds", "40 seconds"), jumping)
      yield* TestClock.adjust("19 seconds")
      offset += jumpMs
      yield* TestClock.adjust("20 seconds")
      expect(watch.unsafePoll()).toBeNull()
      expect(state.pings.length).toBeGreaterThan(0)
      // An hour backwards does not make the peer immortal for an hour.
      yield* TestClock.adjust("40 seconds")
      expect(yield* Fiber.join(watch)).toBe(40_000)
    })
  )

  it.effect("comes to its end under a clock that has fractions of a millisecond", () =>
    Effect.gen(function* () {
      for (let n = 0; n < 20; n++) {
        yield* TestClock.adjust(Duration.nanos(BigInt(n * 123_457)))
        const { heartbeat, watch } = yield* start("20 millis", "40 millis")
        yield* TestClock.adjust(Duration.nanos(7_654_321n))
        heartbeat.beat()
        yield* TestClock.adjust("41 millis")
        expect(yield* Fiber.join(watch)).toBe(40)
      }
    })
  )

  it.effect("does not watch a peer that can't be pinged, or should not be", () =>
    Effect.gen(function* () {
      const mute = yield* start("20 seconds", "40 seconds", () => false)
      const off = yield* Effect.forEach([Number.POSITIVE_INFINITY, 0], (interval) => start(interval, "40 seconds"))
      const patient = yield* start("20 seconds", Number.POSITIVE_INFINITY)
      yield* TestClock.adjust("10 minutes")
      for (const { watch } of [mute, ...off, patient]) expect(watch.unsafePoll()).toBeNull()
      expect(mute.state.pings).toHaveLength(1)
      expect(off.map(({ state }) => state.pings)).toEqual([[], []])
      expect(patient.state.pings).toHaveLength(30)
    })
  )
})
