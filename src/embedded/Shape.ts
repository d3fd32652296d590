/** Checks JSON values against the protocol, with the error codes and wording of the real API. */

/**
 * Why an event was refused: the body of an `error` event, without the event id.
 *
 * @since 0.1.0
 * @category faults
 */
export interface Refusal {
  readonly type: "invalid_request_error" | "server_error"
  readonly code: string
  readonly message: string
  /** The path of the invalid field, such as `session.tools[0].name`. */
  readonly param: string | null
}

/** Returns what is wrong with `value` at `path`, if anything. */
export type Shape = (value: unknown, path: string) => Refusal | undefined

/**
 * An event, or a part of one, as JSON.
 *
 * @since 0.1.0
 * @category models
 */
export type JsonObject = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

export const refusal = (code: string, message: string, param: string | null = null): Refusal => ({
  type: "invalid_request_error",
  code,
  message,
  param
})

/** JSON as text. `String` would fail for an object whose `toString` came from the JSON. */
export const shown = (value: unknown): string => (typeof value === "string" ? value : (JSON.stringify(value) ?? ""))

const join = (path: string, key: string) => (path === "" ? key : `${path}.${key}`)

const nameOf = (value: unknown): string => {
  if (value === null) return "null"
  if (Array.isArray(value)) return "an array"
  switch (typeof value) {
    case "string":
      return "a string"
    case "number":
      return Number.isInteger(value) ? "an integer" : "a decimal"
    case "boolean":
      return "a boolean"
    default:
      return "an object"
  }
}

const wrongType = (path: string, expected: string, value: unknown): Refusal =>
  refusal("invalid_type", `Invalid type for '${path}': expected ${expected}, but got ${nameOf(value)} instead.`, path)

export const missing = (path: string): Refusal =>
  refusal("missing_required_parameter", `Missing required parameter: '${path}'.`, path)

export const unsupported = (path: string, value: unknown, supported: ReadonlyArray<string>): Refusal => {
  const quoted = supported.map((name) => `'${name}'`)
  const list = quoted.length > 1 ? `${quoted.slice(0, -1).join(", ")}, and ${quoted.at(-1)}` : (quoted[0] ?? "none")
  return refusal("invalid_value", `Invalid value: '${shown(value)}'. Supported values are: ${list}.`, path)
}

export const anything: Shape = () => undefined

export const text =
  (limits: { readonly maxLength?: number; readonly pattern?: RegExp } = {}): Shape =>
  (value, path) => {
    if (typeof value !== "string") return wrongType(path, "a string", value)
    if (limits.maxLength !== undefined && value.length > limits.maxLength) {
      return refusal(
        "string_above_max_length",
        `Invalid '${path}': string too long. Expected a string with maximum length ${limits.maxLength}, but got a string with length ${value.length} instead.`,
        path
      )
    }
    if (limits.pattern !== undefined && !limits.pattern.test(value)) {
      return refusal(
        "invalid_value",
        `Invalid '${path}': string does not match pattern. Expected a string that matches the pattern '${limits.pattern.source}'.`,
        path
      )
    }
    return undefined
  }

export const bool: Shape = (value, path) =>
  typeof value === "boolean" ? undefined : wrongType(path, "a boolean", value)

export const number =
  (limits: { readonly integer?: boolean; readonly min?: number; readonly max?: number } = {}): Shape =>
  (value, path) => {
    const kind = limits.integer === true ? "integer" : "decimal"
    if (typeof value !== "number" || (limits.integer === true && !Number.isInteger(value))) {
      return wrongType(path, limits.integer === true ? "an integer" : "a decimal", value)
    }
    if (limits.min !== undefined && value < limits.min) {
      return refusal(
        `${kind}_below_min_value`,
        `Invalid '${path}': ${kind} below minimum value. Expected a value >= ${limits.min}, but got ${value} instead.`,
        path
      )
    }
    if (limits.max !== undefined && value > limits.max) {
      return refusal(
        `${kind}_above_max_value`,
        `Invalid '${path}': ${kind} above maximum value. Expected a value <= ${limits.max}, but got ${value} instead.`,
        path
      )
    }
    return undefined
  }

export const oneOf =
  (...supported: ReadonlyArray<string>): Shape =>
  (value, path) =>
    typeof value === "string" && supported.includes(value) ? undefined : unsupported(path, value, supported)

export const nullable =
  (shape: Shape): Shape =>
  (value, path) =>
    value === null ? undefined : shape(value, path)

/** A string that passes the first shape, or anything else that passes the second one. */
export const textOr =
  (first: Shape, second: Shape): Shape =>
  (value, path) =>
    typeof value === "string" ? first(value, path) : second(value, path)

export const listOf =
  (element: Shape, limits: { readonly maxLength?: number } = {}): Shape =>
  (value, path) => {
    if (!Array.isArray(value)) return wrongType(path, "an array", value)
    if (limits.maxLength !== undefined && value.length > limits.maxLength) {
      return refusal(
        "array_above_max_length",
        `Invalid '${path}': array too long. Expected an array with maximum length ${limits.maxLength}, but got an array with length ${value.length} instead.`,
        path
      )
    }
    for (let index = 0; index < value.length; index++) {
      const problem = element(value[index], `${path}[${index}]`)
      if (problem !== undefined) return problem
    }
    return undefined
  }

export const object =
  (fields: { readonly [key: string]: Shape }, required: ReadonlyArray<string> = []): Shape =>
  (value, path) => {
    if (!isObject(value)) return wrongType(path, "an object", value)
    for (const key of Object.keys(value)) {
      if (!Object.hasOwn(fields, key)) {
        const at = join(path, key)
        return refusal("unknown_parameter", `Unknown parameter: '${at}'.`, at)
      }
    }
    for (const key of required) {
      if (value[key] === undefined) return missing(join(path, key))
    }
    for (const [key, shape] of Object.entries(fields)) {
      if (!Object.hasOwn(value, key)) continue
      const problem = shape(value[key], join(path, key))
      if (problem !== undefined) return problem
    }
    return undefined
  }

/** An object with arbitrary keys, such as `metadata`. */
export const record =
  (element: Shape, limits: { readonly maxProperties?: number; readonly maxKeyLength?: number } = {}): Shape =>
  (value, path) => {
    if (!isObject(value)) return wrongType(path, "an object", value)
    const keys = Object.keys(value)
    if (limits.maxProperties !== undefined && keys.length > limits.maxProperties) {
      return refusal(
        "object_above_max_properties",
        `Invalid '${path}': too many properties. Expected an object with at most ${limits.maxProperties} properties, but got an object with ${keys.length} properties instead.`,
        path
      )
    }
    for (const key of keys) {
      const at = join(path, key)
      const problem = limits.maxKeyLength === undefined ? undefined : text({ maxLength: limits.maxKeyLength })(key, at)
      const bad = problem ?? element(value[key], at)
      if (bad !== undefined) return bad
    }
    return undefined
  }

/** An object whose shape depends on one of its fields. */
export const by =
  (field: string, shapes: { readonly [value: string]: Shape }): Shape =>
  (value, path) => {
    if (!isObject(value)) return wrongType(path, "an object", value)
    const tag = value[field]
    const at = join(path, field)
    if (tag === undefined) return missing(at)
    const shape = typeof tag === "string" && Object.hasOwn(shapes, tag) ? shapes[tag] : undefined
    return shape === undefined ? unsupported(at, tag, Object.keys(shapes)) : shape(value, path)
  }
