/**
 * Rewrites a JSON Schema that somebody else wrote so that the API accepts it for a function's parameters. What the API
 * accepts stays as it is. What it refuses becomes another form with the same meaning, or words in a description: the
 * arguments are validated against the given schema anyway.
 */
import { isPortablePattern, listed, named, notAtRoot, single } from "./FunctionParameters.js"
import { decodedKeysOf, keysOf, pointerOf, valueAt } from "./pointer.js"

type JsonObject = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** About the document, not about values. */
const ofDocument = ["$schema", "$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "$comment"]

/** Conditions that accept less where a part of them accepts more; `oneOf` becomes `anyOf`. */
const negating = ["not", "if", "then", "else", "oneOf", "maxContains"]

/** References that no other reader follows. What they lead to stays unknown to the model. */
const ofOtherReaders = ["$dynamicRef", "$recursiveRef"]

/** Longer conditions are not repeated in words. */
const maxWords = 2_000

/** The parameters of a function as the API accepts them, made from a JSON Schema of an object. */
export const acceptable = (given: JsonObject): JsonObject => {
  const exact = new Rewriting(given, false)
  const parameters = exact.parameters()
  return exact.isLooser ? new Rewriting(given, true).parameters() : parameters
}

class Rewriting {
  /** Whether a condition was left out, so that the result accepts more. */
  isLooser = false
  readonly #given: JsonObject
  /** Whether conditions that negate others are left out too: with looser ones inside, they would accept less. */
  readonly #loosen: boolean
  /** Targets of references that would lead nowhere in the result, by reference. */
  readonly #moved = new Map<string, string>()
  readonly #definitions = new Map<string, unknown>()
  readonly #onlyReference: boolean
  readonly #isFlattened: boolean

  constructor(given: JsonObject, loosen: boolean) {
    this.#given = given
    this.#loosen = loosen
    const draft = given["$schema"]
    this.#onlyReference = typeof draft === "string" && /\/draft-0[3467]\//.test(draft)
    this.#isFlattened = ["$ref", ...notAtRoot].some((keyword) => Object.hasOwn(given, keyword))
  }

  parameters(): JsonObject {
    const flat = this.#isFlattened ? this.#flattened(this.#given) : this.#given
    const root = this.#clean(flat)
    const { properties, required, type: _, ...others } = isObject(root) ? root : {}
    const moved = Object.fromEntries(this.#definitions)
    const definitions = { ...(isObject(others["$defs"]) ? others["$defs"] : {}), ...moved }
    return {
      type: "object",
      ...others,
      properties: properties ?? {},
      ...(required === undefined ? {} : { required }),
      ...(Object.keys(definitions).length === 0 ? {} : { $defs: definitions })
    }
  }

  /**
   * One object for all that the root combines: a field may have what any of the alternatives says of it, and only what
   * all of them require is required. The conditions themselves are said in words.
   */
  #flattened(root: JsonObject): JsonObject {
    const merged = this.#merged(root, 0)
    const kept = Object.entries(root).filter(([keyword]) => !["$ref", ...notAtRoot].includes(keyword))
    const conditions = Object.entries(root).filter(([keyword]) => notAtRoot.includes(keyword))
    const words = conditions.length === 0 ? "" : `Arguments that fit: ${JSON.stringify(Object.fromEntries(conditions))}`
    const definitions = ["$defs", "definitions"].filter((keyword) => isObject(this.#given[keyword]))
    return described(
      {
        ...Object.fromEntries(kept),
        ...Object.fromEntries(definitions.map((keyword) => [keyword, this.#given[keyword]])),
        properties: Object.fromEntries(merged.properties),
        required: [...merged.required],
        additionalProperties: merged.additional
      },
      words.length <= maxWords ? words : ""
    )
  }

  #merged(schema: unknown, depth: number): Merged {
    if (!isObject(schema) || depth > maxMerged) return open
    const { $ref, additionalProperties, allOf, anyOf, oneOf, properties, required } = schema
    const own: Merged = {
      properties: new Map(Object.entries(isObject(properties) ? properties : {})),
      required: new Set(list(required)),
      // The root's own patterns are kept, those of its parts are not.
      additional: namesOfPatterns(schema).length > 0 && depth > 0 ? true : (additionalProperties ?? true)
    }
    const keys = typeof $ref === "string" ? decodedKeysOf($ref) : undefined
    const referred = keys === undefined ? [] : [this.#merged(valueAt(this.#given, keys), depth + 1)]
    const parts = [own, ...referred, ...list(allOf).map((one) => this.#merged(one, depth + 1))]
    for (const alternatives of [list(anyOf), list(oneOf)]) {
      const [first, ...others] = alternatives.map((one) => this.#merged(one, depth + 1))
      if (first !== undefined) parts.push(others.reduce(either, first))
    }
    return parts.reduce(both)
  }

  #clean(schema: unknown): unknown {
    if (!isObject(schema)) return schema
    const { $ref } = schema
    if (typeof $ref !== "string") return this.#cleanObject(schema)
    const reference = this.#reference($ref)
    const { $ref: _, ...others } = schema
    const rest = this.#cleanObject(
      this.#onlyReference ? Object.fromEntries(Object.entries(others).filter(([name]) => notes.includes(name))) : others
    )
    if (reference === undefined) {
      this.isLooser = true
      return rest
    }
    if (Object.keys(rest).length === 0) return { $ref: reference }
    // The API accepts no other keywords beside a reference.
    return rest["anyOf"] === undefined
      ? { ...rest, anyOf: [{ $ref: reference }] }
      : { ...rest, allOf: [{ $ref: reference }, ...list(rest["allOf"])] }
  }

  #cleanObject(schema: JsonObject): JsonObject {
    const out: Array<readonly [string, unknown]> = []
    const all: Array<unknown> = []
    const words: Array<string> = []
    const hasOddNames = namesOfPatterns(schema).some((source) => !isPortablePattern(source))
    for (const [keyword, value] of Object.entries(tuplesAsNow(boundsAsNow(schema)))) {
      if (ofDocument.includes(keyword)) continue
      if (ofOtherReaders.includes(keyword)) this.isLooser = true
      else if (this.#loosen && negating.includes(keyword)) {
        const alternatives = { anyOf: list(value).map((one) => this.#clean(one)) }
        if (keyword === "oneOf") all.push(alternatives)
      } else if (keyword === "pattern" && typeof value === "string" && !isPortablePattern(value)) {
        this.isLooser = true
        words.push(`Text that matches /${value}/.`)
      } else if (keyword === "patternProperties" && hasOddNames && isObject(value)) {
        this.isLooser = true
        const portable = Object.entries(value).filter(([source]) => isPortablePattern(source))
        for (const source of Object.keys(value)) {
          if (!isPortablePattern(source)) words.push(`Names that match /${source}/ are allowed.`)
        }
        out.push([keyword, this.#byName(Object.fromEntries(portable))])
      } else if (keyword === "additionalProperties" && hasOddNames) {
        // Fields with the names that were just said in words must stay allowed.
      } else if (single.includes(keyword)) out.push([keyword, this.#clean(value)])
      else if (keyword === "allOf") all.push(...list(value).map((one) => this.#clean(one)))
      else if (listed.includes(keyword)) out.push([keyword, list(value).map((one) => this.#clean(one))])
      else if (named.includes(keyword)) out.push([keyword, this.#byName(value)])
      else out.push([keyword, value])
    }
    if (all.length > 0) out.push(["allOf", all])
    if (list(schema["type"], [schema["type"]]).includes("array") && schema["items"] === undefined)
      out.push(["items", {}])
    return described(Object.fromEntries(out), words.join("\n"))
  }

  #byName(value: unknown): unknown {
    if (!isObject(value)) return value
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, this.#clean(one)]))
  }

  /** The same reference, or another one to a copy of its target; `undefined` if it leads nowhere. */
  #reference($ref: string): string | undefined {
    const keys = decodedKeysOf($ref)
    const target = keys === undefined ? undefined : valueAt(this.#given, keys)
    if (keys === undefined || target === undefined) return undefined
    const isDefinition = keys.length === 2 && (keys[0] === "$defs" || keys[0] === "definitions")
    if ((isDefinition || !this.#isFlattened) && $ref === pointerOf(keysOf($ref) ?? [])) return $ref
    const way = pointerOf(keys)
    const known = this.#moved.get(way)
    if (known !== undefined) return known
    const name = this.#nameFor(keys.at(-1) ?? "Root")
    const moved = pointerOf(["$defs", name])
    this.#moved.set(way, moved)
    this.#definitions.set(name, {})
    const { $defs: _, definitions: __, ...copied } = isObject(target) ? target : {}
    this.#definitions.set(name, isObject(target) ? this.#clean(copied) : target)
    return moved
  }

  #nameFor(wanted: string): string {
    const base = wanted.replace(/[^a-zA-Z0-9_-]+/g, "_") || "Part"
    const given = this.#given["$defs"]
    const isTaken = (name: string) => this.#definitions.has(name) || (isObject(given) && Object.hasOwn(given, name))
    let name = base
    for (let count = 2; isTaken(name); count += 1) name = `${base}${count}`
    return name
  }
}

/** The fields of an object schema, as far as one object can say them. */
interface Merged {
  readonly properties: ReadonlyMap<string, unknown>
  readonly required: ReadonlySet<unknown>
  readonly additional: unknown
}

const open: Merged = { properties: new Map(), required: new Set(), additional: true }

/** Alternatives within alternatives: more are left open. */
const maxMerged = 16

const notes = ["title", "description", "default", "examples"]

const list = (value: unknown, otherwise: ReadonlyArray<unknown> = []): ReadonlyArray<unknown> =>
  Array.isArray(value) ? value : otherwise

const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)

const joined = (
  keyword: "allOf" | "anyOf",
  a: ReadonlyMap<string, unknown>,
  b: ReadonlyMap<string, unknown>
): ReadonlyMap<string, unknown> => {
  const all = new Map(a)
  for (const [name, schema] of b) {
    const other = all.get(name)
    all.set(name, other === undefined || sameJson(other, schema) ? schema : { [keyword]: [other, schema] })
  }
  return all
}

const both = (a: Merged, b: Merged): Merged => ({
  properties: joined("allOf", a.properties, b.properties),
  required: new Set([...a.required, ...b.required]),
  // Each closed part knows only its own fields.
  additional: a.additional === true ? b.additional : b.additional === true ? a.additional : true
})

const either = (a: Merged, b: Merged): Merged => ({
  properties: joined("anyOf", a.properties, b.properties),
  required: new Set([...a.required].filter((name) => b.required.has(name))),
  additional: a.additional !== false || b.additional !== false
})

const described = (schema: JsonObject, words: string): JsonObject => {
  const { description } = schema
  const texts = [typeof description === "string" ? description : "", words].filter((text) => text !== "")
  return texts.length === 0 ? schema : { ...schema, description: texts.join("\n") }
}

const namesOfPatterns = ({ patternProperties }: JsonObject): ReadonlyArray<string> =>
  isObject(patternProperties) ? Object.keys(patternProperties) : []

/** `exclusiveMinimum: true` of an older draft, as a number. */
const boundsAsNow = (schema: JsonObject): JsonObject => {
  const out = { ...schema }
  for (const [exclusive, bound] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"]
  ] as const) {
    if (typeof out[exclusive] !== "boolean") continue
    if (out[exclusive] && typeof out[bound] === "number") {
      out[exclusive] = out[bound]
      delete out[bound]
    } else delete out[exclusive]
  }
  return out
}

/** `items` as an array, of an older draft, as `prefixItems`. */
const tuplesAsNow = (schema: JsonObject): JsonObject => {
  const { additionalItems, items, ...others } = schema
  if (!Array.isArray(items)) return schema
  return { ...others, prefixItems: items, items: additionalItems ?? {} }
}
