/**
 * A filter of Effect's in the keywords of JSON Schema.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { isPortablePattern } from "../protocol/FunctionParameters.js"

export type JsonObject = { readonly [key: string]: unknown }

export interface Constrained {
  readonly schema: JsonObject
  /** Whether keywords say all that the filter does, as far as JSON Schema can. */
  readonly told: boolean
  /** What is said in words instead. */
  readonly words: ReadonlyArray<string>
}

/** What each keyword is about. A keyword about another type says nothing, and strict validators refuse it. */
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

/** Of two bounds, the one that leaves less. */
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

/** The regular expression of a filter, and its flags, which Effect's own JSON Schema leaves out. */
const regexOf = (ast: AST.Refinement): RegExp | undefined => {
  const pattern = ast.annotations[Schema.PatternSchemaId]
  if (Predicate.hasProperty(pattern, "regex") && pattern.regex instanceof RegExp) return pattern.regex
  const text = (id: symbol, key: string): string | undefined => {
    const found = ast.annotations[id]
    const value = Predicate.hasProperty(found, key) ? found[key] : undefined
    return typeof value === "string" ? escaped(value) : undefined
  }
  // Effect puts these texts into a pattern as they are: a dot there is any character, a parenthesis none at all.
  const start = text(Schema.StartsWithSchemaId, "startsWith")
  if (start !== undefined) return new RegExp(`^${start}`)
  const end = text(Schema.EndsWithSchemaId, "endsWith")
  if (end !== undefined) return new RegExp(`${end}$`)
  const part = text(Schema.IncludesSchemaId, "includes")
  return part === undefined ? undefined : new RegExp(part)
}

/** Filters whose pattern is narrower than they are: it has a dot, which stands for no line break. */
const narrower: ReadonlyArray<unknown> = [Schema.CapitalizedSchemaId, Schema.UncapitalizedSchemaId]

/** Flags that change only how a search goes on, not what it finds first. */
const meaningful = (flags: string): string => flags.replace(/[dguy]/g, "")

/** The keywords that the filter's author, or Effect, annotated it with. */
const keywordsOf = (ast: AST.Refinement): JsonObject | undefined =>
  Option.getOrUndefined(
    Option.map(AST.getJSONSchemaAnnotation(ast), (annotation): JsonObject => {
      const keywords: { [keyword: string]: unknown } = { ...annotation }
      if (narrower.includes(ast.annotations[AST.SchemaIdAnnotationId])) delete keywords["pattern"]
      return keywords
    })
  )

/** Whether what the filter sees is what the model writes: no transformation comes between. */
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

/** Adds a filter to the schema of what it filters. What can't be said truly in keywords is left out, or put in words. */
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
      // Validators divide: 0.3 is no multiple of 0.1 to them. And only one such number can be said.
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
