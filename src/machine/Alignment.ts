/**
 * Where the words of what is said stand in its audio, so that what was heard of it can be told in words. No server says
 * that. Two things bound it: words come ahead of their sound, so that those which came behind so much audio were not
 * heard before it; and speech has a pace, that of the whole part once it is complete, else that of the parts before it.
 * The lower bound of the two counts: what was not heard is never said to be.
 */
import { forgetOldest } from "./forgetOldest.js"

/** What there is of a part's audio, in milliseconds. */
export interface Extent {
  readonly heardMs: number
  readonly receivedMs: number
  /** Whether no more of it comes. */
  readonly isComplete: boolean
}

/** In front of the words that came behind so much audio. */
interface Mark {
  readonly length: number
  readonly ms: number
}

interface Words {
  readonly itemId: string
  readonly contentIndex: number
  length: number
  /** In their order; no two behind the same audio. */
  marks: Array<Mark>
}

/** Parts that are remembered, as many as by the playback, and marks in each: every other one gives way then. */
const maxParts = 64
const maxMarks = 128

/** Characters in a second: English at 130 words a minute, slower than the voices of the API speak. */
const defaultPace = 12

/** Lengths of texts are in UTF-16 code units, as those of strings are. */
export class Alignment {
  readonly #parts = new Map<string, Words>()
  #saidLength = 0
  #saidMs = 0

  /** More words of a part came, behind so much of its audio. */
  said(itemId: string, contentIndex: number, length: number, receivedMs: number): void {
    const words = this.#parts.get(keyOf(itemId, contentIndex)) ?? this.#begin(itemId, contentIndex)
    if ((words.marks.at(-1)?.ms ?? -1) < receivedMs) words.marks.push({ length: words.length, ms: receivedMs })
    if (words.marks.length > maxMarks) words.marks = words.marks.filter((_, index) => index % 2 === 0)
    words.length += length
  }

  /** How much of a part's text, which is so long, was heard at most. */
  heard(itemId: string, contentIndex: number, length: number, extent: Extent): number {
    const { heardMs, isComplete, receivedMs } = extent
    if (heardMs <= 0 || length <= 0) return 0
    if (isComplete && heardMs >= receivedMs) return length
    const byPace = isComplete ? (length * heardMs) / receivedMs : this.#pace() * heardMs
    const marks = this.#parts.get(keyOf(itemId, contentIndex))?.marks ?? []
    return Math.min(length, Math.floor(Math.min(byPace, this.#byArrival(marks, length, extent))))
  }

  /** Forgets the parts that are over: those that were heard to their end say how fast the model speaks. */
  forget(ofOver: (itemId: string, contentIndex: number) => Extent | undefined): void {
    for (const [key, { contentIndex, itemId, length }] of this.#parts) {
      const extent = ofOver(itemId, contentIndex)
      if (extent === undefined) continue
      this.#parts.delete(key)
      if (!extent.isComplete || length <= 0 || extent.receivedMs <= 0) continue
      this.#saidLength += length
      this.#saidMs += extent.receivedMs
    }
  }

  #begin(itemId: string, contentIndex: number): Words {
    const words: Words = { itemId, contentIndex, length: 0, marks: [] }
    this.#parts.set(keyOf(itemId, contentIndex), words)
    forgetOldest(this.#parts, maxParts)
    return words
  }

  /** In a millisecond. */
  #pace(): number {
    return this.#saidMs > 0 ? this.#saidLength / this.#saidMs : defaultPace / 1_000
  }

  /** By the audio that the words came behind. Words behind all of it lag, and say nothing of where they belong. */
  #byArrival(marks: ReadonlyArray<Mark>, length: number, extent: Extent): number {
    const { heardMs, isComplete, receivedMs } = extent
    const end = isComplete ? { length, ms: receivedMs } : undefined
    let before: Mark = { length: 0, ms: 0 }
    let after = end
    for (const mark of marks) {
      if (end !== undefined && mark.ms >= end.ms) break
      if (mark.ms > heardMs) {
        after = mark
        break
      }
      before = mark
    }
    if (after === undefined) return before.length + this.#pace() * (heardMs - before.ms)
    const share = after.ms > before.ms ? (heardMs - before.ms) / (after.ms - before.ms) : 0
    return before.length + share * (after.length - before.length)
  }
}

const keyOf = (itemId: string, contentIndex: number): string => `${itemId} ${contentIndex}`

let segmenter: Intl.Segmenter | undefined

/** The whole words among the first `length` code units of a text. */
export const wordsWithin = (text: string, length: number): string => {
  if (length >= text.length) return text
  if (length <= 0) return ""
  // Also for languages that put nothing between their words. Made when it is first needed: it loads a dictionary.
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "word" })
  return text.slice(0, segmenter.segment(text).containing(length)?.index ?? 0).trimEnd()
}
