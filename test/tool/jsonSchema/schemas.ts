/**
 * JSON Schemas made up at random, as other programs write them: with references, also recursive ones, alternatives, and
 * conditions that do not go with the type. `hole` stands for what nobody can know.
 */
import * as fc from "effect/FastCheck"

export type Json = { readonly [key: string]: unknown } | boolean

export const hole = { $ref: "https://elsewhere.example/schema" }

const names = ["a", "b", "c", "kind", "a/b~c", "length"]
const name = fc.constantFrom(...names)

const literal: fc.Arbitrary<unknown> = fc.constantFrom<Array<unknown>>(
  "a",
  "ab",
  "",
  0,
  1,
  2.5,
  true,
  false,
  null,
  [],
  ["a"],
  {},
  { a: 1, b: "a" }
)

const some = (fields: { readonly [keyword: string]: fc.Arbitrary<unknown> }) => fc.record(fields, { requiredKeys: [] })

const small = fc.integer({ min: 0, max: 3 })
const pattern = fc.constantFrom("^a", "b$", "^[a-c]+$", "\\d", "^(?!x)", "\\p{L}")
const type = fc.constantFrom("string", "number", "integer", "boolean", "null", "array", "object")

const ofText = some({ minLength: small, maxLength: small, pattern })
const ofNumbers = some({
  minimum: small,
  maximum: small,
  exclusiveMinimum: small,
  exclusiveMaximum: small,
  multipleOf: fc.constantFrom(1, 2, 0.5, 0.1)
})

/** Any schema, up to a depth. References lead to `#`, to the definitions, and into the properties of the root. */
const schema = (holes: boolean): fc.Arbitrary<Json> =>
  fc.letrec<{ schema: Json }>((tie) => {
    const inner = tie("schema")
    const several = fc.array(inner, { minLength: 1, maxLength: 3 })
    const byName = fc.dictionary(name, inner, { maxKeys: 3 })
    const ofObjects = some({
      properties: byName,
      required: fc.uniqueArray(name, { maxLength: 2 }),
      additionalProperties: fc.oneof(fc.constant(false), inner),
      patternProperties: fc.dictionary(fc.constantFrom("^a", "b$", "^(?!x)"), inner, { maxKeys: 2 }),
      propertyNames: inner,
      minProperties: small,
      maxProperties: small,
      dependentRequired: fc.dictionary(name, fc.uniqueArray(name, { maxLength: 2 }), { maxKeys: 1 }),
      dependentSchemas: fc.dictionary(name, inner, { maxKeys: 1 })
    })
    const ofArrays = some({
      prefixItems: fc.array(inner, { minLength: 1, maxLength: 2 }),
      items: inner,
      minItems: small,
      maxItems: small,
      uniqueItems: fc.boolean(),
      contains: inner
    })
    const combined = some({ allOf: several, anyOf: several, oneOf: several, not: inner })
    const conditional = fc
      .tuple(inner, inner, inner)
      .map((all) => Object.fromEntries(["if", "then", "else"].map((keyword, index) => [keyword, all[index]])))
    const plain = fc.oneof(
      ofText.map((one) => ({ ...one, type: "string" })),
      ofNumbers.map((one) => ({ ...one, type: "number" })),
      ofObjects.map((one) => ({ ...one, type: "object" })),
      ofArrays.map((one) => ({ ...one, type: "array" })),
      fc.uniqueArray(type, { minLength: 1, maxLength: 3 }).map((types) => ({ type: types }))
    )
    return {
      schema: fc.oneof(
        { maxDepth: 3, depthSize: "small", withCrossShrink: true },
        fc.constantFrom<Array<Json>>({ type: "string" }, { type: "integer" }, {}, true, false),
        type.map((one) => ({ type: one })),
        literal.map((value) => ({ const: value })),
        fc.array(literal, { minLength: 1, maxLength: 3 }).map((values) => ({ enum: values })),
        fc.constantFrom(...references),
        ...(holes ? [fc.constant(hole)] : []),
        plain,
        fc.tuple(plain, combined).map(([a, b]) => ({ ...a, ...b })),
        combined,
        conditional,
        fc.tuple(ofText, ofNumbers, ofObjects, ofArrays).map((all) => Object.assign({}, ...all))
      )
    }
  }).schema

const references: ReadonlyArray<Json> = [
  { $ref: "#/$defs/one" },
  { $ref: "#/$defs/two" },
  { $ref: "#/$defs/a~1b" },
  { $ref: "#/properties/a" },
  { $ref: "#/$defs/one", description: "One of them" }
]

/** The JSON Schema of a function's arguments. */
export const document = (holes = false): fc.Arbitrary<{ readonly [key: string]: unknown }> =>
  fc
    .record({
      root: schema(holes),
      properties: fc.dictionary(name, schema(holes), { maxKeys: 3 }),
      a: schema(holes),
      definitions: fc.tuple(schema(holes), schema(holes), schema(holes))
    })
    .map(({ a, definitions: [one, two, other], properties, root }) => {
      const { const: _, enum: __, $ref: ___, type: ____, ...rest } = typeof root === "object" ? root : {}
      return {
        $schema: "https://json-schema.org/draft/2020-12/schema",
        type: "object",
        ...rest,
        properties: { ...properties, a },
        $defs: { one, two, "a/b": other }
      }
    })

/** Values that such schemas often speak of. */
export const value: fc.Arbitrary<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    literal,
    fc.constantFrom<Array<unknown>>(0.3, 3, -1, "abc", "x1", "👋", "ä"),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 3 })
  )
})).value

export const values = fc.array(fc.dictionary(name, value, { maxKeys: 4 }), { minLength: 4, maxLength: 12 })
