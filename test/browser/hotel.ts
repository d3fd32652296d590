/** An agent as a user of the console writes it: its tool requires a service, which `layer` provides. */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.js"
import * as Tool from "../../src/Tool.js"

const breakfast = Tool.make("breakfast_hours", {
  description: "When there is breakfast",
  success: Schema.String
})

export const agent = Agent.make("Host", { instructions: "Answer in one sentence.", tools: [breakfast] })

export const layer: Layer.Layer<Tool.Handler<"breakfast_hours">> = Tool.layer(breakfast, () =>
  Effect.succeed("Breakfast is from 7 to 10, says the kitchen.")
)
