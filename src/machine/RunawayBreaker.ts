/** What a reply may do, by how far the turn of the user is. */
export type Turn =
  /** The model has called nothing since the user last said something. */
  | "Fresh"
  | "Called"
  /** It has called too much: it is to say something, and nothing more. */
  | "Spent"

/** Stops a model that calls and calls, or begins the same call again and again. */
export class RunawayBreaker {
  #calls = 0
  #isSpent = false
  /** It was asked to go on after a call that was cut off, and has completed none since. */
  #hasGoneOn = false

  /** @param limit calls since the user last said something, after which it trips */
  constructor(private readonly limit: number) {}

  /** Counts one more call: the first that is too many is answered with the last word of the turn, the others are not. */
  count(): "Within" | "First" | "Further" {
    this.#calls += 1
    this.#hasGoneOn = false
    if (this.#calls <= this.limit) return "Within"
    const counted = this.#isSpent ? "Further" : "First"
    this.#isSpent = true
    return counted
  }

  /** Whether the model is asked to go on after a call that was cut off: what was too long once will be so again. */
  mayGoOn(): boolean {
    if (this.#hasGoneOn) return false
    this.#hasGoneOn = true
    return true
  }

  /** The user said something. `calls`: that the turn has made already. */
  turnBegan(calls: number): void {
    this.#calls = calls
    this.#isSpent = false
    this.#hasGoneOn = false
  }

  turn(): Turn {
    return this.#isSpent ? "Spent" : this.#calls > 0 ? "Called" : "Fresh"
  }
}
