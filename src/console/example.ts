/** The default agent: a small hotel with tools that succeed, take time, need approval, and fail. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../Agent.js"
import * as Tool from "../Tool.js"

class CityUnknown extends Schema.TaggedError<CityUnknown>()("CityUnknown", {
  city: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `No station reports from ${this.city}.`
  }
}

const reports: Readonly<Record<string, string>> = {
  Berlin: "cloudy and 12 degrees",
  Lisbon: "sunny and 24 degrees",
  London: "rainy and 14 degrees",
  Paris: "sunny and 19 degrees",
  Tokyo: "windy and 17 degrees"
}

const getWeather = Tool.make("get_weather", {
  description: "The weather in a city",
  parameters: { city: Schema.String.annotations({ description: "The name of a city, such as Paris" }) },
  failure: CityUnknown,
  timeout: "5 seconds",
  handler: ({ city }) => {
    const report = reports[city]
    return report === undefined
      ? new CityUnknown({ city, known: Object.keys(reports) })
      : Effect.succeed(`It is ${report} in ${city}.`)
  }
})

const bookTable = Tool.make("book_table", {
  description: "Books a table in the restaurant for some guests. A person at the desk must approve it",
  parameters: { guests: Schema.Int.pipe(Schema.between(1, 12)).annotations({ description: "How many guests" }) },
  approval: true,
  handler: ({ guests }) => Effect.succeed(`A table for ${guests} is booked.`)
})

const callTaxi = Tool.make("call_taxi", {
  description: "Calls a taxi to the hotel. It takes a few seconds",
  timeout: "10 seconds",
  handler: (_, call) =>
    Effect.gen(function* () {
      yield* call.progress("Calling the taxi company")
      yield* Effect.sleep("2 seconds")
      yield* call.progress("A driver was found")
      yield* Effect.sleep("1 second")
      return "A taxi comes in 7 minutes."
    })
})

const openInvoice = Tool.make("open_invoice", {
  description: "The invoice and the bill of a room",
  parameters: { room: Schema.Int.annotations({ description: "The room number" }) },
  handler: ({ room }) => Effect.succeed(`Room ${room} owes 180 euros.`)
})

const billing = Agent.make("Billing", {
  instructions: "You explain the bills of a small hotel. Answer in one sentence.",
  tools: [openInvoice],
  handoffs: ["Concierge"]
})

const concierge = Agent.make("Concierge", {
  instructions: "You are the concierge of a small hotel. Use your tools, and answer in one or two sentences.",
  tools: [getWeather, bookTable, callTaxi],
  handoffs: ["Billing"]
})

export const example = Agent.wire([concierge, billing])
