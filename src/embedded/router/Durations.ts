/**
 * Lengths of time in a sentence: `ten minutes`, `an hour and a half`, `1 hour 30 minutes`, `2h30m`.
 */
import { numbersIn } from "./NumberWords.js"
import { type Match, matches } from "./Span.js"
import { split, stem } from "./words.js"

export interface Duration extends Match {
  readonly seconds: number
}

/** Seconds of each unit of time, by the stem of its name. */
const SECONDS: { readonly [unit: string]: number } = {
  millisecond: 0.001,
  ms: 0.001,
  second: 1,
  sec: 1,
  s: 1,
  minut: 60,
  min: 60,
  m: 60,
  hour: 3_600,
  hr: 3_600,
  h: 3_600,
  day: 86_400,
  night: 86_400,
  week: 604_800
}

export const secondsOf = (word: string): number | undefined => {
  const unit = stem(word)
  return Object.hasOwn(SECONDS, unit) ? SECONDS[unit] : undefined
}

/** The unit of a property: from a name such as `duration_seconds`, or a description such as "in minutes". */
export const unitOf = (name: string, description: string): number | undefined => {
  const words = split(name)
  // Single letters are only units after a number.
  const named = words.filter((word) => word.length > 1).flatMap((word) => secondsOf(word) ?? [])
  const [unit] = named
  if (unit !== undefined) return unit
  if (!/duration|length|period|interval|delay|time/i.test(name) && !/\bin (?:whole )?\w+s\b/i.test(description))
    return undefined
  return split(description).flatMap((word) => (word.length > 2 ? (secondsOf(word) ?? []) : []))[0]
}

const UNIT = /^\s*(?:an?\s+)?(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|nights?|weeks?)\b/i

export const durationsIn = (sentence: string): ReadonlyArray<Duration> => {
  const pieces: Array<Duration> = []
  const push = (start: number, end: number, seconds: number) =>
    pieces.push({ text: sentence.slice(start, end), start, end, seconds })
  for (const { end, start, value } of numbersIn(sentence)) {
    const match = UNIT.exec(sentence.slice(end))
    const unit = match === null ? undefined : secondsOf(match[1] ?? "")
    // "5 m" may be metres, but "5m" is minutes.
    if (match === null || unit === undefined || /^\s+[smh]$/i.test(match[0])) continue
    push(start, end + match[0].length, value * unit)
  }
  for (const { end, start, text } of matches(sentence, /\b(?:an?|one)\s+(?:second|minute|hour|day|week)\b/dgi)) {
    if (pieces.every((piece) => end <= piece.start || start >= piece.end))
      push(start, end, secondsOf(split(text).at(-1) ?? "") ?? 0)
  }
  pieces.sort((one, other) => one.start - other.start)
  return join(
    sentence,
    pieces.flatMap((piece) => withFraction(sentence, piece))
  )
}

/** "an hour and a half" */
const withFraction = (sentence: string, piece: Duration): ReadonlyArray<Duration> => {
  const match = /^\s+and\s+(?:a\s+)?(half|quarter)\b(?!\s+(?:past|to))/i.exec(sentence.slice(piece.end))
  if (match === null) return [piece]
  const unit = secondsOf(split(piece.text).at(-1) ?? "") ?? 0
  const end = piece.end + match[0].length
  const seconds = piece.seconds + unit * (/half/i.test(match[1] ?? "") ? 0.5 : 0.25)
  return [{ text: sentence.slice(piece.start, end), start: piece.start, end, seconds }]
}

/** "1 hour and 30 minutes" is one duration. */
const join = (sentence: string, pieces: ReadonlyArray<Duration>): ReadonlyArray<Duration> => {
  const joined: Array<Duration> = []
  for (const piece of pieces) {
    const last = joined.at(-1)
    const between = last === undefined ? "" : sentence.slice(last.end, piece.start)
    if (
      last === undefined ||
      piece.start < last.end ||
      !/^\s*(?:,|and)?\s*$/.test(between) ||
      piece.seconds >= last.seconds
    ) {
      if (last === undefined || piece.start >= last.end) joined.push(piece)
      continue
    }
    joined[joined.length - 1] = {
      text: sentence.slice(last.start, piece.end),
      start: last.start,
      end: piece.end,
      seconds: last.seconds + piece.seconds
    }
  }
  return joined
}
