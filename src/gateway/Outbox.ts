/**
 * The frames of a call for its client. They are numbered, and kept until the client acknowledges them, so that a client
 * that lost its socket gets the frames that it lacks. It has no side effects.
 *
 * At most `windowBytes` are sent without an acknowledgement. When more than `maxBytes` are kept, the frames that were not
 * sent yet are dropped, and so are all further ones until the client has everything that was sent. Then it continues from
 * a snapshot. Replies are not dropped, because each command waits for its reply.
 */
export type Frame = string | Uint8Array

export interface Limits {
  /** How many bytes may be sent without an acknowledgement. One frame may always be sent. */
  readonly windowBytes: number
  /** How many bytes are kept, in addition to those sent. The size of a text is its number of UTF-16 code units. */
  readonly maxBytes: number
}

/** `Lagging`: frames were dropped, and only replies are kept until `caughtUp`. */
export type State = { readonly _tag: "Current" } | { readonly _tag: "Lagging"; readonly missed: number }

/** `Reply`: it is never dropped, because a snapshot does not contain it. */
export type Kind = "News" | "Reply"

interface Kept {
  readonly frame: Frame
  readonly kind: Kind
  /** How many frames the client misses without this one. A snapshot counts as the frames that it replaces. */
  readonly standsFor: number
}

export class Outbox {
  /** The frames that were sent come first. */
  #kept: Array<Kept> = []
  /** The number of the first frame that is kept, or of the next one if none is. */
  #first = 1
  /** The number of the next frame to send. */
  #next = 1
  #sentBytes = 0
  #unsentBytes = 0
  #state: State = { _tag: "Current" }

  constructor(private readonly limits: Limits) {}

  /** The client has had frames of another process up to this number, and continues from a snapshot. */
  continueAfter(received: number): void {
    this.#first = received + 1
    this.#next = received + 1
    this.#lag(0)
  }

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

  /** Whether everything that was sent has arrived, so that it is time for a snapshot. */
  get hasArrived(): boolean {
    return this.#first === this.#next
  }

  push(frame: Frame, kind: Kind = "News"): void {
    const isFull = this.#unsentBytes + frame.length > this.limits.maxBytes
    if (isFull && this.#state._tag === "Current") this.#drop()
    // There are never this many replies, unless a client sends commands and reads nothing.
    if (this.#state._tag === "Lagging" && (kind === "News" || isFull)) {
      this.#state = { _tag: "Lagging", missed: this.#state.missed + 1 }
      return
    }
    this.#append({ frame, kind, standsFor: 1 })
  }

  /** Takes the next frame, if it fits the window. It then counts as sent. */
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
   * The client is on another socket, and has all frames up to this number, which was sent. The rest is sent again. A client
   * that no longer has the frames that it acknowledged continues from a snapshot.
   */
  rewind(received: number): void {
    this.acknowledge(received)
    this.#next = this.#first
    this.#unsentBytes += this.#sentBytes
    this.#sentBytes = 0
    const lost = this.#first - 1 - received
    if (lost > 0) this.#lag(lost)
  }

  /** Adds a snapshot, which replaces the frames that were dropped. */
  caughtUp(snapshot: Frame): void {
    const standsFor = this.#state._tag === "Lagging" ? this.#state.missed : 0
    this.#state = { _tag: "Current" }
    this.#append({ frame: snapshot, kind: "News", standsFor })
  }

  #append(kept: Kept): void {
    this.#kept.push(kept)
    this.#unsentBytes += kept.frame.length
  }

  /** Drops the frames that were not sent, except replies. */
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
