import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { Agent, EmbeddedRealtime, Session, type SessionEvent, Tool } from "../../../src/index.js"

const forecast = Tool.make("get_forecast", {
  description: "The weather in a city on a day",
  parameters: { city: Schema.String, day: Schema.String.annotations({ description: "As YYYY-MM-DD" }) },
  handler: ({ city, day }) => Effect.succeed(`Rain in ${city} on ${day}.`)
})

const weather = Tool.make("get_weather", {
  description: "The weather in a city",
  parameters: { city: Schema.String },
  handler: ({ city }) => Effect.succeed(`It is sunny in ${city}.`)
})

const slow = {
  description: "Finds the route to a restaurant",
  handler: () => Effect.delay(Effect.succeed("Left, then left again."), "10 seconds")
}
const findRoute = Tool.make("find_route", slow)

/** A session in text, and the model's answers. */
const talk = (tools: ReadonlyArray<Tool.Tool<string, never, never>>, options: EmbeddedRealtime.Options = {}) =>
  Effect.gen(function* () {
    const agent = Agent.make("Desk", { instructions: "Be brief.", settings: { output_modalities: ["text"] }, tools })
    const session = yield* Session.make(agent).pipe(Effect.provide(EmbeddedRealtime.layer(options)))
    const events = yield* session.subscribeScoped()
    /** What was written until this was. */
    const until = (last: string) =>
      events.pipe(
        Stream.filterMap((event) => (event._tag === "TextCompleted" ? Option.some(event.text) : Option.none())),
        Stream.takeUntil((text) => text === last),
        Stream.runCollect,
        Effect.map(Chunk.toReadonlyArray),
        Effect.raceFirst(Effect.forever(TestClock.adjust("1 second")))
      )
    return { session, until }
  })

/** Waits until this event was published. */
const first = (session: Session.Session<unknown>, tag: SessionEvent.SessionEvent["_tag"]) =>
  session.events.pipe(
    Stream.takeUntil(({ _tag }) => _tag === tag),
    Stream.runDrain
  )

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

  it.scoped("answers two questions that are asked at once", () =>
    Effect.gen(function* () {
      const { session, until } = yield* talk([weather])
      yield* session.sendText("What is the weather in Paris?")
      yield* session.sendText("And what is the weather in London?")
      expect(yield* until("It is sunny in London.")).toEqual(["It is sunny in Paris.", "It is sunny in London."])
    })
  )

  it.scoped("gives each of two questions that are asked at once its own answer, in the response for it", () =>
    Effect.gen(function* () {
      const { session, until } = yield* talk([weather])
      const events = yield* session.subscribeScoped()
      const cities = ["Paris", "London"]
      yield* Effect.forEach(cities, (city) => session.sendText(`What is the weather in ${city}?`), {
        concurrency: "unbounded",
        discard: true
      })
      yield* until("It is sunny in London.")
      const asked = new Map<string, string>()
      const answered: Array<string> = []
      yield* events.pipe(
        Stream.takeUntil((event) => event._tag === "ToolStarted" && event.call.arguments.includes("London")),
        Stream.runForEach((event) =>
          Effect.sync(() => {
            if (event._tag === "ItemAdded" && event.item._tag === "Message" && event.item.role === "user") {
              asked.set(event.item.id, event.item.content.map((part) => ("text" in part ? part.text : "")).join(""))
            } else if (event._tag === "ResponseStarted") {
              const questions = event.cause?.itemIds.map((id) => asked.get(id)).join() ?? ""
              asked.set(event.responseId, questions)
            } else if (event._tag === "ToolStarted") {
              answered.push(`${asked.get(event.call.responseId ?? "")} ${event.call.arguments}`)
            }
          })
        )
      )
      expect(answered).toEqual(cities.map((city) => `What is the weather in ${city}? {"city":"${city}"}`))
    })
  )

  it.scoped("answers a question that comes while a call for another one runs", () =>
    Effect.gen(function* () {
      const { session, until } = yield* talk([weather, findRoute])
      yield* Effect.fork(session.sendText("Find the route to the restaurant."))
      yield* first(session, "ToolStarted")
      yield* session.sendText("What is the weather in Paris?")
      expect(yield* until("Left, then left again.")).toEqual(["It is sunny in Paris.", "Left, then left again."])
    })
  )

  it.scoped("says what a filler says, and asks and answers what else there is as if nothing had been said", () =>
    Effect.gen(function* () {
      const filler = { after: "2 seconds", text: "I am looking at the map." } as const
      const { session, until } = yield* talk([weather, Tool.make("find_route", { ...slow, filler })])
      yield* Effect.fork(session.sendText("Find the route to the restaurant, and tell me the weather."))
      yield* first(session, "ToolStarted")
      expect(yield* until("I am looking at the map.")).toEqual(["I am looking at the map."])
      const asked = "Left, then left again. To get weather, I need to know: city. Can you tell me?"
      expect(yield* until(asked)).toEqual([asked])
      yield* session.sendText("Paris")
      expect(yield* until("It is sunny in Paris.")).toEqual(["It is sunny in Paris."])
    })
  )

  it.scoped("answers a question again when its response failed halfway", () =>
    Effect.gen(function* () {
      const { answer, onClientEvent, pass } = EmbeddedRealtime.Faults
      const { fail, say } = EmbeddedRealtime
      const halfway = onClientEvent("response.create", [answer(say("It is"), fail("server_error")), pass], { nth: 1 })
      const { session, until } = yield* talk([weather], { faults: [halfway] })
      yield* session.sendText("What is the weather in Paris?")
      expect(yield* until("It is sunny in Paris.")).toEqual(["It is", "It is sunny in Paris."])
    })
  )
})
