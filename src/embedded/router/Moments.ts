/** Dates and times of day in a sentence. */
import type { Match } from "./Span.js"

export interface Day {
  readonly year: number
  readonly month: number
  readonly day: number
}

export interface Clock {
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** `tomorrow`, `half past two`, or both: `tomorrow at 3 pm`. */
export interface Moment extends Match {
  readonly day: (Day & { readonly text: string }) | undefined
  readonly clock: (Clock & { readonly text: string }) | undefined
  /** The day that was named; otherwise the next day with that time. */
  readonly nextDay: Day
}

/** Finds the moments in a sentence. Days and hours are in this machine's time zone. */
export type FindMoments = (sentence: string, now: Date) => ReadonlyArray<Moment>
