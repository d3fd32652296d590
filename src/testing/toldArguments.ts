import * as fc from "effect/FastCheck"
import { decodedKeysOf, valueAt } from "../protocol/pointer.js"

type JsonObject = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** How deep a recursive schema is filled in. */
const maxDepth = 6

/** From this depth on, what may be left out is left out. */
const sparseDepth = 4

/**
 * Arguments from a model that only knows a JSON Schema. Some of them are not valid: some conditions are only described
 * in words, and some are too rarely kept by chance.
 */
export const toldArguments = (parameters: JsonObject): fc.Arbitrary<string> =>
  valueOf({ type: "object", ...parameters }, parameters, 0).map((value) => JSON.stringify(value))

const list = (value: unknown): ReadonlyArray<unknown> => (Array.isArray(value) ? value : [])

/** Two conditions on the same value, as one schema. */
const both = (a: JsonObject, b: JsonObject): JsonObject => {
  const properties = new Map(Object.entries(isObject(a["properties"]) ? a["properties"] : {}))
  for (const [name, schema] of Object.entries(isObject(b["properties"]) ? b["properties"] : {})) {
    const other = properties.get(name)
    properties.set(name, isObject(other) && isObject(schema) ? both(other, schema) : schema)
  }
  const required = [...new Set([...list(a["required"]), ...list(b["required"])])]
  return {
    ...a,
    ...b,
    ...(properties.size === 0 ? {} : { properties: Object.fromEntries(properties) }),
    ...(required.length === 0 ? {} : { required })
  }
}

/** The schema without what refers to others: one for each of its alternatives. */
const alternativesOf = (schema: JsonObject, root: JsonObject, depth: number): ReadonlyArray<JsonObject> => {
  if (depth > maxDepth) return []
  const { $ref, allOf, anyOf, oneOf, ...own } = schema
  const target = typeof $ref === "string" ? valueAt(root, decodedKeysOf($ref) ?? []) : undefined
  const parts = [target, ...list(allOf)].filter(isObject)
  let found: ReadonlyArray<JsonObject> = [own]
  const combine = (others: ReadonlyArray<JsonObject>) => {
    found = found.flatMap((one) => others.map((other) => both(other, one)))
  }
  for (const part of parts) combine(alternativesOf(part, root, depth + 1))
  for (const choices of [list(anyOf), list(oneOf)]) {
    if (choices.length > 0) {
      combine(
        choices.flatMap((one) => (isObject(one) ? alternativesOf(one, root, depth + 1) : one === true ? [{}] : []))
      )
    }
  }
  // Alternatives of alternatives: enough of them to choose from.
  return found.slice(0, 20)
}

const valueOf = (schema: unknown, root: JsonObject, depth: number): fc.Arbitrary<unknown> => {
  if (!isObject(schema)) return schema === false ? fc.constant(null) : fc.jsonValue({ maxDepth: 1 })
  if (depth > maxDepth) return fc.constant(null)
  const alternatives = alternativesOf(schema, root, depth)
  const plain = alternatives.filter(({ type }) => type !== "object" && type !== "array")
  const some = depth >= sparseDepth && plain.length > 0 ? plain : alternatives
  return some.length === 0 ? fc.constant(null) : fc.oneof(...some.map((one) => plainValue(one, root, depth)))
}

/** The type of a schema that only implies it. */
const implied = (schema: JsonObject): string | undefined => {
  const has = (...keywords: ReadonlyArray<string>) => keywords.some((keyword) => keyword in schema)
  if (has("properties", "required", "additionalProperties")) return "object"
  if (has("items", "prefixItems", "minItems")) return "array"
  if (has("pattern", "minLength", "format")) return "string"
  return has("minimum", "maximum", "multipleOf") ? "number" : undefined
}

const plainValue = (schema: JsonObject, root: JsonObject, depth: number): fc.Arbitrary<unknown> => {
  const { const: only, enum: values, type } = schema
  if (only !== undefined) return fc.constant(only)
  if (Array.isArray(values) && values.length > 0) return fc.constantFrom<Array<unknown>>(...values)
  if (Array.isArray(type) && type.length > 0) {
    return fc.oneof(...type.map((one: unknown) => plainValue({ ...schema, type: one }, root, depth)))
  }
  const bound = (keyword: string, usual: number): number => {
    const found = schema[keyword]
    return typeof found === "number" ? found : usual
  }
  switch (type ?? implied(schema)) {
    case "string":
      return textOf(schema, bound("minLength", 0), bound("maxLength", 40))
    case "integer":
    case "number":
      return numberOf(schema, bound)
    case "boolean":
      return fc.boolean()
    case "null":
      return fc.constant(null)
    case "array":
      return arrayOf(schema, root, depth, bound)
    case "object":
      return objectOf(schema, root, depth)
    default:
      return fc.jsonValue({ maxDepth: 1 })
  }
}

type Bound = (keyword: string, usual: number) => number

const numberOf = ({ multipleOf }: JsonObject, bound: Bound): fc.Arbitrary<number> => {
  const step = typeof multipleOf === "number" && multipleOf > 0 ? multipleOf : 1
  const least = Math.max(bound("minimum", -1_000), bound("exclusiveMinimum", -1_001) + step / 2)
  const min = Math.ceil(least / step)
  const most = Math.min(bound("maximum", 1_000), bound("exclusiveMaximum", 1_001) - step / 2)
  return (
    fc
      .integer({ min, max: Math.max(min, Math.floor(most / step)) })
      // Three times 0.1 is not written as 0.3 otherwise.
      .map((count) => Number((count * step).toPrecision(12)))
  )
}

const arrayOf = (schema: JsonObject, root: JsonObject, depth: number, bound: Bound): fc.Arbitrary<unknown> => {
  const { items } = schema
  const places = Array.isArray(items) ? items : list(schema["prefixItems"])
  const rest = Array.isArray(items) ? schema["additionalItems"] : items
  const most = rest === false ? 0 : depth < sparseDepth ? 3 : 0
  const minLength = Math.max(0, bound("minItems", 0) - places.length)
  const maxLength = Math.max(minLength, Math.min(bound("maxItems", 3) - places.length, most))
  const first = fc.tuple(...places.map((one: unknown) => valueOf(one, root, depth + 1)))
  const others = fc.array(valueOf(rest, root, depth + 1), { minLength, maxLength })
  return fc
    .tuple(first, others)
    .map(([a, b]) => [...a, ...b])
    .map((all) => (schema["uniqueItems"] === true ? distinct(all) : all))
}

const distinct = (all: ReadonlyArray<unknown>): ReadonlyArray<unknown> => [
  ...new Map(all.map((one) => [JSON.stringify(one), one])).values()
]

const textOf = ({ pattern }: JsonObject, minLength: number, maxLength: number): fc.Arbitrary<string> => {
  const text = fc.string({ minLength, maxLength: Math.max(minLength, maxLength) })
  if (typeof pattern !== "string") return text
  try {
    return fc.stringMatching(new RegExp(pattern))
  } catch {
    // fast-check cannot generate text for some patterns.
    return text
  }
}

const objectOf = (schema: JsonObject, root: JsonObject, depth: number): fc.Arbitrary<unknown> => {
  const { additionalProperties, properties } = schema
  const required = list(schema["required"]).filter((name): name is string => typeof name === "string")
  const known = isObject(properties) ? properties : {}
  const unnamed = required.filter((name) => !Object.hasOwn(known, name))
  const fields = [...Object.entries(known), ...unnamed.map((name) => [name, additionalProperties] as const)]
  const filled = fields.filter(([name, one]) => one !== false && (depth < sparseDepth || required.includes(name)))
  const named = fc.record(Object.fromEntries(filled.map(([name, one]) => [name, valueOf(one, root, depth + 1)])), {
    requiredKeys: required.filter((name) => filled.some(([other]) => other === name))
  })
  if (!isObject(additionalProperties) || depth >= sparseDepth) return named
  const more = fc.dictionary(fc.string({ maxLength: 5 }), valueOf(additionalProperties, root, depth + 1), {
    maxKeys: 2
  })
  return fc.tuple(more, named).map(([others, own]) => ({ ...others, ...own }))
}
