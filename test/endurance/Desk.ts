/** An agent whose tools end in different ways, and which of them ran. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Agent from "../../src/Agent.js"
import * as Tool from "../../src/Tool.js"

export class Closed extends Schema.TaggedError<Closed>("test/Closed")("Closed", { turn: Schema.Number }) {}

export const make = (ran: (callId: string) => void) => {
  const parameters = { turn: Schema.Int }
  const run = (callId: string, text: string): Effect.Effect<string> =>
    Effect.sync(() => {
      ran(callId)
      return text
    })
  const note = Tool.make("note", {
    description: "Notes something down.",
    parameters,
    handler: ({ turn }, { callId }) => run(callId, `Noted in turn ${turn}.`)
  })
  /** Longer than it may take to lose and restore a connection. */
  const lookup = Tool.make("lookup", {
    description: "Looks something up.",
    parameters,
    handler: ({ turn }, { callId }) => Effect.delay(run(callId, `Found in turn ${turn}.`), "30 millis")
  })
  const reserve = Tool.make("reserve", {
    description: "Reserves a table.",
    parameters,
    approval: true,
    handler: ({ turn }, { callId }) => run(callId, `Reserved in turn ${turn}.`)
  })
  const enter = Tool.make("enter", {
    description: "Enters a shop.",
    parameters,
    failure: Closed,
    handler: ({ turn }, { callId }) => Effect.zipRight(run(callId, ""), new Closed({ turn }))
  })
  return Agent.make("Desk", { instructions: "Be brief.", tools: [note, lookup, reserve, enter] })
}

/** The turns of a caller: parallel calls, a call that waits for a person, plain words. */
export const turns: ReadonlyArray<ReadonlyArray<string>> = [
  ["note", "lookup"],
  [],
  ["reserve"],
  ["enter"],
  ["lookup", "reserve", "note"]
]
