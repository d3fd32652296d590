/** Conditions on the type of a value, on its choice among others, on numbers and on text. */
import { type Check, type Keyword, type Keywords, regexOf } from "./Keyword.js"
import { unexpected, unknown, valid } from "./Outcome.js"
import { sameText } from "./sameText.js"

const isOf: { readonly [type: string]: (value: unknown) => boolean } = {
  null: (value) => value === null,
  boolean: (value) => typeof value === "boolean",
  integer: Number.isInteger,
  number: (value) => typeof value === "number",
  string: (value) => typeof value === "string",
  array: Array.isArray,
  object: (value) => typeof value === "object" && value !== null && !Array.isArray(value)
}

const type: Keyword = (given, place) => {
  const names: ReadonlyArray<unknown> = Array.isArray(given) ? given : [given]
  const tests: Array<(value: unknown) => boolean> = []
  for (const name of names) {
    const test = typeof name === "string" && Object.hasOwn(isOf, name) ? isOf[name] : undefined
    if (test === undefined) return place.malformed("type", `one of ${Object.keys(isOf).join(", ")}`)
    tests.push(test)
  }
  const expected = names.join(" | ")
  return (value) => (tests.some((test) => test(value)) ? valid : unexpected(expected, value))
}

/** Longer lists of choices are not repeated whole. */
const maxChoicesShown = 20

const oneOf = (choices: ReadonlyArray<unknown>): Check => {
  const texts = choices.map(sameText)
  const known = new Set(texts)
  const listed = texts.slice(0, maxChoicesShown).join(" | ")
  const more = texts.length - maxChoicesShown
  const expected = more > 0 ? `${listed} | … ${more} more` : listed
  return (value) => (known.has(sameText(value)) ? valid : unexpected(expected, value))
}

const choices: Keyword = (given, place) =>
  Array.isArray(given) ? oneOf(given) : place.malformed("enum", "an array of the choices")

const number =
  (keyword: string, isRight: (value: number, bound: number) => boolean, words: string): Keyword =>
  (bound, place) => {
    if (typeof bound !== "number") return place.malformed(keyword, "a number")
    return (value) =>
      typeof value !== "number" || isRight(value, bound) ? valid : unexpected(`a number ${words} ${bound}`, value)
  }

/** In an older draft, `exclusiveMinimum` says whether `minimum` itself is excluded. */
const exclusive =
  (keyword: string, beside: string, isRight: (value: number, bound: number) => boolean, words: string): Keyword =>
  (bound, place, schema) => {
    if (typeof bound !== "boolean") return number(keyword, isRight, words)(bound, place, schema)
    const other = schema[beside]
    return bound && typeof other === "number" ? number(keyword, isRight, words)(other, place, schema) : undefined
  }

/** A number as digits and a power of ten: as it is written, not as it is stored. */
const decimalOf = (value: number): readonly [digits: bigint, power: number] => {
  const [digits = "0", power = "0"] = value.toExponential().split("e")
  const [, fraction = ""] = digits.split(".")
  return [BigInt(digits.replace(".", "")), Number(power) - fraction.length]
}

const isMultiple = (value: number, of: number): boolean => {
  if (!Number.isFinite(value)) return false
  const [[digits, power], [ofDigits, ofPower]] = [decimalOf(value), decimalOf(of)]
  const least = Math.min(power, ofPower)
  return (digits * 10n ** BigInt(power - least)) % (ofDigits * 10n ** BigInt(ofPower - least)) === 0n
}

const multipleOf: Keyword = (divisor, place, schema) =>
  typeof divisor === "number" && divisor > 0
    ? number("multipleOf", isMultiple, "divisible by")(divisor, place, schema)
    : place.malformed("multipleOf", "a number greater than 0")

/** In characters as people count them, not in UTF-16 units. */
const lengthOf = (text: string): number => {
  let length = 0
  for (const _ of text) length += 1
  return length
}

const length =
  (keyword: string, isRight: (length: number, bound: number) => boolean, words: string): Keyword =>
  (bound, place) => {
    if (!isCount(bound)) return place.malformed(keyword, "a number of characters")
    return (value) =>
      typeof value !== "string" || isRight(lengthOf(value), bound)
        ? valid
        : unexpected(`a string of at ${words} ${bound} character(s)`, value)
  }

export const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0

export const atLeast = (value: number, bound: number): boolean => value >= bound
export const atMost = (value: number, bound: number): boolean => value <= bound

const pattern: Keyword = (source, place) => {
  if (typeof source !== "string") return place.malformed("pattern", "a regular expression")
  const regex = regexOf(source)
  if (regex === undefined) {
    const otherwise = place.notUnderstood("pattern")
    return (value, run) => (typeof value === "string" ? otherwise(value, run) : valid)
  }
  return (value) =>
    typeof value !== "string" || regex.test(value)
      ? valid
      : unexpected(`a string matching the pattern ${source}`, value)
}

export const valueKeywords: Keywords = {
  type,
  enum: choices,
  const: (given) => oneOf([given]),
  minimum: number("minimum", atLeast, "greater than or equal to"),
  maximum: number("maximum", atMost, "less than or equal to"),
  exclusiveMinimum: exclusive("exclusiveMinimum", "minimum", (value, bound) => value > bound, "greater than"),
  exclusiveMaximum: exclusive("exclusiveMaximum", "maximum", (value, bound) => value < bound, "less than"),
  multipleOf,
  minLength: length("minLength", atLeast, "least"),
  maxLength: length("maxLength", atMost, "most"),
  pattern
}

/** Whether a value keeps a condition that is not understood. */
export const neverKnown: Check = () => unknown
