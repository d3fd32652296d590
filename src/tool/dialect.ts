/**
 * Translates Effect schemas to the provider's dialect of JSON Schema: the encoded side, which the model must write.
 *
 * There are three rules. The result is true: it accepts every value that the schema encodes to. A condition that the
 * dialect cannot express is described in words, or left to the decoder, which reports what is not valid. Every
 * description by the author is included. And no form is used that the API refuses: an array has one schema for its
 * items, alternatives are in `anyOf`, and references lead to `$defs`.
 *
 * Effect's own `JSONSchema.make` follows none of them: it uses the `items` of an older draft for tuples, repeats `$id`,
 * leaves out the flags of regular expressions, and lets the text of a filter hide the author's.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as AST from "effect/SchemaAST"
import { isPortablePattern } from "../protocol/FunctionParameters.js"
import { constrain, type JsonObject, matching } from "./constraint.js"
import { Definitions } from "./definitions.js"
import { notesOf } from "./notes.js"
import { anyOf, around, choice, enums, finished, plain, type Told } from "./told.js"
import { isNoise, isOfFilter, ofTheAuthor, own, said, summary } from "./words.js"

type Path = ReadonlyArray<string>

/** Descriptions of properties from the decoded side, by the names that they are written with. */
type Beside = ReadonlyMap<string, ReadonlyArray<AST.PropertySignature>>

const nothingBeside: Beside = new Map()

/** The schema of an object with these fields, or everything that cannot be translated, one sentence each. */
export const objectSchema = (
  fields: Schema.Struct<Schema.Struct.Fields>
): { readonly schema: JsonObject; readonly problems: ReadonlyArray<string> } => {
  const dialect = new Dialect()
  // For Effect, an empty struct is anything at all; here it is an object without fields.
  const schema =
    Reflect.ownKeys(fields.fields).length === 0
      ? { type: "object", properties: {}, required: [], additionalProperties: false }
      : (dialect.root(fields.ast) ?? {})
  return { schema, problems: [...new Set(dialect.problems)] }
}

class Dialect {
  readonly problems: Array<string> = []
  readonly #definitions = new Definitions()
  /** Whether the decoder keeps unnamed fields, here and below. */
  #keepsMore = false

  root(ast: AST.AST): JsonObject | undefined {
    const told = this.#tell(ast, [])
    if (told === undefined) return undefined
    const root = finished(told)
    const definitions = this.#definitions.all()
    return Object.keys(definitions).length === 0 ? root : { ...root, $defs: definitions }
  }

  /** `undefined` if no JSON is valid: for `undefined` and `never`. */
  #tell(ast: AST.AST, path: Path, beside: Beside = nothingBeside): Told | undefined {
    const given = Option.getOrUndefined(AST.getJSONSchemaAnnotation(ast))
    if (isRecord(given) && isWhole(ast, given)) return this.#given(ast, given, path)
    const before = this.#keepsMore
    const more = Option.map(AST.getParseOptionsAnnotation(ast), (options) => options.onExcessProperty)
    if (Option.isSome(more) && more.value !== undefined) this.#keepsMore = more.value === "preserve"
    const told = this.#byKind(ast, path, beside)
    this.#keepsMore = before
    // On a filter, they are conditions, which `constrain` handles.
    if (told === undefined || !isRecord(given) || AST.isRefinement(ast)) return told
    const { description, ...keywords } = given
    return {
      ...told,
      schema: { ...told.schema, ...keywords },
      said: [...told.said, ...(typeof description === "string" ? [description] : [])]
    }
  }

  /** A schema that the author wrote. Descriptions of the parts that it replaces still apply. */
  #given(ast: AST.AST, given: JsonObject, path: Path): Told {
    const { description, ...schema } = given
    const inner = AST.isRefinement(ast) || AST.isTransformation(ast) ? ast.from : undefined
    const below = inner === undefined ? undefined : new Dialect().#tell(inner, path)
    const said = [...own(ast), ...(typeof description === "string" ? [description] : []), ...(below?.said ?? [])]
    return { schema, said, notes: notesOf(ast) }
  }

  #byKind(ast: AST.AST, path: Path, beside: Beside): Told | undefined {
    const surrogate = Option.getOrUndefined(AST.getSurrogateAnnotation(ast))
    if (surrogate !== undefined) return around(ast, this.#tell(surrogate, path, beside))
    switch (ast._tag) {
      case "NeverKeyword":
      case "UndefinedKeyword":
        return undefined
      case "UnknownKeyword":
      case "AnyKeyword":
      case "VoidKeyword":
        return plain(ast, {})
      case "ObjectKeyword":
        return plain(ast, { anyOf: [{ type: "object" }, { type: "array", items: {} }] })
      case "StringKeyword":
        return plain(ast, { type: "string" })
      case "NumberKeyword":
        return plain(ast, { type: "number" })
      case "BooleanKeyword":
        return plain(ast, { type: "boolean" })
      case "Literal":
        return typeof ast.literal === "bigint" ? this.#impossible(ast, path) : plain(ast, choice([ast.literal]))
      case "Enums":
        return enums(ast)
      case "TemplateLiteral": {
        const { source } = AST.getTemplateLiteralRegExp(ast)
        return isPortablePattern(source)
          ? plain(ast, { type: "string", pattern: source })
          : plain(ast, { type: "string" }, [matching(source, "")])
      }
      case "TupleType":
        return this.#list(ast, path)
      case "TypeLiteral":
        return this.#object(ast, path, beside)
      case "Union":
        return this.#union(ast, path)
      case "Suspend":
        return this.#recursive(ast, path)
      case "Refinement": {
        const from = this.#tell(ast.from, path, beside)
        if (from === undefined) return undefined
        const { schema, told, words } = constrain(from.schema, ast)
        const said = own(ast).filter((text) => !((told || words.length > 0) && isOfFilter(text)))
        return { schema, said: [...said, ...from.said, ...words], notes: { ...from.notes, ...notesOf(ast) } }
      }
      case "Transformation":
        return this.#transformation(ast, path, beside)
      case "Declaration":
      case "BigIntKeyword":
      case "SymbolKeyword":
      case "UniqueSymbol":
        return this.#impossible(ast, path)
    }
  }

  #impossible(ast: AST.AST, path: Path): Told {
    this.problems.push(
      `${where(path)} is ${String(ast)}, which JSON does not have. Use a schema that is encoded as JSON, such as Schema.BigInt or Schema.Date, or annotate it with a jsonSchema.`
    )
    return plain(ast, {})
  }

  #transformation(ast: AST.Transformation, path: Path, beside: Beside): Told | undefined {
    if (ast.from.annotations[AST.SchemaIdAnnotationId] === AST.ParseJsonSchemaId) {
      const content = this.#tell(ast.to, path)
      const text =
        content === undefined ? "JSON text." : `JSON text that fits this schema: ${JSON.stringify(finished(content))}`
      return plain(ast, { type: "string" }, [text])
    }
    const isObject = ast.transformation._tag === "TypeLiteralTransformation"
    const from = this.#tell(ast.from, path, isObject ? besides(ast, beside) : beside)
    // A filter on the decoded side of a composed schema also applies to what is written.
    const kept = ast.transformation._tag === "ComposeTransformation" ? (text: string) => !isNoise(text) : ofTheAuthor
    return around(ast, from, said(ast.to).filter(kept))
  }

  #recursive(ast: AST.Suspend, path: Path): Told | undefined {
    const target = ast.f()
    const identifier = Option.getOrUndefined(
      Option.orElse(AST.getJSONIdentifier(ast), () => AST.getJSONIdentifier(target))
    )
    const known = this.#definitions.find(target, identifier)
    if (known !== undefined) return plain(ast, known)
    if (this.#definitions.isEndless) {
      this.problems.push(
        `${where(path)} is recursive, and creates a new schema each time. Give it a name: Schema.suspend(…).annotations({ identifier: … }).`
      )
      return plain(ast, {})
    }
    return around(
      ast,
      this.#definitions.within(target, identifier, () => this.#tell(target, path))
    )
  }

  #union(ast: AST.Union, path: Path): Told | undefined {
    const members = ast.types.flatMap((type) => this.#tell(type, path) ?? [])
    const [first, ...others] = members
    if (first === undefined) return undefined
    return others.length === 0 ? around(ast, first) : plain(ast, anyOf(members.map(finished)))
  }

  #list(ast: AST.TupleType, path: Path): Told {
    const tell = (type: AST.Type, index: number | string) => {
      const told = this.#tell(type.type, [...path, String(index)])
      return told === undefined ? undefined : { ...told, said: [...own(type), ...told.said] }
    }
    const elements = ast.elements.map(tell)
    const [rest, ...last] = ast.rest.map((type) => tell(type, "*"))
    const needed = ast.elements.filter(({ isOptional }) => !isOptional).length + last.length
    const bounds = {
      ...(needed > 0 ? { minItems: needed } : {}),
      // Nothing is valid for the rest of `Schema.Array(Schema.Never)`.
      ...(rest === undefined ? { maxItems: elements.length + last.length } : {})
    }
    const all = [...elements, rest, ...last].flatMap((told) => told ?? [])
    const alike = new Map(all.map((told) => [JSON.stringify(finished(told)), finished(told)]))
    if (alike.size < 2) {
      const [items = {}] = alike.values()
      return plain(ast, { type: "array", items, ...bounds })
    }
    // Each position has its own description, so the alternatives need none.
    const items = anyOf(all.map(({ schema }) => schema))
    const place = (told: Told | undefined) =>
      told === undefined ? "nothing" : [summary(told.schema), ...told.said].join(": ")
    const lines = elements.map(
      (told, index) => `${index + 1}. ${place(told)}${ast.elements[index]?.isOptional ? " (may be left out)" : ""}`
    )
    const order = [
      "In this order:",
      ...lines,
      ...(rest === undefined ? [] : [`Then any number of: ${place(rest)}`]),
      ...last.map((told) => `Last: ${place(told)}`)
    ]
    return plain(ast, { type: "array", items, ...bounds }, [order.join("\n")])
  }

  /** Descriptions of the names in a record: no keyword for them is known to be accepted. */
  #names(parameter: AST.AST, path: Path): ReadonlyArray<string> {
    if (AST.isTemplateLiteral(parameter)) return [matching(AST.getTemplateLiteralRegExp(parameter).source, "")]
    const texts = said(parameter).filter((text) => !isNoise(text))
    if (texts.length > 0) return texts
    const { type: _, ...conditions } = this.#tell(parameter, path)?.schema ?? {}
    return Object.keys(conditions).length === 0 ? [] : [JSON.stringify(conditions)]
  }

  #object(ast: AST.TypeLiteral, path: Path, beside: Beside): Told {
    if (ast.propertySignatures.length === 0 && ast.indexSignatures.length === 0) {
      return plain(ast, {}, ["Anything but null."])
    }
    const properties: Array<readonly [string, JsonObject]> = []
    const required: Array<string> = []
    for (const property of ast.propertySignatures) {
      const isOptional = property.isOptional || fitsUndefined(property.type)
      const name = property.name
      if (typeof name !== "string" || name === "__proto__") {
        if (!isOptional) this.problems.push(`${where([...path, String(name)])} has a name that JSON cannot have.`)
        continue
      }
      const told = this.#tell(property.type, [...path, name])
      if (told === undefined) {
        if (!isOptional)
          this.problems.push(`${where([...path, name])} accepts no JSON value: leave it out, or make it optional.`)
        continue
      }
      const others = beside.get(name) ?? []
      const saidBeside = others.flatMap((other) => [...own(other), ...said(other.type)]).filter(ofTheAuthor)
      const notes = [property, ...others].map((one) => notesOf(one, property.type))
      properties.push([
        name,
        finished({
          schema: told.schema,
          said: [...own(property), ...saidBeside, ...told.said],
          notes: Object.assign({}, told.notes, ...notes)
        })
      ])
      if (!isOptional) required.push(name)
    }
    const words: Array<string> = []
    const records: Array<JsonObject> = []
    for (const { parameter, type } of ast.indexSignatures) {
      if (AST.isSymbolKeyword(parameter)) continue
      words.push(...this.#names(parameter, path).map((text) => `Names: ${text}`))
      const value = this.#tell(type, [...path, "*"])
      if (value !== undefined) records.push(finished(value))
    }
    const more = records.length > 0 ? anyOf(records) : this.#keepsMore ? {} : false
    return plain(
      ast,
      { type: "object", properties: Object.fromEntries(properties), required, additionalProperties: more },
      [...new Set(words)]
    )
  }
}

const isRecord = (value: unknown): value is JsonObject => Predicate.isRecord(value)

/**
 * Whether the annotation is a complete schema, not keywords to add. Effect's `Int` only says that a number has no
 * fraction.
 */
const isWhole = (ast: AST.AST, given: JsonObject): boolean => {
  switch (ast._tag) {
    case "Declaration":
    case "BigIntKeyword":
    case "SymbolKeyword":
    case "UniqueSymbol":
    case "UndefinedKeyword":
    case "NeverKeyword":
      return true
    case "Refinement":
      if (ast.annotations[AST.SchemaIdAnnotationId] === Schema.IntSchemaId && given["type"] === "integer") return false
  }
  return ["type", "oneOf", "anyOf", "$ref"].some((keyword) => keyword in given)
}

/** The decoded properties of an object, by the names that they are written with. */
const besides = ({ to, transformation }: AST.Transformation, outer: Beside): Beside => {
  const target = Option.getOrElse(AST.getSurrogateAnnotation(to), () => to)
  if (transformation._tag !== "TypeLiteralTransformation" || !AST.isTypeLiteral(target)) return outer
  const found = new Map(outer)
  for (const { name } of target.propertySignatures) {
    const by = transformation.propertySignatureTransformations.find((one) => one.to === name)
    const written = by === undefined ? name : by.from
    const property = target.propertySignatures.find((one) => one.name === name)
    if (typeof written !== "string" || property === undefined) continue
    found.set(written, [...(outer.get(String(name)) ?? []), property])
  }
  return found
}

/** Whether the value may be missing. */
const fitsUndefined = (ast: AST.AST): boolean => {
  switch (ast._tag) {
    case "UndefinedKeyword":
    case "VoidKeyword":
      return true
    case "Union":
      return ast.types.some(fitsUndefined)
    case "Refinement":
    case "Transformation":
      return fitsUndefined(ast.from)
    default:
      return false
  }
}

/** Enough of the path to identify a field. */
const maxDepthShown = 6

const where = (path: Path): string => {
  const shown = [...path.slice(0, maxDepthShown), ...(path.length > maxDepthShown ? ["…"] : [])]
  return `The field ${JSON.stringify(shown.join("."))}`
}
