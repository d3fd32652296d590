/** What a reply may do, depending on the state of the user's turn. */
export type Turn =
  /** The model has called nothing since the user last said something. */
  | "Fresh"
  | "Called"
  /** It has made too many calls: it may only speak once more. */
  | "Spent"

/** Stops a model that calls endlessly, or begins the same call again and again. */
export class RunawayBreaker {
  #calls = 0
  #isSpent = false
  /** Whether it was asked to go on after a call that was cut off, and has completed none since. */
  #hasGoneOn = false

  /** @param limit how many calls are allowed since the user last said something */
  constructor(private readonly limit: number) {}

  /**
   * Counts one more call. After the first call beyond the limit, the model gives its last reply of the turn; further
   * calls are only refused.
   */
  count(): "Within" | "First" | "Further" {
    this.#calls += 1
    this.#hasGoneOn = false
    if (this.#calls <= this.limit) return "Within"
    const counted = this.#isSpent ? "Further" : "First"
    this.#isSpent = true
    return counted
  }

  /**
   * Whether to ask the model to go on after a call that was cut off: only once, because a call that was too long will
   * be so again.
   */
  mayGoOn(): boolean {
    if (this.#hasGoneOn) return false
    this.#hasGoneOn = true
    return true
  }

  /** The user said something. `calls`: calls that already belong to the turn. */
  turnBegan(calls: number): void {
    this.#calls = calls
    this.#isSpent = false
    this.#hasGoneOn = false
  }

  turn(): Turn {
    return this.#isSpent ? "Spent" : this.#calls > 0 ? "Called" : "Fresh"
  }
}
