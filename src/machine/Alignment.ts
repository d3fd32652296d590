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

/** Lengths of texts are in UTF-16 code units, as those of strings are. */
export interface Alignment {
  /** More words of a part came, behind so much of its audio. */
  readonly said: (itemId: string, contentIndex: number, length: number, receivedMs: number) => void
  /** How much of a part's text, which is so long, was heard at most. */
  readonly heard: (itemId: string, contentIndex: number, length: number, extent: Extent) => number
  /** Forgets the parts that are over: those that were heard to their end say how fast the model speaks. */
  readonly forget: (ofOver: (itemId: string, contentIndex: number) => Extent | undefined) => void
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

export const make = (): Alignment => {
  const parts = new Map<string, Words>()
  let saidLength = 0
  let saidMs = 0

  const begin = (itemId: string, contentIndex: number): Words => {
    const words: Words = { itemId, contentIndex, length: 0, marks: [] }
    parts.set(keyOf(itemId, contentIndex), words)
    forgetOldest(parts, maxParts)
    return words
  }

  /** In a millisecond. */
  const pace = (): number => (saidMs > 0 ? saidLength / saidMs : defaultPace / 1_000)

  /** By the audio that the words came behind. Words behind all of it lag, and say nothing of where they belong. */
  const byArrival = (marks: ReadonlyArray<Mark>, length: number, extent: Extent): number => {
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
    if (after === undefined) return before.length + pace() * (heardMs - before.ms)
    const share = after.ms > before.ms ? (heardMs - before.ms) / (after.ms - before.ms) : 0
    return before.length + share * (after.length - before.length)
  }

  return {
    said: (itemId, contentIndex, length, receivedMs) => {
      const words = parts.get(keyOf(itemId, contentIndex)) ?? begin(itemId, contentIndex)
      if ((words.marks.at(-1)?.ms ?? -1) < receivedMs) words.marks.push({ length: words.length, ms: receivedMs })
      if (words.marks.length > maxMarks) words.marks = words.marks.filter((_, index) => index % 2 === 0)
      words.length += length
    },
    heard: (itemId, contentIndex, length, extent) => {
      const { heardMs, isComplete, receivedMs } = extent
      if (heardMs <= 0 || length <= 0) return 0
      if (isComplete && heardMs >= receivedMs) return length
      const byPace = isComplete ? (length * heardMs) / receivedMs : pace() * heardMs
      const marks = parts.get(keyOf(itemId, contentIndex))?.marks ?? []
      return Math.min(length, Math.floor(Math.min(byPace, byArrival(marks, length, extent))))
    },
    forget: (ofOver) => {
      for (const [key, { contentIndex, itemId, length }] of parts) {
        const extent = ofOver(itemId, contentIndex)
        if (extent === undefined) continue
        parts.delete(key)
        if (!extent.isComplete || length <= 0 || extent.receivedMs <= 0) continue
        saidLength += length
        saidMs += extent.receivedMs
      }
    }
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
