/**
 * A toolkit of `@effect/ai`, as it is: a chat in text and a session use the same tools, with the same layer. Both models
 * are scripted here, so that the example runs offline.
 */
import { Tool as AiTool, Toolkit as AiToolkit, Chat, LanguageModel } from "@effect/ai"
import { Console, Context, Effect, Layer, Schema, Stream } from "effect"
import { Agent, ScriptedModel, Session } from "effect-realtime"
import * as Toolkit from "effect-realtime/Toolkit"
import "./shared/pipe.js"

class SoldOut extends Schema.TaggedError<SoldOut>()("SoldOut", { product: Schema.String }) {
  override get message() {
    return `There are no more ${this.product}s.`
  }
}

const Shop = AiToolkit.make(
  AiTool.make("count_stock", {
    description: "Counts what is left of a product",
    parameters: { product: Schema.String },
    success: Schema.Struct({ left: Schema.Int }),
    failure: SoldOut
  }),
  AiTool.make("order", {
    description: "Orders a product",
    parameters: { product: Schema.String, count: Schema.Int },
    success: Schema.String
  })
)

class Warehouse extends Context.Tag("Warehouse")<Warehouse, { readonly left: (product: string) => number }>() {}

const ShopLive = Shop.toLayer(
  Effect.map(Warehouse, ({ left }) => ({
    count_stock: ({ product }) =>
      left(product) === 0 ? new SoldOut({ product }) : Effect.succeed({ left: left(product) }),
    order: ({ count, product }) => Effect.succeed(`${count} ${product}(s) are on their way.`)
  }))
).pipe(Layer.provide(Layer.succeed(Warehouse, { left: (product) => (product === "pear" ? 0 : 3) })))

const languageModel = LanguageModel.make({
  generateText: () =>
    Effect.succeed([{ type: "tool-call", id: "call_1", name: "count_stock", params: { product: "apple" } }]),
  streamText: () => Stream.empty
})

const chat = Effect.gen(function* () {
  const { generateText } = yield* Chat.empty
  const { toolResults } = yield* generateText({ prompt: "How many apples are left?", toolkit: Shop })
  for (const { name, result } of toolResults) yield* Console.log(`chat     ${name} ->`, JSON.stringify(result))
}).pipe(Effect.provideServiceEffect(LanguageModel.LanguageModel, languageModel))

const agent = Agent.make("Shop", {
  instructions: "Take orders.",
  tools: Toolkit.tools(Shop, {
    count_stock: { timeout: "2 seconds" },
    order: { approval: ({ count }) => Effect.succeed(count > 9) }
  })
})

const { call, say } = ScriptedModel
const script = [
  [call("count_stock", { product: "apple" }), call("count_stock", { product: "pear" })],
  [call("order", { product: "apple", count: 12 })],
  [say("Three apples are left and no pears, and nobody approved of twelve.")]
]

const talk = Effect.gen(function* () {
  const model = yield* ScriptedModel.make(script)
  const session = yield* Session.make(agent).pipe(Effect.provide(model.layer))
  yield* session.sendText("What is left? And send me twelve apples.")
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "ToolSucceeded":
          return Console.log(`session  ${event.call.tool} -> ${event.output}`)
        case "ToolFailed":
          return Console.log(`session  ${event.call.tool} -> ${event.error._tag}: ${event.error.message}`)
        case "ToolApprovalRequested":
          return Effect.ignore(session.reject(event.call.callId, "twelve are too many"))
        case "TextCompleted":
          return Console.log(`model    ${event.text}`)
        default:
          return Effect.void
      }
    }),
    Stream.takeUntil((event) => event._tag === "TextCompleted"),
    Stream.runDrain
  )
})

await Effect.zipRight(chat, talk).pipe(Effect.scoped, Effect.provide(ShopLive), Effect.runPromise)
