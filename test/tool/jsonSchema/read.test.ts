import * as Either from "effect/Either"
import { describe, expect, it } from "vitest"
import { parametersOf } from "../../../src/tool/jsonSchema/parametersOf.js"
import { read } from "../../../src/tool/jsonSchema/read.js"

const object = (properties: object, more: object = {}) => ({ type: "object", properties, ...more })

/** What is said of a value, by path. */
const said = (schema: object, value: unknown): ReadonlyArray<string> => {
  const outcome = read(schema).check(value, { all: true })
  if (outcome._tag !== "Invalid") return [outcome._tag]
  return outcome.issues.map(({ message, path }) => `${path.join(".")}: ${message}`)
}

const problemsOf = (schema: unknown): string =>
  Either.match(parametersOf(schema).document, { onLeft: (problem) => problem, onRight: () => "none" })

describe("What is said of arguments that do not fit a JSON Schema", () => {
  it("names each field, what should be there, and what is", () => {
    const schema = object(
      {
        city: { type: "string", minLength: 1 },
        days: { type: "integer", minimum: 1, maximum: 7 },
        unit: { enum: ["C", "F"] },
        stops: { type: "array", items: object({ name: { type: "string" } }, { required: ["name"] }), maxItems: 2 }
      },
      { required: ["city", "days"], additionalProperties: false }
    )
    expect(said(schema, { city: "Paris", days: 3, unit: "C", stops: [{ name: "Lyon" }] })).toEqual(["Valid"])
    expect(said(schema, { city: 5, unit: "K", stops: [{}, { name: null }], speed: 3 }).toSorted()).toEqual([
      "city: Expected string, actual 5",
      "days: is missing",
      "speed: is unexpected",
      "stops.0.name: is missing",
      "stops.1.name: Expected string, actual null",
      'unit: Expected "C" | "F", actual "K"'
    ])
    expect(said(schema, { city: "", days: 0, stops: [1, 2, 3] }).toSorted()).toEqual([
      'city: Expected a string of at least 1 character(s), actual ""',
      "days: Expected a number greater than or equal to 1, actual 0",
      "stops.0: Expected object, actual 1",
      "stops.1: Expected object, actual 2",
      "stops.2: Expected object, actual 3",
      "stops: Expected an array of at most 2 item(s), actual an array of 3"
    ])
    expect(said(schema, "Paris")).toEqual([": Expected an object"])
  })

  it("is about the alternative that is meant, or names all kinds that are possible", () => {
    const shape = {
      oneOf: [
        object({ kind: { const: "circle" }, radius: { type: "number" } }, { required: ["kind", "radius"] }),
        object(
          { kind: { const: "square" }, side: { type: "number" }, name: {} },
          { required: ["kind", "side", "name"] }
        )
      ]
    }
    expect(said(object({ shape }), { shape: { kind: "square" } })).toEqual([
      "shape.side: is missing",
      "shape.name: is missing"
    ])
    const either = object({ when: { anyOf: [{ type: "string" }, { type: "number" }, { type: "null" }] } })
    expect(said(either, { when: true })).toEqual(["when: Expected string | number | null, actual true"])
    const both = object({ at: { oneOf: [{ type: "integer" }, { type: "number" }] } })
    expect(said(both, { at: 1 })).toEqual(["at: Fits 2 of the alternatives, of which only one may fit"])
  })

  it("does not repeat long values and long lists of choices", () => {
    const schema = object({ id: { enum: Array.from({ length: 1_000 }, (_, n) => n) }, text: { type: "null" } })
    const [id = "", text = ""] = said(schema, { id: "x", text: "long ".repeat(1_000) })
    expect(id).toMatch(/\| … 980 more, actual "x"$/)
    expect(text.length).toBeLessThan(150)
  })
})

describe("A JSON Schema", () => {
  it("may be recursive, and refer to any of its parts", () => {
    const tree = object(
      {
        value: { type: "integer" },
        children: { type: "array", items: { $ref: "#" } },
        twin: { $ref: "#/properties/value" }
      },
      { required: ["value"] }
    )
    expect(said(tree, { value: 1, children: [{ value: 2, children: [{ value: "3" }] }], twin: 0.5 })).toEqual([
      'children.0.children.0.value: Expected integer, actual "3"',
      "twin: Expected integer, actual 0.5"
    ])
    const encoded = object({ a: { $ref: "#/$defs/a%20b~1c" } }, { $defs: { "a b/c": { type: "boolean" } } })
    expect(said(encoded, { a: 1 })).toEqual(["a: Expected boolean, actual 1"])
  })

  it("of an older draft means what it meant then", () => {
    const $schema = "http://json-schema.org/draft-07/schema#"
    const draft7 = object(
      {
        pair: { type: "array", items: [{ type: "string" }, { type: "number" }], additionalItems: false },
        by: { $ref: "#/definitions/name", type: "number" },
        from: { minimum: 1, exclusiveMinimum: true }
      },
      { $schema, definitions: { name: { type: "string" } }, dependencies: { pair: ["by"] } }
    )
    expect(said(draft7, { pair: ["a", 1], by: "me", from: 2 })).toEqual(["Valid"])
    expect(said(draft7, { pair: ["a", 1], by: 3 })).toEqual(["by: Expected string, actual 3"])
    expect(said(draft7, { pair: ["a", 1, 2], from: 1 }).toSorted()).toEqual([
      "by: is missing",
      "from: Expected a number greater than 1, actual 1",
      "pair.2: is unexpected"
    ])
  })

  it("counts characters, not the halves of an emoji, and divides decimals as they are written", () => {
    expect(said(object({ mood: { maxLength: 1 } }), { mood: "👋" })).toEqual(["Valid"])
    expect(said(object({ price: { multipleOf: 0.1 } }), { price: 0.3 })).toEqual(["Valid"])
    expect(said(object({ price: { multipleOf: 0.01 } }), { price: 1.005 })).not.toEqual(["Valid"])
    expect(said(object({ n: { multipleOf: 1e-300 } }), { n: 1e300 })).toEqual(["Valid"])
  })

  it("lists the conditions that are not understood, and lets everything pass that only they could refuse", () => {
    const schema = object(
      {
        far: { $ref: "https://example.com/schema" },
        named: { $ref: "#anchor" },
        odd: { type: "string", pattern: "(?i)yes" },
        sure: { type: "number" },
        never: { not: { $dynamicRef: "#node" } }
      },
      { unevaluatedProperties: false }
    )
    expect(read(schema).unchecked).toEqual([
      { at: "#", keyword: "unevaluatedProperties" },
      { at: "#/properties/far", keyword: '$ref "https://example.com/schema"' },
      { at: "#/properties/named", keyword: '$ref "#anchor"' },
      { at: "#/properties/odd", keyword: "pattern" },
      { at: "#/properties/never/not", keyword: "$dynamicRef" }
    ])
    expect(said(schema, { far: 1, named: 2, odd: "?", never: 3, more: 4 })).toEqual(["Unknown"])
    expect(said(schema, { odd: 1, sure: "2" })).toEqual([
      "odd: Expected string, actual 1",
      'sure: Expected number, actual "2"'
    ])
  })

  it("is refused for a reference to what it does not have, unless a part of it is a document of its own", () => {
    const lost = { $ref: "#/$defs/adress" }
    const $defs = { address: { type: "string" } }
    expect(problemsOf(object({ to: lost }, { $id: "https://example.com/order", $defs }))).toBe(
      '#/properties/to refers to "#/$defs/adress", which is not in this JSON Schema.'
    )
    const part = object({ to: { $id: "https://example.com/part", $defs: { adress: {} }, items: lost } })
    expect(read(part).problems).toEqual([])
    expect(read(part).unchecked).toEqual([{ at: "#/properties/to/items", keyword: '$ref "#/$defs/adress"' }])
  })

  it("is refused with the place and the remedy if it is none", () => {
    expect(problemsOf(object({ a: { type: "strin" } }))).toBe(
      "#/properties/a has a wrong `type`: it should be one of null, boolean, integer, number, string, array, object."
    )
    const wrong = object({
      b: { minimum: "3" },
      c: { required: true },
      d: { anyOf: [] },
      e: 5,
      f: { multipleOf: 0 },
      g: { enum: "x" },
      h: { properties: [] },
      i: { minLength: -1 },
      j: { $ref: 5 }
    })
    for (const [name, keyword] of Object.entries({
      b: "minimum",
      c: "required",
      d: "anyOf",
      f: "multipleOf",
      g: "enum",
      h: "properties",
      i: "minLength",
      j: "$ref"
    })) {
      expect(problemsOf(wrong)).toContain(`#/properties/${name} has a wrong \`${keyword}\``)
    }
    expect(problemsOf(wrong)).toContain("#/properties/e should be a schema")
    expect(problemsOf("text")).toContain("should be an object")
    expect(problemsOf({ type: "string" })).toContain('Its root should have `type: "object"`')
    expect(problemsOf({ $ref: "#" })).toBe("# refers to itself without end.")
    expect(
      problemsOf(object({ a: { $ref: "#/$defs/x" } }, { $defs: { x: { not: { $ref: "#/$defs/x" } } } }))
    ).toContain("refers to itself without end")
    const circle: { [key: string]: unknown } = { type: "object" }
    circle["properties"] = { circle }
    expect(problemsOf(circle)).toContain("It is not JSON")
  })

  it("that nests or chains too deeply is refused, and one that takes too long does not hold anybody up", () => {
    let deep: object = {}
    for (let level = 0; level < 10_000; level += 1) deep = { items: deep }
    expect(problemsOf(object({ deep }))).toMatch(/levels deep|not JSON/)

    const links = Array.from({ length: 5_000 }, (_, n) => [`d${n}`, { items: { $ref: `#/$defs/d${n + 1}` } }])
    const chain = object({ a: { $ref: "#/$defs/d0" } }, { $defs: Object.fromEntries(links) })
    expect(problemsOf(chain)).toContain("is reached through more than 200 other schemas")

    const twice = { $ref: "#/$defs/x" }
    const explosive = object(
      { x: twice },
      {
        $defs: { x: { allOf: [{ items: twice }, { items: twice }, { items: twice }] } }
      }
    )
    let nested: unknown = 1
    for (let level = 0; level < 100; level += 1) nested = [nested]
    expect(said(explosive, { x: nested })).toEqual([": It would take too long to check this against its JSON Schema"])
    const long = { x: Array.from({ length: 300_000 }, (_, n) => n) }
    expect(said(object({ x: { items: { type: "number" } } }), long)).toEqual(["Valid"])
  })
})
