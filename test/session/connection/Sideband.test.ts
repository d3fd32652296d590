import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import { RealtimeModel } from "../../../src/RealtimeModel.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import * as Session from "../../../src/Session.js"
import type { SessionEvent } from "../../../src/SessionEvent.js"
import * as Tool from "../../../src/Tool.js"
import { type Harness, open } from "../harness.js"

const { Faults } = EmbeddedRealtime
const { call, say } = ScriptedModel

const soon = "301 millis"
const kept = { keepsConversation: true } as const
const desk = Agent.make("Desk", { instructions: "Be brief." })

const gated = Effect.map(Deferred.make<string>(), (gate) => ({
  finish: (value: string) => Deferred.succeed(gate, value),
  agent: Agent.make("Desk", {
    instructions: "Be brief.",
    tools: [Tool.make("lookup", { description: "Looks up.", handler: () => Deferred.await(gate) })]
  })
}))

/** The messages that were sent to the latest connection, by kind. */
const told = (h: Harness<unknown>) =>
  Effect.gen(function* () {
    const connection = yield* h.model.connection
    const received = yield* connection.received
    return received.map((event) => (event.type === "conversation.item.create" ? event.item.type : event.type))
  })

const onServer = (h: Harness<unknown>) =>
  Effect.flatMap(h.model.connection, ({ conversation }) =>
    Effect.map(conversation, (items) => items.map(({ type }) => type))
  )

describe("§6: a conversation that lives on the server, whoever is connected", () => {
  it.scoped("is told nothing again", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good day!")], [say("I am.")]], {}, kept)
      yield* h.session.sendText("Hello.")
      yield* h.first("ResponseDone")
      const before = yield* h.session.conversation
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 0, omitted: [], deferred: 0 })
      expect(yield* h.session.conversation).toEqual(before)
      yield* h.session.sendText("Still there?")
      yield* h.nth("ResponseDone", 2)
      expect(yield* told(h)).toEqual(["session.update", "message", "response.create"])
      expect(yield* onServer(h)).toHaveLength(4)
      expect((yield* h.session.conversation).items).toHaveLength(4)
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("is told the outputs of calls that ended while nobody was connected, and the model goes on", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const h = yield* open(agent, [[call("lookup", {}, { callId: "c1" })], [say("Found.")]], {}, kept)
      yield* h.session.sendText("Look it up.")
      yield* h.first("ResponseDone")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* finish("42")
      yield* h.first("ToolSucceeded")
      yield* TestClock.adjust(soon)
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 0, deferred: 1 })
      yield* h.nth("ResponseDone", 2)
      expect(yield* told(h)).toEqual(["session.update", "function_call_output", "response.create"])
      expect(yield* onServer(h)).toEqual(["message", "function_call", "function_call_output", "message"])
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("has an output once that it took before the connection was lost, and that is not a refusal", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const h = yield* open(
        agent,
        [[call("lookup", {}, { callId: "c1" })], [say("Found.")]],
        {},
        // The user's message, the call, and the output.
        { ...kept, faults: [Faults.onServerEvent("conversation.item.added", [Faults.drop], { connection: 1, nth: 3 })] }
      )
      yield* h.session.sendText("Look it up.")
      yield* h.first("ResponseDone")
      yield* finish("42")
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.nth("ResponseDone", 2)
      expect((yield* h.model.outputs).filter(({ callId }) => callId === "c1").length).toBeGreaterThan(0)
      expect((yield* onServer(h)).filter((type) => type === "function_call_output")).toHaveLength(1)
      expect(h.all("OutputRefused")).toEqual([])
      expect(h.all("ServerErrorReceived")).toEqual([])
      expect(h.all("ItemUnacknowledged")).toEqual([])
    })
  )

  it.scoped("is told what was said and what was deleted meanwhile", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good day!")]], {}, kept)
      const first = yield* h.session.sendText("Hello.")
      yield* h.first("ResponseDone")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* h.session.send({ type: "conversation.item.delete", item_id: first })
      yield* h.session.sendMessage({
        type: "message",
        role: "system",
        content: [{ type: "input_text", text: "Hush." }]
      })
      expect((yield* h.session.conversation).items).toHaveLength(1)
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* h.nth("ItemCompleted", 3)
      expect(yield* told(h)).toEqual(["session.update", "conversation.item.delete", "message"])
      expect(yield* onServer(h)).toEqual(["message", "message"])
      expect((yield* h.session.conversation).items).toHaveLength(2)
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("is asked for nothing that the server goes on with by itself", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good"), ScriptedModel.stall]], {}, kept)
      yield* h.session.sendText("Hello.")
      yield* h.first("ResponseStarted")
      yield* h.first("TextDelta")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* TestClock.adjust("1 second")
      expect(yield* told(h)).toEqual(["session.update"])
    })
  )

  it.scoped("is known by the id of the session too, where no provider says so", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([[say("Good day!")]], kept)
      const session = yield* Session.make(desk, { settings: { output_modalities: ["text"] } }).pipe(
        Effect.provideService(RealtimeModel, {
          connect: (options) =>
            Effect.map(model.model.connect(options), ({ bufferedBytes, frames, send }) => ({
              bufferedBytes,
              frames,
              send
            }))
        })
      )
      const until = (tag: SessionEvent["_tag"]) =>
        session.events.pipe(
          Stream.filter((event) => event._tag === tag),
          Stream.runHead,
          Effect.forkScoped
        )
      const done = yield* until("ResponseDone")
      yield* session.sendText("Hello.")
      yield* done.await
      const lost = yield* until("ConnectionLost")
      const again = yield* until("Reconnected")
      yield* Effect.yieldNow()
      yield* model.drop()
      yield* lost.await
      yield* TestClock.adjust(soon)
      yield* again.await
      const connection = yield* model.connection
      expect((yield* connection.received).map(({ type }) => type)).toEqual(["session.update"])
    })
  )
})
