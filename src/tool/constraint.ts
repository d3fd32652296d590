/** Translates an Effect filter to JSON Schema keywords. */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { isPortablePattern } from "../protocol/FunctionParameters.js"

export type JsonObject = { readonly [key: string]: unknown }

export interface Constrained {
  readonly schema: JsonObject
  /** Whether the keywords express the whole filter, as far as JSON Schema can. */
  readonly told: boolean
  /** The parts that are described in words instead. */
  readonly words: ReadonlyArray<string>
}

/** The type that each keyword applies to. Strict validators refuse a keyword with another type. */
const aboutText = ["minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"]
const aboutNumbers = ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]
const aboutLists = ["minItems", "maxItems", "uniqueItems"]
const aboutObjects = ["minProperties", "maxProperties"]

const isAbout = (keyword: string, type: unknown): boolean => {
  if (aboutText.includes(keyword)) return type === "string"
  if (aboutNumbers.includes(keyword)) return type === "number" || type === "integer"
  if (aboutLists.includes(keyword)) return type === "array"
  return !aboutObjects.includes(keyword) || type === "object"
}

/** Combines two bounds to the stricter one. */
const tighter: { readonly [keyword: string]: (a: number, b: number) => number } = {
  minLength: Math.max,
  maxLength: Math.min,
  minItems: Math.max,
  maxItems: Math.min,
  minimum: Math.max,
  maximum: Math.min,
  exclusiveMinimum: Math.max,
  exclusiveMaximum: Math.min
}

export const matching = (source: string, flags: string): string => `Text that matches /${source}/${flags}.`

const escaped = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")

/** The regular expression of a filter with its flags, which Effect's own JSON Schema leaves out. */
const regexOf = (ast: AST.Refinement): RegExp | undefined => {
  const pattern = ast.annotations[Schema.PatternSchemaId]
  if (Predicate.hasProperty(pattern, "regex") && pattern.regex instanceof RegExp) return pattern.regex
  const text = (id: symbol, key: string): string | undefined => {
    const found = ast.annotations[id]
    const value = Predicate.hasProperty(found, key) ? found[key] : undefined
    return typeof value === "string" ? escaped(value) : undefined
  }
  // Effect uses these texts as patterns without escaping them: a dot there matches any character, and a parenthesis is
  // not literal.
  const start = text(Schema.StartsWithSchemaId, "startsWith")
  if (start !== undefined) return new RegExp(`^${start}`)
  const end = text(Schema.EndsWithSchemaId, "endsWith")
  if (end !== undefined) return new RegExp(`${end}$`)
  const part = text(Schema.IncludesSchemaId, "includes")
  return part === undefined ? undefined : new RegExp(part)
}

/** Filters whose pattern is stricter than the filter: it has a dot, which does not match line breaks. */
const narrower: ReadonlyArray<unknown> = [Schema.CapitalizedSchemaId, Schema.UncapitalizedSchemaId]

/** Flags that only affect how a search goes on, not what it finds first, are removed. */
const meaningful = (flags: string): string => flags.replace(/[dguy]/g, "")

/** The keywords in the filter's annotation, from its author or from Effect. */
const keywordsOf = (ast: AST.Refinement): JsonObject | undefined =>
  Option.getOrUndefined(
    Option.map(AST.getJSONSchemaAnnotation(ast), (annotation): JsonObject => {
      const keywords: { [keyword: string]: unknown } = { ...annotation }
      if (narrower.includes(ast.annotations[AST.SchemaIdAnnotationId])) delete keywords["pattern"]
      return keywords
    })
  )

/** Whether the filter sees what the model writes: there is no transformation in between. */
export const isAsWritten = (ast: AST.AST): boolean => {
  switch (ast._tag) {
    case "Refinement":
      return isAsWritten(ast.from)
    case "Union":
      return ast.types.every(isAsWritten)
    case "Transformation":
    case "Declaration":
    case "Suspend":
      return false
    default:
      return true
  }
}

/** Adds a filter to a schema. What keywords cannot express exactly is left out, or described in words. */
export const constrain = (schema: JsonObject, ast: AST.Refinement): Constrained => {
  const keywords = keywordsOf(ast)
  if (keywords === undefined || !isAsWritten(ast.from)) return { schema, told: false, words: [] }
  const out: { [keyword: string]: unknown } = { ...schema }
  const words: Array<string> = []
  let told = !narrower.includes(ast.annotations[AST.SchemaIdAnnotationId])
  for (const [keyword, value] of Object.entries(keywords)) {
    if (keyword === "pattern" && typeof value === "string") {
      const regex = regexOf(ast) ?? { source: value, flags: "" }
      const flags = meaningful(regex.flags)
      const said = flags === "" && schema["type"] === "string" && isPortablePattern(regex.source)
      if (said && (out["pattern"] === undefined || out["pattern"] === regex.source)) out["pattern"] = regex.source
      else words.push(matching(regex.source, flags))
    } else if (keyword === "type") {
      if (value === "integer" && schema["type"] === "number") out["type"] = value
    } else if (!isAbout(keyword, schema["type"])) {
      told = false
    } else if (keyword === "multipleOf" && !(Number.isInteger(value) && (out[keyword] ?? value) === value)) {
      // Validators divide: for them, 0.3 is not a multiple of 0.1. And only one such number can be given.
      told = false
    } else {
      const before = out[keyword]
      const bound = tighter[keyword]
      out[keyword] =
        bound !== undefined && typeof before === "number" && typeof value === "number" ? bound(before, value) : value
    }
  }
  return { schema: out, told, words }
}
