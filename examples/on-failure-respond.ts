/**
 * `onFailure: "respond"`, the default: the model reads why the tool failed, and is asked to go on. The caller hears
 * something, and the application has the typed failure.
 */
import { Console, Effect, Schema, Stream } from "effect"
import { Agent, EmbeddedRealtime, Session, Tool } from "effect-realtime"
import "./shared/pipe.js"

class OutOfStock extends Schema.TaggedError<OutOfStock>()("OutOfStock", { product: Schema.String }) {
  override get message() {
    return `There is no ${this.product} left.`
  }
}

const order = Tool.make("order_product", {
  description: "Orders a product",
  parameters: { product: Schema.String },
  failure: OutOfStock,
  handler: ({ product }) => new OutOfStock({ product })
})

const agent = Agent.make("Shop", { instructions: "Take orders.", tools: [order] })

const program = Effect.gen(function* () {
  const session = yield* Session.make(agent)
  yield* session.sendText('Order a "blue kettle".')
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "ToolFailed":
          // The tag of the error tells a typed failure from a timeout; `failure` is the tool's own error.
          return event.error._tag === "ToolFailure"
            ? Console.log(`The application got ${event.error.failure._tag} for ${event.error.failure.product}.`)
            : Console.log(`The application got ${event.error._tag}.`)
        case "TextCompleted":
          return Console.log(`The caller heard: ${event.text}`)
        default:
          return Effect.void
      }
    }),
    Stream.takeUntil((event) => event._tag === "TextCompleted"),
    Stream.runDrain
  )
})

await program.pipe(Effect.scoped, Effect.provide(EmbeddedRealtime.layer()), Effect.runPromise)
