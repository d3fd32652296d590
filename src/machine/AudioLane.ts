/**
 * What the user says while nothing can be sent: kept in order, bounded in time. The oldest gives way, and is counted.
 */

/** A piece of the user's audio, or what ends or drops the turn that was spoken so far. */
export type Entry<Event> =
  | { readonly _tag: "Audio"; readonly event: Event; readonly seconds: number }
  | { readonly _tag: "Commit"; readonly event: Event }
  | { readonly _tag: "Clear"; readonly event: Event }

export interface AudioLane<Event> {
  readonly add: (entry: Entry<Event>) => void
  /** Takes everything that waits, the oldest first. */
  readonly takeAll: () => ReadonlyArray<Entry<Event>>
  /** Drops what waits, and gives it: it was meant for a connection that is gone. */
  readonly discard: () => ReadonlyArray<Entry<Event>>
  /** How many seconds of audio were dropped since this was last asked. */
  readonly takeDroppedSeconds: () => number
  readonly isEmpty: () => boolean
}

/** @param maxSeconds how much may wait; the newest piece is kept also when it alone is longer */
export const make = <Event>(maxSeconds: number): AudioLane<Event> => {
  let entries: Array<Entry<Event>> = []
  let seconds = 0
  let pieces = 0
  let droppedSeconds = 0

  const forget = (entry: Entry<Event>): void => {
    if (entry._tag !== "Audio") return
    pieces -= 1
    // From nothing at all again, so that rounding never adds up.
    seconds = pieces === 0 ? 0 : seconds - entry.seconds
  }

  const drop = (entry: Entry<Event>): void => {
    forget(entry)
    if (entry._tag !== "Audio") return
    droppedSeconds += entry.seconds
  }

  /** What ended a turn of which nothing is left ends nothing. */
  const dropOldest = (): void => {
    const first = entries.findIndex((entry) => entry._tag === "Audio")
    const next = entries.findIndex((entry, index) => index > first && entry._tag === "Audio")
    const gone = entries.splice(0, next < 0 ? first + 1 : next)
    for (const entry of gone) drop(entry)
    entries.unshift(...gone.filter(({ _tag }) => _tag === "Clear"))
  }

  return {
    add: (entry) => {
      if (entry._tag === "Clear") {
        // The turn that is not ended yet goes, here as there.
        const begins = entries.findLastIndex(({ _tag }) => _tag === "Commit") + 1
        for (const one of entries.splice(begins)) forget(one)
        if (begins === 0) entries.push(entry)
        return
      }
      // A turn of which nothing was said since its end has no other.
      if (entry._tag === "Commit" && entries.at(-1)?._tag === "Commit") return
      entries.push(entry)
      if (entry._tag !== "Audio") return
      pieces += 1
      seconds += entry.seconds
      while (seconds > maxSeconds && pieces > 1) dropOldest()
    },
    takeAll: () => {
      const taken = entries
      entries = []
      pieces = 0
      seconds = 0
      return taken
    },
    discard: () => {
      const discarded = entries
      for (const entry of discarded) drop(entry)
      entries = []
      return discarded
    },
    takeDroppedSeconds: () => {
      const dropped = droppedSeconds
      droppedSeconds = 0
      return dropped
    },
    isEmpty: () => entries.length === 0
  }
}
