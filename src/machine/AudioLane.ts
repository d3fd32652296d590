/**
 * The user's audio while nothing can be sent: kept in order, limited in time. The oldest audio is dropped first, and
 * counted.
 */

/** A piece of the user's audio, or a commit or clear of the turn so far. */
export type Entry<Event> =
  | { readonly _tag: "Audio"; readonly event: Event; readonly seconds: number }
  | { readonly _tag: "Commit"; readonly event: Event }
  | { readonly _tag: "Clear"; readonly event: Event }

export class AudioLane<Event> {
  #entries: Array<Entry<Event>> = []
  #seconds = 0
  #pieces = 0
  #droppedSeconds = 0

  /** @param maxSeconds how much may wait; the newest piece is always kept, even if it is longer */
  constructor(private readonly maxSeconds: number) {}

  add(entry: Entry<Event>): void {
    if (entry._tag === "Clear") {
      // A clear drops the turn that is not ended yet, here as on the server.
      const begins = this.#entries.findLastIndex(({ _tag }) => _tag === "Commit") + 1
      for (const one of this.#entries.splice(begins)) this.#forget(one)
      if (begins === 0) this.#entries.push(entry)
      return
    }
    // A turn without any audio since the last commit does not end again.
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

  /** Drops and returns what waits: it was meant for a connection that is lost. */
  discard(): ReadonlyArray<Entry<Event>> {
    const discarded = this.#entries
    for (const entry of discarded) this.#drop(entry)
    this.#entries = []
    return discarded
  }

  /** How many seconds of audio were dropped since the last call. */
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
    // Starts again from zero, so that rounding errors never add up.
    this.#seconds = this.#pieces === 0 ? 0 : this.#seconds - entry.seconds
  }

  #drop(entry: Entry<Event>): void {
    this.#forget(entry)
    if (entry._tag !== "Audio") return
    this.#droppedSeconds += entry.seconds
  }

  /** A commit whose turn was dropped completely is dropped too. */
  #dropOldest(): void {
    const first = this.#entries.findIndex((entry) => entry._tag === "Audio")
    const next = this.#entries.findIndex((entry, index) => index > first && entry._tag === "Audio")
    const gone = this.#entries.splice(0, next < 0 ? first + 1 : next)
    for (const entry of gone) this.#drop(entry)
    this.#entries.unshift(...gone.filter(({ _tag }) => _tag === "Clear"))
  }
}
