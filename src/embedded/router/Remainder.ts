/** The words that are left when all mentions in a sentence are assigned: "she needs a cleaning". */
import { type Match, matches, overlap, type Span } from "./Span.js"
import { isLeadIn, isStopWord, split, stem } from "./words.js"

/** A phrase that a property could take. */
export interface Phrase extends Span {
  readonly text: string
  /** Whether it is something that somebody said, as opposed to a thing: "my tooth hurts". */
  readonly isClause: boolean
  /** The preposition before it, such as `in`; none for the beginning of a request. */
  readonly preposition: string | undefined
}

const CLAUSE =
  /^(?:i|i'm|i've|i'll|it|it's|he|he's|she|she's|we|we're|they|they're|there|there's|that's|my|his|her|our|their|the|this)\b/i
const HAS_VERB =
  /\b(?:is|isn't|are|was|were|am|has|had|have|hurts?|does|doesn't|don't|didn't|won't|can't|\w+(?:'s|'m|'re|'ve|'ll)|\w{3,}(?:ed|s))\b/i
const POLITE = /[\s,]*\b(?:please|thanks|thank you)[\s.!]*$/i
const CUE_OF_CLAUSE = /^(?:because(?: of)?|since|as|that|and|but|so|due to|saying|says|about)\s+/i
/** Clauses that begin like this are about the person that it is for: the object is what they need. */
const NEED =
  /^(?:she|he|it|they|i|we|who)(?:\s+(?:just|only))?\s+(?:needs?|wants?|would like|has|have)\s+(?:to have\s+)?/i
const PREPOSITION = /^(?:in|at|for|to|from|of|near|by|on|into|under)$/
const ARTICLE = /^(?:an?|the|some)\s+/i

/** The phrases between assigned words and punctuation, in order, without words that mean nothing. */
export const phrasesIn = (
  sentence: string,
  taken: ReadonlyArray<Span>,
  toolWords: ReadonlySet<string>,
  nameWords: ReadonlySet<string>
): ReadonlyArray<Phrase> => {
  const runs: Array<Match> = []
  let run: Match | undefined
  for (const word of matches(sentence, /[\p{L}\p{N}][\p{L}\p{N}'’-]*/dgu)) {
    if (taken.some((span) => overlap(span, word))) {
      run = undefined
      continue
    }
    const between = run === undefined ? "" : sentence.slice(run.end, word.start)
    const goesOn =
      run !== undefined &&
      !/[.,;:!?"“”()]/.test(between) &&
      !taken.some((span) => overlap(span, { start: run?.end ?? 0, end: word.start }))
    if (run !== undefined && goesOn) runs.pop()
    run = goesOn && run !== undefined ? { ...run, end: word.end } : word
    run = { ...run, text: sentence.slice(run.start, run.end) }
    runs.push(run)
  }
  return runs.flatMap((one, index) => {
    const phrase = phraseOf(one, index === 0 && /^\W*$/.test(sentence.slice(0, one.start)), toolWords, nameWords)
    return phrase === undefined ? [] : [phrase]
  })
}

const phraseOf = (
  run: Match,
  isFirst: boolean,
  toolWords: ReadonlySet<string>,
  nameWords: ReadonlySet<string>
): Phrase | undefined => {
  const cued = run.text.replace(POLITE, "").replace(CUE_OF_CLAUSE, "")
  const needed = isFirst ? cued : cued.replace(NEED, "")
  const says = (word: string) => !isStopWord(word) && !nameWords.has(stem(word)) && !toolWords.has(stem(word))
  if (!isFirst && needed === cued && CLAUSE.test(cued) && HAS_VERB.test(cued)) {
    if (!split(cued).some(says)) return undefined
    return { text: cued, start: run.start, end: run.end, isClause: true, preposition: undefined }
  }
  const words = matches(needed, /\S+/dg)
  let from = 0
  let to = words.length
  const at = (index: number) => words[index]?.text ?? ""
  const isEmpty = (word: string) => isStopWord(word) || toolWords.has(stem(word))
  // A request begins with words that ask; later, "take" may be part of what is asked for.
  while (from < to && (isEmpty(at(from)) || (isFirst && isLeadIn(at(from))))) from += 1
  while (to > from && isEmpty(at(to - 1))) to -= 1
  const first = words[from]
  const last = words[to - 1]
  if (first === undefined || last === undefined) return undefined
  const text = needed.slice(first.start, last.end).replace(ARTICLE, "")
  const before = words.slice(0, from).map((word) => word.text.toLowerCase())
  const preposition = before.findLast((word) => PREPOSITION.test(word))

  return { text, start: run.start, end: run.end, isClause: false, preposition }
}
