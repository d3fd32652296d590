import { Console, Effect, Schema, Stream } from "effect"
import { Agent, EmbeddedRealtime, Session, Tool } from "effect-realtime"

class CityNotFound extends Schema.TaggedError<CityNotFound>()("CityNotFound", { city: Schema.String }) {
  override get message() {
    return `No station reports from ${this.city}.`
  }
}

const getWeather = Tool.make("get_weather", {
  description: "The weather in a city",
  parameters: { city: Schema.String },
  failure: CityNotFound,
  timeout: "5 seconds",
  handler: ({ city }) => (city === "Atlantis" ? new CityNotFound({ city }) : Effect.succeed(`It is sunny in ${city}.`))
})

const agent = Agent.make("Forecaster", { instructions: "Answer in one sentence.", tools: [getWeather] })

const program = Effect.gen(function* () {
  const session = yield* Session.make(agent)
  yield* session.sendText("What is the weather in Paris and in Atlantis?")
  yield* session.events.pipe(
    Stream.tap((event) => {
      if (event._tag === "ToolFailed") return Console.log(event.error._tag, "->", event.output)
      return event._tag === "TextCompleted" ? Console.log("model:", event.text) : Effect.void
    }),
    Stream.takeUntil((event) => event._tag === "TextCompleted"),
    Stream.runDrain
  )
})

await program.pipe(Effect.scoped, Effect.provide(EmbeddedRealtime.layer()), Effect.runPromise)
