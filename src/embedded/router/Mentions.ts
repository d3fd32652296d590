/** Finds what a sentence mentions in a recognizable form: amounts, dates, addresses, names. */
import { durationsIn } from "./Durations.js"
import type { Clock, Day, Moment } from "./Moments.js"
import { numbersIn } from "./NumberWords.js"
import { type Match, matches, overlap, type Span } from "./Span.js"
import { isLeadIn, isStopWord, split, stem } from "./words.js"

/** A part of another mention with the same words: the day or the time of "tomorrow at three". */
export type Facet = "day" | "clock"

export type Mention = Match &
  (
    | { readonly _tag: "Quote" }
    | { readonly _tag: "Email" }
    | { readonly _tag: "Url" }
    | { readonly _tag: "Path" }
    | { readonly _tag: "Phone" }
    | { readonly _tag: "Street" }
    | { readonly _tag: "Postcode" }
    /** A word with a digit: `A-1042`, `SPRING25`, `7781`. */
    | { readonly _tag: "Code" }
    /** Capitalised words: the first name and the rest. */
    | { readonly _tag: "Name"; readonly words: ReadonlyArray<Match> }
    | ({ readonly _tag: "Moment" } & Moment)
    | { readonly _tag: "Duration"; readonly seconds: number }
    /** The stems of the two words after the number, such as `people`. */
    | {
        readonly _tag: "Number"
        readonly value: number
        readonly after: ReadonlyArray<string>
        readonly isPercent: boolean
      }
    | { readonly _tag: "Currency"; readonly code: string; readonly besideNumber: boolean }
  )

export type { Clock, Day }

const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/dg
const URL = /https?:\/\/[^\s"<>]*[^\s"<>.,;!?)]/dg
const QUOTE = /"([^"]+)"|“([^”]+)”|(?<=^|\s)'([^']+)'(?=\s|$|[.,!?])/dg
const PATH = /(?<![\w@])(?:[\w~-][\w./~-]*\.[A-Za-z]\w{0,4}\b|(?:\/[\w.-]+)+)/dg
const PHONE = /(?<![\w.-])(?:\+|\(?\d)[\d\s()/-]{5,}\d(?![\w-])/dg
const STREET =
  /\b\d+[a-z]?(?:,)?\s+(?:\p{Lu}[\p{L}'’.-]*\s+)*(?:\p{Lu}[\p{L}'’.-]*)|\b(?:\p{Lu}[\p{L}'’.-]*\s+)+\d+[a-z]?\b/dgu
const POSTCODE =
  /\b[A-Z]{1,2}\d[A-Z\d]?\s?\d[A-Z]{2}\b|\b[A-Z]\d[A-Z]\s?\d[A-Z]\d\b|\b\d{5}(?:-\d{4})?\b|\b\d{4}\s?[A-Z]{2}\b/dg
const CODE = /(?<![\w.,$€£+-])#?((?=[\w-]*\d)[A-Za-z\d][\w-]*)(?![\w-]|[.,]\d)/dg
const CAPITALISED = "\\p{Lu}[\\p{L}\\p{N}'’-]*"
/** One or more capitalised words: `New York`, `São Paulo`, `Rio de Janeiro`. */
const NAME = new RegExp(`${CAPITALISED}(?:\\s+(?:(?:de|of|la|van|von|da|del)\\s+)?${CAPITALISED})*`, "dgu")

const CURRENCIES: { readonly [word: string]: string } = {
  $: "USD",
  dollar: "USD",
  buck: "USD",
  usd: "USD",
  "€": "EUR",
  euro: "EUR",
  eur: "EUR",
  "£": "GBP",
  pound: "GBP",
  gbp: "GBP",
  "¥": "JPY",
  yen: "JPY",
  jpy: "JPY",
  franc: "CHF",
  chf: "CHF",
  rupe: "INR",
  inr: "INR",
  yuan: "CNY",
  cny: "CNY"
}

const isDate = (text: string): boolean => /^\d{4}-\d{2}-\d{2}/.test(text)

export const mentionsIn = (sentence: string, moments: ReadonlyArray<Moment>): ReadonlyArray<Mention> => {
  const found: Array<Mention> = []
  const isApart = (span: Span, ...tags: ReadonlyArray<Mention["_tag"]>) =>
    !found.some((other) => tags.includes(other._tag) && overlap(span, other))

  const quotes = matches(sentence, QUOTE)
  const unquoted = (match: Span) => !quotes.some((quote) => overlap(match, quote))
  for (const match of quotes) found.push({ _tag: "Quote", ...match })
  for (const match of matches(sentence, EMAIL)) found.push({ _tag: "Email", ...match })
  for (const match of matches(sentence, URL)) found.push({ _tag: "Url", ...match })
  for (const match of matches(sentence, PATH)) {
    if (isApart(match, "Email", "Url")) found.push({ _tag: "Path", ...match })
  }
  for (const match of matches(sentence, PHONE)) {
    if (match.text.replace(/\D/g, "").length >= 6 && !isDate(match.text) && isApart(match, "Email", "Url")) {
      found.push({ _tag: "Phone", ...match })
    }
  }
  for (const moment of moments) {
    if (unquoted(moment) && isApart(moment, "Email", "Url", "Path", "Phone")) found.push({ _tag: "Moment", ...moment })
  }
  for (const match of matches(sentence, STREET)) {
    if (isApart(match, "Moment", "Phone")) found.push({ _tag: "Street", ...match })
  }
  for (const match of matches(sentence, POSTCODE)) {
    if (isApart(match, "Moment", "Phone")) found.push({ _tag: "Postcode", ...match })
  }
  for (const match of matches(sentence, CODE)) {
    if (isApart(match, "Moment", "Phone", "Email", "Url", "Path")) found.push({ _tag: "Code", ...match })
  }
  for (const duration of durationsIn(sentence)) {
    if (isApart(duration, "Moment")) found.push({ _tag: "Duration", ...duration })
  }
  const numbers = numbersIn(sentence)
  for (const number of numbers) {
    if (!isApart(number, "Moment", "Phone", "Email", "Url", "Path") || partOfWord(sentence, number)) continue
    const after = sentence.slice(number.end)
    found.push({
      _tag: "Number",
      ...number,
      text: sentence.slice(number.start, number.end),
      after: split(after.replace(/[.,;:!?].*$/s, "").replace(/^\s+an?\b/i, ""))
        .slice(0, 2)
        .map(stem),
      isPercent: /^\s*(?:%|percent\b|per cent\b)/i.test(after)
    })
  }
  for (const match of matches(sentence, /[$€£¥]|[A-Za-z]+/dg)) {
    const word = /^[A-Za-z]/.test(match.text) ? stem(match.text) : match.text
    const code = Object.hasOwn(CURRENCIES, word) ? CURRENCIES[word] : undefined
    if (code === undefined) continue
    const besideNumber = numbers.some(
      ({ end, start }) =>
        (/^\s*$/.test(sentence.slice(end, match.start)) && end <= match.start) ||
        (/^\s*$/.test(sentence.slice(match.end, start)) && match.end <= start)
    )
    found.push({ _tag: "Currency", ...match, code, besideNumber })
  }
  for (const name of namesIn(sentence)) {
    if (unquoted(name) && isApart(name, "Moment", "Email", "Url", "Path")) found.push({ _tag: "Name", ...name })
  }
  return found
}

/** The 1042 of `A-1042` and the 25 of `SPRING25`. */
const partOfWord = (sentence: string, { end, start }: Span): boolean =>
  (/[A-Za-z_]-?$/.test(sentence.slice(0, start)) && /^\d/.test(sentence.slice(start))) ||
  /^(?:-?\d|[A-Za-z_])/.test(sentence.slice(end))

/** Capitalised words, without words that are not part of names: "Text Sam I'm late" names Sam. */
const namesIn = (sentence: string): ReadonlyArray<Match & { readonly words: ReadonlyArray<Match> }> => {
  const names: Array<Match & { readonly words: ReadonlyArray<Match> }> = []
  for (const match of matches(sentence, NAME)) {
    let words: Array<Match> = []
    const flush = () => {
      const first = words[0]
      const last = words.at(-1)
      if (first !== undefined && last !== undefined) {
        names.push({ text: sentence.slice(first.start, last.end), start: first.start, end: last.end, words })
      }
      words = []
    }
    for (const word of matches(match.text, /\S+/dg)) {
      const start = match.start + word.start
      const isFirst = beginsSentence(sentence, start)
      const isNoName = /^\p{Lu}/u.test(word.text) && (isStopWord(word.text) || (isFirst && isLeadIn(word.text)))
      if (isNoName) flush()
      else words.push({ text: word.text, start, end: start + word.text.length })
    }
    flush()
  }
  return names
}

const beginsSentence = (sentence: string, start: number): boolean =>
  /(?:^|[.!?:]\s*)["'“]?\s*$/.test(sentence.slice(0, start))
