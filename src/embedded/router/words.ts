/** English words, as far as the choice of a tool needs them. */

const words = (text: string): ReadonlySet<string> => new Set(text.split(" "))

const STOP_WORDS = words(
  "a about actually an and any are as at be been by can could did do does for from get give had has have hello her hey " +
    "hi his how i if in into is it its just let like me my need no not now of ok okay on one or our please should so " +
    "some sorry than thank thanks that the their them then there these they this to under until us using want was we were " +
    "what whats when which who will with would yes you your im id ill ive dont lets whos wheres hows cant wont isnt"
)

/** Words that appear in the description of any tool. */
const IN_ANY_DESCRIPTION = words("given returns return value tool function user use uses")

/** Words that requests begin with. */
const REQUESTS = words(
  "add apply block book buy calculate call cancel change check close convert create define delete dim disable enable " +
    "find fly get give list lock look make move open order pay play put read remind remove request reserve return say " +
    "schedule search see send set show start stop switch take tell text track transfer translate turn unlock update use " +
    "wake write"
)

const QUESTIONS = words("what whats when where wheres who whos which how hows is are do does can could will would may")

/** Words with about the same meaning: the sentence uses the first, a tool uses the second. */
const SYNONYMS: { readonly [word: string]: ReadonlyArray<string> } = {
  alarm: ["timer", "remind"],
  appointment: ["schedulee", "meet", "calendar", "book"],
  back: ["return"],
  bill: ["invoice", "pay"],
  buy: ["order", "purchase"],
  cold: ["weather", "temperature"],
  cost: ["price"],
  dollar: ["currency", "money", "price"],
  euro: ["currency", "money", "price"],
  fly: ["flight"],
  forecast: ["weather"],
  hot: ["weather", "temperature"],
  hour: ["time"],
  house: ["home"],
  lamp: ["light"],
  look: ["search", "find"],
  mail: ["email"],
  mean: ["define"],
  money: ["balance", "account", "pay"],
  much: ["price", "cost", "balance"],
  note: ["memo", "remember"],
  oclock: ["time"],
  own: ["account", "balance"],
  play: ["music", "song"],
  pound: ["currency", "money", "price"],
  rain: ["weather"],
  reserve: ["book"],
  schedule: ["book", "appointment"],
  song: ["music", "play"],
  stock: ["price", "inventory"],
  sunny: ["weather"],
  tell: ["message", "sms"],
  text: ["message", "sms"],
  warm: ["weather", "temperature"],
  wake: ["alarm", "timer"],
  wave: ["surf"],
  when: ["time", "date"],
  where: ["location", "find", "address"],
  write: ["send", "create"],
  yen: ["currency", "money", "price"]
}

/** Removes the most common endings, so that `bookings` and `booked` match `book`. */
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

/** The words of a text, or of a name such as `getWeather` or `get_weather`, in order. */
export const split = (text: string): ReadonlyArray<string> =>
  text
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replace(/_/g, " ")
    .match(/[\p{L}\p{N}'’]+/gu) ?? []

/** The stems of words with a meaning. */
export const keywords = (text: string): ReadonlySet<string> => {
  const found = new Set<string>()
  for (const word of split(text)) {
    if (!isStopWord(word)) found.add(stem(word))
  }
  return found
}

/** The same, for a description. */
export const descriptionKeywords = (text: string): ReadonlySet<string> =>
  keywords(
    split(text)
      .filter((word) => !IN_ANY_DESCRIPTION.has(word.toLowerCase()))
      .join(" ")
  )

const synonymsByStem: ReadonlyMap<string, ReadonlyArray<string>> = new Map(
  Object.entries(SYNONYMS).map(([word, others]) => [stem(word), others.map(stem)])
)

/** Stems with about the same meaning as this one. */
export const synonyms = (stemmed: string): ReadonlyArray<string> => synonymsByStem.get(stemmed) ?? []

const plain = (word: string): string => word.toLowerCase().replace(/['’]/g, "")

export const isStopWord = (word: string): boolean => STOP_WORDS.has(plain(word))

export const isRequest = (word: string): boolean => REQUESTS.has(plain(word))

export const isQuestion = (word: string): boolean => QUESTIONS.has(plain(word))

/** A word that requests begin with, and names do not. */
export const isLeadIn = (word: string): boolean => isStopWord(word) || isRequest(word) || isQuestion(word)
