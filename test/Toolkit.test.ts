import * as Ai from "@effect/ai"
import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import { expectTypeOf } from "vitest"
import * as Agent from "../src/Agent.js"
import type { RealtimeModel } from "../src/RealtimeModel.js"
import { call, say } from "../src/ScriptedModel.js"
import * as Session from "../src/Session.js"
import type * as Tool from "../src/Tool.js"
import * as Toolkit from "../src/Toolkit.js"
import { errorText, open, outputFrame } from "./session/harness.js"

class Warehouse extends Context.Tag("test/Warehouse")<
  Warehouse,
  { readonly left: (product: string) => Effect.Effect<number> }
>() {}
class Caller extends Context.Tag("test/Caller")<Caller, { readonly name: string }>() {}
class Policy extends Context.Tag("test/Policy")<Policy, { readonly asksFrom: number }>() {}
class SoldOut extends Schema.TaggedError<SoldOut>()("SoldOut", { product: Schema.String }) {}
class NotToday extends Schema.TaggedError<NotToday>()("NotToday", { until: Schema.Date }) {}

class TrackOrder extends Schema.TaggedRequest<TrackOrder>()("track_order", {
  failure: SoldOut,
  success: Schema.String,
  payload: { order: Schema.NumberFromString }
}) {
  get doubled(): number {
    return this.order * 2
  }
}

const countStock = Ai.Tool.make("count_stock", {
  description: "Counts what is left of a product",
  parameters: { product: Schema.String },
  success: Schema.Struct({ left: Schema.Int, since: Schema.Date }),
  failure: SoldOut
})
const order = Ai.Tool.make("order", {
  description: "Orders a product",
  parameters: { product: Schema.String, count: Schema.NumberFromString },
  success: Schema.String,
  failure: NotToday,
  failureMode: "return",
  dependencies: [Caller]
}).annotate(Ai.Tool.Idempotent, true)
const greet = Ai.Tool.make("greet")

const Shop = Ai.Toolkit.make(countStock, order, greet)

const since = new Date(0)
const ShopLive = Shop.toLayer(
  Effect.map(Warehouse, ({ left }) => ({
    count_stock: ({ product }) =>
      Effect.flatMap(left(product), (count) =>
        count === 0 ? new SoldOut({ product }) : Effect.succeed({ left: count, since })
      ),
    order: ({ count, product }) =>
      Effect.flatMap(Caller, ({ name }) =>
        count > 9 ? new NotToday({ until: since }) : Effect.succeed(`${count.toFixed()} ${product} for ${name}.`)
      ),
    greet: () => Effect.void
  }))
)
const stock = Layer.succeed(Warehouse, { left: (product) => Effect.succeed(product === "pear" ? 0 : 3) })
const Live = Layer.mergeAll(Layer.provide(ShopLive, stock), Layer.succeed(Caller, { name: "Ada" }))

const agentOf = <const Tools extends ReadonlyArray<Tool.Tool>>(tools: Tools) =>
  Agent.make("Shop", { instructions: "Sell.", tools })

describe("Types", () => {
  it("infers failures from the toolkit, and requires its layer, its dependencies and what approvals need", () => {
    const agent = Agent.make("Shop", { instructions: "Sell.", tools: Toolkit.tools(Shop) })
    expectTypeOf(agent).toEqualTypeOf<
      Agent.Agent<
        SoldOut,
        Ai.Tool.Handler<"count_stock"> | Ai.Tool.Handler<"order"> | Ai.Tool.Handler<"greet"> | Caller,
        never,
        "Shop"
      >
    >()
    const asking = Toolkit.tools(Shop, {
      order: {
        timeout: "5 seconds",
        approval: ({ count }) => {
          expectTypeOf(count).toEqualTypeOf<number>()
          return Effect.map(Policy, ({ asksFrom }) => count >= asksFrom)
        }
      }
    })
    type Required = Tool.Requirements<(typeof asking)[number]>
    expectTypeOf<Extract<Required, Policy>>().toEqualTypeOf<Policy>()
    const sometimes = Toolkit.tools(Shop, { order: { isEnabled: Effect.as(Policy, true) } })
    type Checked = Tool.Requirements<(typeof sometimes)[number]>
    expectTypeOf<Extract<Checked, Policy>>().toEqualTypeOf<Policy>()

    const run = (_: Effect.Effect<unknown, unknown, RealtimeModel | Scope.Scope>) => undefined
    // @ts-expect-error the toolkit's layer is missing
    run(Session.make(agent))
    run(Effect.provide(Session.make(agent), Live))
    // @ts-expect-error no tool has that name
    Toolkit.tools(Shop, { ordre: { approval: true } })
    // @ts-expect-error the tool has no such argument
    Toolkit.tools(Shop, { order: { approval: ({ colour }) => Effect.succeed(colour) } })
  })
})

describe("A toolkit", () => {
  it.scoped("is used by its own chat and by a session, in one program, with one layer", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      let turn = 0
      const languageModel = Ai.LanguageModel.make({
        generateText: ({ prompt }) =>
          Effect.sync(() => {
            seen.push(prompt.content.at(-1))
            turn += 1
            return turn === 1
              ? [{ type: "tool-call", id: "call_1", name: "count_stock", params: { product: "apple" } }]
              : [{ type: "text", text: "There are three." }]
          }),
        streamText: () => Stream.empty
      })
      const answer = yield* Effect.gen(function* () {
        const chat = yield* Ai.Chat.empty
        const first = yield* chat.generateText({ prompt: "How many apples?", toolkit: Shop })
        const second = yield* chat.generateText({ prompt: "So?" })
        return { results: first.toolResults.map(({ result }) => result), text: second.text }
      }).pipe(Effect.provideServiceEffect(Ai.LanguageModel.LanguageModel, languageModel))
      expect(answer).toEqual({ results: [{ left: 3, since }], text: "There are three." })

      const h = yield* open(agentOf(Toolkit.tools(Shop)), [
        [call("count_stock", { product: "apple" }, { callId: "c1" })],
        [say("There are three.")]
      ])
      yield* h.session.sendText("How many apples?")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", '{"left":3,"since":"1970-01-01T00:00:00.000Z"}')])
    }).pipe(Effect.provide(Live))
  )

  it.scoped("has its failures typed and encoded, or read as results where its tool says so", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(Toolkit.tools(Shop)), [
        [
          call("count_stock", { product: "pear" }, { callId: "c1" }),
          call("order", { product: "apple", count: "2" }, { callId: "c2" }),
          call("order", { product: "apple", count: "10" }, { callId: "c3" }),
          call("greet", {}, { callId: "c4" })
        ],
        [say("All right.")]
      ])
      yield* h.session.sendText("Go on.")
      yield* h.nth("ResponseDone", 2)
      const [failed] = h.all("ToolFailed")
      expect(failed?.error).toMatchObject({ _tag: "ToolFailure", failure: new SoldOut({ product: "pear" }) })
      expect(h.all("ToolFailed")).toHaveLength(1)
      const outputs = yield* h.outputs
      expect(outputs).toHaveLength(4)
      expect(outputs).toEqual(
        expect.arrayContaining([
          outputFrame("c1", errorText("SoldOut", "count_stock failed.", { product: "pear" })),
          outputFrame("c2", "2 apple for Ada."),
          outputFrame("c3", '{"until":"1970-01-01T00:00:00.000Z","_tag":"NotToday"}'),
          outputFrame("c4", "")
        ])
      )
    }).pipe(Effect.provide(Live))
  )

  it.scoped("is answered for by the session: arguments that are not valid, defects, hangs, and approvals by name", () =>
    Effect.gen(function* () {
      const Odd = Ai.Toolkit.make(
        Ai.Tool.make("dies", { description: "", success: Schema.String }),
        Ai.Tool.make("hangs", { description: "", success: Schema.String }),
        Ai.Tool.make("lies", { description: "", success: Schema.Int }),
        Ai.Tool.make("pays", { description: "", parameters: { euros: Schema.Int }, success: Schema.String })
      )
      const OddLive = Odd.toLayer({
        dies: () => Effect.die(new Error("secret")),
        hangs: () => Effect.never,
        lies: () => Effect.succeed(0.5),
        pays: ({ euros }) => Effect.succeed(`${euros} euros`)
      })
      const tools = Toolkit.tools(Odd, {
        hangs: { timeout: "1 second" },
        pays: { approval: ({ euros }) => Effect.succeed(euros > 10), onFailure: "silent" }
      })
      const h = yield* open(agentOf(tools), [
        [
          call("dies", {}, { callId: "c1" }),
          call("hangs", {}, { callId: "c2" }),
          call("lies", {}, { callId: "c3" }),
          call("pays", { euros: "much" }, { callId: "c4" }),
          call("pays", { euros: 5 }, { callId: "c5" }),
          call("pays", { euros: 50 }, { callId: "c6" })
        ],
        [say("All right.")]
      ]).pipe(Effect.provide(OddLive))
      yield* h.session.sendText("Go on.")
      const { call: asked } = yield* h.first("ToolApprovalRequested")
      yield* h.session.reject(asked.callId, "too much")
      yield* TestClock.adjust("1 second")
      yield* h.nth("ToolFailed", 5)
      expect(h.all("ToolApprovalRequested").map((event) => event.call.callId)).toEqual(["c6"])
      expect(Object.fromEntries(h.all("ToolFailed").map((event) => [event.call.callId, event.error._tag]))).toEqual({
        c1: "ToolDefect",
        c2: "ToolTimedOut",
        c3: "InvalidOutput",
        c4: "InvalidArguments",
        c6: "ToolRejected"
      })
      expect(h.all("ToolSucceeded").map((event) => event.output)).toEqual(["5 euros"])
    })
  )

  it.scoped("takes a tagged request, of which the model does not write the tag", () =>
    Effect.gen(function* () {
      const Tracking = Ai.Toolkit.make(Ai.Tool.fromTaggedRequest(TrackOrder))
      const tools = Toolkit.tools(Tracking)
      expect(tools.map(({ definition }) => Either.getOrThrow(definition).parameters["required"])).toEqual([["order"]])
      const live = Tracking.toLayer({ track_order: (request) => Effect.succeed(`${request.doubled} is on its way.`) })
      const h = yield* open(agentOf(tools), [
        [call("track_order", { order: "21" }, { callId: "c1" })],
        [say("All right.")]
      ]).pipe(Effect.provide(live))
      yield* h.session.sendText("Where is it?")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", "42 is on its way.")])
    })
  )

  it.scoped("puts no arguments on spans", () =>
    Effect.gen(function* () {
      const attributes: Array<unknown> = []
      const tracer = yield* Effect.tracer
      const listening = Tracer.make({
        context: tracer.context,
        span: (...args) => {
          const span = tracer.span(...args)
          const { attribute } = span
          span.attribute = (key, value) => {
            attributes.push(key, value)
            attribute.call(span, key, value)
          }
          return span
        }
      })
      const h = yield* open(agentOf(Toolkit.tools(Shop)), [
        [call("count_stock", { product: "something private" })],
        [say("All right.")]
      ]).pipe(Effect.withTracer(listening))
      yield* h.session.sendText("Go on.")
      yield* h.nth("ResponseDone", 2)
      expect(attributes).toContain("count_stock")
      expect(JSON.stringify(attributes)).not.toContain("private")
    }).pipe(Effect.provide(Live))
  )

  it("says what cannot be used, and which annotations count", () => {
    const search = Ai.Tool.providerDefined({
      id: "openai.web_search",
      toolkitName: "WebSearch",
      providerName: "web_search",
      args: {},
      success: Schema.String
    })({})
    const agent = agentOf(Toolkit.tools(Ai.Toolkit.make(search)))
    expect(Either.getOrThrow(Either.flip(Agent.validate(agent))).problems).toEqual([
      "WebSearch is defined by a provider of models, who runs it: leave it out."
    ])
    const policies = Toolkit.tools(Shop, { greet: { idempotent: true } }).map(({ name, policy }) => [
      name,
      policy.idempotent
    ])
    expect(policies).toEqual([
      ["count_stock", false],
      ["order", true],
      ["greet", true]
    ])
  })

  it.effect("dies with the name of the tool if its layer is missing where no compiler looks", () =>
    Effect.gen(function* () {
      const [tool] = Toolkit.tools(Ai.Toolkit.make(greet))
      const prepared = tool?.prepare({
        callId: "c1",
        tool: "greet",
        agent: "Shop",
        sessionId: "s1",
        idempotencyKey: "k",
        responseId: undefined,
        arguments: "{}",
        progress: () => Effect.void
      })
      const run = Effect.flatMap(prepared ?? Effect.dieMessage("no tool"), ({ run }) => run)
      const cause = yield* Effect.flip(
        Effect.sandbox(Effect.provide(run, Context.empty() as Context.Context<Ai.Tool.Handler<"greet">>))
      )
      expect(Cause.pretty(cause)).toContain("@effect/ai/Tool/greet")
    })
  )
})
