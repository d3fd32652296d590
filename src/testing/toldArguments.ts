import * as fc from "effect/FastCheck"

type JsonObject = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** How deep a recursive schema is filled in. */
const maxDepth = 5

/**
 * Arguments from a model that only knows the function's definition. The decoder refuses some of them, because some
 * conditions are only described in words.
 */
export const toldArguments = (parameters: JsonObject): fc.Arbitrary<string> =>
  valueOf(parameters, parameters, 0).map((value) => JSON.stringify(value))

const valueOf = (schema: unknown, root: JsonObject, depth: number): fc.Arbitrary<unknown> => {
  if (!isObject(schema) || depth > maxDepth) return fc.constant(null)
  const { $ref, anyOf, enum: values, type } = schema
  if (typeof $ref === "string") {
    const definitions = root["$defs"]
    return valueOf(isObject(definitions) ? definitions[$ref.slice("#/$defs/".length)] : undefined, root, depth + 1)
  }
  if (Array.isArray(anyOf) && anyOf.length > 0) {
    return fc.oneof(...anyOf.map((one: unknown) => valueOf(one, root, depth + 1)))
  }
  if (Array.isArray(values) && values.length > 0) return fc.constantFrom<Array<unknown>>(...values)
  const bound = (keyword: string, usual: number): number => {
    const found = schema[keyword]
    return typeof found === "number" ? found : usual
  }
  switch (type) {
    case "string":
      return textOf(schema, bound("minLength", 0), bound("maxLength", 40))
    case "integer":
    case "number": {
      const min = Math.ceil(bound("minimum", bound("exclusiveMinimum", -1_001) + 1))
      return fc.integer({ min, max: Math.max(min, Math.floor(bound("maximum", bound("exclusiveMaximum", 1_001) - 1))) })
    }
    case "boolean":
      return fc.boolean()
    case "null":
      return fc.constant(null)
    case "array": {
      const minLength = bound("minItems", 0)
      const maxLength = Math.max(minLength, Math.min(bound("maxItems", 3), depth < maxDepth ? 3 : 0))
      return fc.array(valueOf(schema["items"], root, depth + 1), { minLength, maxLength })
    }
    case "object":
      return objectOf(schema, root, depth)
    default:
      return fc.jsonValue({ maxDepth: 1 })
  }
}

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
  const { additionalProperties, properties, required } = schema
  const fields = Object.entries(isObject(properties) ? properties : {})
  const named = fc.record(Object.fromEntries(fields.map(([name, one]) => [name, valueOf(one, root, depth + 1)])), {
    requiredKeys: Array.isArray(required) ? required.filter((name): name is string => typeof name === "string") : []
  })
  if (!isObject(additionalProperties)) return named
  const more = fc.dictionary(fc.string({ maxLength: 5 }), valueOf(additionalProperties, root, depth + 1), {
    maxKeys: 2
  })
  return fc.tuple(more, named).map(([others, own]) => ({ ...others, ...own }))
}
