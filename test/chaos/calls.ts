import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { sideband } from "../../src/RealtimeModel.js"
import type { Program } from "../../src/testing/Program.js"
import { Stage } from "../../src/testing/Stage.js"

/** A call that the server carries, with the session beside it. */
const make = (options: EmbeddedRealtime.Options) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make(options)
    const { model } = yield* server.beginCall()
    return { model, connection: server.connection, connections: server.connections }
  })

/**
 * The server has nothing of a call that another process stood beside: that call is over. It cuts what it plays, and
 * nothing else. And more is said aloud.
 */
const adapt = (program: Program): Program => ({
  ...program,
  beginning: program.beginning._tag === "Resumed" ? { _tag: "Afresh" } : program.beginning,
  steps: program.steps.map((step) =>
    step.action._tag === "ServerTruncates" ? { ...step, action: { _tag: "Interrupts" } } : step
  ),
  modality: program.steps.length % 4 === 0 ? "text" : "audio"
})

export const stage = Context.make(Stage, { make, adapt, excused: () => [], traits: sideband })
