import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { vi } from "vitest"
import { Agent, EmbeddedRealtime, Session, Tool } from "../../../src/index.js"

/** Vitest wraps errors that a factory throws, so it is thrown when the module is used. */
vi.mock("chrono-node/en", () => ({
  get casual() {
    throw Object.assign(new Error("Cannot find package 'chrono-node'"), { code: "ERR_MODULE_NOT_FOUND" })
  }
}))

describe("A session with the default mind, where chrono-node is not installed", () => {
  const sayTo = (sentence: string) =>
    Effect.gen(function* () {
      const forecast = Tool.make("get_forecast", {
        description: "The weather in a city on a day",
        parameters: {
          city: Schema.String,
          day: Schema.optional(Schema.String.annotations({ description: "ISO 8601" }))
        },
        handler: ({ city, day = "that day" }) => Effect.succeed(`Rain in ${city} on ${day}.`)
      })
      const booking = Tool.make("book_table", {
        description: "Books a table in a restaurant",
        parameters: { guests: Schema.Int, day: Schema.Date },
        handler: () => Effect.succeed("Booked.")
      })
      const agent = Agent.make("Concierge", {
        instructions: "Be brief.",
        settings: { output_modalities: ["text"] },
        tools: [forecast, booking]
      })
      const session = yield* Session.make(agent).pipe(Effect.provide(EmbeddedRealtime.layer()))
      yield* session.sendText(sentence)
      return yield* session.events.pipe(
        Stream.filter((event) => event._tag === "TextCompleted"),
        Stream.map(({ text }) => text),
        Stream.runHead,
        Effect.flatten
      )
    })

  it.scoped("understands sentences without a date", () =>
    Effect.gen(function* () {
      expect(yield* sayTo("What's the forecast in Paris?")).toBe("Rain in Paris on that day.")
    })
  )

  it.scoped("is told what to install when a date is asked for", () =>
    Effect.gen(function* () {
      expect(yield* sayTo("Book a table for two guests tomorrow.")).toBe(
        "I cannot read dates and times, because chrono-node is not installed: run npm install chrono-node. " +
          "To book table, I need to know: day. Can you tell me?"
      )
    })
  )
})
