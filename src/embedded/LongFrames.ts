/**
 * The long frames of all connections of a server, of which the newest are kept.
 */

/** Something that is kept until something newer needs the room. */
export interface Kept<A> {
  value: A | undefined
}

/** Frames of so many characters and more count as long: those with audio do, of a telephone too. */
const LONG = 256
/** How many characters the kept ones have together: about 17 minutes of a user's audio at 24 kHz. */
const LIMIT = 64 * 1024 * 1024

export class LongFrames {
  /** Oldest first. */
  readonly #lengths = new Map<Kept<unknown>, number>()
  #total = 0

  /** @param length of its frame, in characters */
  keep<A>(value: A, length: number): Kept<A> {
    const kept: Kept<A> = { value }
    if (length < LONG) return kept
    this.#lengths.set(kept, length)
    this.#total += length
    for (const [oldest, size] of this.#lengths) {
      // The newest stays, however long it is.
      if (this.#total <= LIMIT || oldest === kept) break
      oldest.value = undefined
      this.#lengths.delete(oldest)
      this.#total -= size
    }
    return kept
  }
}
