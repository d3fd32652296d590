/**
 * Splits a sentence into clauses, so that the first one plays while the next one is synthesized.
 */
import { wordBreak } from "../embedded/wordBreak.js"

/** A shorter clause, in characters, is spoken together with the next one. This is about a second and a half. */
const SHORTEST = 20
/** A longer clause, in characters, is split between two words. This is about nine seconds. */
const LONGEST = 140

const BREAK = /[,;:\u2013\u2014][\s]+|\s-\s+/g

const cutLong = (clause: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let rest = clause
  while (rest.length > LONGEST) {
    const length = wordBreak(rest, LONGEST)
    parts.push(rest.slice(0, length))
    rest = rest.slice(length)
  }
  return [...parts, rest]
}

/** The clauses of a sentence, in order. Joined, they give the sentence again. */
export const clausesOf = (sentence: string): ReadonlyArray<string> => {
  const clauses: Array<string> = []
  let start = 0
  for (const { 0: mark, index } of sentence.matchAll(BREAK)) {
    const end = index + mark.length
    if (end - start < SHORTEST || sentence.length - end < SHORTEST) continue
    clauses.push(sentence.slice(start, end))
    start = end
  }
  return [...clauses, sentence.slice(start)].flatMap(cutLong).filter((clause) => clause !== "")
}
