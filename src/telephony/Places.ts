/**
 * The places of a number for calls. A call has one from its webhook on, so that those that ring together are not more
 * than can be talked to. It has no side effects. Times are in milliseconds.
 */
export class Places {
  /** Calls whose stream has not begun, and until when it may. */
  readonly #ringing = new Map<string, number>()
  readonly #connected = new Set<string>()

  /**
   * @param size how many calls at a time
   * @param beginsWithinMs how long a call keeps its place without a stream
   */
  constructor(
    private readonly size: number,
    private readonly beginsWithinMs: number
  ) {}

  /** Takes a place, and says whether there was one. A call that has one keeps it, and has it for as long as a new one. */
  take(callId: string, now: number): boolean {
    for (const [other, until] of this.#ringing) if (until <= now) this.#ringing.delete(other)
    const taken = new Set([...this.#ringing.keys(), ...this.#connected]).add(callId)
    if (taken.size > this.size) return false
    this.#ringing.set(callId, now + this.beginsWithinMs)
    return true
  }

  /** The call does not begin. If it already has, it keeps its place. */
  leave(callId: string): void {
    this.#ringing.delete(callId)
  }

  /** The stream of the call has begun: it keeps its place until it ends. */
  begin(callId: string): void {
    this.#ringing.delete(callId)
    this.#connected.add(callId)
  }

  end(callId: string): void {
    this.#connected.delete(callId)
  }
}
