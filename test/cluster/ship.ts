/** A durable tool: a workflow with two parts, which goes on wherever its node has died. */
import * as Activity from "@effect/workflow/Activity"
import * as DurableClock from "@effect/workflow/DurableClock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as DurableTool from "../../src/cluster/DurableTool.js"
import * as Tool from "../../src/Tool.js"
import { act, parameters } from "./agent.js"

export const ship = Tool.make("ship", {
  description: "Ships something: durable.",
  parameters,
  success: Schema.String,
  timeout: "5 minutes",
  idempotent: true
})

export const layer = DurableTool.layer(ship, ({ call, ms, turn }, { idempotencyKey: key }) => {
  const part = (tool: "pack" | "carry") =>
    Activity.make({ name: tool, execute: Effect.sync(() => act({ tool, call, turn, key })) })
  return Effect.gen(function* () {
    yield* part("pack")
    // Below the threshold, the clock would begin anew after a crash.
    yield* DurableClock.sleep({ name: "on its way", duration: ms, inMemoryThreshold: "1 millis" })
    yield* part("carry")
    return `ship in turn ${turn}`
  })
})
