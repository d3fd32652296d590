/**
 * Numbers in a sentence, in digits or in English words.
 */

const UNITS = (
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen " +
  "eighteen nineteen"
).split(" ")

const TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ")

const SPECIAL: { readonly [word: string]: number } = { dozen: 12, couple: 2, half: 0.5 }

const MULTIPLIERS: { readonly [word: string]: number } = { hundred: 100, thousand: 1_000, million: 1_000_000 }

/** Whether a number continues after this word: `two hundred and ten`, `one and a half`. */
const joins = (word: string, rest: string, soFar: number): boolean =>
  word === "and" ? /^and\s+an?\s+half\b/i.test(rest) || soFar >= 100 : word === "a" && /^a\s+half\b/i.test(rest)

export interface Found {
  readonly value: number
  /** Its position in the sentence, in characters. */
  readonly start: number
  readonly end: number
}

const valueOf = (word: string): number | undefined => {
  const unit = UNITS.indexOf(word)
  if (unit >= 0) return unit
  const ten = TENS.indexOf(word)
  if (ten >= 0) return (ten + 2) * 10
  return Object.hasOwn(SPECIAL, word) ? SPECIAL[word] : undefined
}

const digits = (word: string): number | undefined =>
  /^-?\d+(\.\d+)?$/.test(word)
    ? Number(word)
    : /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(word)
      ? Number(word.replace(/,/g, ""))
      : undefined

/** All numbers in a sentence, in order: `twenty-five`, `two hundred and ten`, `one and a half`, `3.5`, `1,200`. */
export const numbersIn = (sentence: string): ReadonlyArray<Found> => {
  const found: Array<Found> = []
  let total: number | undefined
  let group = 0
  let start = 0
  let end = 0

  const flush = () => {
    if (total !== undefined) found.push({ value: total + group, start, end })
    total = undefined
    group = 0
  }

  for (const match of sentence.matchAll(/-?\d[\d,]*(?:\.\d+)?|[A-Za-z]+/g)) {
    const word = match[0].toLowerCase().replace(/,$/, "")
    const at = match.index
    // Between two words of one number there is a space, a hyphen, or "and".
    if (total !== undefined && !/^[\s-]*$/.test(sentence.slice(end, at))) flush()
    const plain = digits(word)
    const multiplier = Object.hasOwn(MULTIPLIERS, word) ? MULTIPLIERS[word] : undefined
    const small = valueOf(word)
    if (plain !== undefined) {
      flush()
      ;[total, group, start] = [0, plain, at]
      end = at + match[0].replace(/,$/, "").length
    } else if (multiplier !== undefined) {
      if (total === undefined) [total, group, start] = [0, 1, at]
      if (multiplier === 100) group *= 100
      else [total, group] = [(total + group) * multiplier, 0]
      end = at + word.length
    } else if (small !== undefined) {
      const continues =
        total !== undefined &&
        small < 100 &&
        (word === "half" || group % 100 === 0 || (group % 10 === 0 && group % 100 >= 20 && small < 10))
      if (!continues) {
        flush()
        ;[total, group, start] = [0, 0, at]
      }
      group += small
      end = at + word.length
    } else if (total !== undefined && joins(word, sentence.slice(at), total + group)) {
      end = at + word.length
    } else {
      flush()
    }
  }
  flush()
  return found
}
