import { describe, expect, it } from "@effect/vitest"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { expectTypeOf } from "vitest"
import * as Agent from "../src/Agent.js"
import type { RealtimeModel } from "../src/RealtimeModel.js"
import { call, say } from "../src/ScriptedModel.js"
import * as Session from "../src/Session.js"
import type { SessionError, SessionError as SessionErrors } from "../src/SessionError.js"
import type * as SessionEvent from "../src/SessionEvent.js"
import * as Tool from "../src/Tool.js"
import type { ToolError } from "../src/ToolError.js"
import { open, outputFrame } from "./session/harness.js"
import { Clock, Closed, Database, NotFound } from "./tool/services.js"

const lookup = Tool.make("lookup", {
  description: "Looks an order up",
  parameters: { id: Schema.Int },
  failure: NotFound,
  handler: ({ id }) => (id < 0 ? new NotFound({ id }) : Effect.flatMap(Database, ({ find }) => find(id)))
})
const hours = Tool.make("hours", {
  description: "Opening hours",
  handler: () => Effect.flatMap(Clock, ({ hour }) => (hour > 20 ? new Closed() : Effect.succeed("open")))
})
const book = Tool.make("book_table", {
  description: "Books a table",
  parameters: { guests: Schema.Int },
  success: Schema.Struct({ reference: Schema.String }),
  failure: Closed
})
const simple = Tool.make("simple", { description: "Simple", handler: () => Effect.succeed(1) })

const parametersOf = (tool: Tool.Tool) => Either.getOrThrow(tool.definition).parameters

class Lost extends Data.TaggedError("Lost") {}

describe("Types", () => {
  it("infers failures and requirements of tools through the agent into the session", () => {
    expectTypeOf<Tool.Failure<typeof lookup>>().toEqualTypeOf<NotFound>()
    expectTypeOf<Tool.Requirements<typeof lookup>>().toEqualTypeOf<Database>()
    expectTypeOf<Tool.Failure<typeof simple>>().toBeNever()
    expectTypeOf<Tool.Requirements<typeof simple>>().toBeNever()
    expectTypeOf<Tool.Requirements<typeof book>>().toEqualTypeOf<Tool.Handler<"book_table">>()

    const struct = Tool.make("struct", {
      description: "Takes a struct",
      parameters: Schema.Struct({ id: Schema.Int, note: Schema.optional(Schema.String) }),
      handler: ({ id, note }) => Effect.succeed(`${id.toFixed()} ${note?.trim() ?? ""}`)
    })
    expectTypeOf(struct).toEqualTypeOf<Tool.Tool<"struct", never, never>>()

    const agent = Agent.make("A", { instructions: "Help.", tools: [lookup, hours, book, simple] })
    expectTypeOf(agent).toEqualTypeOf<
      Agent.Agent<NotFound | Closed, Database | Clock | Tool.Handler<"book_table">, never, "A">
    >()

    const session = Session.make(agent)
    type Requirements = Effect.Effect.Context<typeof session>
    type Made = Effect.Effect.Success<typeof session>
    expectTypeOf<Made>().toEqualTypeOf<Session.Session<NotFound | Closed>>()
    expectTypeOf<Exclude<Requirements, Database | Clock | Tool.Handler<"book_table"> | RealtimeModel>>().toEqualTypeOf<
      import("effect/Scope").Scope
    >()
    expectTypeOf<Made["await"]>().toEqualTypeOf<Effect.Effect<void, SessionError | ToolError<NotFound | Closed>>>()
    type Event = import("effect/Stream").Stream.Success<Made["events"]>
    expectTypeOf<Event>().toEqualTypeOf<SessionEvent.SessionEvent<NotFound | Closed>>()
    type Failed = Extract<Event, { readonly _tag: "ToolFailed" }>["error"]
    expectTypeOf<Extract<Failed, { readonly _tag: "ToolFailure" }>["failure"]>().toEqualTypeOf<NotFound | Closed>()
  })

  it("infers the failure of a handler that returns an error, or else an Effect", () => {
    const order = Tool.make("order", {
      description: "",
      parameters: { id: Schema.Number },
      handler: ({ id }) => (id === 0 ? new NotFound({ id }) : Effect.as(Database, "On its way."))
    })
    expectTypeOf(order).toEqualTypeOf<Tool.Tool<"order", NotFound, Database>>()
    const thrown = Tool.make("thrown", {
      description: "",
      success: Schema.Number,
      handler: (_, { callId }) => (callId === "" ? new Lost() : Effect.succeed(1))
    })
    expectTypeOf(thrown).toEqualTypeOf<Tool.Tool<"thrown", Lost, never>>()
  })

  it("infers the requirements of instructions, and leaves a handler's own scope out", () => {
    const agent = Agent.make("A", {
      instructions: Effect.map(Clock, ({ hour }) => `It is ${hour}.`),
      tools: [
        Tool.make("scoped", {
          description: "",
          handler: () => Effect.acquireRelease(Effect.succeed(1), () => Effect.void)
        })
      ]
    })
    expectTypeOf(agent).toEqualTypeOf<Agent.Agent<never, Clock, never, "A">>()
  })

  it("keeps the failures of the tools in the text that the model reads, as in the events", () => {
    const agent = Agent.make("A", { instructions: "Help.", tools: [lookup] })
    Session.make(agent, {
      describe: (error) => {
        if (error._tag === "ToolFailure") expectTypeOf(error.failure).toEqualTypeOf<NotFound>()
        return error._tag === "ToolFailure" ? `There is no order ${error.failure.id}.` : error.message
      }
    })
    expectTypeOf<SessionError>().toEqualTypeOf<Schema.Schema.Type<typeof SessionErrors>>()
  })

  it("refuses a handler that fails with an error its tool does not declare, and a missing layer", () => {
    // @ts-expect-error Closed is not declared
    Tool.make("wrong", { description: "", failure: NotFound, handler: () => new Closed() })
    // @ts-expect-error text is not a number
    Tool.make("wrong", { description: "", success: Schema.Int, handler: () => Effect.succeed("text") })
    // @ts-expect-error there is no argument of that name
    Tool.make("wrong", { description: "", parameters: { id: Schema.Int }, handler: ({ name }) => Effect.succeed(name) })
    // @ts-expect-error the contract wants a reference
    Tool.layer(book, () => Effect.succeed({ ref: "x" }))
    const run = (_: Effect.Effect<unknown, unknown, RealtimeModel | import("effect/Scope").Scope>) => undefined
    const needs = Session.make(Agent.make("A", { instructions: "", tools: [lookup] }))
    // @ts-expect-error Database is missing
    run(needs)
    run(needs.pipe(Effect.provideService(Database, { find: () => Effect.succeed("x") })))
  })
})

describe("Tool", () => {
  it("offers its parameters as the API takes them: an object, without $schema, and without a reference at its root", () => {
    class Address extends Schema.Class<Address>("Address")({ street: Schema.String }) {}
    interface Tree {
      readonly children: ReadonlyArray<Tree>
    }
    const Tree = Schema.Struct({
      children: Schema.Array(Schema.suspend((): Schema.Schema<Tree> => Tree))
    }).annotations({ identifier: "Tree" })
    const tool = Tool.make("send", {
      description: "Sends",
      parameters: {
        to: Address,
        tree: Tree,
        express: Schema.optional(Schema.Boolean),
        size: Schema.Literal("small", "large").annotations({ description: "How big it is" }),
        count: Schema.NumberFromString
      },
      handler: () => Effect.void
    })
    const tree = {
      type: "object",
      required: ["children"],
      properties: { children: { type: "array", items: { $ref: "#/$defs/Tree" } } },
      additionalProperties: false
    }
    expect(parametersOf(tool)).toEqual({
      type: "object",
      required: ["to", "tree", "size", "count"],
      properties: {
        to: {
          type: "object",
          required: ["street"],
          properties: { street: { type: "string" } },
          additionalProperties: false
        },
        tree,
        express: { type: "boolean" },
        size: { type: "string", enum: ["small", "large"], description: "How big it is" },
        count: { type: "string", description: expect.any(String) }
      },
      additionalProperties: false,
      $defs: { Tree: tree }
    })
    expect(parametersOf(simple)).toEqual({ type: "object", properties: {}, required: [], additionalProperties: false })
  })

  it("takes its parameters as fields or as a struct of them, with the same result", () => {
    const handler = () => Effect.succeed(1)
    const fields = { id: Schema.Int.annotations({ description: "The order" }) }
    const struct = Schema.Struct(fields).annotations({ identifier: "Order", description: "An order" })
    const [one, other] = [fields, struct].map((parameters) =>
      parametersOf(Tool.make("lookup", { description: "", parameters, handler }))
    )
    expect(other).toEqual(one)
    expect(other).toMatchObject({ type: "object", properties: { id: { type: "integer" } } })
  })

  it("reports everything that is wrong with an agent's tools at once", () => {
    const handler = () => Effect.void
    const agent = Agent.make("A", {
      instructions: "",
      tools: [
        Tool.make("with space", { description: "", handler }),
        Tool.make("x".repeat(65), { description: "", handler }),
        Tool.make("twice", { description: "", handler }),
        Tool.make("twice", { description: "", handler }),
        Tool.make("odd", { description: "", parameters: { big: Schema.BigIntFromSelf }, handler })
      ]
    })
    const error = Either.getOrThrow(Either.flip(Agent.validate(agent)))
    expect(error).toMatchObject({ _tag: "AgentInvalid", agent: "A" })
    expect(error.problems).toHaveLength(4)
    expect(error.problems[0]).toContain('"with space" is not a name that the API accepts')
    expect(error.problems[2]).toContain('Two functions are named "twice"')
    expect(error.problems[3]).toMatch(/parameters of odd have no JSON Schema.*big/)
    expect(error.message).toContain("with space")
  })

  it.scoped("runs a contract with the handler that a layer gives it, and with another one in a test", () =>
    Effect.gen(function* () {
      const agent = Agent.make("A", { instructions: "", tools: [book] })
      const run = (implementation: Layer.Layer<Tool.Handler<"book_table">>) =>
        Effect.gen(function* () {
          const h = yield* open(agent, [[call("book_table", { guests: 2 }, { callId: "c1" })], [say("Done.")]])
          yield* h.session.sendText("Go.")
          yield* h.nth("ResponseDone", 2)
          return yield* h.outputs
        }).pipe(Effect.provide(implementation))
      const live = Tool.layer(book, ({ guests }) => Effect.map(Database, () => ({ reference: `T-${guests}` }))).pipe(
        Layer.provide(Layer.succeed(Database, { find: () => Effect.succeed("") }))
      )
      expect(yield* run(live)).toEqual([outputFrame("c1", '{"reference":"T-2"}')])
      expect(yield* run(Tool.layer(book, () => new Closed()))).toMatchObject([
        { item: { output: expect.stringContaining('"type":"Closed"') } }
      ])
    })
  )
})
