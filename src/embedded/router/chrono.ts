/** Dates and times of day that chrono-node finds, and other common expressions. */
import type * as Chrono from "chrono-node/en"
import * as Effect from "effect/Effect"
import { type Duration, durationsIn } from "./Durations.js"
import type { Clock, Day, FindMoments, Moment } from "./Moments.js"
import { type Match, overlap } from "./Span.js"

/**
 * Loads chrono-node, an optional peer. It is only loaded when the router is used, and nothing is found if it is not
 * installed. The import is within `try`, so that bundlers accept a missing package too.
 */
export const load: Effect.Effect<FindMoments | undefined> = Effect.promise(async () => {
  try {
    return finderOf(await import("chrono-node/en"))
  } catch (error) {
    if (isNotInstalled(error)) return undefined
    throw error
  }
})

/**
 * Node and some bundlers report a code for a missing package. Browsers (if a bundler left the bare name) and Vite have
 * their own messages. Any other failure, or another missing package, must be reported.
 */
export const isNotInstalled = (error: unknown): boolean =>
  error instanceof Error &&
  ("code" in error
    ? error.code === "ERR_MODULE_NOT_FOUND" || error.code === "MODULE_NOT_FOUND"
    : /resolve|bare specifier/i.test(error.message)) &&
  /['"“]chrono-node(?:\/en)?['"”]/.test(error.message)

export const finderOf = ({ casual }: Pick<typeof Chrono, "casual">): FindMoments => {
  const chrono = casual.clone()
  chrono.parsers.unshift(...spokenClocks, dayOfMonth)
  return (sentence, now) => {
    const durations = durationsIn(sentence)
    return chrono
      .parse(sentence, now, { forwardDate: true })
      .filter(isMoment)
      .flatMap((result) => momentsOf(result, now, durations))
  }
}

const HOURS = "one two three four five six seven eight nine ten eleven twelve".split(" ")
const HOUR = `(\\d{1,2}|${HOURS.join("|")})`
const MINUTES: { readonly [word: string]: number } = {
  five: 5,
  ten: 10,
  "a quarter": 15,
  quarter: 15,
  twenty: 20,
  "twenty-five": 25,
  half: 30
}
const AFTER: { readonly [word: string]: number } = {
  "o'clock": 0,
  fifteen: 15,
  twenty: 20,
  thirty: 30,
  "forty-five": 45
}
const PART_OF_DAY =
  "(?:\\s*(a\\.?m\\.?|p\\.?m\\.?)(?!\\w)|\\s+(?:in the\\s+)?(morning|afternoon|evening)\\b|\\s+(at night)\\b)"

const hourOf = (word: string): number => {
  const index = HOURS.indexOf(word.toLowerCase())
  return index < 0 ? Number(word) : index + 1
}

/** The components of a time of day, for chrono. `part` is what was said of the part of the day, such as "in the morning". */
const clock = (
  hour: number,
  minute: number,
  part: string | undefined
): { readonly [component in Chrono.Component]?: number } | null => {
  if (hour > 24 || minute > 59) return null
  if (part === undefined) return { hour: hour % 24, minute }
  const isMorning = /^(?:a|morning)/i.test(part) && !/^afternoon/i.test(part) && !/^at night/i.test(part)
  return { hour: (hour % 12) + (isMorning ? 0 : 12), minute, meridiem: isMorning ? 0 : 1 }
}

const partIn = (match: RegExpMatchArray, from: number): string | undefined =>
  match.slice(from).find((group) => group !== undefined)

const spokenClocks: ReadonlyArray<Chrono.Parser> = [
  {
    // "half past two", "a quarter to seven", "twenty to nine"
    pattern: () =>
      new RegExp(
        `\\b(?<!from )(${Object.keys(MINUTES).join("|")}) (past|after|to) ${HOUR}(?![\\w:])${PART_OF_DAY}?`,
        "i"
      ),
    extract: (_, match) => {
      const past = MINUTES[(match[1] ?? "").toLowerCase()] ?? 0
      const hour = hourOf(match[3] ?? "")
      const minutes = /to/i.test(match[2] ?? "") ? hour * 60 - past : hour * 60 + past
      return clock(Math.floor(minutes / 60), minutes % 60, partIn(match, 4))
    }
  },
  {
    // "at eight", "by seven thirty"
    pattern: () =>
      new RegExp(
        `\\b(?:at|by|around|until|till) ${HOUR_WORD}(?:[ -](${Object.keys(AFTER).join("|")}))?(?![\\w-])${PART_OF_DAY}?`,
        "i"
      ),
    extract: (_, match) => clock(hourOf(match[1] ?? ""), AFTER[(match[2] ?? "").toLowerCase()] ?? 0, partIn(match, 3))
  },
  {
    // "eight o'clock", "seven thirty pm", "nine in the morning"
    pattern: () => new RegExp(`\\b${HOUR_WORD}(?:[ -](fifteen|thirty|forty-five))?(?: o'clock)?${PART_OF_DAY}`, "i"),
    extract: (_, match) => clock(hourOf(match[1] ?? ""), AFTER[(match[2] ?? "").toLowerCase()] ?? 0, partIn(match, 3))
  },
  {
    pattern: () => new RegExp(`\\b${HOUR} o'clock\\b`, "i"),
    extract: (_, match) => clock(hourOf(match[1] ?? ""), 0, undefined)
  }
]

const HOUR_WORD = `(${HOURS.join("|")})`

/** "the 14th": the next one. */
const dayOfMonth: Chrono.Parser = {
  pattern: () => /\bthe (\d{1,2})(?:st|nd|rd|th)\b(?! of\b)/i,
  extract: ({ refDate }, match) => {
    const day = Number(match[1])
    if (day < 1 || day > 31) return null
    const next = new Date(refDate.getFullYear(), refDate.getMonth() + (day < refDate.getDate() ? 1 : 0), day)
    return { day, month: next.getMonth() + 1, year: next.getFullYear() }
  }
}

/** Chrono reads "for ten minutes" as a moment in ten minutes, and "a second" as the next one. */
const isMoment = ({ text }: Chrono.ParsedResult): boolean =>
  !/^now$/i.test(text) &&
  !/^(?:sun|sat|mon|may|mar|sec)$/.test(text) &&
  (!/\b(?:sec|min|hour|hr|day|week|month|year)\w*\b|\d\s?[hms]\b/i.test(text) ||
    /\b(?:in|within|ago|from now|later|after|next|last|past|this)\b/i.test(text))

/** Both moments of "from Monday to Friday", each with its own words. */
const momentsOf = (
  result: Chrono.ParsedResult,
  now: Date,
  durations: ReadonlyArray<Duration>
): ReadonlyArray<Moment> => {
  const { end, index, start, text } = result
  const whole = { text, start: index, end: index + text.length }
  // Chrono stops before the half of "in an hour and a half".
  const duration = durations.find((one) => one.start > whole.start && overlap(one, whole) && one.end > whole.end)
  if (duration !== undefined && /^in\s/i.test(text)) {
    const then = new Date(now.getTime() + duration.seconds * 1_000)
    const words = `in ${duration.text}`
    return [
      {
        text: words,
        start: whole.start,
        end: duration.end,
        day: { ...dayOf(then), text: words },
        clock: { ...clockOf(then), text: words },
        nextDay: dayOf(then)
      }
    ]
  }
  const between = /\s+(?:to|until|till|through|and|-|–)\s+|-|–/i.exec(text)
  if (!end || between === null) return [momentOf(start, whole, now)]
  const first = text.slice(0, between.index)
  const from = between.index + between[0].length
  return [
    momentOf(start, { text: first, start: index, end: index + first.length }, now),
    momentOf(end, { text: text.slice(from), start: index + from, end: whole.end }, now)
  ]
}

/** The time of day within "tomorrow at 3 pm". */
const CLOCK_TEXT =
  /(?:at\s+)?\b(?:(?:half|(?:a )?quarter|five|ten|twenty(?:-five)?) (?:past|after|to) \w+|\d{1,2}(?::\d{2})+(?:\s?[ap]\.?m\b\.?)?|\d{1,2}\s?[ap]\.?m\b\.?|noon|midnight|\w+ o'clock|(?<=at\s)\w+)(?:\s+(?:in the (?:morning|afternoon|evening)|at night))?/i

const momentOf = (components: Chrono.ParsedResult["start"], match: Match, now: Date): Moment => {
  const date = components.date()
  const hasClock = components.isCertain("hour")
  const hasDay =
    components.isCertain("day") ||
    components.isCertain("weekday") ||
    components.isCertain("month") ||
    // "this evening"
    !hasClock
  const said = clockOf(date)
  // "at three" never means three at night.
  const isAfternoon =
    hasClock && !components.isCertain("meridiem") && said.hour >= 1 && said.hour <= 5 && !/\b0\d/.test(match.text)
  const clock = isAfternoon ? { ...said, hour: said.hour + 12 } : said
  const next = new Date(now)
  next.setHours(clock.hour, clock.minute, clock.second, 0)
  if (next < now) next.setDate(next.getDate() + 1)
  const clockText = CLOCK_TEXT.exec(match.text)
  const dayText = clockText === null ? match.text : match.text.replace(clockText[0], " ").replace(/\s+/g, " ")
  const bare = (text: string) =>
    text
      .trim()
      .replace(/^(?:at|on|from|by)\s+/i, "")
      .replace(/\s+(?:at|on)$/i, "")
  return {
    ...match,
    day: hasDay ? { ...dayOf(date), text: bare(dayText) } : undefined,
    clock: hasClock ? { ...clock, text: bare(clockText?.[0] ?? match.text) } : undefined,
    nextDay: dayOf(hasDay ? date : next)
  }
}

const dayOf = (date: Date): Day => ({ year: date.getFullYear(), month: date.getMonth() + 1, day: date.getDate() })

const clockOf = (date: Date): Clock => ({ hour: date.getHours(), minute: date.getMinutes(), second: date.getSeconds() })
