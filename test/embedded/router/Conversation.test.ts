import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Agent, EmbeddedRealtime, Session, Tool } from "../../../src/index.js"

const forecast = Tool.make("get_forecast", {
  description: "The weather in a city on a day",
  parameters: { city: Schema.String, day: Schema.String.annotations({ description: "As YYYY-MM-DD" }) },
  handler: ({ city, day }) => Effect.succeed(`Rain in ${city} on ${day}.`)
})

describe("A session with the default mind", () => {
  it.scoped("is asked for what is missing, is understood in one word, and knows the day from the Clock", () =>
    Effect.gen(function* () {
      // Noon, so that it is this day in every time zone.
      yield* TestClock.setTime(Date.UTC(2026, 2, 4, 12))
      const agent = Agent.make("Forecaster", {
        instructions: "Be brief.",
        settings: { output_modalities: ["text"] },
        tools: [forecast]
      })
      const session = yield* Session.make(agent).pipe(Effect.provide(EmbeddedRealtime.layer()))
      const said = yield* Mailbox.make<string>()
      yield* session.events.pipe(
        Stream.runForEach((event) => (event._tag === "TextCompleted" ? said.offer(event.text) : Effect.void)),
        Effect.forkScoped
      )
      yield* session.sendText("What's the forecast for tomorrow?")
      expect(yield* said.take).toBe("To get forecast, I need to know: city. Can you tell me?")
      yield* session.sendText("Paris")
      expect(yield* said.take).toBe("Rain in Paris on 2026-03-05.")
    })
  )
})
