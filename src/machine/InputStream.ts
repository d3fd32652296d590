/**
 * The user's audio on one connection, as it was sent: which items the server made from it, and what it has not used
 * yet. The server's voice detection gives positions in it as times; a commit ends a turn where it was sent.
 */

import { forgetOldest } from "../common/forgetOldest.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"

/** A piece of audio in one event. */
export interface Piece {
  /** The base64 text that was sent, so that nothing is copied. */
  readonly audio: string
  readonly bytes: number
  readonly ms: number
  readonly format: AudioFormat
}

/** A range of a piece, in bytes. */
export interface Slice {
  readonly piece: Piece
  readonly from: number
  readonly to: number
}

/** The audio that the server made an item from. `Gone`: not all of it is available any more. */
export type Turn =
  | { readonly _tag: "Heard"; readonly slices: ReadonlyArray<Slice> }
  | { readonly _tag: "Gone"; readonly seconds: number }

/**
 * How far voice detection may lag behind, including the network and the padding before speech: measured in audio, and
 * in the time since it was sent, because a file is sent faster than real time. Milliseconds.
 */
const lookBackMs = 5000

/** How many speech starts, speech ends and commits are remembered until the server makes an item from them. */
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
  /** Everything before was made into items. */
  #answeredMs = 0
  /** Audio before this position that is not among the pieces was dropped to save room. */
  #goneUntilMs = 0
  #marks: Array<Mark> = []
  readonly #speech = new Map<string, Speech>()

  /** @param maxBytes how much is remembered; a turn that is longer is not remembered at all. 0: times only. */
  constructor(private readonly maxBytes: number) {}

  /**
   * @param now milliseconds on any clock
   * @param detectsTurns whether the server detects turns: older audio without speech then belongs to no turn. If the
   * client commits a turn anyway, the last five seconds are kept
   */
  sent(piece: Piece, now: number, detectsTurns: boolean): void {
    const at = this.#clockMs
    this.#clockMs += piece.ms
    if (this.maxBytes === 0) return
    // If the format changes within a turn, the turn cannot be kept in one format.
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

  /** A commit or a clear was sent after the audio so far. */
  marked(what: "Commit" | "Clear", eventId: string | undefined): void {
    this.#marks.push({ what, at: this.#clockMs, eventId })
    if (this.#marks.length > maxAwaited) this.#marks.shift()
  }

  /** The server refused this event of the session. */
  refused(eventId: string): void {
    this.#marks = this.#marks.filter((mark) => mark.eventId !== eventId)
  }

  /**
   * Voice detection found the beginning or the end of speech that will become this item. In milliseconds of all audio
   * that was sent.
   */
  speechBegan(itemId: string, startMs: number): void {
    this.#speech.set(itemId, { startMs, endMs: undefined })
    forgetOldest(this.#speech, maxAwaited)
  }

  speechEnded(itemId: string, endMs: number): void {
    const began = this.#speech.get(itemId)
    if (began !== undefined) this.#speech.set(itemId, { ...began, endMs })
  }

  /** The server made this item. Returns the audio that it was made from. */
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

  /** How much was sent without a commit or clear after it. Milliseconds. */
  uncommittedMs(): number {
    return this.#clockMs - Math.max(this.#answeredMs, this.#marks.at(-1)?.at ?? 0)
  }

  /** The same, plus audio whose commit the server has not answered. */
  unansweredMs(): number {
    let from = this.#answeredMs
    let unanswered = 0
    for (const { at, what } of this.#marks) {
      if (what === "Commit") unanswered += Math.max(0, at - from)
      from = Math.max(from, at)
    }
    return unanswered + this.#clockMs - from
  }

  /** A new connection begins without audio. */
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

  /** The start of the audio that may still become an item. */
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

  /** What the oldest commit ends; without a commit, everything. */
  #takeMarked(): Speech & { readonly endMs: number } {
    const index = this.#marks.findIndex(({ what }) => what === "Commit")
    const before = index < 0 ? [] : this.#marks.splice(0, index + 1)
    const clear = before.findLast(({ what }) => what === "Clear")
    return { startMs: Math.max(this.#answeredMs, clear?.at ?? 0), endMs: before.at(-1)?.at ?? this.#clockMs }
  }
}

const definedStart = (heard: Speech | undefined): { readonly startMs?: number } =>
  heard === undefined ? {} : { startMs: heard.startMs }

/** How many bytes of a piece are before this time: whole samples. */
const placeIn = ({ bytes, format, ms }: Piece, atMs: number): number => {
  const sample = format.type === "audio/pcm" ? 2 : 1
  const place = Math.round((atMs * bytes) / ms / sample) * sample
  return Math.min(bytes, Math.max(0, place))
}
