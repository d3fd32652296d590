import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * The clock for all that is waited for and measured: its milliseconds never go back, whatever becomes of the time of day,
 * which people and time servers set. What is published or written down as a time of day is asked of the clock itself.
 *
 * Effect's clock reads its nanoseconds off the process's own timer (`hrtime`, or `performance.now`), and a test's off its
 * one time. They are taken in whole milliseconds, by way of whole microseconds: as numbers, nanoseconds since 1970 are
 * 256 apart, and a moment would come a rounding error before it is there.
 */
export const steadyClock = (clock: Clock.Clock): Clock.Clock => {
  const known = clocks.get(clock)
  if (known !== undefined) return known
  const made = make(clock)
  clocks.set(clock, made)
  return made
}

/** One for each clock: all sessions of a process have the same. */
const clocks = new WeakMap<Clock.Clock, Clock.Clock>()

const make = (clock: Clock.Clock): Clock.Clock => {
  const now = () => Math.floor(Math.round(Number(clock.unsafeCurrentTimeNanos()) / 1_000) / 1_000)
  return {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: now,
    unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
    currentTimeMillis: Effect.sync(now),
    currentTimeNanos: clock.currentTimeNanos,
    sleep: (duration) => clock.sleep(duration)
  }
}
