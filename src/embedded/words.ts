/**
 * English words, as far as choosing a tool needs them.
 */

const STOP_WORDS = new Set(
  (
    "a about an and any are as at be been by can could did do does for from get give had has have hello hey hi how i if " +
    "in into is it its just let like me my need now of on one or our please should so some tell thank thanks that the " +
    "their them then there these they this to us use user uses want was we were what whats when which who will with " +
    "would you your im id ill ive dont lets whos wheres hows cant wont given returns return value tool function"
  ).split(" ")
)

/** Words that mean about the same, in their stemmed form: the sentence says the first, a tool says the second. */
const SYNONYMS: { readonly [word: string]: ReadonlyArray<string> } = {
  alarm: ["timer", "remind"],
  appoint: ["schedule", "meet", "calendar", "book"],
  bill: ["invoice", "pay"],
  buy: ["order", "purchase"],
  cold: ["weather", "temperature"],
  cost: ["price"],
  forecast: ["weather"],
  hot: ["weather", "temperature"],
  hour: ["time"],
  hous: ["home"],
  lamp: ["light"],
  mail: ["email"],
  mean: ["defin"],
  money: ["balance", "account", "pay"],
  much: ["price", "cost"],
  note: ["memo", "remember"],
  oclock: ["time"],
  own: ["account", "balance"],
  play: ["music", "song"],
  rain: ["weather"],
  reserv: ["book"],
  song: ["music", "play"],
  stock: ["price", "inventory"],
  sunny: ["weather"],
  text: ["message", "sms"],
  warm: ["weather", "temperature"],
  wake: ["alarm", "timer"],
  wave: ["surf"],
  when: ["time", "date"],
  where: ["locat", "find", "address"],
  write: ["send", "create"]
}

/** Cuts the commonest endings, so that `bookings` and `booked` meet `book`. */
export const stem = (word: string): string => {
  const lower = word.toLowerCase().replace(/['’]s$|['’]/g, "")
  if (lower.length <= 3) return lower
  for (const ending of ["ations", "ation", "ings", "ing", "ies", "ers", "ed", "es", "er", "ly", "s", "e"]) {
    if (lower.endsWith(ending) && lower.length - ending.length >= 3) {
      const root = lower.slice(0, -ending.length)
      if (ending === "ies") return `${root}y`
      // `running` → `run`, but `call` keeps its l's.
      return /([bdgmnprt])\1$/.test(root) ? root.slice(0, -1) : root
    }
  }
  return lower
}

/** Words of a text or of a name such as `getWeather` or `get_weather`, in order. */
export const split = (text: string): ReadonlyArray<string> =>
  text
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/_/g, " ")
    .match(/[\p{L}\p{N}'’]+/gu) ?? []

/** The stems of the words that carry meaning. */
export const keywords = (text: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const word of split(text)) {
    if (!isStopWord(word)) found.add(stem(word))
  }
  return found
}

export const synonyms = (stemmed: string): ReadonlyArray<string> =>
  Object.hasOwn(SYNONYMS, stemmed) ? (SYNONYMS[stemmed] ?? []) : []

export const isStopWord = (word: string): boolean => STOP_WORDS.has(word.toLowerCase().replace(/['’]/g, ""))
