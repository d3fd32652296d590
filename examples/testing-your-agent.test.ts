/**
 * Tests of one's own agent: the model follows a script, the clock is the test's, and nothing leaves the process.
 * `npm test` runs them with the others.
 */
import { describe, expect, it } from "@effect/vitest"
import { Chunk, Effect, Schema, Stream, TestClock } from "effect"
import { Agent, ScriptedModel, Session, type SessionEvent, Tool } from "effect-realtime"

class NoTaxi extends Schema.TaggedError<NoTaxi>()("NoTaxi", { until: Schema.String }) {
  override get message() {
    return `There is no taxi before ${this.until}.`
  }
}

// The contract is the application's; each test brings an implementation of its own.
const callTaxi = Tool.make("call_taxi", {
  description: "Calls a taxi",
  parameters: { passengers: Schema.Int },
  success: Schema.Struct({ minutes: Schema.Number }),
  failure: NoTaxi,
  approval: ({ passengers }) => Effect.succeed(passengers > 4),
  timeout: "10 seconds"
})

const agent = Agent.make("Concierge", { instructions: "Help the guest.", tools: [callTaxi] })

const { call, say } = ScriptedModel

/** The guest asks, the model calls a taxi, reads the result, and answers. */
const conversation = (args: object, onEvent: (event: SessionEvent.SessionEvent<NoTaxi>) => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const model = yield* ScriptedModel.make([[call("call_taxi", args)], [say("So much for the taxi.")]])
    const session = yield* Session.make(agent).pipe(Effect.provide(model.layer))
    yield* session.sendText("A taxi, please.")
    const events = yield* session.events.pipe(
      Stream.tap(onEvent),
      Stream.takeUntil((event) => event._tag === "TextCompleted"),
      Stream.runCollect
    )
    return {
      failures: Chunk.toArray(events).flatMap((event) => (event._tag === "ToolFailed" ? [event.error] : [])),
      outputs: (yield* model.outputs).map(({ output }) => output),
      refused: yield* model.refused
    }
  })

const ignore = () => Effect.void

const taxiIn = (minutes: number) => Tool.layer(callTaxi, () => Effect.succeed({ minutes }))

describe("Concierge", () => {
  it.scoped("tells the model when the taxi comes", () =>
    Effect.gen(function* () {
      const { failures, outputs, refused } = yield* conversation({ passengers: 2 }, ignore)
      expect(outputs).toEqual(['{"minutes":7}'])
      expect(failures).toEqual([])
      expect(refused).toEqual([])
    }).pipe(Effect.provide(taxiIn(7)))
  )

  it.scoped("tells the model why there is no taxi, and gives the application a typed error", () =>
    Effect.gen(function* () {
      const { failures, outputs } = yield* conversation({ passengers: 2 }, ignore)
      expect(outputs[0]).toContain("There is no taxi before noon.")
      expect(failures).toMatchObject([{ _tag: "ToolFailure", failure: { _tag: "NoTaxi", until: "noon" } }])
    }).pipe(Effect.provide(Tool.layer(callTaxi, () => new NoTaxi({ until: "noon" }))))
  )

  it.scoped("waits ten seconds at most, which take no time in the test", () =>
    Effect.gen(function* () {
      const { failures } = yield* conversation({ passengers: 2 }, (event) =>
        event._tag === "ToolStarted" ? TestClock.adjust("10 seconds") : Effect.void
      )
      expect(failures).toMatchObject([{ _tag: "ToolTimedOut", afterMs: 10_000 }])
    }).pipe(Effect.provide(Tool.layer(callTaxi, () => Effect.never)))
  )

  it.scoped("asks before it calls a van, and takes silence for a no", () =>
    Effect.gen(function* () {
      const { failures } = yield* conversation({ passengers: 6 }, (event) =>
        event._tag === "ToolApprovalRequested" ? TestClock.adjust("2 minutes") : Effect.void
      )
      expect(failures).toMatchObject([{ _tag: "ToolRejected", by: "deadline" }])
    }).pipe(Effect.provide(taxiIn(7)))
  )

  it.scoped("does not run with invalid arguments, and names them", () =>
    Effect.gen(function* () {
      const { failures } = yield* conversation({ passengers: "two" }, ignore)
      expect(failures).toMatchObject([{ _tag: "InvalidArguments", issues: [{ path: "passengers" }] }])
    }).pipe(Effect.provide(Tool.layer(callTaxi, () => Effect.die("It ran."))))
  )
})
