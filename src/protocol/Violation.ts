/**
 * What was wrong with a frame, in words that a log can hold.
 *
 * @since 0.1.0
 */
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import type * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

/**
 * @since 0.1.0
 * @category models
 */
export interface Violation {
  /** The event's type, where it had one. */
  readonly type: string | undefined
  /** The field that is to blame, such as `response.output[0].name`, where it is one field. */
  readonly path: string | undefined
  /** Which field, what was expected, and what was there instead. */
  readonly message: string
  /** The start of the frame, at most 500 characters, with base64 payloads cut. */
  readonly excerpt: string
}

const shorten = (text: string, length: number): string =>
  // A cut between the halves of a surrogate pair would leave text that does not encode.
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`

/**
 * @since 0.1.0
 * @category constructors
 */
export const excerptOf = (frame: string): string =>
  shorten(
    frame.slice(0, 8_000).replace(/[A-Za-z0-9+/]{100,}={0,2}/g, (payload) => `${payload.slice(0, 16)}…`),
    500
  )

const pathOf = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (text, key) => (typeof key === "number" ? `${text}[${key}]` : text === "" ? String(key) : `${text}.${String(key)}`),
    ""
  )

const expected = (ast: AST.AST): string => {
  switch (ast._tag) {
    case "TypeLiteral":
      return "an object"
    case "TupleType":
      return "an array"
    case "StringKeyword":
      return "a string"
    case "NumberKeyword":
      return "a number"
    case "BooleanKeyword":
      return "a boolean"
    case "Union":
      return Array.from(new Set(ast.types.map(expected))).join(" or ")
    default:
      return Option.getOrElse(AST.getDescriptionAnnotation(ast), () => String(ast))
  }
}

/** Never prints what an object holds: it may be large, deep or private. */
const actual = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(shorten(excerptOf(value), 60))
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object"
  return String(value)
}

interface Complaint {
  readonly path: ReadonlyArray<PropertyKey>
  readonly message: string
}

/** Of all that a union's members complain about, keeps what the member that was meant says. */
const firstOf = (issue: ParseResult.ParseIssue, path: ReadonlyArray<PropertyKey> = []): Complaint => {
  switch (issue._tag) {
    case "Pointer":
      return firstOf(issue.issue, path.concat(issue.path))
    case "Composite": {
      const issues = Array.isArray(issue.issues) ? issue.issues : [issue.issues]
      const union = AST.isUnion(issue.ast) ? issue.ast : undefined
      const meant =
        union === undefined
          ? issues[0]
          : (issues.find((one) => isMember(union, one)) ?? issues.find(({ _tag }) => _tag === "Composite"))
      return meant === undefined ? complaint(issue, path) : firstOf(meant, path)
    }
    case "Refinement":
      return issue.kind === "From" ? firstOf(issue.issue, path) : complaint(issue, path)
    case "Missing":
      return { path, message: "is missing" }
    default:
      return complaint(issue, path)
  }
}

/** A member that got past its discriminating fields; the others fail on those. */
const isMember = (union: AST.Union, issue: ParseResult.ParseIssue): boolean =>
  issue._tag === "Composite" && union.types.includes(issue.ast)

const complaint = (
  issue: { readonly ast: AST.AST; readonly actual: unknown } | ParseResult.Unexpected,
  path: ReadonlyArray<PropertyKey>
): Complaint => ({
  path,
  message:
    "ast" in issue ? `should be ${shorten(expected(issue.ast), 300)}, but is ${actual(issue.actual)}` : "is unexpected"
})

/**
 * Says why a value is not what its schema describes.
 *
 * @since 0.1.0
 * @category constructors
 */
export const explain = <Event>(
  schema: Schema.Schema<Event>,
  type: string,
  value: unknown,
  frame: string
): Violation => {
  const result = ParseResult.validateEither(schema)(value, { exact: true })
  const { message, path } = Either.isLeft(result) ? firstOf(result.left) : { message: "is not valid", path: [] }
  const where = pathOf(path)
  return {
    type,
    path: where === "" ? undefined : where,
    message: where === "" ? `${type} ${message}.` : `${type}: ${where} ${message}.`,
    excerpt: excerptOf(frame)
  }
}
