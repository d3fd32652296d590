import { describe, expect, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { vi } from "vitest"
import { type ServerEvent, serverEventSchemas } from "../../src/Protocol.js"
import { guard, nullable, openEnum, optional } from "../../src/protocol/fields.js"
import { compile, compileWritten } from "../../src/protocol/Validator.js"
import { isDeep, numRuns } from "../runs.js"
import { mutate, mutation, pathsOf, serverEvents } from "./arbitraries.js"

vi.mock("effect/ParseResult", async (original) => {
  const actual = await original<typeof ParseResult>()
  return { ...actual, is: vi.fn(actual.is) }
})

const schemas = new Map(
  Object.entries(serverEventSchemas).map(([type, { ast }]) => [type, Schema.make<ServerEvent>(ast)])
)
const compiled = new Map(Array.from(schemas, ([type, schema]) => [type, compile(schema)]))
/** The schemas that the compiler left to `ParseResult`, before any other call to it. */
const interpreted = new Set(vi.mocked(ParseResult.is).mock.calls.map(([schema]) => String(schema.ast)))

const events = serverEvents.map(([type, event]) => {
  const isCompiled = compiled.get(type)
  const schema = schemas.get(type)
  if (isCompiled === undefined || schema === undefined) throw new Error(`${type} has no schema.`)
  return [type, event, isCompiled, guard(schema)] as const
})

/** Values that `JSON.parse` can return, made of a few words, so that they often nearly fit a schema. */
const keys = ["type", "id", "n", "tag", "length", "constructor", "toString", "__proto__", "a1"]
const { json } = fc.letrec<{ json: unknown }>((self) => ({
  json: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      1,
      -1,
      0.5,
      Number.POSITIVE_INFINITY,
      "",
      "a",
      "b",
      "1",
      "null",
      "true"
    ),
    fc.array(self("json"), { maxLength: 3 }),
    fc.array(fc.tuple(fc.constantFrom(...keys), self("json")), { maxLength: 5 }).map((e) => Object.fromEntries(e))
  )
}))

/** A value with a few of its parts changed. */
const changed = (values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(values, fc.array(fc.tuple(fc.nat(), fc.oneof(mutation, json.map(replace))), { minLength: 1, maxLength: 3 }))
    .map(([value, changes]) =>
      changes.reduce((before, [index, change]) => {
        const paths = pathsOf(before)
        const path = paths[index % Math.max(paths.length, 1)]
        return path === undefined ? before : mutate(before, path, change)
      }, value)
    )

const replace = (value: unknown) => ({ _tag: "Replace", value }) as const

interface Tree {
  readonly id: string
  readonly n: ReadonlyArray<Tree>
}
const Tree = Schema.Struct({
  id: Schema.String,
  n: Schema.Array(Schema.suspend((): Schema.Schema<Tree> => Tree))
})

const A = Schema.Struct({ type: Schema.Literal("a"), n: Schema.Finite })
const B = Schema.Struct({ type: Schema.Literal("b"), id: nullable(Schema.String) })
const Loose = Schema.Struct({ id: optional(Schema.String) })
const Text = Schema.declare((value): value is string => typeof value === "string", {
  arbitrary: () => (fc) => fc.string()
})
/** In brackets, for without them it would set the prototype. */
const Proto = Schema.Struct({ ["__proto__"]: Schema.Number }).annotations({
  arbitrary: () => (fc) => fc.double().map((n) => ({ ["__proto__"]: n }))
})

const nodes: ReadonlyArray<readonly [string, Schema.Schema.AnyNoContext]> = [
  ["a string", Schema.String],
  ["a number", Schema.Number],
  ["a boolean", Schema.Boolean],
  ["a literal text", Schema.Literal("a")],
  ["a literal number", Schema.Literal(1)],
  ["null", Schema.Null],
  ["an open enum", openEnum("a", "b")],
  ["a declaration", Text],
  ["a declaration with parameters", Schema.ReadonlyMap({ key: Schema.String, value: Schema.Number })],
  ["a filtered number", Schema.Finite],
  ["a number filtered twice", Schema.Int.pipe(Schema.positive())],
  ["a filtered text", Schema.NonEmptyString],
  ["a filtered union", Schema.Union(Schema.String, Schema.Number).pipe(Schema.filter((value) => value !== "a"))],
  ["a struct", Schema.Struct({ id: Schema.String, n: Schema.Number })],
  ["a struct of optional fields", Schema.Struct({ id: optional(Schema.String), n: nullable(Schema.Number) })],
  ["a field that may be anything, but not be absent", Schema.Struct({ n: Schema.Unknown })],
  ["a field that may be undefined", Schema.Struct({ n: Schema.UndefinedOr(Schema.Number) })],
  ["required fields that every object inherits", Schema.Struct({ constructor: Schema.Unknown })],
  [
    "optional fields that every object inherits",
    Schema.Struct({ toString: optional(Schema.String), constructor: optional(Schema.Number) })
  ],
  ["a field named __proto__", Proto],
  ["a struct without fields", Schema.Struct({})],
  ["a filtered struct", Loose.pipe(Schema.filter((value) => Object.keys(value).length < 2))],
  ["a struct that refuses other fields", Loose.annotations({ parseOptions: { onExcessProperty: "error" } })],
  [
    "a struct in one that refuses other fields",
    Schema.Struct({ n: optional(Loose) }).annotations({ parseOptions: { onExcessProperty: "error" } })
  ],
  [
    "a field with a fallback",
    Schema.Struct({ n: Schema.Number.annotations({ decodingFallback: () => Effect.succeed(0) }) })
  ],
  ["a record", Schema.Record({ key: Schema.String, value: Schema.Finite })],
  ["a record of anything", Schema.Record({ key: Schema.String, value: Schema.Unknown })],
  [
    "a record with fields",
    Schema.Struct({ n: Schema.Number }, { key: Schema.String, value: Schema.Union(Schema.Number, Schema.Null) })
  ],
  ["a record of some keys", Schema.Record({ key: Schema.TemplateLiteral("a", Schema.String), value: Schema.Number })],
  ["an array", Schema.Array(Schema.Union(Schema.String, Schema.Number))],
  ["an array of arrays", Schema.Array(Schema.Array(Schema.Number))],
  ["an array that is not empty", Schema.NonEmptyArray(Schema.Unknown)],
  ["a tuple", Schema.Tuple(Schema.Unknown, Schema.optionalElement(Schema.Number))],
  ["a union of literals", Schema.Literal("a", "b", 1, true, null)],
  ["a union of texts and structs", Schema.Union(Schema.String, Loose)],
  ["a union told apart by a tag", Schema.Union(A, B)],
  ["a union told apart by a number", Schema.Union(Schema.Struct({ n: Schema.Literal(1) }), A)],
  ["a union told apart by two tags", Schema.Union(A, Schema.Struct({ tag: Schema.Literal("a") }))],
  ["a union with a member without a tag", Schema.Union(A, B, Loose)],
  [
    "a union told apart by a tag that was another text on the wire",
    Schema.Union(Schema.Struct({ type: Schema.compose(Schema.String, Schema.Literal("a"), { strict: false }) }), Loose)
  ],
  ["a union in a union", Schema.Union(Schema.Null, Schema.Union(A, B), Schema.Array(A))],
  ["a union with a tuple", Schema.Union(A, Schema.Tuple(Schema.Literal("a")))],
  ["a union with a declaration", Schema.Union(A, Text)],
  ["a schema of itself", Tree],
  ["a transformation", Schema.Struct({ n: Schema.NumberFromString })]
]

describe("Validator", () => {
  it("compiles all of the server's events, but for the types of items that are unknown", () => {
    expect(interpreted).toStrictEqual(new Set(["another type of item"]))
  })

  it.each(events)("accepts every %s", (_, event, isCompiled) => {
    fc.assert(
      fc.property(event, (value) => {
        expect(isCompiled(value)).toBe(true)
      })
    )
  })

  it.each(events)("agrees with ParseResult on changed events of type %s", (_, event, isCompiled, is) => {
    const verdicts = new Set<boolean>()
    fc.assert(
      fc.property(changed(event), (value) => {
        const verdict = isCompiled(value)
        verdicts.add(verdict)
        expect(verdict).toBe(is(value))
      }),
      { numRuns: numRuns(300) }
    )
    // A few may be all alike.
    if (isDeep) expect(verdicts.size).toBe(2)
  })

  it.each(events)("agrees with ParseResult on any JSON under the type %s", (type, _, isCompiled, is) => {
    const fields = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), json)
    fc.assert(
      fc.property(fields, (value) => {
        expect(isCompiled(value)).toBe(is(value))
        const typed = typeof value === "object" ? { ...value, type } : type
        expect(isCompiled(typed)).toBe(is(typed))
      })
    )
  })

  it.each(nodes)("agrees with ParseResult on %s", (_, schema) => {
    const isCompiled = compile(schema)
    const is = guard(schema)
    const verdicts = new Set<boolean>()
    fc.assert(
      fc.property(fc.oneof(json, Arbitrary.make(schema), changed(Arbitrary.make(schema))), (value) => {
        const verdict = isCompiled(value)
        verdicts.add(verdict)
        expect(verdict).toBe(is(value))
      }),
      { numRuns: numRuns(1_000) }
    )
    if (isDeep) expect(verdicts.size).toBe(2)
  })

  it.each(nodes)("agrees with ParseResult on %s about what is not JSON", (_, schema) => {
    const isCompiled = compile(schema)
    const is = guard(schema)
    const anything = fc.anything({
      key: fc.constantFrom(...keys),
      withBigInt: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSparseArray: true
    })
    fc.assert(
      fc.property(anything, (value) => {
        expect(isCompiled(value)).toBe(is(value))
      })
    )
  })

  it("accepts anything where the schema does", () => {
    fc.assert(fc.property(fc.anything(), compile(Schema.Unknown)))
  })

  it("does not read a field from a prototype", () => {
    expect(compile(A)(Object.create({ type: "a", n: 1 }))).toBe(false)
    expect(compile(A)(JSON.parse('{"__proto__":{"type":"a","n":1}}'))).toBe(false)
    expect(compile(B)(Object.assign(Object.create({ id: 7 }), { type: "b" }))).toBe(true)
  })

  it("refuses a tag that cannot be converted to text, whatever other members accept", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`)
    const isMember = compile(Schema.Union(A, Loose))
    expect(isMember({ type: "c" })).toBe(true)
    expect(isMember({ type: ["c"] })).toBe(true)
    expect(isMember({ type: { toString: 1, valueOf: 1 } })).toBe(false)
    expect(isMember({ type: deep })).toBe(false)
  })

  it("takes what nests deeply, and filters and getters that throw, without throwing", () => {
    const tree: unknown = JSON.parse(`${'{"id":"","n":['.repeat(50_000)}${"]}".repeat(50_000)}`)
    expect(compile(Tree)(tree)).toBe(false)
    const broken = Schema.String.pipe(
      Schema.filter((): boolean => {
        throw new Error("a broken filter")
      })
    )
    expect(compile(Schema.Struct({ id: broken }))({ id: "" })).toBe(false)
    const getter = {
      get id() {
        throw new Error("a broken getter")
      }
    }
    expect(compile(Loose)(getter)).toBe(false)
  })
})

describe("compileWritten", () => {
  const Turn = Schema.Struct({
    parts: Schema.Array(
      Schema.Union(
        Schema.TaggedStruct("Audio", { transcript: Schema.UndefinedOr(Schema.String) }),
        Schema.TaggedStruct("Text", { text: Schema.String })
      )
    )
  })

  it("takes for undefined what JSON left out, however deep, and nothing else", () => {
    const isWritten = compileWritten(Turn)
    const parts = [{ _tag: "Audio", transcript: undefined }]
    expect(compile(Turn)(JSON.parse(JSON.stringify({ parts })))).toBe(false)
    expect(isWritten(JSON.parse(JSON.stringify({ parts })))).toBe(true)
    expect(isWritten({ parts })).toBe(true)
    expect(isWritten({ parts: [{ _tag: "Text" }] })).toBe(false)
    expect(isWritten({ parts: [{ _tag: "Audio", transcript: 1 }] })).toBe(false)
    expect(isWritten({})).toBe(false)
  })
})
