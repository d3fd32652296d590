/** The meaning of a sentence with a correction: "to Bob, no, to Ann" is "to Ann". */
import type { MomentsIn } from "./Arguments.js"
import { type Mention, mentionsIn } from "./Mentions.js"
import { matches } from "./Span.js"

const MARK =
  /\s*(?:[,.;—–-]+\s*|\s)(?:no|no wait|wait|sorry|i mean|i meant|actually|rather|make that|scratch that|correction)\b(?:[,.]?\s*(?:no|sorry|i mean|i meant|make (?:it|that)|rather))*[,.]?\s+/dgi
const MAX_CORRECTIONS = 5

export const corrected = (sentence: string, momentsIn: MomentsIn): string => {
  let text = sentence
  for (let count = 0; count < MAX_CORRECTIONS; count += 1) {
    const next = correctedOnce(text, momentsIn)
    if (next === text) return text
    text = next
  }
  return text
}

const correctedOnce = (text: string, momentsIn: MomentsIn): string => {
  const mentions = mentionsIn(text, momentsIn(text))
  for (const mark of matches(text, MARK)) {
    // The first mention after the correction, directly or after a preposition, replaces the last one of its kind.
    const said = mentions
      .filter(({ start }) => start >= mark.end && /^(?:\w+\s+)?$/.test(text.slice(mark.end, start)))
      .sort((one, other) => other.end - one.end || one.start - other.start)
    for (const mention of said) {
      const wrong = mentions.findLast((other) => other.end <= mark.start && isSame(mention, other))
      if (wrong === undefined) continue
      return `${text.slice(0, wrong.start)}${mention.text}${text.slice(wrong.end, mark.start)}${text.slice(mention.end)}`
    }
  }
  return text
}

const isSame = (one: Mention, other: Mention): boolean =>
  one._tag === other._tag &&
  (one._tag !== "Moment" || other._tag !== "Moment" || (one.day === undefined) === (other.day === undefined))
