/** The concierge: what it is told, and what it can do. */
import { Agent } from "effect-realtime"
import { callTaxi, playMusic, roomTemperature, wakeUpCall } from "./tools/broken.js"
import { readDocument } from "./tools/documents.js"
import { bookTable, findRestaurant } from "./tools/restaurants.js"
import { currentTime } from "./tools/time.js"
import { convertUnits } from "./tools/units.js"

const conciergeWith = (settings: Agent.Settings) =>
  Agent.make("Concierge", {
    instructions:
      "You are the concierge of a small hotel. Use your tools, and answer in one or two sentences. " +
      "When a tool fails, say so plainly and offer what else you can do.",
    tools: [
      currentTime,
      convertUnits,
      readDocument,
      findRestaurant,
      bookTable,
      callTaxi,
      playMusic,
      roomTemperature,
      wakeUpCall
    ],
    settings
  })

/** Reads and writes text. */
export const concierge = conciergeWith({ output_modalities: ["text"] })

/** Listens and speaks. */
export const speakingConcierge = conciergeWith({
  output_modalities: ["audio"],
  audio: { input: { transcription: { model: "gpt-4o-mini-transcribe" } } }
})
