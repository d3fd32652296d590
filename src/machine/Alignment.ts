/**
 * Estimates where words are in the audio of a part, so that what was heard can be given as text. No server gives these
 * positions. There are two bounds. Words arrive before their audio, so words that arrived after a certain amount of
 * audio were not heard before it. And speech has a pace: that of the whole part once it is complete, otherwise that of
 * earlier parts. The lower of the two bounds counts, so that words that were not heard are never reported as heard.
 */
import { forgetOldest } from "../common/forgetOldest.js"

/** The audio of a part, in milliseconds. */
export interface Extent {
  readonly heardMs: number
  readonly receivedMs: number
  /** Whether all of it has arrived. */
  readonly isComplete: boolean
}

/** A position in the text: the words after it arrived after this much audio. */
interface Mark {
  readonly length: number
  readonly ms: number
}

interface Words {
  readonly itemId: string
  readonly contentIndex: number
  length: number
  /** In order; no two at the same audio position. */
  marks: Array<Mark>
}

/**
 * How many parts are remembered, as in the playback, and how many marks per part. When there are more marks, every
 * other one is dropped.
 */
const maxParts = 64
const maxMarks = 128

/** Characters per second: English at 130 words per minute, which is slower than the API's voices speak. */
const defaultPace = 12

/** Lengths of texts are in UTF-16 code units, like those of strings. */
export class Alignment {
  readonly #parts = new Map<string, Words>()
  #saidLength = 0
  #saidMs = 0

  /** More words of a part arrived, after this much of its audio. */
  said(itemId: string, contentIndex: number, length: number, receivedMs: number): void {
    const words = this.#parts.get(keyOf(itemId, contentIndex)) ?? this.#begin(itemId, contentIndex)
    if ((words.marks.at(-1)?.ms ?? -1) < receivedMs) words.marks.push({ length: words.length, ms: receivedMs })
    if (words.marks.length > maxMarks) words.marks = words.marks.filter((_, index) => index % 2 === 0)
    words.length += length
  }

  /** How much of a part's text of this length was heard at most. */
  heard(itemId: string, contentIndex: number, length: number, extent: Extent): number {
    const { heardMs, isComplete, receivedMs } = extent
    if (heardMs <= 0 || length <= 0) return 0
    if (isComplete && heardMs >= receivedMs) return length
    const byPace = isComplete ? (length * heardMs) / receivedMs : this.#pace() * heardMs
    const marks = this.#parts.get(keyOf(itemId, contentIndex))?.marks ?? []
    return Math.min(length, Math.floor(Math.min(byPace, this.#byArrival(marks, length, extent))))
  }

  /** Forgets the parts that are over. Those that were heard to the end show how fast the model speaks. */
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

  /** Characters per millisecond. */
  #pace(): number {
    return this.#saidMs > 0 ? this.#saidLength / this.#saidMs : defaultPace / 1_000
  }

  /** By the audio after which the words arrived. Words that arrived after all of it are late, and give no position. */
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

/** The whole words within the first `length` code units of a text. */
export const wordsWithin = (text: string, length: number): string => {
  if (length >= text.length) return text
  if (length <= 0) return ""
  // Also works for languages without spaces between words. Made on first use, because it loads a dictionary.
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "word" })
  return text.slice(0, segmenter.segment(text).containing(length)?.index ?? 0).trimEnd()
}
