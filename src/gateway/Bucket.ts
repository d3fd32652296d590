/**
 * How much may come in: so much a second, and so much at once. Data in, data out; times are in milliseconds of a clock that
 * does not go back.
 */
export class Bucket {
  #level: number
  #at: number

  /**
   * @param perSecond what flows back in a second
   * @param burst what there is at most, and in the beginning
   */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    now: number
  ) {
    this.#level = burst
    this.#at = now
  }

  /** Takes an amount, if there is as much. */
  take(amount: number, now: number): boolean {
    this.#level = Math.min(this.burst, this.#level + ((now - this.#at) * this.perSecond) / 1_000)
    this.#at = now
    if (amount > this.#level) return false
    this.#level -= amount
    return true
  }
}
