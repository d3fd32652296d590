/** A durable tool: a workflow with two parts, which goes on wherever its node has died. */
import * as Activity from "@effect/workflow/Activity"
import * as DurableClock from "@effect/workflow/DurableClock"
import * as Workflow from "@effect/workflow/Workflow"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Tool from "../../src/Tool.js"
import { act, parameters } from "./agent.js"

const Ship = Workflow.make({
  name: "Ship",
  payload: { key: Schema.String, ...parameters },
  success: Schema.String,
  idempotencyKey: ({ key }) => key
})

const part = (
  tool: "pack" | "carry",
  { call, key, turn }: { readonly call: string; readonly key: string; readonly turn: number }
) => Activity.make({ name: tool, execute: Effect.sync(() => act({ tool, call, turn, key })) })

export const layer = Ship.toLayer((payload) =>
  Effect.gen(function* () {
    yield* part("pack", payload)
    // Below the threshold, the clock would begin anew after a crash.
    yield* DurableClock.sleep({ name: "on its way", duration: payload.ms, inMemoryThreshold: "1 millis" })
    yield* part("carry", payload)
    return `ship in turn ${payload.turn}`
  })
)

export const ship = Tool.make("ship", {
  description: "Ships something: durable.",
  parameters,
  timeout: "5 minutes",
  idempotent: true,
  handler: (parameters, { idempotencyKey }) => Ship.execute({ key: idempotencyKey, ...parameters })
})
