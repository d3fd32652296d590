import { describe, expect, it } from "vitest"
import { acceptable } from "../../src/protocol/acceptable.js"
import { refusalOf } from "../../src/protocol/FunctionParameters.js"

const accepted = (schema: { readonly [key: string]: unknown }) => {
  const result = acceptable(schema)
  expect(refusalOf(result)).toBeUndefined()
  return result
}

describe("A JSON Schema that somebody else wrote", () => {
  it("stays as it is, without what is about the document", () => {
    const schema = {
      type: "object",
      title: "Search",
      properties: {
        query: { type: "string", minLength: 1, description: "What to look for", "x-order": 1 },
        in: { oneOf: [{ const: "title" }, { const: "text" }] },
        tree: { $ref: "#/$defs/Tree" }
      },
      required: ["query"],
      additionalProperties: false,
      $defs: { Tree: { type: "object", properties: { children: { type: "array", items: { $ref: "#/$defs/Tree" } } } } }
    }
    const document = { $schema: "https://json-schema.org/draft/2020-12/schema", $id: "https://x.example/a", ...schema }
    expect(accepted(document)).toEqual(schema)
    expect(accepted({ type: ["object", "null"] })).toEqual({ type: "object", properties: {} })
  })

  it("has its alternatives merged where the root has some, and keeps them in words", () => {
    const byId = { type: "object", properties: { id: { type: "integer" }, note: {} }, required: ["id", "note"] }
    const byName = { type: "object", properties: { name: { type: "string" }, note: {} }, required: ["name", "note"] }
    const merged = accepted({ description: "Who it is.", oneOf: [byId, { $ref: "#/$defs/byName" }], $defs: { byName } })
    expect(merged).toMatchObject({
      type: "object",
      properties: { id: { type: "integer" }, note: {}, name: { type: "string" } },
      required: ["note"]
    })
    expect(merged["description"]).toMatch(/^Who it is\.\nArguments that fit: \{"oneOf":\[/)
    expect(accepted({ allOf: [byId, { required: ["more"] }] })).toMatchObject({ required: ["id", "note", "more"] })
    expect(accepted({ $ref: "#/$defs/byName", $defs: { byName } })).toMatchObject({ required: ["name", "note"] })
  })

  it("keeps references that the merging would leave without a target", () => {
    const node = { type: "object", properties: { next: { $ref: "#" }, again: { $ref: "#/anyOf/0/properties/next" } } }
    const merged = accepted({ anyOf: [node, { type: "object", required: ["end"] }] })
    expect(merged).toMatchObject({
      properties: { next: { $ref: "#/$defs/Root" }, again: { $ref: "#/$defs/next" } },
      $defs: {
        Root: { anyOf: [{ properties: { next: { $ref: "#/$defs/Root" } } }, {}] },
        next: { $ref: "#/$defs/Root" }
      }
    })
  })

  it("says in words which pattern the API would refuse, and does not negate what it left out", () => {
    const lookahead = { type: "string", pattern: "^(?!x)", description: "A code" }
    const result = accepted({ type: "object", properties: { code: lookahead, other: { not: lookahead } } })
    expect(result).toEqual({
      type: "object",
      properties: { code: { type: "string", description: "A code\nText that matches /^(?!x)/." }, other: {} }
    })
    const names = { type: "object", patternProperties: { "^(?!x)": { type: "string" } }, additionalProperties: false }
    expect(accepted({ type: "object", properties: { names } })["properties"]).toEqual({
      names: { type: "object", patternProperties: {}, description: "Names that match /^(?!x)/ are allowed." }
    })
  })

  it("of an older draft, or with references that lead nowhere, becomes one of today", () => {
    const result = accepted({
      $schema: "http://json-schema.org/draft-07/schema#",
      type: "object",
      properties: {
        pair: { type: "array", items: [{ type: "string" }], additionalItems: false },
        list: { type: "array" },
        from: { type: "number", minimum: 1, exclusiveMinimum: true },
        far: { $ref: "https://example.com/schema", description: "Anything" },
        by: { $ref: "#/definitions/name", description: "Who", minLength: 3 }
      },
      definitions: { name: { type: "string" } }
    })
    expect(result["properties"]).toEqual({
      pair: { type: "array", prefixItems: [{ type: "string" }], items: false },
      list: { type: "array", items: {} },
      from: { type: "number", exclusiveMinimum: 1 },
      far: { description: "Anything" },
      by: { anyOf: [{ $ref: "#/definitions/name" }], description: "Who" }
    })
  })
})
