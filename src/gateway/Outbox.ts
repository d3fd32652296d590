/**
 * What a call has for its client: numbered frames, kept until the client has acknowledged them, so that a client that lost
 * its socket gets those that it lacks. Data in, data out.
 *
 * No more than `windowBytes` are on their way without an acknowledgement. When more than `maxBytes` are kept, those that
 * were not sent yet are dropped, and so is what comes next, until the client has all that was sent: it continues from a
 * snapshot then. Replies are not dropped: a command waits for its own.
 */
export type Frame = string | Uint8Array

export interface Limits {
  /** Bytes that may be on their way without an acknowledgement. One frame always may. */
  readonly windowBytes: number
  /** Bytes that are kept, beside those on their way. Those of a text count as its UTF-16 code units. */
  readonly maxBytes: number
}

/** `Lagging`: frames were dropped, and only replies are kept until `caughtUp`. */
export type State = { readonly _tag: "Current" } | { readonly _tag: "Lagging"; readonly missed: number }

/** `Reply`: it is not dropped for a snapshot, which does not contain it. */
export type Kind = "News" | "Reply"

interface Kept {
  readonly frame: Frame
  readonly kind: Kind
  /** How many frames the client misses with it: a snapshot stands for those that it took the place of. */
  readonly standsFor: number
}

export class Outbox {
  /** Those that were sent come first. */
  #kept: Array<Kept> = []
  /** The number of the first frame that is kept, or of the next one if none is. */
  #first = 1
  /** The number of the next frame to send. */
  #next = 1
  #sentBytes = 0
  #unsentBytes = 0
  #state: State = { _tag: "Current" }

  constructor(private readonly limits: Limits) {}

  get state(): State {
    return this.#state
  }

  get keptBytes(): number {
    return this.#sentBytes + this.#unsentBytes
  }

  /** The number of the next frame to send. */
  get next(): number {
    return this.#next
  }

  /** Whether all that was sent has arrived: a snapshot is worth sending then. */
  get hasArrived(): boolean {
    return this.#first === this.#next
  }

  push(frame: Frame, kind: Kind = "News"): void {
    const isFull = this.#unsentBytes + frame.length > this.limits.maxBytes
    if (isFull && this.#state._tag === "Current") this.#drop()
    // Replies alone are never so many, unless a client sends commands and reads nothing.
    if (this.#state._tag === "Lagging" && (kind === "News" || isFull)) {
      this.#state = { _tag: "Lagging", missed: this.#state.missed + 1 }
      return
    }
    this.#append({ frame, kind, standsFor: 1 })
  }

  /** The next frame, if the window has room for it: it counts as sent. */
  take(): Frame | undefined {
    const frame = this.#kept[this.#next - this.#first]?.frame
    if (frame === undefined) return undefined
    if (this.#sentBytes > 0 && this.#sentBytes + frame.length > this.limits.windowBytes) return undefined
    this.#next += 1
    this.#sentBytes += frame.length
    this.#unsentBytes -= frame.length
    return frame
  }

  /** The client has all frames up to this number. `false` if that one was never sent. */
  acknowledge(received: number): boolean {
    if (received >= this.#next) return false
    const count = received - this.#first + 1
    if (count <= 0) return true
    for (const { frame } of this.#kept.splice(0, count)) this.#sentBytes -= frame.length
    this.#first = received + 1
    return true
  }

  /**
   * The client is on another socket, and has all frames up to this number, which was sent: the rest is sent again. A client
   * that no longer has what it has acknowledged continues from a snapshot.
   */
  rewind(received: number): void {
    this.acknowledge(received)
    this.#next = this.#first
    this.#unsentBytes += this.#sentBytes
    this.#sentBytes = 0
    const lost = this.#first - 1 - received
    if (lost > 0) this.#lag(lost)
  }

  /** A snapshot takes the place of what was dropped. */
  caughtUp(snapshot: Frame): void {
    const standsFor = this.#state._tag === "Lagging" ? this.#state.missed : 0
    this.#state = { _tag: "Current" }
    this.#append({ frame: snapshot, kind: "News", standsFor })
  }

  #append(kept: Kept): void {
    this.#kept.push(kept)
    this.#unsentBytes += kept.frame.length
  }

  /** Drops the news that were not sent. */
  #drop(): void {
    const sent = this.#kept.slice(0, this.#next - this.#first)
    const unsent = this.#kept.slice(sent.length)
    const replies = unsent.filter(({ kind }) => kind === "Reply")
    const dropped = unsent.filter(({ kind }) => kind === "News")
    this.#kept = [...sent, ...replies]
    this.#unsentBytes = replies.reduce((sum, { frame }) => sum + frame.length, 0)
    this.#lag(dropped.reduce((sum, { standsFor }) => sum + standsFor, 0))
  }

  #lag(missed: number): void {
    this.#state = { _tag: "Lagging", missed: missed + (this.#state._tag === "Lagging" ? this.#state.missed : 0) }
  }
}
