/** Tools that go wrong in the ways that real ones do. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Tool } from "effect-realtime"

/** The dispatcher never picks up the phone, and there is one line only. */
export const callTaxi = Tool.make("call_taxi", {
  description: "Calls a taxi to take the guest to a destination",
  parameters: { destination: Schema.String },
  timeout: "600 millis",
  concurrency: 1,
  handler: () => Effect.never
})

/** A bug: the playlist is not there. What it throws is for the log of the house, not for the model. */
export const playMusic = Tool.make("play_music", {
  description: "Plays music in the room of the guest",
  handler: () =>
    Effect.sync(() => {
      const playlists: ReadonlyArray<{ readonly title: string }> = JSON.parse("[null]")
      return playlists.map((playlist) => playlist.title).join(", ")
    })
})

/** The sensor is out of order, and its value is none that the contract allows. */
export const roomTemperature = Tool.make("room_temperature", {
  description: "Measures how warm the room is",
  success: Schema.Struct({ celsius: Schema.Number.pipe(Schema.between(-20, 50)) }),
  handler: () => Effect.succeed({ celsius: 999 })
})

/** The switchboard hangs up in the middle. */
export const wakeUpCall = Tool.make("order_wakeup", {
  description: "Orders a wakeup call for the morning",
  handler: () => Effect.interrupt
})
