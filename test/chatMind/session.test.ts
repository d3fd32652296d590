import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as ChatMind from "../../src/ChatMind.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { delta, type Exchange, endpoint } from "./Endpoint.js"
import { answer } from "./talk.js"

class CityNotFound extends Schema.TaggedError<CityNotFound>()("CityNotFound", { city: Schema.String }) {
  override get message() {
    return `No station reports from ${this.city}.`
  }
}

const getWeather = Tool.make("get_weather", {
  description: "The weather in a city",
  parameters: { city: Schema.String },
  failure: CityNotFound,
  handler: ({ city }) => (city === "Atlantis" ? new CityNotFound({ city }) : Effect.succeed(`It is sunny in ${city}.`))
})

const agent = Agent.make("Forecaster", { instructions: "Answer in one sentence.", tools: [getWeather] })

/** A session whose model is behind an endpoint. */
const start = Effect.gen(function* () {
  const { next, url } = yield* endpoint
  const mind = yield* ChatMind.make({ url, model: "test" })
  const session = yield* Session.make(agent, { retryBackoff: "1 millis" }).pipe(
    Effect.provide(EmbeddedRealtime.layer({ mind }))
  )
  return { next, session }
}).pipe(Effect.provide(FetchHttpClient.layer))

const calling = (...cities: ReadonlyArray<string>): object =>
  delta(
    {
      tool_calls: cities.map((city, index) => ({
        index,
        id: `id${index}`,
        type: "function",
        function: { name: "get_weather", arguments: JSON.stringify({ city }) }
      }))
    },
    "tool_calls"
  )

const refuse = ({ begin, end }: Exchange, status: number, body: object): void => {
  begin(status, { "content-type": "application/json" })
  end(JSON.stringify(body))
}

describe("A session whose model is behind a chat endpoint", () => {
  it.scopedLive("answers each call, and the model reads what came of it", () =>
    Effect.gen(function* () {
      const { next, session } = yield* start
      const answered = yield* Effect.fork(session.ask("What is the weather in Paris and in Atlantis?"))
      const exchange = yield* next
      expect(exchange.body.tools).toMatchObject([{ type: "function", function: { name: "get_weather" } }])
      answer(exchange, calling("Paris", "Atlantis"))
      const second = yield* next
      const outputs = second.body.messages.slice(-2)
      expect(outputs).toEqual([
        { role: "tool", tool_call_id: "call00001", content: "It is sunny in Paris." },
        {
          role: "tool",
          tool_call_id: "call00002",
          content: expect.stringContaining("No station reports from Atlantis.")
        }
      ])
      answer(second, delta({ content: "Sunny in Paris." }, "stop"))
      const { text } = yield* Fiber.join(answered)
      expect(text).toBe("Sunny in Paris.")
    })
  )

  it.scopedLive("retries a request that failed for a passing reason", () =>
    Effect.gen(function* () {
      const { next, session } = yield* start
      const answered = yield* Effect.fork(session.ask("Good day."))
      refuse(yield* next, 503, { error: "loading" })
      refuse(yield* next, 429, { error: { message: "Please try again in 1ms." } })
      answer(yield* next, delta({ content: "Good day." }, "stop"))
      const { text } = yield* Fiber.join(answered)
      expect(text).toBe("Good day.")
    })
  )

  it.scopedLive("ends with an error that says what to do if retrying is of no use", () =>
    Effect.gen(function* () {
      const { next, session } = yield* start
      yield* session.sendText("Good day.")
      refuse(yield* next, 404, { error: { code: "model_not_found", message: "model 'test' not found" } })
      const error = yield* Effect.flip(session.await)
      expect(error.message).toContain("There is no such model")
      expect(error.message).toContain("model 'test' not found")
    })
  )

  it.scopedLive("publishes a refusal, and goes on with the next question", () =>
    Effect.gen(function* () {
      const { next, session } = yield* start
      const failed = yield* session.events.pipe(
        Stream.filter((event) => event._tag === "ResponseDone" && event.status === "failed"),
        Stream.runHead,
        Effect.fork
      )
      yield* session.sendText("Good day.")
      refuse(yield* next, 400, { error: { message: "does not support tools" } })
      expect(yield* Fiber.join(failed)).toMatchObject({
        value: { reason: "invalid_request_error", message: expect.stringContaining("does not support tools") }
      })
      const answered = yield* Effect.fork(session.ask("Are you there?"))
      answer(yield* next, delta({ content: "Yes." }, "stop"))
      const { text } = yield* Fiber.join(answered)
      expect(text).toBe("Yes.")
    })
  )
})
