/** How well each mention in a sentence fits a property of a tool. */
import { unitOf } from "./Durations.js"
import type { Field, Property } from "./JsonSchema.js"
import type { Clock, Day, Facet, Mention } from "./Mentions.js"
import { matches, overlap, type Span } from "./Span.js"
import { isStopWord, keywords, split, stem } from "./words.js"

/** A value for a property, with the words that it comes from. */
export interface Candidate extends Span {
  readonly value: unknown
  /** From 0. A score below `ENOUGH` is only a guess. */
  readonly score: number
  readonly facet: Facet | undefined
}

export const ENOUGH = 3

/** The mention has exactly the kind that the property is for. */
const EXACT = 8
/** The mention could have it. */
const POSSIBLE = 4
/** For nearby words that speak of the property, and against nearby words that speak of another one. */
const CUE = 4

const FROM = /^(?:from|origin|source|departure|start|begin|since|after|check_?in|leav)/i
const TO = /^(?:to$|to_|destination|dest|target|arrival|until|end|before|check_?out|return|back|due)|_to$/i
/** Properties that take any text. */
export const FREE =
  /message|text|content|body|note|title|subject|query|question|search|task|reason|description|topic|prompt|label|comment|symptom|complaint/i
const PERSON =
  /recipient|contact|^to$|person|who|patient|payee|attendee|guest_?name|customer|^name$|caller|full_?name|assignee/i
/** Properties that take a proper name. */
export const NAMED =
  /city|town|location|place|country|region|name|person|contact|recipient|who|team|company|airport|address|origin|destination|artist|author|patient/i
const FIRST_NAME = /first_?name|given_?name|forename/i
const LAST_NAME = /last_?name|family_?name|surname/i
const MONEY = /amount|price|cost|budget|total|fee|sum|money|salary/i
const PEOPLE = words("people person guest passenger adult travel seat friend traveller")
const COUNT = /guests|people|passengers|quantity|count|party|persons|travell?ers|seats|how_?many|number_of|num_/i

/** Words before a mention that indicate a property with such a name. */
const CUES: ReadonlyArray<{ readonly hint: RegExp; readonly before: RegExp }> = [
  { hint: FROM, before: /\b(?:from|leaving|departing|starting|since|after|between|of)\s+(?:the\s+|on\s+)?$/i },
  { hint: TO, before: /\b(?:to|into|in|until|till|through|back|returning|by|before)\s+(?:the\s+|on\s+)?$/i },
  {
    hint: PERSON,
    before: /\b(?:to|for|under|called|name is|name's|of|with|tell|text|pay|call|i'm|i am|this is|name of)\s+$/i
  },
  { hint: /city|town|location|place|country/i, before: /\b(?:in|at|for|to|near|around)\s+$/i },
  { hint: /artist|author|composer|singer/i, before: /\bby\s+$/i },
  {
    hint: /max|under|limit|budget|most/i,
    before: /\b(?:under|below|at most|up to|less than|max(?:imum)?|within)\s+[$€£]?$/i
  },
  { hint: /min|least/i, before: /\b(?:over|above|at least|more than|min(?:imum)?)\s+[$€£]?$/i },
  { hint: COUNT, before: /\b(?:for|of|we are|we're|party of)\s+$/i }
]

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" ").map(stem))
}

/** The contents of a sentence, for its properties to choose from. */
export interface Said {
  readonly sentence: string
  readonly mentions: ReadonlyArray<Mention>
}

export const candidatesFor = (field: Field, property: Property, said: Said): ReadonlyArray<Candidate> => {
  switch (field._tag) {
    case "Choice":
      return choices(field.values, property, said)
    case "Number":
      return numbers(field.integer, property, said)
    case "Boolean":
      return booleans(property, said)
    case "Text":
      return texts(field, property, said)
    default:
      return []
  }
}

const candidate = (span: Span, value: unknown, score: number, facet?: Facet): Candidate => ({
  start: span.start,
  end: span.end,
  value,
  score,
  facet
})

const cue = (property: Property, { sentence }: Said, span: Span): number => {
  const before = sentence.slice(0, span.start)
  const { name } = property
  if (FROM.test(name) && /\b(?:to|until|till|back|returning)\s+(?:on\s+)?$/i.test(before)) return -CUE
  if (TO.test(name) && /\b(?:from|leaving)\s+(?:on\s+)?$/i.test(before)) return -CUE
  const spoken = CUES.some(({ hint, before: pattern }) => hint.test(name) && pattern.test(before))
  return spoken || isNamedBeside(property, sentence, span) ? CUE : 0
}

/** Whether the words just before or after speak of the property: "order number 7781", "three nights". */
const isNamedBeside = ({ name }: Property, sentence: string, { end, start }: Span): boolean => {
  const named = new Set(split(name).map(stem))
  const clause = (text: string) => text.replace(/^.*[.,;!?]\s/s, "")
  const before = split(clause(sentence.slice(0, start))).slice(-3)
  const after = split((/^[^.,;!?]*/.exec(sentence.slice(end)) ?? [""])[0]).slice(0, 1)
  return [...before, ...after].some((word) => !isStopWord(word) && named.has(stem(word)))
}

const numbers = (integer: boolean, property: Property, said: Said): ReadonlyArray<Candidate> => {
  const { description, name, required } = property
  const about = `${name} ${description}`
  const unit = unitOf(name, description)
  const isMoney = MONEY.test(name)
  const isPercent = /percent|%|brightness|volume|level/i.test(about)
  const counted = new Set([...keywords(name), ...(COUNT.test(name) ? PEOPLE : [])])
  const exact = (value: number) => (integer ? Math.round(value) : value)
  const inOther = (span: Span, ...tags: ReadonlyArray<Mention["_tag"]>) =>
    said.mentions.some((other) => tags.includes(other._tag) && other.start <= span.start && span.end <= other.end)
  const isPriced = (span: Span) =>
    said.mentions.some(
      (other) =>
        other._tag === "Currency" &&
        other.besideNumber &&
        /^\s*$/.test(said.sentence.slice(Math.min(span.end, other.end), Math.max(span.start, other.start)))
    )
  return said.mentions.flatMap((mention) => {
    if (mention._tag === "Duration") {
      if (unit === undefined) return []
      return [candidate(mention, exact(mention.seconds / unit), EXACT + cue(property, said, mention))]
    }
    if (mention._tag !== "Number") return []
    const names = mention.after.some((word) => counted.has(word)) ? CUE : 0
    let score = (required ? POSSIBLE : 1) + Math.max(names, cue(property, said, mention))
    if (isPriced(mention)) score += isMoney ? CUE : -CUE
    if (mention.isPercent) score += isPercent ? CUE : -CUE
    if (inOther(mention, "Duration")) score -= 2 * CUE
    if (inOther(mention, "Street", "Postcode")) score -= 1
    return [candidate(mention, exact(mention.value), score)]
  })
}

const choices = (
  values: ReadonlyArray<string | number | boolean>,
  property: Property,
  said: Said
): ReadonlyArray<Candidate> => {
  if (values.length === 1) return [candidate({ start: 0, end: 0 }, values[0], EXACT)]
  const spoken = matches(said.sentence, /[\p{L}\p{N}'’]+/dgu).map((word) => ({ ...word, stem: stem(word.text) }))
  return values.flatMap((value) => {
    if (typeof value === "number") {
      return said.mentions.flatMap((mention) =>
        mention._tag === "Number" && mention.value === value ? [candidate(mention, value, EXACT)] : []
      )
    }
    const wanted = split(String(value)).map(stem)
    const found: Array<Candidate> = []
    for (let at = 0; wanted.length > 0 && at + wanted.length <= spoken.length; at += 1) {
      const first = spoken[at]
      const last = spoken[at + wanted.length - 1]
      if (first === undefined || last === undefined) break
      if (!wanted.every((word, offset) => spoken[at + offset]?.stem === word)) continue
      const span = { start: first.start, end: last.end }
      // "6:30 on Monday" may give the time of one property and the day of another.
      const facet = said.mentions.some((mention) => mention._tag === "Moment" && overlap(mention, span))
        ? "day"
        : undefined
      found.push(candidate(span, value, EXACT + wanted.length + cue(property, said, span), facet))
    }
    for (const mention of said.mentions) {
      if (mention._tag !== "Currency" || mention.code !== value) continue
      // "200 dollars in yen": the amount is in the currency to convert from.
      const source = mention.besideNumber ? (FROM.test(property.name) ? CUE : TO.test(property.name) ? -CUE : 0) : 0
      found.push(candidate(mention, value, EXACT + source + cue(property, said, mention)))
    }
    return found
  })
}

const NEGATION = /(?:\b(?:no|not|don't|do not|doesn't|without|never|isn't)\s+(?:\w+\s+){0,2}|\bnon-?)$/i

const booleans = (property: Property, said: Said): ReadonlyArray<Candidate> => {
  const { name, required } = property
  const named = keywords(name)
  const spoken = matches(said.sentence, /[\p{L}'’]+/dgu)
  const found = spoken
    .filter(({ text }) => !isStopWord(text) && named.has(stem(text)))
    .map((word) => candidate(word, !NEGATION.test(said.sentence.slice(0, word.start)), EXACT))
  if (/^(?:is_?)?(?:on|enabled?|active|power|state|turned_?on)$/i.test(name)) {
    for (const word of matches(said.sentence, /\b(on|off|enable|disable)\b/dgi)) {
      // The last word counts: "don't turn it on, turn it off".
      const negated = NEGATION.test(said.sentence.slice(0, word.start))
      const isOn = /^(?:on|enable)$/i.test(word.text)
      if (/^on$/i.test(word.text) && !isSwitch(said.sentence, word)) continue
      found.push(candidate(word, isOn !== negated, EXACT + word.start / 1_000))
    }
  }
  if (found.length > 0 || !required) return found
  return matches(said.sentence, /\b(yes|yeah|yep|sure|true|no|nope|false)\b/dgi).map((word) =>
    candidate(word, /^[yst]/i.test(word.text), POSSIBLE)
  )
}

/** "turn it on", and not "on Monday". */
const isSwitch = (sentence: string, { end, start }: Span): boolean =>
  /\b(?:turn|switch|put)(?:ed|ing)?\s+(?:\w+\s+){0,4}$/i.test(sentence.slice(0, start)) ||
  /^\s*(?:[.,!?]|$|please)/i.test(sentence.slice(end))

const CODED = /(?:^|_)id$|number|code|reference|sku|order|ticket|confirmation|digits|last_?four|pin|account/i

const texts = (
  field: Extract<Field, { readonly _tag: "Text" }>,
  property: Property,
  said: Said
): ReadonlyArray<Candidate> => {
  const { description, name } = property
  const named = field.format === undefined ? name : `${field.format} ${name}`
  const about = `${named} ${description}`
  const shape = momentShape(field.format, name, description)
  const isFree = FREE.test(name)
  const wants: ReadonlyArray<readonly [Mention["_tag"], boolean]> = [
    ["Email", /e-?mail/i.test(about)],
    ["Url", /url|uri|link|website/i.test(about)],
    ["Phone", /phone|tel\b|mobile/i.test(about)],
    ["Path", /file|path/i.test(about)],
    ["Postcode", /postal|postcode|zip|plz/i.test(named)],
    ["Street", /street|address/i.test(named)]
  ]
  const isSpecific = wants.some(([, wanted]) => wanted) || shape !== undefined
  // The names of streets and files have no form that a quote could lack.
  const isWritten = shape !== undefined || wants.some(([tag, wanted]) => wanted && tag !== "Street" && tag !== "Path")
  const fits = field.pattern === undefined ? () => true : fitsPattern(field.pattern)
  return said.mentions.flatMap((mention): ReadonlyArray<Candidate> => {
    const cued = cue(property, said, mention)
    if (wants.some(([tag, wanted]) => wanted && tag === mention._tag)) {
      return [candidate(mention, mention.text, EXACT + cued)]
    }
    switch (mention._tag) {
      case "Quote":
        if (isWritten || !fits(mention.text)) return []
        return [candidate(mention, mention.text, EXACT + (isFree ? 1 : isSpecific ? -1 : 0))]
      case "Moment":
        return shape === undefined ? [] : moments(shape, mention, cued)
      case "Code":
        if (isSpecific || !CODED.test(name) || !fits(mention.text)) return []
        return [candidate(mention, mention.text, POSSIBLE + cued + (field.pattern === undefined ? 0 : CUE))]
      case "Name":
        if ((isSpecific && !/address/i.test(name)) || isFree || !fits(mention.text) || CODED.test(name)) return []
        return nameCandidates(name, mention, cued)
      default:
        return []
    }
  })
}

const nameCandidates = (
  property: string,
  mention: Extract<Mention, { readonly _tag: "Name" }>,
  cued: number
): ReadonlyArray<Candidate> => {
  const [first, ...rest] = mention.words
  const isFirst = FIRST_NAME.test(property)
  if (first !== undefined && (isFirst || LAST_NAME.test(property))) {
    const second = rest[0]
    const last = rest.at(-1)
    if (second === undefined || last === undefined)
      return isFirst || cued > 0 ? [candidate(first, first.text, POSSIBLE)] : []
    const surname = { start: second.start, end: last.end }
    return isFirst
      ? [candidate(first, first.text, EXACT)]
      : [candidate(surname, mention.text.slice(second.start - mention.start), EXACT)]
  }
  return [candidate(mention, mention.text, (NAMED.test(property) ? POSSIBLE + 1 : POSSIBLE) + cued)]
}

/** The form of a text for a moment. */
type MomentShape = "date" | "time" | "shortTime" | "dateTime" | "wordsOfDay" | "wordsOfClock" | "words"

/** Whether a property is a date or a time of day with a fixed form, instead of the user's words. */
export const isMoment = ({ description, field, name }: Property): boolean =>
  field._tag === "Text" && !(momentShape(field.format, name, description) ?? "words").startsWith("words")

const momentShape = (format: string | undefined, name: string, description: string): MomentShape | undefined => {
  if (format === "date") return "date"
  if (format === "time") return "time"
  if (format === "date-time" || /decoded into a (?:Date|DateTime)/.test(description)) return "dateTime"
  const last = split(name).at(-1) ?? ""
  const isDay = /date|day|when|check_?(?:in|out)/i.test(name)
  const isClock = !isDay && /^(?:time|hour|at|start|end)$/i.test(last)
  if (!isDay && !isClock) return undefined
  if (/\bHH:MM\b/i.test(description)) return "shortTime"
  if (/YYYY-MM-DD(?!T)/i.test(description)) return "date"
  if (/ISO.?8601|RFC.?3339|YYYY-MM-DDT/i.test(description)) return isDay ? "date" : "dateTime"
  // As it was said, if the schema does not define a form.
  return name.toLowerCase() === "when" ? "words" : isDay ? "wordsOfDay" : "wordsOfClock"
}

const two = (value: number): string => String(value).padStart(2, "0")

const isoDay = ({ day, month, year }: Day): string => `${String(year).padStart(4, "0")}-${two(month)}-${two(day)}`

const isoClock = ({ hour, minute, second }: Clock): string => `${two(hour)}:${two(minute)}:${two(second)}`

/** A timestamp with the offset of this machine's time zone at that time. */
const isoDateTime = (day: Day, clock: Clock): string => {
  const offset = -new Date(day.year, day.month - 1, day.day, clock.hour, clock.minute).getTimezoneOffset()
  const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
  return `${isoDay(day)}T${isoClock(clock)}${offset === 0 ? "Z" : zone}`
}

/** The time of a day that was named without an hour. */
const MORNING: Clock = { hour: 9, minute: 0, second: 0 }

const moments = (
  shape: MomentShape,
  mention: Extract<Mention, { readonly _tag: "Moment" }>,
  cued: number
): ReadonlyArray<Candidate> => {
  const { clock, day } = mention
  const of = (value: string | undefined, facet?: Facet) =>
    value === undefined ? [] : [candidate(mention, value, EXACT + cued, facet)]
  switch (shape) {
    case "date":
      return of(day && isoDay(day), "day")
    case "time":
      return of(clock && isoClock(clock), "clock")
    case "shortTime":
      return of(clock && isoClock(clock).slice(0, 5), "clock")
    case "dateTime":
      // A complete ISO timestamp stays as it was said.
      if (/^\d{4}-\d{2}-\d{2}T\S+(?:Z|[+-]\d{2}:\d{2})$/.test(mention.text)) return of(mention.text)
      return of(isoDateTime(mention.nextDay, clock ?? MORNING))
    case "wordsOfDay":
      return of(day?.text, "day")
    case "wordsOfClock":
      return of(clock?.text, "clock")
    case "words":
      return of(mention.text)
  }
}

/** An invalid pattern allows everything, and so does one with groups, which could take forever. */
const fitsPattern = (pattern: string): ((text: string) => boolean) => {
  try {
    if (pattern.includes("(") || pattern.length > 100) return () => true
    const expression = new RegExp(pattern, "u")
    return (text) => expression.test(text)
  } catch {
    return () => true
  }
}
