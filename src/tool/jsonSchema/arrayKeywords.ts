/** Conditions on arrays. Any other value keeps them. */
import type { Check, Keyword, Keywords, Place } from "./Keyword.js"
import { every, invalid, type Outcome, under, unexpected, unknown, valid } from "./Outcome.js"
import { sameText } from "./sameText.js"
import { atLeast, atMost, isCount } from "./valueKeywords.js"

const ofArrays =
  (check: (value: ReadonlyArray<unknown>, run: Parameters<Check>[1]) => Outcome): Check =>
  (value, run) =>
    Array.isArray(value) ? check(value, run) : valid

/** One schema for each of the first places. */
const places = (keyword: string, given: ReadonlyArray<unknown>, place: Place): Check => {
  const checks = given.map((schema, index) => place.part(schema, keyword, index))
  return ofArrays((value, run) =>
    every(
      (function* () {
        for (const [index, check] of checks.entries()) {
          if (index < value.length) yield under(index, check(value[index], run))
        }
      })(),
      run.all
    )
  )
}

/** One schema for the rest, from an index on. */
const rest = (keyword: string, given: unknown, from: number, place: Place): Check => {
  const check = place.part(given, keyword)
  return ofArrays((value, run) =>
    every(
      (function* () {
        for (let index = from; index < value.length; index += 1) yield under(index, check(value[index], run))
      })(),
      run.all
    )
  )
}

const prefixItems: Keyword = (given, place) =>
  Array.isArray(given) ? places("prefixItems", given, place) : place.malformed("prefixItems", "an array of schemas")

/** In older drafts, an array of schemas is what `prefixItems` is now. */
const items: Keyword = (given, place, schema) => {
  if (Array.isArray(given)) return places("items", given, place)
  const before = schema["prefixItems"]
  return rest("items", given, Array.isArray(before) ? before.length : 0, place)
}

const additionalItems: Keyword = (given, place, schema) => {
  const before = schema["items"]
  return Array.isArray(before) ? rest("additionalItems", given, before.length, place) : undefined
}

const size =
  (keyword: string, isRight: (count: number, bound: number) => boolean, words: string): Keyword =>
  (bound, place) =>
    isCount(bound)
      ? ofArrays((value) =>
          isRight(value.length, bound) ? valid : unexpected(`an array of at ${words} ${bound} item(s)`, value)
        )
      : place.malformed(keyword, "a number of items")

const uniqueItems: Keyword = (given, place) => {
  if (typeof given !== "boolean") return place.malformed("uniqueItems", "true or false")
  if (!given) return undefined
  return ofArrays((value) => (new Set(value.map(sameText)).size === value.length ? valid : invalid("Has equal items")))
}

/** `minContains` and `maxContains` say how many; by default at least one. */
const contains: Keyword = (given, place, schema) => {
  const { maxContains = Number.POSITIVE_INFINITY, minContains = 1 } = schema
  if (typeof minContains !== "number" || typeof maxContains !== "number") {
    return place.malformed("contains", "beside numbers, in minContains and maxContains")
  }
  const check = place.part(given, "contains")
  return ofArrays((value, run) => {
    let [fitting, unknowns] = [0, 0]
    for (const one of value) {
      const outcome = check(one, run)
      if (outcome._tag === "Valid") fitting += 1
      else if (outcome._tag === "Unknown") unknowns += 1
    }
    if (fitting > maxContains) return invalid(`Has more than ${maxContains} of the items that it should contain`)
    if (fitting + unknowns < minContains) return invalid(`Lacks an item that it should contain`)
    return fitting >= minContains && fitting + unknowns <= maxContains ? valid : unknown
  })
}

export const arrayKeywords: Keywords = {
  prefixItems,
  items,
  additionalItems,
  minItems: size("minItems", atLeast, "least"),
  maxItems: size("maxItems", atMost, "most"),
  uniqueItems,
  contains
}
