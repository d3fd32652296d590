/**
 * A tool that takes its time: the model has an answer at once and talks on, and the result is told when it is there,
 * also where it is a failure. A handler may say how far it is.
 */
import { Console, Effect, Schema, Stream } from "effect"
import { Agent, ScriptedModel, Session, Tool } from "effect-realtime"
import "./shared/pipe.js"

class FullyBooked extends Schema.TaggedError<FullyBooked>()("FullyBooked", { restaurant: Schema.String }) {
  override get message() {
    return `${this.restaurant} has no table tonight.`
  }
}

const bookTable = Tool.make("book_table", {
  description: "Books a table for tonight, over the phone",
  parameters: { restaurant: Schema.String },
  timeout: "5 minutes",
  failure: FullyBooked,
  handler: ({ restaurant }, { progress }) =>
    Effect.gen(function* () {
      yield* Effect.sleep("400 millis")
      yield* progress(`${restaurant} picks up the phone.`)
      yield* Effect.sleep("400 millis")
      if (restaurant === "Miramar") return yield* new FullyBooked({ restaurant })
      return `A table at ${restaurant}, at eight.`
    })
})

const agent = Agent.make("Concierge", {
  instructions: "Help the guest.",
  tools: [Tool.deferred(bookTable, "The restaurant is being called. It takes a moment.")]
})

const { call, say } = ScriptedModel
const script = [
  [call("book_table", { restaurant: "Sakura" })],
  [say("I am calling Sakura. Is there anything else?")],
  [say("Breakfast is from seven to ten.")],
  [say("By the way: you have a table at Sakura, at eight.")],
  [call("book_table", { restaurant: "Miramar" })],
  [say("I am calling Miramar.")],
  [say("I am sorry, Miramar is full tonight.")]
]

/** What the guest says at the start and after each answer; nothing while a restaurant is on the phone. */
const guest = ["A table at Sakura, please.", "When is breakfast?", undefined, "And one at Miramar.", undefined]

const program = Effect.gen(function* () {
  const model = yield* ScriptedModel.make(script)
  const session = yield* Session.make(agent).pipe(Effect.provide(model.layer))
  yield* session.events.pipe(
    Stream.tap((event) => {
      switch (event._tag) {
        case "ToolDeferred":
          return Console.log(`  deferred   the model reads: ${event.output}`)
        case "ToolProgress":
          return Console.log(`  progress   ${event.message}`)
        case "ToolSucceeded":
          return Console.log(`  succeeded  the model reads: ${event.output}`)
        case "ToolFailed":
          return Console.log(`  failed     ${event.error._tag}; the model reads: ${event.output}`)
        case "TextCompleted":
          return Console.log(`concierge    ${event.text}`)
        default:
          return Effect.void
      }
    }),
    Stream.filter((event) => event._tag === "SessionStarted" || event._tag === "TextCompleted"),
    Stream.zipWithIndex,
    Stream.takeWhile(([, turn]) => turn < guest.length),
    Stream.runForEach(([, turn]) => {
      const text = guest[turn]
      return text === undefined
        ? Effect.void
        : Effect.zipRight(Console.log(`guest        ${text}`), session.sendText(text))
    })
  )
})

await program.pipe(Effect.scoped, Effect.runPromise)
