/**
 * The user's audio on one connection, as it was sent: which of it the server made which item of, and which of it nobody
 * made anything of yet. The server's voice detection names places in it by their time; a commit ends it where it stands.
 */
import type { AudioFormat } from "../protocol/SessionConfig.js"
import { forgetOldest } from "./forgetOldest.js"

/** A piece of audio that one event carries. */
export interface Piece {
  /** Base64: the text that was sent, so that nothing is copied. */
  readonly audio: string
  readonly bytes: number
  readonly ms: number
  readonly format: AudioFormat
}

/** Some of a piece, in bytes. */
export interface Slice {
  readonly piece: Piece
  readonly from: number
  readonly to: number
}

/** What the server made an item of. `Gone`: not all of it is there any more. */
export type Turn =
  | { readonly _tag: "Heard"; readonly slices: ReadonlyArray<Slice> }
  | { readonly _tag: "Gone"; readonly seconds: number }

/**
 * How far voice detection may be behind, with the network and the padding that it puts before what it hears: of the
 * audio, and of the time since it was sent, for a file is sent faster than it was said. Milliseconds.
 */
const lookBackMs = 5000

/** Speech that began or ended, and commits, that are remembered until the server makes an item of them. */
const maxAwaited = 64

interface Placed {
  readonly piece: Piece
  readonly at: number
  readonly sentAt: number
}

interface Mark {
  readonly what: "Commit" | "Clear"
  readonly at: number
  readonly eventId: string | undefined
}

interface Speech {
  readonly startMs: number
  readonly endMs: number | undefined
}

export class InputStream {
  #pieces: Array<Placed> = []
  #bytes = 0
  #clockMs = 0
  /** All before was made an item of. */
  #answeredMs = 0
  /** What was sent before, and is not among the pieces, was dropped for want of room. */
  #goneUntilMs = 0
  #marks: Array<Mark> = []
  readonly #speech = new Map<string, Speech>()

  /** @param maxBytes how much is remembered; of a turn that alone is longer, nothing. 0: times only. */
  constructor(private readonly maxBytes: number) {}

  /**
   * @param now milliseconds of any clock
   * @param detectsTurns the server finds the turns: what is long past, and no speech, is in none, and of a turn that the
   *   client commits none the less, the last five seconds are kept
   */
  sent(piece: Piece, now: number, detectsTurns: boolean): void {
    const at = this.#clockMs
    this.#clockMs += piece.ms
    if (this.maxBytes === 0) return
    // Who changes the format within a turn has no turn in one format.
    if (this.#pieces.length > 0 && this.#pieces[0]?.piece.format.type !== piece.format.type) this.#dropAll()
    this.#pieces.push({ piece, at, sentAt: now })
    this.#bytes += piece.bytes
    if (detectsTurns) this.#dropBefore(this.#neededFrom(), now - lookBackMs)
    if (this.#bytes > this.maxBytes) this.#dropAll()
  }

  /** It was not sent after all. */
  takeBack(piece: Piece): void {
    const index = this.#pieces.findLastIndex((placed) => placed.piece === piece)
    if (index >= 0) {
      this.#pieces.splice(index, 1)
      this.#bytes -= piece.bytes
    }
    this.#clockMs = Math.max(this.#answeredMs, this.#clockMs - piece.ms)
  }

  /** A commit or a clear was sent behind what was sent so far. */
  marked(what: "Commit" | "Clear", eventId: string | undefined): void {
    this.#marks.push({ what, at: this.#clockMs, eventId })
    if (this.#marks.length > maxAwaited) this.#marks.shift()
  }

  /** The server refused this event of ours. */
  refused(eventId: string): void {
    this.#marks = this.#marks.filter((mark) => mark.eventId !== eventId)
  }

  /** Voice detection heard the beginning, or the end, of what will be this item. In milliseconds of all that was sent. */
  speechBegan(itemId: string, startMs: number): void {
    this.#speech.set(itemId, { startMs, endMs: undefined })
    forgetOldest(this.#speech, maxAwaited)
  }

  speechEnded(itemId: string, endMs: number): void {
    const began = this.#speech.get(itemId)
    if (began !== undefined) this.#speech.set(itemId, { ...began, endMs })
  }

  /** The server made this item: gives what it made it of. */
  committed(itemId: string): Turn {
    const heard = this.#speech.get(itemId)
    this.#speech.delete(itemId)
    const { endMs, startMs } =
      heard?.endMs === undefined ? { ...this.#takeMarked(), ...definedStart(heard) } : { ...heard, endMs: heard.endMs }
    const isGone = startMs < this.#goneUntilMs && endMs > startMs
    const slices = isGone ? [] : this.#slicesOf(startMs, endMs)
    this.#answeredMs = Math.max(this.#answeredMs, Math.min(endMs, this.#clockMs))
    this.#dropBefore(this.#speech.size === 0 ? this.#answeredMs : Math.min(this.#answeredMs, this.#neededFrom()))
    return isGone ? { _tag: "Gone", seconds: (endMs - startMs) / 1000 } : { _tag: "Heard", slices }
  }

  /** What was sent, and no commit or clear behind it. Milliseconds. */
  uncommittedMs(): number {
    return this.#clockMs - Math.max(this.#answeredMs, this.#marks.at(-1)?.at ?? 0)
  }

  /** That, and what a commit was sent behind that the server has not answered. */
  unansweredMs(): number {
    let from = this.#answeredMs
    let unanswered = 0
    for (const { at, what } of this.#marks) {
      if (what === "Commit") unanswered += Math.max(0, at - from)
      from = Math.max(from, at)
    }
    return unanswered + this.#clockMs - from
  }

  /** Another connection begins with nothing. */
  reset(): void {
    this.#pieces = []
    this.#bytes = 0
    this.#clockMs = 0
    this.#answeredMs = 0
    this.#goneUntilMs = 0
    this.#marks = []
    this.#speech.clear()
  }

  #dropBefore(ms: number, sentBefore = Number.POSITIVE_INFINITY): void {
    let count = 0
    for (const { at, piece, sentAt } of this.#pieces) {
      if (at + piece.ms > ms || sentAt > sentBefore) break
      this.#bytes -= piece.bytes
      count += 1
    }
    if (count > 0) this.#pieces.splice(0, count)
  }

  #dropAll(): void {
    this.#pieces = []
    this.#bytes = 0
    this.#goneUntilMs = this.#clockMs
  }

  /** Where what may still become an item begins. */
  #neededFrom(): number {
    let from = this.#clockMs - lookBackMs
    for (const { startMs } of this.#speech.values()) from = Math.min(from, startMs)
    return from
  }

  #slicesOf(startMs: number, endMs: number): ReadonlyArray<Slice> {
    return this.#pieces.flatMap(({ at, piece }) => {
      const from = placeIn(piece, startMs - at)
      const to = placeIn(piece, endMs - at)
      return from < to ? { piece, from, to } : []
    })
  }

  /** What the oldest commit ends, or all that there is where nobody committed. */
  #takeMarked(): Speech & { readonly endMs: number } {
    const index = this.#marks.findIndex(({ what }) => what === "Commit")
    const before = index < 0 ? [] : this.#marks.splice(0, index + 1)
    const clear = before.findLast(({ what }) => what === "Clear")
    return { startMs: Math.max(this.#answeredMs, clear?.at ?? 0), endMs: before.at(-1)?.at ?? this.#clockMs }
  }
}

const definedStart = (heard: Speech | undefined): { readonly startMs?: number } =>
  heard === undefined ? {} : { startMs: heard.startMs }

/** How many bytes of a piece come before this time: whole samples. */
const placeIn = ({ bytes, format, ms }: Piece, atMs: number): number => {
  const sample = format.type === "audio/pcm" ? 2 : 1
  const place = Math.round((atMs * bytes) / ms / sample) * sample
  return Math.min(bytes, Math.max(0, place))
}
