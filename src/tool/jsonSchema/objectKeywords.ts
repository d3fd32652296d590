/** Conditions on objects. Any other value keeps them. */
import { type Check, isObject, type JsonObject, type Keyword, type Keywords, type Place, regexOf } from "./Keyword.js"
import { every, invalid, type Outcome, under, unexpected, unknown, valid } from "./Outcome.js"
import { atLeast, atMost, isCount } from "./valueKeywords.js"

const ofObjects =
  (check: (value: JsonObject, run: Parameters<Check>[1]) => Outcome): Check =>
  (value, run) =>
    isObject(value) ? check(value, run) : valid

const isNames = (value: unknown): value is ReadonlyArray<string> =>
  Array.isArray(value) && value.every((name) => typeof name === "string")

/** The fields of an object schema that hold schemas by name. */
const byName = (given: unknown): ReadonlyArray<readonly [name: string, schema: unknown]> | undefined =>
  isObject(given) ? Object.entries(given) : undefined

const properties: Keyword = (given, place) => {
  const named = byName(given)
  if (named === undefined) return place.malformed("properties", "an object of schemas by name")
  const checks = named.map(([name, schema]) => [name, place.part(schema, "properties", name)] as const)
  return ofObjects((value, run) => {
    const present = checks.filter(([name]) => Object.hasOwn(value, name))
    return every(
      lazily(present, ([name, check]) => under(name, check(value[name], run))),
      run.all
    )
  })
}

function* lazily<A>(all: Iterable<A>, outcome: (one: A) => Outcome): Iterable<Outcome> {
  for (const one of all) yield outcome(one)
}

interface Patterns {
  readonly regexes: ReadonlyArray<RegExp>
  /** Whether one of them cannot be read, so that it may match any name. */
  readonly isUnknown: boolean
}

const patternsOf = (given: unknown): Patterns => {
  const sources = isObject(given) ? Object.keys(given) : []
  const regexes = sources.flatMap((source) => regexOf(source) ?? [])
  return { regexes, isUnknown: regexes.length < sources.length }
}

const patternProperties: Keyword = (given, place) => {
  const named = byName(given)
  if (named === undefined) return place.malformed("patternProperties", "an object of schemas by regular expression")
  const checks = named.map(([source, schema]) => {
    const regex = regexOf(source)
    if (regex !== undefined) return { regex, check: place.part(schema, "patternProperties", source) }
    return { regex: /(?:)/, check: place.notUnderstood(`patternProperties ${JSON.stringify(source)}`) }
  })
  return ofObjects((value, run) =>
    every(
      (function* () {
        for (const [name, one] of Object.entries(value)) {
          for (const { check, regex } of checks) if (regex.test(name)) yield under(name, check(one, run))
        }
      })(),
      run.all
    )
  )
}

const additionalProperties: Keyword = (given, place, schema) => {
  const named = isObject(schema["properties"]) ? schema["properties"] : {}
  const patterns = patternsOf(schema["patternProperties"])
  const check = given === false ? undefined : place.part(given, "additionalProperties")
  const isAdditional = (name: string) =>
    !Object.hasOwn(named, name) && !patterns.regexes.some((regex) => regex.test(name))
  return ofObjects((value, run) => {
    const outcome = every(
      lazily(Object.keys(value).filter(isAdditional), (name) =>
        check === undefined ? invalid("is unexpected", name) : under(name, check(value[name], run))
      ),
      run.all
    )
    return patterns.isUnknown && outcome._tag === "Invalid" ? unknown : outcome
  })
}

const missing = (names: ReadonlyArray<string>, value: JsonObject, all: boolean): Outcome =>
  every(
    lazily(
      names.filter((name) => !Object.hasOwn(value, name)),
      (name) => invalid("is missing", name)
    ),
    all
  )

const required: Keyword = (names, place) =>
  isNames(names)
    ? ofObjects((value, run) => missing(names, value, run.all))
    : place.malformed("required", "an array of names")

const propertyNames: Keyword = (given, place) => {
  const check = place.part(given, "propertyNames")
  return ofObjects((value, run) =>
    every(
      lazily(Object.keys(value), (name) => under(name, check(name, run))),
      run.all
    )
  )
}

const size =
  (keyword: string, isRight: (count: number, bound: number) => boolean, words: string): Keyword =>
  (bound, place) =>
    isCount(bound)
      ? ofObjects((value) =>
          isRight(Object.keys(value).length, bound)
            ? valid
            : unexpected(`an object of at ${words} ${bound} field(s)`, value)
        )
      : place.malformed(keyword, "a number of fields")

/** A condition that applies if the object has a field: a list of other fields that it needs, or a schema. */
const dependency = (keyword: string, name: string, given: unknown, place: Place): Check | undefined => {
  const check: Check | undefined = isNames(given)
    ? ofObjects((value, run) => missing(given, value, run.all))
    : place.same(given, keyword, name)
  return ofObjects((value, run) => (Object.hasOwn(value, name) ? check(value, run) : valid))
}

const dependencies =
  (keyword: string, fits: (given: unknown) => boolean): Keyword =>
  (given, place) => {
    const named = byName(given)
    if (named === undefined || !named.every(([, one]) => fits(one))) {
      return place.malformed(keyword, "an object with an entry for each field")
    }
    const checks = named.flatMap(([name, one]) => dependency(keyword, name, one, place) ?? [])
    return (value, run) =>
      every(
        lazily(checks, (check) => check(value, run)),
        run.all
      )
  }

const isSchema = (given: unknown): boolean => isObject(given) || typeof given === "boolean"

export const objectKeywords: Keywords = {
  properties,
  patternProperties,
  additionalProperties,
  required,
  propertyNames,
  minProperties: size("minProperties", atLeast, "least"),
  maxProperties: size("maxProperties", atMost, "most"),
  dependentRequired: dependencies("dependentRequired", isNames),
  dependentSchemas: dependencies("dependentSchemas", isSchema),
  // Both, in older drafts.
  dependencies: dependencies("dependencies", (given) => isNames(given) || isSchema(given))
}
