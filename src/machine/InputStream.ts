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

export interface InputStream {
  /**
   * @param now milliseconds of any clock
   * @param detectsTurns the server finds the turns: what is long past, and no speech, is in none, and of a turn that the
   *   client commits none the less, the last five seconds are kept
   */
  readonly sent: (piece: Piece, now: number, detectsTurns: boolean) => void
  /** It was not sent after all. */
  readonly takeBack: (piece: Piece) => void
  /** A commit or a clear was sent behind what was sent so far. */
  readonly marked: (what: "Commit" | "Clear", eventId: string | undefined) => void
  /** The server refused this event of ours. */
  readonly refused: (eventId: string) => void
  /** Voice detection heard the beginning, or the end, of what will be this item. In milliseconds of all that was sent. */
  readonly speechBegan: (itemId: string, startMs: number) => void
  readonly speechEnded: (itemId: string, endMs: number) => void
  /** The server made this item: gives what it made it of. */
  readonly committed: (itemId: string) => Turn
  /** What was sent, and no commit or clear behind it. Milliseconds. */
  readonly uncommittedMs: () => number
  /** That, and what a commit was sent behind that the server has not answered. */
  readonly unansweredMs: () => number
  /** Another connection begins with nothing. */
  readonly reset: () => void
}

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

/** @param maxBytes how much is remembered; of a turn that alone is longer, nothing. 0: times only. */
export const make = (maxBytes: number): InputStream => {
  let pieces: Array<Placed> = []
  let bytes = 0
  let clockMs = 0
  /** All before was made an item of. */
  let answeredMs = 0
  /** What was sent before, and is not among the pieces, was dropped for want of room. */
  let goneUntilMs = 0
  let marks: Array<Mark> = []
  const speech = new Map<string, Speech>()

  const dropBefore = (ms: number, sentBefore = Number.POSITIVE_INFINITY): void => {
    let count = 0
    for (const { at, piece, sentAt } of pieces) {
      if (at + piece.ms > ms || sentAt > sentBefore) break
      bytes -= piece.bytes
      count += 1
    }
    if (count > 0) pieces.splice(0, count)
  }

  const dropAll = (): void => {
    pieces = []
    bytes = 0
    goneUntilMs = clockMs
  }

  /** Where what may still become an item begins. */
  const neededFrom = (): number => {
    let from = clockMs - lookBackMs
    for (const { startMs } of speech.values()) from = Math.min(from, startMs)
    return from
  }

  const slicesOf = (startMs: number, endMs: number): ReadonlyArray<Slice> =>
    pieces.flatMap(({ at, piece }) => {
      const from = placeIn(piece, startMs - at)
      const to = placeIn(piece, endMs - at)
      return from < to ? { piece, from, to } : []
    })

  /** What the oldest commit ends, or all that there is where nobody committed. */
  const takeMarked = (): Speech & { readonly endMs: number } => {
    const index = marks.findIndex(({ what }) => what === "Commit")
    const before = index < 0 ? [] : marks.splice(0, index + 1)
    const clear = before.findLast(({ what }) => what === "Clear")
    return { startMs: Math.max(answeredMs, clear?.at ?? 0), endMs: before.at(-1)?.at ?? clockMs }
  }

  return {
    sent: (piece, now, detectsTurns) => {
      const at = clockMs
      clockMs += piece.ms
      if (maxBytes === 0) return
      // Who changes the format within a turn has no turn in one format.
      if (pieces.length > 0 && pieces[0]?.piece.format.type !== piece.format.type) dropAll()
      pieces.push({ piece, at, sentAt: now })
      bytes += piece.bytes
      if (detectsTurns) dropBefore(neededFrom(), now - lookBackMs)
      if (bytes > maxBytes) dropAll()
    },
    takeBack: (piece) => {
      const index = pieces.findLastIndex((placed) => placed.piece === piece)
      if (index >= 0) {
        pieces.splice(index, 1)
        bytes -= piece.bytes
      }
      clockMs = Math.max(answeredMs, clockMs - piece.ms)
    },
    marked: (what, eventId) => {
      marks.push({ what, at: clockMs, eventId })
      if (marks.length > maxAwaited) marks.shift()
    },
    refused: (eventId) => {
      marks = marks.filter((mark) => mark.eventId !== eventId)
    },
    speechBegan: (itemId, startMs) => {
      speech.set(itemId, { startMs, endMs: undefined })
      forgetOldest(speech, maxAwaited)
    },
    speechEnded: (itemId, endMs) => {
      const began = speech.get(itemId)
      if (began !== undefined) speech.set(itemId, { ...began, endMs })
    },
    committed: (itemId) => {
      const heard = speech.get(itemId)
      speech.delete(itemId)
      const { endMs, startMs } =
        heard?.endMs === undefined ? { ...takeMarked(), ...definedStart(heard) } : { ...heard, endMs: heard.endMs }
      const isGone = startMs < goneUntilMs && endMs > startMs
      const slices = isGone ? [] : slicesOf(startMs, endMs)
      answeredMs = Math.max(answeredMs, Math.min(endMs, clockMs))
      dropBefore(speech.size === 0 ? answeredMs : Math.min(answeredMs, neededFrom()))
      return isGone ? { _tag: "Gone", seconds: (endMs - startMs) / 1000 } : { _tag: "Heard", slices }
    },
    uncommittedMs: () => clockMs - Math.max(answeredMs, marks.at(-1)?.at ?? 0),
    unansweredMs: () => {
      let from = answeredMs
      let unanswered = 0
      for (const { at, what } of marks) {
        if (what === "Commit") unanswered += Math.max(0, at - from)
        from = Math.max(from, at)
      }
      return unanswered + clockMs - from
    },
    reset: () => {
      pieces = []
      bytes = 0
      clockMs = 0
      answeredMs = 0
      goneUntilMs = 0
      marks = []
      speech.clear()
    }
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
