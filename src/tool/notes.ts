/**
 * Annotations of a value beside its type: the author's title, and the default and examples as the model would write
 * them.
 */
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import type { JsonObject } from "./constraint.js"
import { keywords } from "./words.js"

/** The default and examples of a property are encoded with the type of its value. */
export const notesOf = (annotated: AST.Annotated, ast?: AST.AST): JsonObject => {
  const type = ast ?? (isAst(annotated) ? annotated : undefined)
  const title = Option.getOrUndefined(AST.getTitleAnnotation(annotated))
  const notes: { [name: string]: unknown } = {}
  const isEffects = AST.SchemaIdAnnotationId in annotated.annotations || titles.has(title ?? "")
  if (title !== undefined && !isEffects) notes["title"] = title
  if (type === undefined) return notes
  const written = (value: unknown): ReadonlyArray<unknown> => {
    const encoded = encodedOf(type, value)
    return isJson(encoded) ? [encoded] : []
  }
  const fallback = Option.toArray(AST.getDefaultAnnotation(annotated)).flatMap(written)
  if (fallback.length > 0) notes["default"] = fallback[0]
  const examples = Option.toArray(AST.getExamplesAnnotation(annotated)).flat().flatMap(written)
  if (examples.length > 0) notes["examples"] = examples
  return notes
}

const isAst = (annotated: AST.Annotated): annotated is AST.AST => Predicate.hasProperty(annotated, "_tag")

const encodedOf = (ast: AST.AST, value: unknown): unknown => {
  try {
    return Option.getOrUndefined(ParseResult.encodeUnknownOption(Schema.make<unknown, unknown>(ast))(value))
  } catch {
    // It cannot be encoded synchronously, or the application's code throws.
    return undefined
  }
}

/** Whether JSON represents the value exactly. */
const isJson = (value: unknown): boolean => {
  try {
    const text = JSON.stringify(value)
    return text !== undefined && sameJson(value, JSON.parse(text))
  } catch {
    return false
  }
}

const sameJson = (a: unknown, b: unknown): boolean => {
  if (!Predicate.isObject(a) || !Predicate.isObject(b)) return a === b
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))]
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameJson(value, right.get(key)))
}

/** Titles of plain types, which their `type` already says. */
const titles: ReadonlySet<string> = new Set(keywords.flatMap((ast) => Option.toArray(AST.getTitleAnnotation(ast))))
