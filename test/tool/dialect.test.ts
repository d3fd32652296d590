import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as Agent from "../../src/Agent.js"
import * as Handoff from "../../src/Handoff.js"
import * as Tool from "../../src/Tool.js"
import { isNoise, isOfFilter, ofTheAuthor } from "../../src/tool/words.js"

const handler = () => Effect.void

const toolOf = (parameters: Schema.Struct.Fields) =>
  Tool.make("book", { description: "Books", parameters, handler }).definition

/** What the model is told about one field. */
const told = (field: Schema.Struct.Field): unknown => {
  const { properties } = Either.getOrThrow(toolOf({ field })).parameters
  return Object.values(properties ?? {})[0]
}

const problem = (field: Schema.Struct.Field): string => Either.getOrThrow(Either.flip(toolOf({ field })))

describe("What a model is told of a field", () => {
  it("is one schema for the items of a tuple, and in words what each place means", () => {
    const place = Schema.Tuple(
      Schema.Number.annotations({ description: "Latitude" }),
      Schema.optionalElement(Schema.String)
    ).annotations({ description: "Where" })
    expect(told(place)).toEqual({
      type: "array",
      items: { anyOf: [{ type: "number" }, { type: "string" }] },
      minItems: 1,
      maxItems: 2,
      description: "Where\nIn this order:\n1. a number: Latitude\n2. a string (may be left out)"
    })
    expect(told(Schema.Tuple([Schema.String], Schema.Int, Schema.Boolean))).toMatchObject({
      minItems: 2,
      description: "In this order:\n1. a string\nThen any number of: an integer\nLast: a boolean"
    })
  })

  it("needs no words where all places are alike", () => {
    const pair = { type: "array", items: { type: "number" }, minItems: 2, maxItems: 2 }
    expect(told(Schema.Tuple(Schema.Number, Schema.Number))).toEqual(pair)
    expect(told(Schema.NonEmptyArray(Schema.String))).toEqual({ type: "array", items: { type: "string" }, minItems: 1 })
    expect(told(Schema.Array(Schema.Unknown))).toEqual({ type: "array", items: {} })
  })

  it("is an array of pairs for a map, and an array for a set", () => {
    expect(told(Schema.Map({ key: Schema.String, value: Schema.String }))).toEqual({
      type: "array",
      items: { type: "array", items: { type: "string" }, minItems: 2, maxItems: 2 }
    })
    expect(told(Schema.Set(Schema.Int))).toEqual({ type: "array", items: { type: "integer" } })
  })

  it("keeps what the author says of a value that is transformed, and says how it is written", () => {
    const text = "When to come"
    for (const [schema, how] of [
      [Schema.Date, "a string to be decoded into a Date"],
      [Schema.NumberFromString, "a string to be decoded into a number"],
      [Schema.Trim, "a string that will be trimmed"]
    ] as const) {
      const expected = { type: "string", description: `${text}\n${how}` }
      expect(told(schema.annotations({ description: text }))).toEqual(expected)
      expect(told(Schema.propertySignature(schema).annotations({ description: text }))).toEqual(expected)
      expect(told(Schema.optional(schema.annotations({ description: text })))).toEqual(expected)
    }
    const guests = Schema.compose(Schema.NumberFromString, Schema.Positive).annotations({ description: "Guests" })
    expect(told(guests)).toMatchObject({
      description: "Guests\na positive number\na string to be decoded into a number"
    })
  })

  it("keeps every description, from the outside in", () => {
    const code = Schema.String.annotations({ description: "The code" }).pipe(
      Schema.minLength(2),
      Schema.filter((text) => text !== "xx", { description: "not xx" })
    )
    expect(told(Schema.propertySignature(code).annotations({ description: "Of the booking" }))).toEqual({
      type: "string",
      minLength: 2,
      description: "Of the booking\nnot xx\nThe code"
    })
    class Address extends Schema.Class<Address>("Address")({ street: Schema.String }, { description: "Where to" }) {}
    expect(told(Address)).toMatchObject({ description: "Where to" })
    const renamed = Schema.propertySignature(Schema.String).annotations({ description: "R" })
    expect(told(renamed.pipe(Schema.fromKey("written")))).toEqual({ type: "string", description: "R" })
    expect(told(Schema.parseJson(Schema.Struct({ a: Schema.Int.annotations({ description: "Inner" }) })))).toEqual({
      type: "string",
      description: expect.stringContaining('"description":"Inner"')
    })
  })

  it("is a regular expression only if it means the same in every engine", () => {
    const of = (regex: RegExp) => told(Schema.String.pipe(Schema.pattern(regex)))
    expect(of(/^[a-z]+\d$/)).toEqual({ type: "string", pattern: "^[a-z]+\\d$" })
    expect(of(/^a\(\?=b$/g)).toEqual({ type: "string", pattern: "^a\\(\\?=b$" })
    for (const regex of [/^(yes|no)$/i, /^a$/m, /a.b/s, /^(?!x)/, /(?<=x)a/, /^\p{L}$/u, /(?<n>a)/, /(a)\1/]) {
      expect(of(regex)).toEqual({
        type: "string",
        description: expect.stringContaining(`matches ${regex}`.replace(/u$/, ""))
      })
    }
    expect(told(Schema.String.pipe(Schema.startsWith("$5.")))).toEqual({ type: "string", pattern: "^\\$5\\." })
    expect(told(Schema.String.pipe(Schema.pattern(/^a/), Schema.pattern(/z$/)))).toEqual({
      type: "string",
      pattern: "^a",
      description: "Text that matches /z$/."
    })
  })

  it("is not a condition of the decoded value", () => {
    const positive = Schema.NumberFromString.pipe(Schema.greaterThan(3))
    expect(told(positive)).toEqual({
      type: "string",
      description: "a number greater than 3\na string to be decoded into a number"
    })
    expect(told(Schema.Number.pipe(Schema.greaterThan(3), Schema.greaterThan(1)))).toEqual({
      type: "number",
      exclusiveMinimum: 3
    })
    expect(told(Schema.Number.pipe(Schema.multipleOf(0.1)))).toEqual({
      type: "number",
      description: "a number divisible by 0.1"
    })
  })

  it("leads to $defs where it is recursive, with or without a name", () => {
    interface Tree {
      readonly children: ReadonlyArray<Tree>
    }
    const Tree: Schema.Schema<Tree> = Schema.Struct({
      children: Schema.Array(Schema.suspend((): Schema.Schema<Tree> => Tree).annotations({ description: "A child" }))
    })
    const items = { anyOf: [{ $ref: "#/$defs/Recursive" }], description: "A child" }
    const tree = {
      type: "object",
      properties: { children: { type: "array", items } },
      required: ["children"],
      additionalProperties: false
    }
    const { parameters } = Either.getOrThrow(toolOf({ a: Tree, b: Tree }))
    expect(parameters).toMatchObject({ properties: { a: tree, b: tree }, $defs: { Recursive: tree } })
    expect(Object.keys(Object(parameters["$defs"]))).toHaveLength(1)
    expect(told(Schema.suspend(() => Schema.String))).toEqual({ type: "string" })
    expect(problem(Schema.typeSchema(Tree))).toMatch(/"field\.children.*" is recursive.*identifier/)
  })

  it("says what a number stands for, and which names a record takes", () => {
    enum Fruit {
      Apple = 0,
      Pear = 1
    }
    expect(told(Schema.Enums(Fruit))).toEqual({ type: "number", enum: [0, 1], description: "0 is Apple, 1 is Pear." })
    const key = Schema.TemplateLiteral("x-", Schema.Literal("a", "b"))
    expect(told(Schema.Record({ key, value: Schema.Int }))).toMatchObject({
      additionalProperties: { type: "integer" },
      description: expect.stringContaining("Names: Text that matches /")
    })
  })

  it("repeats no $id, and says nothing that is for validators only", () => {
    const { parameters } = Either.getOrThrow(
      toolOf({ a: Schema.Unknown, b: Schema.Unknown, c: Schema.Object, d: Schema.Void, e: Schema.Struct({}) })
    )
    expect(JSON.stringify(parameters)).not.toMatch(/\$id|\$comment|\$schema/)
    expect(parameters["required"]).toEqual(["a", "b", "c", "e"])
  })

  it("is open where the decoder keeps more than is named", () => {
    const fields = Schema.Struct({ a: Schema.Struct({ b: Schema.Int }) })
    const open = fields.annotations({ parseOptions: { onExcessProperty: "preserve" } })
    expect(told(fields)).toMatchObject({
      additionalProperties: false,
      properties: { a: { additionalProperties: false } }
    })
    expect(told(open)).toMatchObject({ additionalProperties: {}, properties: { a: { additionalProperties: {} } } })
  })

  it("has the title, the examples and the default that its author gave, as the model would write them", () => {
    const when = Schema.Date.annotations({ examples: [new Date(0)], default: new Date(1) })
    expect(told(when)).toMatchObject({ examples: ["1970-01-01T00:00:00.000Z"], default: "1970-01-01T00:00:00.001Z" })
    expect(told(Schema.String.annotations({ title: "City" }))).toEqual({ type: "string", title: "City" })
    expect(told(Schema.Int)).toEqual({ type: "integer" })
  })
})

describe("A field that can't be told", () => {
  it("is named, with what to do, for tools and for handoffs, when a session is asked for", () => {
    expect(problem(Schema.Struct({ big: Schema.Array(Schema.BigIntFromSelf) }))).toBe(
      'The parameters of book have no JSON Schema. The field "field.big.*" is bigint, which JSON does not have. Use a schema that is encoded as JSON, such as Schema.BigInt or Schema.Date, or annotate it with a jsonSchema.'
    )
    expect(problem(Schema.Never)).toContain('The field "field" accepts no JSON value')
    expect(problem(Schema.Struct({ ["__proto__"]: Schema.String }))).toContain("a name that JSON cannot have")
    const both = Either.flip(toolOf({ a: Schema.DateFromSelf, b: Schema.SymbolFromSelf }))
    expect(Either.getOrThrow(both)).toMatch(/The field "a" is DateFromSelf.*The field "b" is symbol/)

    const handoff = Handoff.to("Billing", { input: { big: Schema.BigIntFromSelf } })
    const agent = Agent.make("Desk", { instructions: "", handoffs: [handoff] })
    const team = Agent.wire([agent, Agent.make("Billing", { instructions: "" })])
    const error = Either.getOrThrow(Either.flip(Agent.validate(team)))
    expect(error._tag).toBe("AgentInvalid")
    expect(error.problems[0]).toContain('The parameters of transfer_to_Billing have no JSON Schema. The field "big"')
  })

  it("may be told by its author, in what the API takes", () => {
    const given = { type: "string", format: "email", description: "An address" } as const
    const filter = Schema.filter((text: string) => text.includes("@"), { jsonSchema: given })
    expect(told(Schema.String.annotations({ description: "Whose" }).pipe(filter))).toEqual({
      ...given,
      description: "An address\nWhose"
    })
    expect(told(Schema.BigIntFromSelf.annotations({ jsonSchema: { type: "integer" } }))).toEqual({ type: "integer" })
    const tuple = Schema.String.annotations({ jsonSchema: { type: "array", items: [{ type: "string" }] } })
    expect(problem(tuple)).toBe(
      `The parameters of book have no JSON Schema. The API refuses it: In context=('properties', 'field', 'items'), [{"type":"string"}] is not of type 'object', 'boolean'. Correct the jsonSchema annotation of the field.`
    )
  })

  it("is said of code that throws when it is asked for its schema", () => {
    const early = Schema.suspend((): Schema.Schema<string> => {
      throw new Error("not yet")
    })
    expect(problem(early)).toContain("The schema threw an error: not yet")
  })
})

describe("The descriptions of Effect's own", () => {
  it("are known from those of an author", () => {
    const filters = [
      Schema.Int,
      Schema.Finite,
      Schema.Positive,
      Schema.NonNegative,
      Schema.Negative,
      Schema.NonPositive,
      Schema.NonNaN,
      Schema.Uint8,
      Schema.Trimmed,
      Schema.Lowercased,
      Schema.Uppercased,
      Schema.Capitalized,
      Schema.Uncapitalized,
      Schema.NonEmptyString,
      Schema.Char,
      Schema.Number.pipe(Schema.between(1, 2)),
      Schema.Number.pipe(Schema.lessThanOrEqualTo(-1.5)),
      Schema.Number.pipe(Schema.multipleOf(2)),
      Schema.String.pipe(Schema.length({ min: 1, max: 2 })),
      Schema.String.pipe(Schema.length(3)),
      Schema.String.pipe(Schema.maxLength(3)),
      Schema.String.pipe(Schema.startsWith("a b")),
      Schema.String.pipe(Schema.endsWith("a")),
      Schema.String.pipe(Schema.includes("a")),
      Schema.String.pipe(Schema.pattern(/a b/)),
      Schema.Array(Schema.String).pipe(Schema.minItems(1)),
      Schema.Array(Schema.String).pipe(Schema.itemsCount(1))
    ]
    for (const { ast } of filters) {
      const text = String(ast.annotations[Symbol.for("effect/annotation/Description")])
      expect([text, isOfFilter(text), ofTheAuthor(text)]).toEqual([text, true, false])
    }
    for (const { ast } of [
      Schema.DateFromSelf,
      Schema.Date,
      Schema.DateTimeUtcFromSelf,
      Schema.String,
      Schema.Number
    ]) {
      const text = String(ast.annotations[Symbol.for("effect/annotation/Description")])
      expect([text, isNoise(text)]).toEqual([text, true])
    }
    for (const text of [
      "a server instance",
      "a string starting with the area code",
      "a number between stops",
      "An integer"
    ]) {
      expect([text, isNoise(text), ofTheAuthor(text)]).toEqual([text, false, true])
    }
  })
})
