/** A stretch of a sentence, in characters. */
export interface Span {
  readonly start: number
  readonly end: number
}

export const overlap = (one: Span, other: Span): boolean => one.start < other.end && other.start < one.end

export interface Match extends Span {
  readonly text: string
}

/**
 * What a pattern finds. If the pattern has groups, the first group that matched. Its flags must include `g` and `d`.
 */
export const matches = (sentence: string, pattern: RegExp): ReadonlyArray<Match> =>
  Array.from(sentence.matchAll(pattern), (match) => {
    const [start, end] = match.indices?.slice(1).find((group) => group !== undefined) ?? [
      match.index,
      match.index + match[0].length
    ]
    return { text: sentence.slice(start, end), start, end }
  })
