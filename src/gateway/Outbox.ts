/**
 * What a call has for its client: numbered frames, kept until the client has acknowledged them, so that a client that lost
 * its socket gets those that it lacks. Data in, data out.
 *
 * A client that acknowledges nothing is sent no more than `windowBytes`, and no more than `maxBytes` are kept for it.
 * Beyond that everything is dropped, and so is what comes next, until the client has caught up or is back: it continues
 * from a snapshot then.
 */
export type Frame = string | Uint8Array

export interface Limits {
  /** Bytes that may be on their way without an acknowledgement. One frame always may. */
  readonly windowBytes: number
  /** Bytes that are kept, those on their way included. */
  readonly maxBytes: number
}

/** `Lagging`: frames were dropped, and none is kept until `caughtUp`. */
export type State = { readonly _tag: "Current" } | { readonly _tag: "Lagging"; readonly missed: number }

export class Outbox {
  #frames: Array<Frame> = []
  /** The number of the first frame that is kept, or of the next one if none is. */
  #first = 1
  /** The number of the next frame to send. */
  #next = 1
  #acknowledged = 0
  #keptBytes = 0
  #sentBytes = 0
  #state: State = { _tag: "Current" }

  constructor(private readonly limits: Limits) {}

  get state(): State {
    return this.#state
  }

  get keptBytes(): number {
    return this.#keptBytes
  }

  /** The number of the next frame to send. */
  get next(): number {
    return this.#next
  }

  push(frame: Frame): void {
    if (this.#state._tag === "Lagging") {
      this.#state = { _tag: "Lagging", missed: this.#state.missed + 1 }
      return
    }
    if (this.#keptBytes + frame.length > this.limits.maxBytes) {
      // What was sent may have arrived, so it keeps its numbers.
      const unsent = this.#end - this.#next
      this.#clear(this.#next)
      this.#state = { _tag: "Lagging", missed: unsent + 1 }
      return
    }
    this.#frames.push(frame)
    this.#keptBytes += frame.length
  }

  /** The next frame, if the window has room for it: it counts as sent. */
  take(): Frame | undefined {
    const frame = this.#frames[this.#next - this.#first]
    if (frame === undefined) return undefined
    if (this.#sentBytes > 0 && this.#sentBytes + frame.length > this.limits.windowBytes) return undefined
    this.#next += 1
    this.#sentBytes += frame.length
    return frame
  }

  /** The client has all frames up to this number. One that was never sent is no acknowledgement. */
  acknowledge(received: number): boolean {
    if (received >= this.#next) return false
    this.#acknowledged = Math.max(this.#acknowledged, received)
    const count = received - this.#first + 1
    if (count <= 0) return true
    for (const frame of this.#frames.splice(0, count)) {
      this.#keptBytes -= frame.length
      this.#sentBytes -= frame.length
    }
    this.#first = received + 1
    return true
  }

  /**
   * The client is back on another socket, and has all frames up to this number: the rest is sent again or, where some of it
   * is no longer kept, given up for a snapshot. `false` if that frame was never sent.
   */
  rewind(received: number): boolean {
    if (!this.acknowledge(received)) return false
    if (received >= this.#first - 1) {
      this.#next = this.#first
      this.#sentBytes = 0
      return true
    }
    const lost = this.#end - 1 - received
    this.#clear(this.#next)
    this.#acknowledged = this.#next - 1
    this.#state = { _tag: "Lagging", missed: lost + (this.#state._tag === "Lagging" ? this.#state.missed : 0) }
    return true
  }

  /** Whether all that was sent has arrived: the snapshot that ends a lag is worth sending then. */
  get hasArrived(): boolean {
    return this.#acknowledged === this.#next - 1
  }

  /** A snapshot takes the place of what was dropped. */
  caughtUp(snapshot: Frame): void {
    this.#state = { _tag: "Current" }
    this.#frames.push(snapshot)
    this.#keptBytes += snapshot.length
  }

  get #end(): number {
    return this.#first + this.#frames.length
  }

  #clear(first: number): void {
    this.#frames = []
    this.#first = first
    this.#next = first
    this.#keptBytes = 0
    this.#sentBytes = 0
  }
}
