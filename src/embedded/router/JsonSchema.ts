/** Reads the JSON schema of a tool's parameters, as far as arguments need it. */
import { isObject, type JsonObject } from "../Shape.js"

export type Field =
  | { readonly _tag: "Choice"; readonly values: ReadonlyArray<string | number | boolean> }
  | { readonly _tag: "Number"; readonly integer: boolean }
  | { readonly _tag: "Boolean" }
  | { readonly _tag: "Text"; readonly format: string | undefined; readonly pattern: string | undefined }
  | { readonly _tag: "List"; readonly element: Field }
  | { readonly _tag: "Object"; readonly properties: ReadonlyArray<Property> }
  | { readonly _tag: "Other" }

export interface Property {
  readonly name: string
  readonly description: string
  readonly required: boolean
  readonly fallback: unknown
  readonly field: Field
}

const MAX_DEPTH = 8

/** The values that an alternative lists, if any. */
const choicesOf = (alternative: unknown): ReadonlyArray<unknown> => {
  if (!isObject(alternative)) return []
  const { const: constant, enum: values } = alternative
  return constant === undefined ? (Array.isArray(values) ? values : []) : [constant]
}

/** Follows `$ref` within the document, and takes the first alternative that is not `null`. */
const resolve = (schema: unknown, root: JsonObject, depth: number): JsonObject => {
  if (!isObject(schema) || depth > MAX_DEPTH) return {}
  const reference = schema["$ref"]
  if (typeof reference === "string" && reference.startsWith("#/")) {
    let target: unknown = root
    for (const key of reference.slice(2).split("/")) {
      const name = key.replace(/~1/g, "/").replace(/~0/g, "~")
      target = isObject(target) && Object.hasOwn(target, name) ? target[name] : undefined
    }
    return { ...resolve(target, root, depth + 1), ...schema }
  }
  for (const key of ["anyOf", "oneOf"]) {
    const alternatives = schema[key]
    if (!Array.isArray(alternatives)) continue
    const choices = alternatives.map(choicesOf)
    if (choices.every((values) => values.length > 0)) return { ...schema, enum: choices.flat() }
    const first: unknown = alternatives.find((alternative) => !isObject(alternative) || alternative["type"] !== "null")
    return { ...resolve(first, root, depth + 1), ...schema }
  }
  const all = schema["allOf"]
  if (Array.isArray(all)) {
    return Object.assign({}, ...all.map((part) => resolve(part, root, depth + 1)), schema)
  }
  return schema
}

/** For a tuple, the first element: a list of such elements is the best that a sentence can give. */
const elementOf = ({ items, prefixItems }: JsonObject): unknown => {
  const all = Array.isArray(prefixItems) ? prefixItems : items
  return Array.isArray(all) ? all[0] : all
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const isPlain = (value: unknown): value is string | number | boolean =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean"

const fieldOf = (schema: JsonObject, root: JsonObject, depth: number): Field => {
  if (isPlain(schema["const"])) return { _tag: "Choice", values: [schema["const"]] }
  if (Array.isArray(schema["enum"])) return { _tag: "Choice", values: schema["enum"].filter(isPlain) }
  const declared = schema["type"]
  const type: unknown = Array.isArray(declared) ? declared.find((name) => name !== "null") : declared
  switch (type) {
    case "integer":
      return { _tag: "Number", integer: true }
    case "number":
      return { _tag: "Number", integer: false }
    case "boolean":
      return { _tag: "Boolean" }
    case "string":
      return { _tag: "Text", format: textOf(schema["format"]), pattern: textOf(schema["pattern"]) }
    case "array":
      return { _tag: "List", element: fieldOf(resolve(elementOf(schema), root, depth + 1), root, depth + 1) }
    default:
      return type === "object" || isObject(schema["properties"])
        ? { _tag: "Object", properties: read(schema, root, depth + 1) }
        : { _tag: "Other" }
  }
}

const read = (schema: JsonObject, root: JsonObject, depth: number): ReadonlyArray<Property> => {
  const properties = schema["properties"]
  if (!isObject(properties) || depth > MAX_DEPTH) return []
  const required = Array.isArray(schema["required"]) ? schema["required"] : []
  return Object.entries(properties).map(([name, value]) => {
    const resolved = resolve(value, root, depth)
    return {
      name,
      description: typeof resolved["description"] === "string" ? resolved["description"] : "",
      required: required.includes(name),
      fallback: resolved["default"],
      field: fieldOf(resolved, root, depth)
    }
  })
}

/** The properties of an object schema, in order. */
export const propertiesOf = (schema: JsonObject): ReadonlyArray<Property> => read(resolve(schema, schema, 0), schema, 0)
