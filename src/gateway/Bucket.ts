/**
 * A token bucket: limits an amount per second, and at once. It has no side effects. Times are in milliseconds of a clock
 * that never goes back.
 */
export class Bucket {
  #level: number
  #at: number

  /**
   * @param perSecond the amount that is refilled each second
   * @param burst the largest amount that is available at once, and the initial amount
   */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    now: number
  ) {
    this.#level = burst
    this.#at = now
  }

  /** Takes an amount, if that much is available. */
  take(amount: number, now: number): boolean {
    this.#level = Math.min(this.burst, this.#level + ((now - this.#at) * this.perSecond) / 1_000)
    this.#at = now
    if (amount > this.#level) return false
    this.#level -= amount
    return true
  }
}
