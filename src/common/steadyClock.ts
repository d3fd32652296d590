import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * The clock for all waiting and measuring: its milliseconds never go back, even if people or time servers change the
 * time of day. Timestamps that are published or written down come from the ordinary clock.
 *
 * Effect's clock reads its nanoseconds from the process's own timer (`hrtime` or `performance.now`); a test clock reads
 * them from its own time. They are converted to whole milliseconds through whole microseconds: as a number, nanoseconds
 * since 1970 have steps of 256, and a rounding error could make a moment come too early.
 */
export const steadyClock = (clock: Clock.Clock): Clock.Clock => {
  const known = clocks.get(clock)
  if (known !== undefined) return known
  const made = make(clock)
  clocks.set(clock, made)
  return made
}

/** One per clock: all sessions of a process share it. */
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
