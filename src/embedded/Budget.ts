/**
 * A limit in bytes for what several keepers store together: beyond it, the oldest entry is dropped, whichever keeper
 * has it.
 */

/** Stores entries, the oldest of which may be dropped. */
export interface Keeper {
  readonly forgetOldest: () => void
}

/**
 * The size of an entry besides its text: its object, the strings in it, and its places in lists. Bytes, as measured.
 */
const OVERHEAD = 400

export class Budget {
  readonly #limit: number
  /** The keeper and the size in bytes of each entry; the oldest at `#first`. */
  #keepers: Array<Keeper> = []
  #sizes: Array<number> = []
  #first = 0
  #total = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The keeper has one more entry, of this many characters. The newest entry stays, however long it is. */
  add(keeper: Keeper, length: number): void {
    const size = length + OVERHEAD
    this.#keepers.push(keeper)
    this.#sizes.push(size)
    this.#total += size
    while (this.#total > this.#limit && this.#first < this.#keepers.length - 1) {
      this.#total -= this.#sizes[this.#first] ?? 0
      this.#keepers[this.#first]?.forgetOldest()
      this.#first += 1
    }
    // Cut in half, so that the cost of an entry does not depend on how many there were.
    if (this.#first > 1_000 && this.#first > this.#keepers.length / 2) {
      this.#keepers = this.#keepers.slice(this.#first)
      this.#sizes = this.#sizes.slice(this.#first)
      this.#first = 0
    }
  }
}

/** An entry that is its own keeper. */
export class Kept<A> implements Keeper {
  value: A | undefined

  constructor(value: A) {
    this.value = value
  }

  forgetOldest(): void {
    this.value = undefined
  }
}

/** A value that is kept until newer values need the room. */
export const kept = <A>(budget: Budget, value: A, length: number): Kept<A> => {
  const made = new Kept(value)
  budget.add(made, length)
  return made
}

const MEBIBYTE = 1024 * 1024

/** What a server remembers of all its connections together, for tests. */
export interface Memory {
  /** Client frames with fewer than `LONG` characters: more than 50,000 of them. */
  readonly short: Budget
  /** Longer client frames, such as audio: about 17 minutes of it at 24 kHz. */
  readonly long: Budget
  /** The users' audio in all conversations. */
  readonly userAudio: Budget
  /** The conversations of connections that have ended. */
  readonly conversations: Budget
}

/** Frames with at least this many characters count as long: audio frames do, even those of a telephone. */
export const LONG = 256

export const makeMemory = (): Memory => ({
  short: new Budget(32 * MEBIBYTE),
  long: new Budget(64 * MEBIBYTE),
  userAudio: new Budget(64 * MEBIBYTE),
  conversations: new Budget(32 * MEBIBYTE)
})
