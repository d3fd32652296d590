import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { expectTypeOf } from "vitest"
import * as Agent from "../src/Agent.js"
import * as JsonSchemaTool from "../src/JsonSchemaTool.js"
import { call, say } from "../src/ScriptedModel.js"
import type * as Tool from "../src/Tool.js"
import { open, outputFrame } from "./session/harness.js"
import { Clock, Closed, Database, NotFound } from "./tool/services.js"

const forecast = JsonSchemaTool.make("forecast", {
  description: "The weather of the next days",
  parameters: {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
    required: ["city"],
    additionalProperties: false
  },
  failure: NotFound,
  approval: (args) => Effect.as(Clock, args["days"] === 7),
  handler: ({ city, days }) =>
    city === "Atlantis" ? new NotFound({ id: 1 }) : Effect.flatMap(Database, ({ find }) => find(Number(days ?? 1)))
})

const parametersOf = (tool: Tool.Tool) => Either.getOrThrow(tool.definition).parameters

describe("Types", () => {
  it("infers failures and requirements; arguments are unknown by name", () => {
    expectTypeOf(forecast).toEqualTypeOf<JsonSchemaTool.JsonSchemaTool<"forecast", NotFound, Database | Clock>>()
    expectTypeOf<Tool.Failure<typeof forecast>>().toEqualTypeOf<NotFound>()
    expectTypeOf<Tool.Requirements<typeof forecast>>().toEqualTypeOf<Database | Clock>()
    const agent = Agent.make("A", { instructions: "Help.", tools: [forecast] })
    expectTypeOf(agent).toEqualTypeOf<Agent.Agent<NotFound, Database | Clock, never, "A">>()
    const parameters = {}
    const order = JsonSchemaTool.make("order", {
      description: "",
      parameters,
      handler: ({ id }) => (id === 0 ? new NotFound({ id }) : Effect.as(Database, "On its way."))
    })
    expectTypeOf(order).toEqualTypeOf<JsonSchemaTool.JsonSchemaTool<"order", NotFound, Database>>()
    // @ts-expect-error what a field is has to be found out
    JsonSchemaTool.make("wrong", { description: "", parameters, handler: ({ city }) => Effect.succeed(city.length) })
    // @ts-expect-error Closed is not declared
    JsonSchemaTool.make("wrong", { description: "", parameters, failure: NotFound, handler: () => new Closed() })
    // @ts-expect-error it has no contract
    JsonSchemaTool.make("wrong", { description: "", parameters })
  })
})

describe("JsonSchemaTool.make", () => {
  it("offers the JSON Schema as it is, without what is about the document", () => {
    expect(forecast.unchecked).toEqual([])
    expect(parametersOf(forecast)).toEqual({
      type: "object",
      properties: { city: { type: "string" }, days: { type: "integer", minimum: 1 } },
      required: ["city"],
      additionalProperties: false
    })
  })

  it.scoped(
    "answers calls like any other tool: with results, failures, rejections, and what is wrong with arguments",
    () =>
      Effect.gen(function* () {
        const agent = Agent.make("A", { instructions: "", tools: [forecast] })
        const { first, nth, outputs, session } = yield* open(agent, [
          [call("forecast", { city: "Paris", days: 3 }, { callId: "c1" })],
          [call("forecast", { city: "Atlantis" }, { callId: "c2" })],
          [call("forecast", { town: "Paris", days: 0.5 }, { callId: "c3" })],
          [call("forecast", { city: "Paris", days: 7 }, { callId: "c4" })],
          [say("Done.")]
        ])
        yield* session.sendText("The weather, please.")
        yield* first("ToolApprovalRequested")
        yield* session.reject("c4", "too far ahead")
        yield* first("TextCompleted")
        expect((yield* nth("ToolFailed", 2)).error).toMatchObject({
          _tag: "InvalidArguments",
          issues: expect.arrayContaining([
            { path: "city", message: "is missing" },
            { path: "town", message: "is unexpected" },
            { path: "days", message: "Expected integer, actual 0.5" }
          ])
        })
        expect(yield* outputs).toEqual([
          outputFrame("c1", "day 3"),
          outputFrame("c2", expect.stringContaining('"type":"NotFound"')),
          outputFrame("c3", expect.stringContaining("days: Expected integer, actual 0.5")),
          outputFrame("c4", expect.stringContaining("too far ahead"))
        ])
      }).pipe(
        Effect.provideService(Database, { find: (id) => Effect.succeed(`day ${id}`) }),
        Effect.provideService(Clock, { hour: 12 })
      )
  )

  it("is refused with the agent where its JSON Schema is none, by name and place", () => {
    const wrong = JsonSchemaTool.make("wrong", {
      description: "",
      parameters: { type: "object", properties: { days: { minimum: "1" } } },
      handler: () => Effect.void
    })
    const agent = Agent.make("A", { instructions: "", tools: [wrong] })
    expect(Either.getOrThrow(Either.flip(Agent.validate(agent))).problems).toEqual([
      "The parameters of wrong have no JSON Schema. #/properties/days has a wrong `minimum`: it should be a number."
    ])
  })
})
