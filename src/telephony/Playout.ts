/**
 * The agent's audio on its way to the caller's ear: cut into whole frames, sent a little ahead of time, and followed by
 * marks that say what was played. It has no side effects. Times are in milliseconds.
 *
 * A mark that comes back after a `Clear` was not played. So each mark's name has the number of clears before it, and an
 * older one says nothing.
 */
import { ByteQueue } from "./ByteQueue.js"
import type { StreamFormat } from "./Codec.js"
import { bytesIn, type Converter, frameMs, fromSession, msIn, silence } from "./Line.js"
import * as limits from "./limits.js"

/** What to tell the vendor next, in order. */
export type Order =
  | { readonly _tag: "Play"; readonly bytes: Uint8Array }
  | { readonly _tag: "Mark"; readonly name: string }

/** How much of a content part was heard, in milliseconds from its beginning. */
export interface Report {
  readonly itemId: string
  readonly contentIndex: number
  readonly heardMs: number | "finished"
}

interface Part {
  readonly itemId: string
  readonly contentIndex: number
  readonly converter: Converter
  /** Audio that was not sent, in the stream's format. */
  readonly waiting: ByteQueue
  /** How much was sent, without what will be sent again. */
  sentBytes: number
  /** How much of that has a mark after it. */
  markedBytes: number
  /** `Cut`: too much waited, and the rest is not played. `Dropped`: it was interrupted. `Ended`: its end is marked. */
  state: "Open" | "Complete" | "Cut" | "Dropped" | "Ended"
}

/** Audio that was sent and is not known to be played. */
interface Piece {
  readonly part: Part
  readonly bytes: Uint8Array
  /** Where it ends in its part. */
  readonly endBytes: number
  /** When it should have been played. */
  readonly dueAt: number
  /** The name of the mark after it, if any. */
  mark: string | undefined
  /** Whether nothing more of the part comes. */
  isLast: boolean
}

export interface Options {
  readonly format: StreamFormat
  /** How far ahead of the caller's ear the vendor gets audio. */
  readonly leadMs: number
  /** How much audio there is between two marks. */
  readonly markMs: number
}

/** A mark that does not come back so long after its time is taken as played. */
const lostAfterMs = 5_000

export class Playout {
  readonly #parts: Array<Part> = []
  #sent: Array<Piece> = []
  #generation = 0
  #marks = 0
  /** When the vendor will have played all that it was sent. */
  #endsAt = 0
  readonly #frameBytes: number
  readonly #stepBytes: number
  readonly #maxBytes: number

  constructor(private readonly options: Options) {
    const { format, markMs } = options
    this.#frameBytes = bytesIn(format, frameMs)
    this.#stepBytes = Math.max(1, Math.round(markMs / frameMs)) * this.#frameBytes
    this.#maxBytes = bytesIn(format, limits.maxWaitingSeconds * 1_000)
  }

  /** Audio of the agent, in the session's format. Returns whether the part has just begun. */
  add(itemId: string, contentIndex: number, bytes: Uint8Array): boolean {
    const known = this.#find(itemId, contentIndex)
    const part = known ?? this.#begin(itemId, contentIndex)
    if (part.state !== "Open") return false
    this.#append(part, part.converter.push(bytes))
    return known === undefined
  }

  /** No more audio of this part comes. */
  complete(itemId: string, contentIndex: number): void {
    const part = this.#find(itemId, contentIndex)
    if (part?.state !== "Open") return
    this.#append(part, part.converter.end())
    // A vendor plays whole frames.
    const rest = part.waiting.length % this.#frameBytes
    if (rest > 0) this.#append(part, silence(this.options.format, frameMs).subarray(rest))
    if (part.state === "Open") part.state = part.sentBytes + part.waiting.length > 0 ? "Complete" : "Ended"
  }

  /**
   * Nothing more of this part may be heard. Returns whether the vendor must be told to clear what it holds: then what it
   * held of other parts is sent again.
   */
  interrupt(itemId: string, contentIndex: number, now: number): boolean {
    const part = this.#find(itemId, contentIndex) ?? this.#begin(itemId, contentIndex)
    part.state = "Dropped"
    part.waiting.clear()
    const isHeld = this.#sent.some((piece) => piece.part === part)
    if (isHeld) this.#clear(now)
    return isHeld
  }

  /** All that may be sent by now. */
  take(now: number): ReadonlyArray<Order> {
    const orders: Array<Order> = []
    for (let part = this.#next(); part !== undefined; part = this.#next()) {
      const size = Math.min(this.#stepBytes, this.#wholeBytes(part))
      if (size > 0) {
        if (this.#endsAt - now > this.options.leadMs) break
        const bytes = part.waiting.take(size)
        this.#play(part, bytes, now)
        orders.push({ _tag: "Play", bytes })
      }
      const mark = this.#mark(part, now)
      if (mark !== undefined) orders.push(mark)
    }
    return orders
  }

  /** When `take` or `overdue` has more; absent while there is nothing to wait for. */
  nextAt(): number | undefined {
    const sendAt = this.#next() === undefined ? Number.POSITIVE_INFINITY : this.#endsAt - this.options.leadMs
    const first = this.#sent[0]
    const at = Math.min(sendAt, first === undefined ? Number.POSITIVE_INFINITY : first.dueAt + lostAfterMs)
    return Number.isFinite(at) ? Math.ceil(at) : undefined
  }

  /** A mark has come back. Empty if it says nothing, because what came before it was cleared. */
  marked(name: string): ReadonlyArray<Report> {
    return this.#played(this.#sent.findIndex((piece) => piece.mark === name) + 1)
  }

  /** What must have been played by now, although its marks have not come back. */
  overdue(now: number): ReadonlyArray<Report> {
    return this.#played(this.#sent.findLastIndex(({ dueAt }) => dueAt + lostAfterMs <= now) + 1)
  }

  /** Whether the caller has heard everything so far. */
  isIdle(): boolean {
    return this.#sent.length === 0 && this.#next() === undefined
  }

  #find(itemId: string, contentIndex: number): Part | undefined {
    return this.#parts.findLast((part) => part.itemId === itemId && part.contentIndex === contentIndex)
  }

  #begin(itemId: string, contentIndex: number): Part {
    const part: Part = {
      itemId,
      contentIndex,
      converter: fromSession(this.options.format),
      waiting: new ByteQueue(),
      sentBytes: 0,
      markedBytes: 0,
      state: "Open"
    }
    this.#parts.push(part)
    if (this.#parts.length > limits.maxParts) {
      const over = this.#parts.findIndex(({ state }) => state === "Dropped" || state === "Ended")
      this.#parts.splice(Math.max(0, over), 1)
    }
    return part
  }

  #append(part: Part, bytes: Uint8Array): void {
    const waitingBytes = this.#parts.reduce((sum, { waiting }) => sum + waiting.length, 0)
    if (waitingBytes + bytes.length > this.#maxBytes) part.state = "Cut"
    else part.waiting.push(bytes)
  }

  /** How much can be sent now: vendors play broken frames as crackle. */
  #wholeBytes({ waiting }: Part): number {
    return waiting.length - (waiting.length % this.#frameBytes)
  }

  /** The first part with something to send: whole frames, or the mark at its end. */
  #next(): Part | undefined {
    return this.#parts.find((part) => this.#wholeBytes(part) > 0 || part.state === "Complete")
  }

  #play(part: Part, bytes: Uint8Array, now: number): void {
    part.sentBytes += bytes.length
    this.#endsAt = Math.max(this.#endsAt, now) + msIn(this.options.format, bytes.length)
    this.#sent.push({
      ...{ part, bytes, endBytes: part.sentBytes, dueAt: this.#endsAt, mark: undefined, isLast: false }
    })
  }

  /** Marks what was sent of a part: at its end, and before that now and then. */
  #mark(part: Part, now: number): Order | undefined {
    const isLast = part.state === "Complete" && part.waiting.length === 0
    if (!isLast && part.sentBytes - part.markedBytes < this.#stepBytes) return undefined
    this.#marks += 1
    const mark = `${this.#generation}.${this.#marks}`
    const last = this.#sent.at(-1)
    if (last !== undefined && last.part === part && last.mark === undefined) {
      last.mark = mark
      last.isLast = isLast
    } else {
      const dueAt = Math.max(this.#endsAt, now)
      this.#sent.push({ part, bytes: nothing, endBytes: part.sentBytes, dueAt, mark, isLast })
    }
    part.markedBytes = part.sentBytes
    if (isLast) part.state = "Ended"
    return { _tag: "Mark", name: mark }
  }

  /** The vendor drops what it holds: that of other parts is sent again. */
  #clear(now: number): void {
    const held = this.#sent
    this.#sent = []
    this.#generation += 1
    this.#endsAt = now
    for (const { bytes, isLast, part } of held.toReversed()) {
      if (part.state === "Dropped") continue
      part.waiting.unshift(bytes)
      part.sentBytes -= bytes.length
      part.markedBytes = Math.min(part.markedBytes, part.sentBytes)
      if (isLast) part.state = "Complete"
    }
  }

  #played(count: number): ReadonlyArray<Report> {
    const reports = new Map<Part, Report>()
    for (const { endBytes, isLast, part } of this.#sent.splice(0, count)) {
      const { contentIndex, itemId } = part
      reports.set(part, { itemId, contentIndex, heardMs: isLast ? "finished" : msIn(this.options.format, endBytes) })
    }
    return Array.from(reports.values())
  }
}

const nothing = new Uint8Array()
