/**
 * Schemas compiled to plain functions, for checks that run on every frame. `ParseResult` builds a new value from the
 * one that it checks; the protocol keeps the value, and only needs to know whether it is valid.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as ParseResult from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"

type Validator = (value: unknown) => boolean

/** By node, because items and responses are part of many events. `undefined`: left to `ParseResult`. */
const compiled = new WeakMap<AST.AST, Validator | undefined>()

const compileNode = (ast: AST.AST): Validator | undefined => {
  if (!compiled.has(ast)) compiled.set(ast, changesOptions(ast) ? undefined : build(ast))
  return compiled.get(ast)
}

const interpret = (ast: AST.AST): Validator => {
  const is = ParseResult.is(Schema.make(ast))
  return (value) => is(value)
}

const validator = (ast: AST.AST): Validator => compileNode(ast) ?? interpret(ast)

/** With these annotations, a node and everything below it accepts more or less than its AST says. */
const changesOptions = (ast: AST.AST): boolean =>
  Option.isSome(AST.getParseOptionsAnnotation(ast)) || Option.isSome(AST.getDecodingFallbackAnnotation(ast))

const build = (ast: AST.AST): Validator | undefined => {
  switch (ast._tag) {
    case "StringKeyword":
      return Predicate.isString
    case "NumberKeyword":
      return Predicate.isNumber
    case "BooleanKeyword":
      return Predicate.isBoolean
    case "UnknownKeyword":
      return () => true
    case "UndefinedKeyword":
      return Predicate.isUndefined
    case "Literal": {
      const { literal } = ast
      return (value) => value === literal
    }
    case "Refinement":
      return refinement(ast)
    case "TypeLiteral":
      return typeLiteral(ast)
    case "TupleType":
      return array(ast)
    case "Union":
      return union(ast)
    default:
      return undefined
  }
}

const isScalar = (ast: AST.AST): boolean =>
  AST.isStringKeyword(ast) || AST.isNumberKeyword(ast) || (AST.isRefinement(ast) && isScalar(ast.from))

/** Only for scalars: `ParseResult` shows an object to its filter without the fields that its schema does not know. */
const refinement = (ast: AST.Refinement): Validator | undefined => {
  const from = isScalar(ast.from) ? compileNode(ast.from) : undefined
  if (from === undefined) return undefined
  const options: AST.ParseOptions = { exact: true }
  return (value) => from(value) && Option.isNone(ast.filter(value, options, ast))
}

const typeLiteral = (ast: AST.TypeLiteral): Validator | undefined => {
  const [entries, ...others] = ast.indexSignatures
  if (entries === undefined) return ast.propertySignatures.length === 0 ? undefined : struct(ast.propertySignatures)
  if (others.length > 0 || !AST.isStringKeyword(entries.parameter)) return undefined
  const hasFields = struct(ast.propertySignatures)
  const isEntry = validator(entries.type)
  return (value) => {
    if (!hasFields(value) || !Predicate.isRecord(value)) return false
    for (const key of Object.keys(value)) {
      if (!isEntry(value[key])) return false
    }
    return true
  }
}

const struct = (signatures: ReadonlyArray<AST.PropertySignature>): Validator => {
  const fields = signatures.map(({ isOptional, name, type }) => ({ name, isOptional, is: validator(type) }))
  return (value) => {
    if (!Predicate.isRecord(value)) return false
    for (const { is, isOptional, name } of fields) {
      // Own fields only: every object inherits a `constructor`, but does not have such a field.
      if (Object.hasOwn(value, name) ? !is(value[name]) : !isOptional) return false
    }
    return true
  }
}

const array = ({ elements, rest }: AST.TupleType): Validator | undefined => {
  const [element, ...others] = rest
  if (element === undefined || others.length > 0 || elements.length > 0) return undefined
  const is = validator(element.type)
  return (value) => {
    if (!Array.isArray(value)) return false
    for (const part of value) {
      if (!is(part)) return false
    }
    return true
  }
}

const union = (ast: AST.Union): Validator | undefined => {
  const members = ast.types.map(compileNode)
  const known = members.filter((member) => member !== undefined)
  if (known.length < members.length) return undefined
  const [first, second] = known
  const isMember: Validator =
    first !== undefined && second !== undefined && known.length === 2
      ? (value) => first(value) || second(value)
      : (value) => {
          for (const is of known) {
            if (is(value)) return true
          }
          return false
        }
  const tags = tagsOf(ast)
  if (tags.length === 0) return isMember
  return (value) => {
    // `ParseResult` looks up a tag as text, and throws if a value cannot be converted to text, such as `{"toString":
    // 1}`.
    for (const tag of tags) {
      if (Predicate.isRecord(value) && Predicate.isObject(value[tag])) return ParseResult.is(Schema.make(ast))(value)
    }
    return isMember(value)
  }
}

/** The names of the fields by which `ParseResult` distinguishes a union's members. */
const tagsOf = (ast: AST.Union): ReadonlyArray<PropertyKey> => {
  const fields = ast.types.filter(AST.isTypeLiteral).flatMap((member) => member.propertySignatures)
  const tags = fields.filter(({ isOptional, type }) => !isOptional && AST.isLiteral(AST.encodedAST(type)))
  return Array.from(new Set(tags.map(({ name }) => name)))
}

/**
 * Compiles a schema to a function that gives the same answer as `ParseResult.is` for values from `JSON.parse`. It never
 * throws: where `ParseResult.is` throws, it returns `false`.
 *
 * @since 0.1.0
 * @category guards
 */
export const compile = <A, I>(schema: Schema.Schema<A, I>): ((value: unknown) => value is A) => {
  const isValid = validator(AST.typeAST(schema.ast))
  return (value): value is A => {
    try {
      return isValid(value)
    } catch {
      return false
    }
  }
}

/** Whether a missing value is allowed. */
const takesUndefined = (ast: AST.AST): boolean =>
  AST.isUndefinedKeyword(ast) || (AST.isUnion(ast) && ast.types.some(takesUndefined))

/** JSON has no `undefined`: a field that may be `undefined` is absent instead. */
const absentIsUndefined = (ast: AST.AST): AST.AST => {
  switch (ast._tag) {
    case "TypeLiteral": {
      const fields = ast.propertySignatures.map(({ annotations, isOptional, isReadonly, name, type }) => {
        const isAbsent = isOptional || takesUndefined(type)
        return new AST.PropertySignature(name, absentIsUndefined(type), isAbsent, isReadonly, annotations)
      })
      return new AST.TypeLiteral(fields, ast.indexSignatures, ast.annotations)
    }
    case "TupleType": {
      const rest = ast.rest.map(({ annotations, type }) => new AST.Type(absentIsUndefined(type), annotations))
      return new AST.TupleType(ast.elements, rest, ast.isReadonly, ast.annotations)
    }
    case "Union":
      return AST.Union.make(ast.types.map(absentIsUndefined), ast.annotations)
    default:
      return ast
  }
}

/**
 * Like `compile`, for values that were written as JSON: a field that may be `undefined` may be absent, which reads the
 * same.
 *
 * @since 0.1.0
 * @category guards
 */
export const compileWritten = <A, I>(schema: Schema.Schema<A, I>): ((value: unknown) => value is A) =>
  compile(Schema.make<A>(absentIsUndefined(AST.typeAST(schema.ast))))
