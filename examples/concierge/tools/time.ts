/** What time it is elsewhere. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Tool } from "effect-realtime"

const zones = new Map([
  ["berlin", "Europe/Berlin"],
  ["lima", "America/Lima"],
  ["lisbon", "Europe/Lisbon"],
  ["london", "Europe/London"],
  ["nairobi", "Africa/Nairobi"],
  ["new york", "America/New_York"],
  ["paris", "Europe/Paris"],
  ["sydney", "Australia/Sydney"],
  ["tokyo", "Asia/Tokyo"]
])

export class CityUnknown extends Schema.TaggedError<CityUnknown>()("CityUnknown", {
  city: Schema.String,
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    return `I have no clock for ${this.city}. I know ${this.known.length} cities.`
  }
}

export const currentTime = Tool.make("current_time", {
  description: "The current time in a city",
  parameters: { city: Schema.String },
  failure: CityUnknown,
  handler: ({ city }) =>
    Effect.gen(function* () {
      const timeZone = zones.get(city.toLowerCase())
      if (timeZone === undefined) return yield* new CityUnknown({ city, known: [...zones.keys()] })
      const now = yield* Clock.currentTimeMillis
      const format = new Intl.DateTimeFormat("en", { timeZone, weekday: "long", hour: "numeric", minute: "2-digit" })
      return `It is ${format.format(now)} in ${city}.`
    })
})
