/**
 * A number of bytes for what several keep together: where more is kept, the oldest goes first, whosever it is.
 */

/** Somebody who keeps things, the oldest of which may have to go. */
export interface Keeper {
  readonly forgetOldest: () => void
}

/** What one thing takes besides its text: its object, the strings in it, and its places in lists. Bytes, as measured. */
const OVERHEAD = 400

export class Budget {
  readonly #limit: number
  /** Whose is each thing, and how many bytes it counts; the oldest at `#first`. */
  #keepers: Array<Keeper> = []
  #sizes: Array<number> = []
  #first = 0
  #total = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The keeper has one thing more, of so many characters. The newest thing stays, however long it is. */
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
    // Cut in halves, so that the cost of one thing does not depend on how many there were.
    if (this.#first > 1_000 && this.#first > this.#keepers.length / 2) {
      this.#keepers = this.#keepers.slice(this.#first)
      this.#sizes = this.#sizes.slice(this.#first)
      this.#first = 0
    }
  }
}

/** A thing that is its own keeper. */
export class Kept<A> implements Keeper {
  value: A | undefined

  constructor(value: A) {
    this.value = value
  }

  forgetOldest(): void {
    this.value = undefined
  }
}

/** A value that is kept until something newer needs the room. */
export const kept = <A>(budget: Budget, value: A, length: number): Kept<A> => {
  const made = new Kept(value)
  budget.add(made, length)
  return made
}

const MEBIBYTE = 1024 * 1024

/** What a server remembers of all its connections together, for tests. */
export interface Memory {
  /** What clients said in frames of less than `LONG` characters: more than 50,000 of them. */
  readonly short: Budget
  /** … and in longer ones, those with audio: about 17 minutes of a user's at 24 kHz. */
  readonly long: Budget
  /** What the users of all conversations said aloud. */
  readonly userAudio: Budget
  /** The conversations of connections that have ended. */
  readonly conversations: Budget
}

/** Frames of so many characters and more count as long: those with audio do, of a telephone too. */
export const LONG = 256

export const makeMemory = (): Memory => ({
  short: new Budget(32 * MEBIBYTE),
  long: new Budget(64 * MEBIBYTE),
  userAudio: new Budget(64 * MEBIBYTE),
  conversations: new Budget(32 * MEBIBYTE)
})
