/** Fills in the arguments of a call from the user's sentence and the tool's JSON schema. */

import type { FunctionTool } from "../Mind.js"
import { type Candidate, candidatesFor, ENOUGH, FREE, isMoment, NAMED, type Said } from "./Candidates.js"
import { type Field, type Property, propertiesOf } from "./JsonSchema.js"
import { mentionsIn } from "./Mentions.js"
import type { Moment } from "./Moments.js"
import { type Phrase, phrasesIn } from "./Remainder.js"
import { matches, overlap, type Span } from "./Span.js"
import { keywords, split, stem } from "./words.js"

export interface Filled {
  readonly args: { readonly [name: string]: unknown }
  /** Required properties without a value in the sentence. */
  readonly missing: ReadonlyArray<string>
  /** Whether the sentence contains nothing else. */
  readonly isAll: boolean
}

/** Finds the moments in a piece of the sentence. */
export type MomentsIn = (text: string) => ReadonlyArray<Moment>

const MAX_ELEMENTS = 20

/** The arguments that a request for a tool contains. */
export const fill = (sentence: string, tool: FunctionTool, momentsIn: MomentsIn): Filled => {
  const properties = propertiesOf(tool.parameters)
  const filler = new Filler(sentence, tool, momentsIn)
  filler.mentioned(properties)
  filler.remaining(properties)
  return filler.filled(properties)
}

/**
 * The values that a piece of a sentence gives by their form alone: names, numbers and dates, but no remaining words.
 */
export const evidence = (sentence: string, tool: FunctionTool, momentsIn: MomentsIn): Filled => {
  const properties = propertiesOf(tool.parameters)
  const filler = new Filler(sentence, tool, momentsIn)
  filler.mentioned(properties)
  return filler.filled(properties)
}

/** The answer to a question for a property. It may give other properties too. */
export const answerTo = (
  asked: string,
  sentence: string,
  tool: FunctionTool,
  known: { readonly [name: string]: unknown },
  momentsIn: MomentsIn
): Filled => {
  const properties = propertiesOf(tool.parameters)
  const open = properties.filter(({ name }) => !Object.hasOwn(known, name))
  const filler = new Filler(sentence, tool, momentsIn, known)
  filler.answer(open.filter(({ name }) => name === asked))
  filler.mentioned(open)
  return filler.filled(properties)
}

/** The elements of a list, each with its own amount: "two margheritas and a tiramisu". */
const elementsOf = (sentence: string): ReadonlyArray<string> => sentence.split(/,\s*(?:and\s+)?|\s+and\s+/i)

class Filler {
  readonly #said: Said
  readonly #tool: FunctionTool
  readonly #momentsIn: MomentsIn
  readonly #args: Map<string, unknown>
  readonly #taken: Array<Pick<Candidate, "start" | "end" | "facet">> = []

  constructor(
    sentence: string,
    tool: FunctionTool,
    momentsIn: MomentsIn,
    known: { readonly [name: string]: unknown } = {}
  ) {
    this.#said = { sentence, mentions: mentionsIn(sentence, momentsIn(sentence)) }
    this.#tool = tool
    this.#momentsIn = momentsIn
    this.#args = new Map(Object.entries(known))
  }

  filled(properties: ReadonlyArray<Property>): Filled {
    const args: { [name: string]: unknown } = {}
    const missing: Array<string> = []
    for (const { fallback, name, required } of properties) {
      const value = this.#args.get(name) ?? fallback
      if (value !== undefined) args[name] = value
      else if (required) missing.push(name)
    }
    return { args, missing, isAll: this.#rest().every(({ text }) => text === "") }
  }

  /** Gives each property the mention that fits it best, starting with the best fit of all. */
  mentioned(properties: ReadonlyArray<Property>): void {
    const offers = properties
      .filter(({ name }) => !this.#args.has(name))
      .flatMap((property, order) =>
        candidatesFor(property.field, property, this.#said).map((candidate) => ({
          property,
          candidate,
          // Required properties go before optional ones, and earlier mentions before later ones.
          score: candidate.score + (property.required ? 0.5 : 0) - order / 100 - candidate.start / 10_000
        }))
      )
      .filter(({ candidate }) => candidate.score >= ENOUGH)
      .sort((one, other) => other.score - one.score)
    for (const { candidate, property } of offers) {
      if (!this.#args.has(property.name) && this.#isFree(candidate)) this.#give(property.name, candidate)
    }
    for (const property of properties) {
      if (this.#args.has(property.name)) continue
      const value = this.#composite(property.field, property)
      if (value !== undefined) this.#args.set(property.name, value)
    }
  }

  /** Gives the remaining words to text properties. */
  remaining(properties: ReadonlyArray<Property>): void {
    const open = properties.filter(({ field, name }) => field._tag === "Text" && !this.#args.has(name))
    // A person's whole words are assigned first, if they can be distinguished from the words of the request.
    for (const property of [...open].sort(
      (one, other) => Number(FREE.test(one.name)) - Number(FREE.test(other.name))
    )) {
      if (property.field._tag !== "Text" || isFormal(property)) continue
      const said = FREE.test(property.name) ? this.#saidAfterCue(property) : undefined
      const phrase = said ?? this.#rest().find((one) => fitsPhrase(property, one))
      if (phrase === undefined || phrase.text === "") continue
      this.#give(property.name, { ...phrase, value: phrase.text, score: ENOUGH, facet: undefined })
    }
  }

  /** An answer may be a single word that would mean nothing by itself. */
  answer(asked: ReadonlyArray<Property>): void {
    for (const property of asked) {
      const { sentence } = this.#said
      const { field, name } = property
      const whole = field._tag === "Text" && FREE.test(name)
      const [best] = [...candidatesFor(field, { ...property, required: true }, this.#said)].sort(
        (one, other) => other.score - one.score
      )
      if (best !== undefined && !whole) {
        this.#give(name, best)
        continue
      }
      if (field._tag === "Boolean") {
        const yes = /^\W*(?:yes|yeah|yep|sure|please|ok|okay)\b/i.test(sentence)
        if (yes || /^\W*(?:no|nope|not)\b/i.test(sentence)) this.#args.set(name, yes)
      } else if (field._tag === "Text") {
        const words = sentence
          .replace(
            /^\W*(?:(?:it's|it is|that's|that is|the|a|an|for|in|to|at|from|my name is|i'm|because|uh|um|well|please)\s+)*/i,
            ""
          )
          .replace(/[\s,]*\b(?:please|thanks|thank you)\W*$/i, "")
          .replace(/[.!?\s]+$/, "")
        if (words === "" || isWritten(property)) continue
        this.#give(name, { start: 0, end: sentence.length, value: words, score: ENOUGH, facet: undefined })
      }
    }
  }

  #composite(field: Field, property: Property): unknown {
    switch (field._tag) {
      case "List":
        return this.#list(field.element, property)
      case "Object": {
        const within = new Filler(this.#said.sentence, this.#tool, this.#momentsIn)
        within.mentioned(field.properties)
        const { args, missing } = within.filled(field.properties)
        return missing.length === 0 && Object.keys(args).length > 0 ? args : undefined
      }
      default:
        return undefined
    }
  }

  #list(element: Field, property: Property): ReadonlyArray<unknown> | undefined {
    const values: Array<unknown> = []
    const add = (value: unknown) => {
      const isNew = values.every((other) => JSON.stringify(other) !== JSON.stringify(value))
      if (isNew && values.length < MAX_ELEMENTS) values.push(value)
    }
    if (element._tag === "Object") {
      for (const part of elementsOf(this.#said.sentence)) {
        const within = new Filler(part, this.#tool, this.#momentsIn)
        within.element(element.properties)
        const { args, missing } = within.filled(element.properties)
        if (missing.length === 0 && Object.keys(args).length > 0) add(args)
      }
      if (values.length > 0) this.#taken.push({ start: 0, end: this.#said.sentence.length, facet: undefined })
    } else {
      const found = [...candidatesFor(element, property, this.#said)]
        .filter((candidate) => candidate.score >= ENOUGH && this.#isFree(candidate))
        .sort((one, other) => one.start - other.start)
      for (const candidate of found) {
        if (!this.#isFree(candidate)) continue
        this.#taken.push(candidate)
        add(candidate.value)
      }
      if (values.length === 0 && property.required) {
        for (const { start, end } of this.#rest()) {
          for (const part of elementsOf(this.#said.sentence.slice(start, end))) {
            const [phrase] = phrasesIn(part, [], this.#toolWords(), new Set())
            if (element._tag === "Text" && phrase !== undefined) add(phrase.text)
          }
          this.#taken.push({ start, end, facet: undefined })
        }
      }
    }
    return values.length === 0 ? undefined : values
  }

  /** "a tiramisu" is one of them, and most things have a singular. */
  element(properties: ReadonlyArray<Property>): void {
    this.mentioned(properties)
    this.remaining(properties)
    const counted = properties.find(({ field }) => field._tag === "Number")
    const named = properties.find(({ field, name }) => field._tag === "Text" && this.#args.has(name))
    if (counted === undefined || named === undefined) return
    const count = this.#args.get(counted.name)
    if (count === undefined && /(?:^|\s)(?:an?|one)\s/i.test(this.#said.sentence)) this.#args.set(counted.name, 1)
    const text = this.#args.get(named.name)
    if (typeof count === "number" && count > 1 && typeof text === "string") this.#args.set(named.name, singular(text))
  }

  #give(name: string, candidate: Candidate): void {
    this.#args.set(name, candidate.value)
    this.#taken.push(candidate)
  }

  #isFree({ end, facet, start }: Pick<Candidate, "start" | "end" | "facet">): boolean {
    return this.#taken.every(
      (taken) =>
        !overlap(taken, { start, end }) || (taken.facet !== undefined && facet !== undefined && taken.facet !== facet)
    )
  }

  #toolWords(): ReadonlySet<string> {
    return keywords(`${this.#tool.name} ${this.#tool.description}`)
  }

  #rest(): ReadonlyArray<Phrase> {
    const nameWords = new Set(propertiesOf(this.#tool.parameters).flatMap(({ name }) => split(name).map(stem)))
    return phrasesIn(this.#said.sentence, this.#takenWords(), this.#toolWords(), nameWords)
  }

  /** Includes the words of an unused amount's unit: the "dollars" of "under 80 dollars". */
  #takenWords(): ReadonlyArray<Span> {
    const beside = this.#said.mentions.filter(
      (mention) =>
        mention._tag === "Currency" &&
        mention.besideNumber &&
        this.#taken.some(({ end, start }) => Math.abs(mention.start - end) <= 1 || Math.abs(start - mention.end) <= 1)
    )
    return [...this.#taken, ...beside]
  }

  /** What follows "saying", "because", "me to" or a colon. */
  #saidAfterCue({ name }: Property): Phrase | undefined {
    const pattern = /reason|why/i.test(name)
      ? /\b(?:because(?: of)?|since|due to|as)\s+(.+?)(?:[.!?]*$)/dgi
      : /(?:\b(?:saying|that says|about|called|titled|named|to say|me to)\b|:(?=\s))\s+(.+?)[.!?]*$/dgi
    const [found] = matches(this.#said.sentence, pattern)
    if (found === undefined) return undefined
    // Words at its start or end that were used elsewhere do not belong to it: "me to call the plumber tomorrow".
    let { end, start } = found
    for (const span of this.#taken) {
      if (span.start > start && span.end >= end - 1) end = Math.min(end, span.start)
      if (span.start <= start && span.end > start && span.end < end) start = span.end
    }
    const text = this.#said.sentence
      .slice(start, end)
      .replace(/[\s,]*\b(?:please|thanks|thank you)[\s.!]*$/i, "")
      .replace(/\s+(?:at|on|in|by|for)\s*$/i, "")
      .trim()
      .replace(/^["“](.*)["”]$/, "$1")
    return { text, start, end, isClause: true, preposition: undefined }
  }
}

/** A text with a form that words do not have by chance: a date, an address, an id. */
const isFormal = (property: Property): boolean =>
  isWritten(property) ||
  /e-?mail|phone|(?:^|_)id$|postal|zip|(?:^|_)code$|date|time|url|last_?name|first_?name|number/i.test(property.name)

/** A text whose form the schema defines. */
const isWritten = (property: Property): boolean => {
  const { field } = property
  return isMoment(property) || (field._tag === "Text" && (field.format !== undefined || field.pattern !== undefined))
}

const fitsPhrase = ({ name, required }: Property, phrase: Phrase): boolean => {
  if (!required) return /label|note|comment/i.test(name) && phrase.preposition === "for"
  if (FREE.test(name)) return true
  if (phrase.isClause) return false
  return NAMED.test(name) ? phrase.preposition !== undefined : true
}

const singular = (text: string): string =>
  /(?:ss|us|is)$/i.test(text)
    ? text
    : text
        .replace(/ies$/i, "y")
        .replace(/(ch|sh|x|s)es$/i, "$1")
        .replace(/s$/i, "")
