/** Conditions that are made of other schemas for the same value. */
import type { Check, Keyword, Keywords, Place, Run } from "./Keyword.js"
import { every, not as negated, type Outcome, one, some, unknown, valid } from "./Outcome.js"

const members = (keyword: string, given: unknown, place: Place): ReadonlyArray<Check> | undefined =>
  Array.isArray(given) && given.length > 0
    ? given.map((schema: unknown, index) => place.same(schema, keyword, index))
    : place.malformed(keyword, "an array of schemas")

function* outcomes(checks: ReadonlyArray<Check>, value: unknown, run: Run): Iterable<Outcome> {
  for (const check of checks) yield check(value, run)
}

const combined =
  (keyword: string, combine: (all: Iterable<Outcome>, value: unknown, run: Run) => Outcome): Keyword =>
  (given, place) => {
    const checks = members(keyword, given, place)
    return checks === undefined ? undefined : (value, run) => combine(outcomes(checks, value, run), value, run)
  }

const not: Keyword = (given, place) => {
  const check = place.same(given, "not")
  return (value, run) => negated(check(value, run))
}

const condition: Keyword = (given, place, schema) => {
  const check = place.same(given, "if")
  const branch = (keyword: "then" | "else"): Check =>
    schema[keyword] === undefined ? () => valid : place.same(schema[keyword], keyword)
  const [onValid, onInvalid] = [branch("then"), branch("else")]
  return (value, run) => {
    switch (check(value, run)._tag) {
      case "Valid":
        return onValid(value, run)
      case "Invalid":
        return onInvalid(value, run)
      case "Unknown": {
        const [first, second] = [onValid(value, run), onInvalid(value, run)]
        return first._tag === second._tag ? first : unknown
      }
    }
  }
}

export const combinators: Keywords = {
  allOf: combined("allOf", (all, _, run) => every(all, run.all)),
  anyOf: combined("anyOf", some),
  oneOf: combined("oneOf", one),
  not,
  if: condition
}
