/**
 * Fills in the arguments of a call from what the user said and the JSON schema of the tool.
 */
import { type Field, type Property, propertiesOf } from "./JsonSchema.js"
import type { FunctionTool } from "./Mind.js"
import { type Found, numbersIn } from "./NumberWords.js"
import { isStopWord, keywords, split, stem } from "./words.js"

/** Seconds of each unit of time, by stem, so that "ten minutes" can fill `seconds`. */
const SECONDS: { readonly [unit: string]: number } = {
  millisecond: 0.001,
  second: 1,
  sec: 1,
  minut: 60,
  min: 60,
  hour: 3_600,
  day: 86_400,
  week: 604_800
}

interface Pattern {
  readonly hint: RegExp
  readonly pattern: RegExp
}

/** Texts that cannot be mistaken for others. A hint in the property's name or description is enough. */
const UNMISTAKABLE: ReadonlyArray<Pattern> = [
  { hint: /e-?mail/i, pattern: /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/ },
  { hint: /url|link|website/i, pattern: /https?:\/\/\S+/ },
  { hint: /phone|tel/i, pattern: /\+?\d[\d\s()-]{5,}\d/ },
  { hint: /file|path/i, pattern: /[\w~-]*[\w./~-]*\.\w{1,5}\b|(?:\/[\w.-]+)+/ }
]

/** What texts of a certain kind look like. The first pattern whose hint is in the property's name applies. */
const PATTERNS: ReadonlyArray<Pattern> = [
  {
    hint: /date|day|when/i,
    pattern:
      /\b\d{4}-\d{2}-\d{2}\b|\b(?:today|tonight|tomorrow|yesterday|(?:next |this )?(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|week|weekend))\b/i
  },
  { hint: /time|when|hour/i, pattern: /\b\d{1,2}:\d{2}(?:\s?[ap]m)?\b|\b\d{1,2}\s?[ap]m\b|\b(?:noon|midnight)\b/i },
  { hint: /id$|number|code|reference|sku|order|ticket|confirmation/i, pattern: /\b(?=[\w-]*\d)[A-Za-z\d][\w-]*\b|#\d+/ }
]

/** Properties that take a proper name. */
const NAMED = /city|town|location|place|country|region|name|person|contact|recipient|who|team|company|airport|address/i
/** Properties that take whatever was said. */
const FREE =
  /message|text|content|body|note|title|subject|query|question|search|task|reason|description|topic|prompt|item/i
const FROM = /^(from|origin|source|departure)/i
const TO = /^(to$|to_|destination|target|arrival|recipient)/i

interface Span {
  readonly text: string
  readonly start: number
  readonly end: number
}

export interface Filled {
  readonly args: { readonly [name: string]: unknown }
  /** Required properties that the sentence says nothing about. */
  readonly missing: ReadonlyArray<string>
}

export const fill = (sentence: string, tool: FunctionTool): Filled =>
  new Filler(sentence, tool).fillAll(propertiesOf(tool.parameters))

class Filler {
  readonly #sentence: string
  readonly #tool: FunctionTool
  readonly #numbers: ReadonlyArray<Found>
  readonly #used: Array<{ readonly start: number; readonly end: number }> = []

  constructor(sentence: string, tool: FunctionTool) {
    this.#sentence = sentence
    this.#tool = tool
    this.#numbers = numbersIn(sentence)
  }

  fillAll(properties: ReadonlyArray<Property>): Filled {
    const args: { [name: string]: unknown } = {}
    const missing: Array<string> = []
    // Exact kinds first, so that free text gets what they leave over.
    const order = [...properties].sort((a, b) => rank(a) - rank(b))
    for (const property of order) {
      const value = this.#value(property.field, property) ?? property.fallback
      if (value !== undefined) args[property.name] = value
      else if (property.required) missing.push(property.name)
    }
    return {
      args: Object.fromEntries(properties.flatMap(({ name }) => (name in args ? [[name, args[name]]] : []))),
      missing
    }
  }

  #value(field: Field, property: Property): unknown {
    switch (field._tag) {
      case "Choice":
        return this.#choice(field.values)
      case "Number":
        return this.#number(field.integer, property)
      case "Boolean":
        return this.#boolean(property)
      case "Text":
        return this.#text(field.format, property)
      case "List":
        return this.#list(field.element, property)
      case "Object": {
        const { args, missing } = this.fillAll(field.properties)
        return missing.length === 0 && Object.keys(args).length > 0 ? args : undefined
      }
      case "Other":
        return undefined
    }
  }

  #choice(values: ReadonlyArray<string | number | boolean>): string | number | boolean | undefined {
    if (values.length === 1) return values[0]
    const said = new Set(split(this.#sentence).map(stem))
    return values.find((value) =>
      typeof value === "number"
        ? this.#numbers.some((number) => number.value === value)
        : split(String(value)).every((word) => said.has(stem(word)))
    )
  }

  #number(integer: boolean, property: Property): number | undefined {
    const free = this.#numbers.filter((number) => this.#isFree(number))
    const unit = split(property.name)
      .map(stem)
      .find((word) => Object.hasOwn(SECONDS, word))
    const after = (number: Found) => stem(split(this.#sentence.slice(number.end).replace(/^\s+an?\b/i, ""))[0] ?? "")
    const words = new Set(split(property.name).map(stem))
    const chosen =
      free.find((number) => words.has(after(number))) ??
      (unit === undefined ? undefined : free.find((number) => Object.hasOwn(SECONDS, after(number)))) ??
      (property.required || free.length === 1 ? free[0] : undefined)
    if (chosen === undefined) return undefined
    // An optional number must be spoken of by name, or it is a number of something else.
    if (!property.required && !words.has(after(chosen)) && !this.#mentions(property)) return undefined
    this.#used.push(chosen)
    const said = unit === undefined ? undefined : SECONDS[after(chosen)]
    const wanted = unit === undefined ? undefined : SECONDS[unit]
    const value = said === undefined || wanted === undefined ? chosen.value : (chosen.value * said) / wanted
    return integer ? Math.round(value) : value
  }

  #boolean(property: Property): boolean | undefined {
    const negative = /\b(?:off|no|not|don't|without|disable|stop|false|never)\b/i.test(this.#sentence)
    if (this.#mentions(property)) return !negative
    if (!property.required) return undefined
    if (negative) return false
    return /\b(?:on|yes|enable|start|true|please|sure)\b/i.test(this.#sentence) ? true : undefined
  }

  #text(format: string | undefined, property: Property): string | undefined {
    const named = format === undefined ? property.name : `${format} ${property.name}`
    const found =
      this.#pattern(UNMISTAKABLE, `${named} ${property.description}`) ??
      this.#take(this.#spans(/"([^"]+)"|“([^”]+)”|(?<=^|\s)'([^']+)'(?=\s|$|[.,!?])/g)) ??
      this.#pattern(PATTERNS, named)
    if (found !== undefined) return found
    const preposition = FROM.test(property.name) ? "from" : TO.test(property.name) ? "to" : undefined
    if (preposition !== undefined) {
      const place = this.#take(this.#spans(new RegExp(`\\b${preposition}\\s+(${NAME})`, "gu")))
      if (place !== undefined) return place
    }
    const free = FREE.test(property.name)
    const about = `${property.name} ${property.description}`
    if (!free && (property.required || NAMED.test(about))) {
      const name = this.#take(this.#names())
      if (name !== undefined) return name
    }
    return property.required ? this.#rest(free) : undefined
  }

  #pattern(patterns: ReadonlyArray<Pattern>, hinted: string): string | undefined {
    for (const { hint, pattern } of patterns) {
      if (!hint.test(hinted)) continue
      const found = this.#take(this.#spans(new RegExp(pattern, pattern.flags.includes("i") ? "gi" : "g")))
      if (found !== undefined) return found
    }
    return undefined
  }

  #list(element: Field, property: Property): ReadonlyArray<unknown> | undefined {
    const values: Array<unknown> = []
    while (values.length < 20) {
      // After the first one, only what stands out counts: the rest of the sentence is no further element.
      const value = this.#value(element, { ...property, required: property.required && values.length === 0 })
      if (value === undefined || values.includes(value)) break
      values.push(value)
    }
    return values.length === 0 ? undefined : values
  }

  /** Whether the sentence speaks of the property by its name. */
  #mentions(property: Property): boolean {
    const said = keywords(this.#sentence)
    return [...keywords(property.name)].some((word) => said.has(word))
  }

  #isFree(span: { readonly start: number; readonly end: number }): boolean {
    return this.#used.every((used) => span.end <= used.start || span.start >= used.end)
  }

  #take(spans: ReadonlyArray<Span>): string | undefined {
    const span = spans.find((candidate) => this.#isFree(candidate))
    if (span === undefined) return undefined
    this.#used.push(span)
    return span.text.trim()
  }

  /** Matches of a pattern; its first group that matched, where it has groups. */
  #spans(pattern: RegExp): ReadonlyArray<Span> {
    return Array.from(this.#sentence.matchAll(pattern), (match) => ({
      text: match.slice(1).find((group) => group !== undefined) ?? match[0],
      start: match.index,
      end: match.index + match[0].length
    }))
  }

  /** Spans of capitalised words, those that begin the sentence last: their capital need not mean anything. */
  #names(): ReadonlyArray<Span> {
    const within: Array<Span> = []
    const atStart: Array<Span> = []
    for (const span of this.#spans(new RegExp(NAME, "gu"))) {
      if (!/^\W*$/.test(this.#sentence.slice(0, span.start))) {
        if (!isStopWord(span.text)) within.push(span)
        continue
      }
      const first = /^\S+\s*/.exec(span.text)?.[0] ?? ""
      const plain = isStopWord(first.trim()) || this.#toolWords().has(stem(first.trim()))
      const text = plain ? span.text.slice(first.length) : span.text
      if (text !== "") atStart.push({ text, start: span.end - text.length, end: span.end })
    }
    return [...within, ...atStart]
  }

  #toolWords(): ReadonlySet<string> {
    return keywords(`${this.#tool.name} ${this.#tool.description}`)
  }

  /** What is left of the sentence: after "that", "saying" or "about", or without the words that chose the tool. */
  #rest(free: boolean): string | undefined {
    const said = /(?:\b(?:saying|that says|about|called|titled|named|to say)\b|:)\s+(.+?)[.!?]*$/i.exec(
      this.#sentence
    )?.[1]
    if (free && said !== undefined) return said
    const toolWords = this.#toolWords()
    const left: Array<string> = []
    for (const match of this.#sentence.matchAll(/[\p{L}\p{N}][\p{L}\p{N}'’-]*/gu)) {
      const span = { start: match.index, end: match.index + match[0].length }
      const empty = left.length === 0 && (isStopWord(match[0]) || toolWords.has(stem(match[0])))
      if (!empty && this.#isFree(span)) left.push(match[0])
    }
    while (left.length > 0 && (isStopWord(left.at(-1) ?? "") || toolWords.has(stem(left.at(-1) ?? "")))) left.pop()
    return left.length === 0 ? undefined : left.join(" ")
  }
}

/** One or more capitalised words: `New York`, `São Paulo`, `Rio de Janeiro`. */
const NAME = "\\p{Lu}[\\p{L}\\p{N}'’-]*(?:\\s+(?:(?:de|of|la|van|von)\\s+)?\\p{Lu}[\\p{L}\\p{N}'’-]*)*"

const rank = ({ field, name, required }: Property): number => {
  const late = required ? 0 : 10
  if (field._tag !== "Text") return late
  return late + (FREE.test(name) ? 3 : NAMED.test(name) ? 2 : 1)
}
