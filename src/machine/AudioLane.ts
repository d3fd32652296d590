/**
 * What the user says while nothing can be sent: kept in order, bounded in time. The oldest gives way, and is counted.
 */

/** A piece of the user's audio, or what ends or drops the turn that was spoken so far. */
export type Entry<Event> =
  | { readonly _tag: "Audio"; readonly event: Event; readonly seconds: number }
  | { readonly _tag: "Commit"; readonly event: Event }
  | { readonly _tag: "Clear"; readonly event: Event }

export class AudioLane<Event> {
  #entries: Array<Entry<Event>> = []
  #seconds = 0
  #pieces = 0
  #droppedSeconds = 0

  /** @param maxSeconds how much may wait; the newest piece is kept also when it alone is longer */
  constructor(private readonly maxSeconds: number) {}

  add(entry: Entry<Event>): void {
    if (entry._tag === "Clear") {
      // The turn that is not ended yet goes, here as there.
      const begins = this.#entries.findLastIndex(({ _tag }) => _tag === "Commit") + 1
      for (const one of this.#entries.splice(begins)) this.#forget(one)
      if (begins === 0) this.#entries.push(entry)
      return
    }
    // A turn of which nothing was said since its end has no other.
    if (entry._tag === "Commit" && this.#entries.at(-1)?._tag === "Commit") return
    this.#entries.push(entry)
    if (entry._tag !== "Audio") return
    this.#pieces += 1
    this.#seconds += entry.seconds
    while (this.#seconds > this.maxSeconds && this.#pieces > 1) this.#dropOldest()
  }

  /** Takes everything that waits, the oldest first. */
  takeAll(): ReadonlyArray<Entry<Event>> {
    const taken = this.#entries
    this.#entries = []
    this.#pieces = 0
    this.#seconds = 0
    return taken
  }

  /** Drops what waits, and gives it: it was meant for a connection that is gone. */
  discard(): ReadonlyArray<Entry<Event>> {
    const discarded = this.#entries
    for (const entry of discarded) this.#drop(entry)
    this.#entries = []
    return discarded
  }

  /** How many seconds of audio were dropped since this was last asked. */
  takeDroppedSeconds(): number {
    const dropped = this.#droppedSeconds
    this.#droppedSeconds = 0
    return dropped
  }

  isEmpty(): boolean {
    return this.#entries.length === 0
  }

  #forget(entry: Entry<Event>): void {
    if (entry._tag !== "Audio") return
    this.#pieces -= 1
    // From nothing at all again, so that rounding never adds up.
    this.#seconds = this.#pieces === 0 ? 0 : this.#seconds - entry.seconds
  }

  #drop(entry: Entry<Event>): void {
    this.#forget(entry)
    if (entry._tag !== "Audio") return
    this.#droppedSeconds += entry.seconds
  }

  /** What ended a turn of which nothing is left ends nothing. */
  #dropOldest(): void {
    const first = this.#entries.findIndex((entry) => entry._tag === "Audio")
    const next = this.#entries.findIndex((entry, index) => index > first && entry._tag === "Audio")
    const gone = this.#entries.splice(0, next < 0 ? first + 1 : next)
    for (const entry of gone) this.#drop(entry)
    this.#entries.unshift(...gone.filter(({ _tag }) => _tag === "Clear"))
  }
}
