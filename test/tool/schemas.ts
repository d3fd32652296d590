/**
 * Schemas made up at random, as an application might write them, with every description that was given.
 */
import type { LazyArbitrary } from "effect/Arbitrary"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"

/** A schema, its author's descriptions, and its source, for the reader of a failure. */
export interface Written {
  readonly schema: Schema.Schema.Any
  readonly descriptions: ReadonlyArray<string>
  readonly source: string
}

type AnySchema = Schema.Schema.Any

const leaf = (source: string, schema: AnySchema): Written => ({ schema, descriptions: [], source })

/** Whatever JSON has: what is unknown could be `undefined`, which no JSON says. */
const json = Schema.Unknown.annotations({ arbitrary: () => (arbitrary) => arbitrary.jsonValue({ maxDepth: 1 }) })

enum Fruit {
  Apple = 0,
  Pear = 1
}
enum Size {
  Small = "small",
  Large = "large"
}
enum Mixed {
  None = 0,
  All = "all"
}

class Address extends Schema.Class<Address>("Address")({ street: Schema.String, zip: Schema.optional(Schema.Int) }) {}

interface Tree {
  readonly value: number
  readonly children: ReadonlyArray<Tree>
}
const Tree: Schema.Schema<Tree> = Schema.Struct({
  value: Schema.Int,
  children: Schema.Array(Schema.suspend((): Schema.Schema<Tree> => Tree))
})
interface Chain {
  readonly next: Chain | null
  readonly since: Date
}
interface ChainEncoded {
  readonly next: ChainEncoded | null
  readonly since: string
}
const Chain: Schema.Schema<Chain, ChainEncoded> = Schema.Struct({
  next: Schema.NullOr(
    Schema.suspend((): Schema.Schema<Chain, ChainEncoded> => Chain).annotations({ identifier: "Chain/of ~things" })
  ),
  since: Schema.Date
})

const from = (...values: ReadonlyArray<string>) => ({
  arbitrary: (): LazyArbitrary<string> => (arbitrary) => arbitrary.constantFrom(...values)
})

const leaves: ReadonlyArray<Written> = [
  leaf("String", Schema.String),
  leaf("Number", Schema.Number),
  leaf("Boolean", Schema.Boolean),
  leaf("Int", Schema.Int),
  leaf("Null", Schema.Null),
  leaf("Unknown", json),
  leaf("Literal", Schema.Literal("a", "b", 1, true, null)),
  leaf("Fruit", Schema.Enums(Fruit)),
  leaf("Size", Schema.Enums(Size)),
  leaf("Mixed", Schema.Enums(Mixed)),
  leaf("TemplateLiteral", Schema.TemplateLiteral("a/", Schema.Number, "-", Schema.Literal("x", "y"))),
  leaf("TemplateLiteral of text", Schema.TemplateLiteral(Schema.String, "(", Schema.String)),
  leaf("Date", Schema.Date),
  leaf("DateFromNumber", Schema.DateFromNumber),
  leaf("DateTimeUtc", Schema.DateTimeUtc),
  leaf("NumberFromString", Schema.NumberFromString),
  leaf("BooleanFromString", Schema.BooleanFromString),
  leaf("BigInt", Schema.BigInt),
  leaf("BigDecimal", Schema.BigDecimal),
  leaf("Duration", Schema.Duration),
  leaf("DurationFromMillis", Schema.DurationFromMillis),
  leaf("Trim", Schema.Trim),
  leaf("Trimmed", Schema.Trimmed),
  leaf("Lowercase", Schema.Lowercase),
  leaf("Capitalized", Schema.Capitalized),
  leaf("Uncapitalized", Schema.Uncapitalized),
  leaf("Uppercased", Schema.Uppercased),
  leaf("NonEmptyTrimmedString", Schema.NonEmptyTrimmedString),
  leaf("Char", Schema.Char),
  leaf("UUID", Schema.UUID),
  leaf("ULID", Schema.ULID),
  leaf("URL", Schema.URL),
  leaf("split", Schema.split(",")),
  leaf("Uint8ArrayFromBase64", Schema.Uint8ArrayFromBase64),
  leaf("Uint8Array", Schema.Uint8Array),
  leaf("Symbol", Schema.Symbol),
  leaf("positive NumberFromString", Schema.NumberFromString.pipe(Schema.positive())),
  leaf("NumberFromString, then Int", Schema.compose(Schema.NumberFromString, Schema.Int)),
  leaf("Percentage", Schema.Number.pipe(Schema.between(0, 100), Schema.lessThan(99), Schema.brand("Percentage"))),
  leaf(
    "multipleOf(0.1)",
    Schema.Number.pipe(Schema.multipleOf(0.1)).annotations({ arbitrary: () => (a) => a.constantFrom(0.3, 0.7) })
  ),
  leaf(
    "multipleOf(3)",
    Schema.Int.pipe(Schema.multipleOf(3)).annotations({ arbitrary: () => (a) => a.constantFrom(3, -9, 0) })
  ),
  leaf("length(2,4)", Schema.String.pipe(Schema.length({ min: 2, max: 4 }))),
  leaf("/^[a-c]+$/", Schema.String.pipe(Schema.pattern(/^[a-c]+$/))),
  leaf("/^(yes|no)$/i", Schema.String.pipe(Schema.pattern(/^(yes|no)$/i)).annotations(from("YES", "no", "No"))),
  leaf("/^b$/m", Schema.String.pipe(Schema.pattern(/^b$/m)).annotations(from("a\nb", "b"))),
  leaf("/^a.b$/s", Schema.String.pipe(Schema.pattern(/^a.b$/s)).annotations(from("a\nb"))),
  leaf("/^\\p{L}+$/u", Schema.String.pipe(Schema.pattern(/^\p{L}+$/u)).annotations(from("é", "ab"))),
  leaf("/^(?!x)/", Schema.String.pipe(Schema.pattern(/^(?!x)/)).annotations(from("a", ""))),
  leaf(
    "a needless escape",
    Schema.String.pipe(Schema.pattern(new RegExp(["^", "-$"].join("\\")))).annotations(from("-"))
  ),
  leaf("/^(?<n>a)\\k<n>$/", Schema.String.pipe(Schema.pattern(/^(?<n>a)\k<n>$/)).annotations(from("aa"))),
  leaf("two patterns", Schema.String.pipe(Schema.pattern(/^a/), Schema.pattern(/z$/)).annotations(from("az", "abz"))),
  leaf("startsWith(a.()", Schema.String.pipe(Schema.startsWith("a.(")).annotations(from("a.(", "a.(b"))),
  leaf("startsWith($5)", Schema.String.pipe(Schema.startsWith("$5")).annotations(from("$5", "$50"))),
  leaf("endsWith(?)", Schema.String.pipe(Schema.endsWith("?")).annotations(from("?", "a\nb?"))),
  leaf("includes([)", Schema.String.pipe(Schema.includes("[")).annotations(from("[", "a\n[\nb"))),
  leaf(
    "email",
    Schema.String.pipe(Schema.filter((text) => text.includes("@"), { jsonSchema: { format: "email" } })).annotations(
      from("a@b.ch")
    )
  ),
  leaf("Address", Address),
  leaf("Tree", Tree),
  leaf("the type of Chain", Schema.encodedSchema(Chain)),
  leaf("Chain", Chain),
  leaf("parseJson", Schema.parseJson(Schema.Struct({ a: Schema.NumberFromString, when: Schema.optional(Schema.Date) })))
]

const names = ["a", "b", "name", "length", "a b", "a/b~c", "ünder", "$ref", "items"]

/** Texts that occur nowhere else, in the order of their numbers. */
const described = (inner: fc.Arbitrary<Written>): fc.Arbitrary<Written> =>
  fc.tuple(inner, fc.option(fc.nat({ max: 1e9 }), { freq: 2 })).map(([written, id]) => {
    if (id === null) return written
    const text = `The ${id}th thing, by its author`
    return {
      schema: written.schema.annotations({ description: text }),
      descriptions: [...written.descriptions, text],
      source: `${written.source}("${text}")`
    }
  })

const call = (
  name: string,
  parts: ReadonlyArray<Written>,
  schema: AnySchema,
  more: ReadonlyArray<string> = []
): Written => ({
  schema,
  descriptions: [...parts.flatMap(({ descriptions }) => descriptions), ...more],
  source: `${name}(${parts.map(({ source }) => source).join(", ")})`
})

/** How a field may stand in a struct. */
const fields: ReadonlyArray<readonly [string, (schema: AnySchema, text: string) => Schema.Struct.Field, boolean]> = [
  ["as it is", (schema) => schema, false],
  ["required", (schema, text) => Schema.propertySignature(schema).annotations({ description: text }), true],
  ["optional", (schema) => Schema.optional(schema), false],
  ["described optional", (schema, text) => Schema.optional(schema).annotations({ description: text }), true],
  ["exact", (schema) => Schema.optionalWith(schema, { exact: true }), false],
  ["nullable", (schema) => Schema.optionalWith(schema, { nullable: true }), false],
  [
    "as Option",
    (schema, text) => Schema.optionalWith(schema, { as: "Option" }).annotations({ description: text }),
    true
  ],
  [
    "renamed",
    (schema, text) =>
      Schema.propertySignature(schema).annotations({ description: text }).pipe(Schema.fromKey("written")),
    true
  ],
  ["or undefined", (schema) => Schema.UndefinedOr(schema), false]
]

const fieldsOf = (inner: fc.Arbitrary<Written>) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...names), inner, fc.constantFrom(...fields), fc.nat({ max: 1e9 })), {
      selector: ([name]) => name,
      maxLength: 4
    })
    .map((all) => {
      const of: Record<string, Schema.Struct.Field> = {}
      const descriptions: Array<string> = []
      const sources: Array<string> = []
      let renamed = false
      for (const [name, written, [kind, make, says], id] of all) {
        const text = `The ${id}th field`
        // Two fields can not be written with one name.
        const once = kind === "renamed" && renamed
        renamed = renamed || kind === "renamed"
        of[name] = once ? written.schema : make(written.schema, text)
        descriptions.push(...written.descriptions, ...(says && !once ? [text] : []))
        sources.push(`${JSON.stringify(name)}: ${kind} ${written.source}`)
      }
      return { of, descriptions, source: `{ ${sources.join(", ")} }` }
    })

/** Any schema, up to a depth. */
const written: fc.Arbitrary<Written> = fc.letrec<{ schema: Written }>((tie) => {
  const inner = tie("schema")
  const one = (name: string, make: (schema: AnySchema) => AnySchema) =>
    inner.map((written) => call(name, [written], make(written.schema)))
  const two = (name: string, make: (a: AnySchema, b: AnySchema) => AnySchema) =>
    fc.tuple(inner, inner).map(([a, b]) => call(name, [a, b], make(a.schema, b.schema)))
  return {
    schema: described(
      fc.oneof(
        { maxDepth: 3, depthSize: "small", withCrossShrink: true },
        { weight: 4, arbitrary: fc.constantFrom(...leaves) },
        one("Array", Schema.Array),
        one("NonEmptyArray", Schema.NonEmptyArray),
        one("minItems(1), maxItems(3)", (a) => Schema.Array(a).pipe(Schema.minItems(1), Schema.maxItems(3))),
        one("Set", Schema.Set),
        one("HashSet", Schema.HashSet),
        one("Option", Schema.Option),
        one("OptionFromNullOr", Schema.OptionFromNullOr),
        one("NullOr", Schema.NullOr),
        one("UndefinedOr", (a) => Schema.Struct({ maybe: Schema.UndefinedOr(a) })),
        one("Record", (value) => Schema.Record({ key: Schema.String, value })),
        one("Record of templates", (value) =>
          Schema.Record({ key: Schema.TemplateLiteral("x-", Schema.Number), value })
        ),
        one("Record of long names", (value) => Schema.Record({ key: Schema.String.pipe(Schema.minLength(2)), value })),
        one("Record of literals", (value) => Schema.Record({ key: Schema.Literal("a", "b"), value })),
        one("filtered", (a) => a.pipe(Schema.filter(() => true))),
        one("suspended", (a) => Schema.suspend(() => a)),
        one("parseJson", (a) => Schema.parseJson(Schema.Struct({ content: Schema.optional(a) }))),
        two("Union", (a, b) => Schema.Union(a, b)),
        two("Map", (key, value) => Schema.Map({ key, value })),
        two("Tuple", (a, b) => Schema.Tuple(a, b)),
        two("Tuple with an optional element", (a, b) => Schema.Tuple(a, Schema.optionalElement(b))),
        two("Tuple with a rest", (a, b) => Schema.Tuple([a], b)),
        two("Tuple with a last one", (a, b) => Schema.Tuple([], a, b)),
        two("Either", (left, right) => Schema.Either({ left, right })),
        fieldsOf(inner).map(({ descriptions, of, source }) => ({ schema: Schema.Struct(of), descriptions, source })),
        fieldsOf(inner).map(({ descriptions, of, source }) => ({
          schema: Schema.Struct(of, Schema.Record({ key: Schema.String, value: json })),
          descriptions,
          source: `${source} and more`
        }))
      )
    )
  }
}).schema

/** The fields of a tool's parameters. */
export const parameters = fieldsOf(written)
