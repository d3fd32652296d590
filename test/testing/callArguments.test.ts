import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { describe, expect, it } from "vitest"
import * as JsonSchemaTool from "../../src/JsonSchemaTool.js"
import * as Tool from "../../src/Tool.js"
import { callArguments } from "../../src/testing/callArguments.js"

interface Tree {
  readonly children: ReadonlyArray<Tree>
}
const Tree: Schema.Schema<Tree> = Schema.Struct({
  children: Schema.Array(Schema.suspend((): Schema.Schema<Tree> => Tree))
})

/** How many of the arguments that are made up for these parameters fit them. */
const fitting = (parameters: Schema.Struct.Fields): number =>
  fittingOf(Tool.make("made_up", { description: "", parameters, handler: () => Effect.void }))

const fittingOf = (tool: Tool.Tool): number => {
  const all = fc.sample(callArguments({ ast: tool.parameters.ast, definition: tool.definition }), {
    seed: 1,
    numRuns: 200
  })
  const isFit = Schema.decodeUnknownOption(Schema.parseJson(Schema.make<unknown, unknown>(tool.parameters.ast)))
  return all.filter((text) => isFit(text)._tag === "Some").length
}

describe("The arguments that are made up for a tool", () => {
  it("fit for the most part, in every form that a tool may take", () => {
    const place = Schema.Tuple(Schema.Number.pipe(Schema.finite()), Schema.optionalElement(Schema.String))
    expect(fitting({ place, prices: Schema.Map({ key: Schema.String, value: Schema.Int }) })).toBeGreaterThan(100)
    expect(fitting({ tree: Tree, when: Schema.Option(Schema.Date) })).toBeGreaterThan(100)
  })

  it("are what the model is told, where nothing fitting can be made up", () => {
    const letters = Schema.String.pipe(Schema.pattern(/^[a-z ]*$/i))
    expect(fitting({ sure: letters, tree: Schema.optional(Tree), kind: Schema.Literal("a", "b") })).toBeGreaterThan(2)
  })

  it("fit a JSON Schema for the most part, also where the model gets another one", () => {
    const handler = () => Effect.void
    const place = { type: "array", prefixItems: [{ type: "number" }, { enum: ["N", "S"] }], minItems: 2, items: false }
    const parameters = {
      type: "object",
      oneOf: [
        { properties: { kind: { const: "at" }, place }, required: ["kind", "place"] },
        { properties: { kind: { const: "tree" }, tree: { $ref: "#/definitions/tree" } }, required: ["kind", "tree"] }
      ],
      definitions: { tree: { type: ["object", "null"], properties: { left: { $ref: "#/definitions/tree" } } } }
    }
    expect(fittingOf(JsonSchemaTool.make("made_up", { description: "", parameters, handler }))).toBeGreaterThan(100)
  })
})
