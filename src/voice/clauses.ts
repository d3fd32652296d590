/**
 * Cuts a sentence into clauses, so that the first is heard while the next is made.
 */

/** What is shorter, in characters, is spoken together with what follows: about a second and a half. */
const SHORTEST = 20
/** What is longer is cut between two words: about nine seconds. */
const LONGEST = 140

const BREAK = /[,;:\u2013\u2014][\s]+|\s-\s+/g

const cutLong = (clause: string): ReadonlyArray<string> => {
  const parts: Array<string> = []
  let rest = clause
  while (rest.length > LONGEST) {
    const space = rest.slice(0, LONGEST).search(/\s\S*$/)
    const middleOfCharacter = /[\uD800-\uDBFF]/.test(rest.charAt(LONGEST - 1))
    const length = space > 0 ? space + 1 : middleOfCharacter ? LONGEST - 1 : LONGEST
    parts.push(rest.slice(0, length))
    rest = rest.slice(length)
  }
  return [...parts, rest]
}

/** The clauses of a sentence, in order; joined, they are the sentence. */
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
