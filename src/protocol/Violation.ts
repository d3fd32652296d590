/**
 * What was wrong with a frame, in words that are safe for a log.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { guard } from "./fields.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface Violation {
  /** The event's type, if it had one. */
  readonly type: string | undefined
  /** The invalid field, such as `response.output[0].name`, if it is a single field. */
  readonly path: string | undefined
  /** Which field is wrong, what was expected, and what was found. */
  readonly message: string
  /** The start of the frame, at most 500 characters, with base64 payloads cut. */
  readonly excerpt: string
}

const shorten = (text: string, length: number): string =>
  // A cut inside a surrogate pair would leave text that cannot be encoded.
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

type Json = { readonly [key: PropertyKey]: unknown }

type Path = ReadonlyArray<PropertyKey>

const pathOf = (path: Path): string =>
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

/** Never prints the contents of an object: it may be large, deep or private. */
const actual = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(shorten(excerptOf(value), 60))
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object"
  return String(value)
}

interface Complaint {
  readonly path: Path
  readonly message: string
}

const mismatch = (ast: AST.AST, value: unknown, path: Path): Complaint => ({
  path,
  message: `should be ${shorten(expected(ast), 300)}, but is ${actual(value)}`
})

/** The first problem, found by walking the value along its schema; `undefined` if there is none. */
const blame = (ast: AST.AST, value: unknown, path: Path): Complaint | undefined => {
  if (guard(Schema.make(ast))(value)) return undefined
  switch (ast._tag) {
    case "TypeLiteral":
      return Predicate.isRecord(value) ? blameFields(ast, value, path) : mismatch(ast, value, path)
    case "TupleType":
      return Array.isArray(value) ? blameElements(ast, value, path) : mismatch(ast, value, path)
    case "Union":
      return blameMember(ast, value, path)
    case "Refinement":
      return blame(ast.from, value, path) ?? mismatch(ast, value, path)
    default:
      return mismatch(ast, value, path)
  }
}

const blameFields = (ast: AST.TypeLiteral, value: Json, path: Path): Complaint | undefined => {
  for (const { isOptional, name, type } of ast.propertySignatures) {
    const here = path.concat(name)
    if (Object.hasOwn(value, name)) {
      const complaint = blame(type, value[name], here)
      if (complaint !== undefined) return complaint
    } else if (!isOptional) return { path: here, message: "is missing" }
  }
  for (const { type } of ast.indexSignatures) {
    for (const [name, entry] of Object.entries(value)) {
      const complaint = blame(type, entry, path.concat(name))
      if (complaint !== undefined) return complaint
    }
  }
  return undefined
}

const blameElements = (ast: AST.TupleType, value: ReadonlyArray<unknown>, path: Path): Complaint | undefined => {
  for (const [index, element] of value.entries()) {
    for (const { type } of ast.rest) {
      const complaint = blame(type, element, path.concat(index))
      if (complaint !== undefined) return complaint
    }
  }
  return undefined
}

/** For a union, only problems with the intended member are reported: the one whose literal fields match. */
const blameMember = (ast: AST.Union, value: unknown, path: Path): Complaint | undefined => {
  if (Array.isArray(value)) {
    const array = ast.types.find(AST.isTupleType)
    return array === undefined ? mismatch(ast, value, path) : blame(array, value, path)
  }
  let members = ast.types.filter(AST.isTypeLiteral)
  if (!Predicate.isRecord(value) || members.length === 0) return mismatch(ast, value, path)
  for (const name of new Set(members.flatMap((member) => member.propertySignatures.map((field) => field.name)))) {
    const literals = members.map((member) =>
      member.propertySignatures.find((field) => field.name === name && !field.isOptional && AST.isLiteral(field.type))
    )
    const matching = members.filter((_, index) => {
      const field = literals[index]
      return field === undefined || guard(Schema.make(field.type))(value[name])
    })
    if (matching.length === 0) {
      const here = path.concat(name)
      const options = AST.Union.make(literals.flatMap((field) => (field === undefined ? [] : [field.type])))
      return Object.hasOwn(value, name) ? mismatch(options, value[name], here) : { path: here, message: "is missing" }
    }
    members = matching
  }
  return members[0] === undefined ? undefined : blame(members[0], value, path)
}

/**
 * Explains why a value does not fit its schema.
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
  const { message, path } = blame(schema.ast, value, []) ?? { path: [], message: "is not valid" }
  const where = pathOf(path)
  return {
    type,
    path: where === "" ? undefined : where,
    message: where === "" ? `${type} ${message}.` : `${type}: ${where} ${message}.`,
    excerpt: excerptOf(frame)
  }
}
