/**
 * The dialect of JSON Schema that the API accepts for the `parameters` of a function. One function that breaks a rule
 * fails the whole `session.update`, so both sides check here: the client that sends tools, and the embedded server.
 */
import { keysOf, valueAt } from "./pointer.js"

/** Why the API refuses a function's parameters, in its own words. */
export interface ParametersRefused {
  readonly code: "invalid_function_parameters" | "invalid_json_schema"
  /** What is wrong and where, in the API's words after `Invalid schema for function '…': `. */
  readonly reason: string
}

type JsonObject = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Keywords that are allowed in fields, but not at the top level. */
export const notAtRoot = ["oneOf", "anyOf", "allOf", "enum", "const", "not"]

const types = ["array", "boolean", "integer", "null", "number", "object", "string"]

/** Keywords whose value is a schema, an array of them, or an object of them by name. */
export const single = ["items", "additionalProperties", "not", "contains", "propertyNames", "if", "then", "else"]
export const listed = ["anyOf", "oneOf", "allOf", "prefixItems"]
export const named = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"]

/**
 * Whether a JavaScript regular expression means the same everywhere. The API compiles patterns with Python's `re`,
 * which has no `\p{…}`, `(?<name>…)`, `\u{…}` or `[^]`, and newer models refuse lookaround and backreferences.
 * JavaScript validators compile patterns with the flag `u`, which refuses needless escapes.
 */
export const isPortablePattern = (source: string): boolean => {
  if (readsElsewhereOnly(source) || hasLookaround(source)) return false
  try {
    new RegExp(source, "u")
    return true
  } catch {
    return false
  }
}

const withoutClasses = (source: string): string => source.replace(/\\.|\[(?:\\.|[^\]\\])*\]/gs, "_")

const hasLookaround = (source: string): boolean => /\(\?(?:[=!]|<[=!])/.test(withoutClasses(source))

const readsElsewhereOnly = (source: string): boolean =>
  /\\(?:[pPkc1-9]|u\{)/.test(source.replace(/\\\\/g, "")) ||
  /(?<!\\)\[\^?\]/.test(source.replace(/\\\\/g, "")) ||
  /\(\?(?![:=!]|<[=!])/.test(withoutClasses(source))

interface Place {
  readonly schema: unknown
  /** The path from the root, innermost first. */
  readonly key: string
  readonly above: Place | undefined
}

const wayTo = (place: Place): ReadonlyArray<string> => {
  const keys: Array<string> = []
  for (let at: Place | undefined = place; at?.above !== undefined; at = at.above) keys.unshift(at.key)
  return keys
}

/** A path, written as a Python tuple. */
const context = (keys: ReadonlyArray<string>): string =>
  `In context=(${keys.map((key) => `'${key}'`).join(", ")}${keys.length === 1 ? "," : ""})`

const invalid = (reason: string): ParametersRefused => ({ code: "invalid_function_parameters", reason })

const refused = (place: Place, reason: string): ParametersRefused => invalid(`${context(wayTo(place))}, ${reason}`)

/**
 * The first thing that the API refuses in a function's parameters, if any. The rules come from reported refusals,
 * mostly over HTTP, where the same validator checks the same tools.
 */
export const refusalOf = (parameters: unknown): ParametersRefused | undefined => {
  const type = isObject(parameters) ? parameters["type"] : undefined
  if (!isObject(parameters) || type !== "object") {
    const shown = typeof type === "string" ? type : "None"
    return invalid(`schema must be a JSON Schema of 'type: "object"', got 'type: "${shown}"'.`)
  }
  if (notAtRoot.some((keyword) => Object.hasOwn(parameters, keyword))) {
    return invalid(
      "schema must have type 'object' and not have 'oneOf'/'anyOf'/'allOf'/'enum'/'const'/'not' at the top level."
    )
  }
  if (!isObject(parameters["properties"])) {
    return invalid("In context=(), object schema missing properties.")
  }
  // A client may nest as deeply as it likes, so there is no recursion here.
  const places: Array<Place> = [{ schema: parameters, key: "", above: undefined }]
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const found = refusalAt(place, parameters)
    if (found !== undefined) return found
    places.push(...within(place).toReversed())
  }
  return undefined
}

const leadsSomewhere = (reference: string, root: JsonObject): boolean => {
  const keys = keysOf(reference)
  return keys !== undefined && valueAt(root, keys) !== undefined
}

const refusalAt = (place: Place, root: JsonObject): ParametersRefused | undefined => {
  const { schema } = place
  if (typeof schema === "boolean") return undefined
  if (!isObject(schema)) return refused(place, `${JSON.stringify(schema)} is not of type 'object', 'boolean'.`)
  const { $ref, items, pattern, type } = schema
  const allTypes = Array.isArray(type) ? type : type === undefined ? [] : [type]
  const unknown: unknown = allTypes.find((one) => typeof one !== "string" || !types.includes(one))
  if (unknown !== undefined) {
    return refused(place, `${JSON.stringify(unknown)} is not valid under any of the given schemas.`)
  }
  if (allTypes.includes("array") && items === undefined) return refused(place, "array schema missing items.")
  if (typeof pattern === "string" && hasLookaround(pattern)) {
    const at = wayTo(place).map((key) => `.${key}`)
    return {
      code: "invalid_json_schema",
      reason: `Invalid JSON schema: regex lookaround is not supported. Found at $${at.join("")}.pattern.`
    }
  }
  if (typeof pattern === "string" && !isPortablePattern(pattern)) {
    return refused(place, `'${pattern}' is not a 'regex'.`)
  }
  if (typeof $ref === "string" && !leadsSomewhere($ref, root)) {
    return refused(place, `reference to component '${$ref}' which was not found in the schema.`)
  }
  return undefined
}

/** The schemas directly below a schema, in order. */
const within = (place: Place): ReadonlyArray<Place> => {
  const { schema } = place
  if (!isObject(schema)) return []
  const found: Array<Place> = []
  for (const [keyword, value] of Object.entries(schema)) {
    if (single.includes(keyword)) found.push({ schema: value, key: keyword, above: place })
    else if (listed.includes(keyword) && Array.isArray(value)) {
      const at: Place = { schema: undefined, key: keyword, above: place }
      value.forEach((one: unknown, index) => {
        found.push({ schema: one, key: String(index), above: at })
      })
    } else if (named.includes(keyword) && isObject(value)) {
      const at: Place = { schema: undefined, key: keyword, above: place }
      for (const [name, one] of Object.entries(value)) found.push({ schema: one, key: name, above: at })
    }
  }
  return found
}
