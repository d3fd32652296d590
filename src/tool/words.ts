/** Descriptions in words: the author's, and what JSON Schema has no keyword for. */
import * as Option from "effect/Option"
import * as AST from "effect/SchemaAST"
import type { JsonObject } from "./constraint.js"

/** Joins all descriptions of a value, without duplicates, from the outside in. */
export const joined = (lines: ReadonlyArray<string>): string => [...new Set(lines)].filter(Boolean).join("\n")

const described = (annotated: AST.Annotated): ReadonlyArray<string> =>
  Option.match(AST.getDescriptionAnnotation(annotated), { onNone: () => [], onSome: (text) => [text] })

/**
 * Effect's own descriptions of its filters: they are not needed if keywords say the same. Any other text is the
 * author's.
 */
const ofFilter = new RegExp(
  `^(?:${[
    String.raw`an? (?:string|number|bigint|Duration|BigDecimal|array of) (?:at (?:most|least) \d+ (?:character|item)\(s\).*|\d+ character\(s\) long|exactly \d+ item\(s\)|(?:starting with|ending with|including) ".*"|matching the pattern .*|(?:greater|less) than (?:or equal to )?\S+|divisible by \S+|between \S+ and \S+|excluding NaN|with no leading or trailing whitespace)`,
    "an? (?:lowercase|uppercase|capitalized|uncapitalized|non empty) string",
    "a (?:finite|positive|negative|non-positive|non-negative) (?:number|bigint|BigDecimal)",
    "a single character|an integer|a 8-bit unsigned integer"
  ].join("|")})$`,
  "s"
)

/** Effect's own descriptions of values that JSON does not have, and of the tags of an encoded `Option`. */
const ofDecoded =
  /^(?:a valid Date|a (?:potentially invalid|valid) Date instance|a (?:DateTime\.Utc|DateTime\.Zoned|TimeZone\.Offset|TimeZone\.Named) instance|a finite duration|Redacted\(.*\)|(?:None|Some|Left|Right|Option|Either)Encoded(?:<.*>)?|(?:Option|Either|Chunk|NonEmptyChunk|Data|HashSet|HashMap|List|SortedSet|ReadonlySet|Set|ReadonlyMap|Map|Exit)<.*>)$/s

/** The plain types, whose `type` says everything, and the types that JSON does not have. */
export const keywords: ReadonlyArray<AST.AST> = [
  AST.stringKeyword,
  AST.numberKeyword,
  AST.booleanKeyword,
  AST.unknownKeyword,
  AST.anyKeyword,
  AST.objectKeyword,
  AST.voidKeyword,
  AST.bigIntKeyword,
  AST.symbolKeyword
]
const ofKeywords: ReadonlySet<string> = new Set([...keywords.flatMap(described), "a non-nullable value"])

export const isOfFilter = (text: string): boolean => ofFilter.test(text)

/** Whether the text says nothing that the schema itself does not say. */
export const isNoise = (text: string): boolean => ofKeywords.has(text) || ofDecoded.test(text)

/**
 * The author's descriptions of a decoded value. Effect's own descriptions there are not about what the model writes.
 */
export const ofTheAuthor = (text: string): boolean => !isNoise(text) && !ofFilter.test(text)

/** The descriptions on the value itself. */
export const own = (annotated: AST.Annotated): ReadonlyArray<string> =>
  described(annotated).filter((text) => !isNoise(text))

/** All descriptions of a decoded value, without those of its parts. */
export const said = (ast: AST.AST): ReadonlyArray<string> => {
  switch (ast._tag) {
    case "Refinement":
      return [...described(ast), ...said(ast.from)]
    case "Transformation":
      return [...described(ast), ...said(ast.to)]
    default:
      return described(ast)
  }
}

/** A few words for a schema in a list of several. */
export const summary = (schema: JsonObject): string => {
  const { $ref, anyOf, enum: values, type } = schema
  if (Array.isArray(values)) return values.map((value) => JSON.stringify(value)).join(" or ")
  if (Array.isArray(anyOf)) return anyOf.map((one: JsonObject) => summary(one)).join(" or ")
  if (typeof $ref === "string") return $ref.slice("#/$defs/".length)
  if (typeof type !== "string") return "anything"
  return type === "null" ? "null" : `${/^[aio]/.test(type) ? "an" : "a"} ${type}`
}
