import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import { textOf } from "../../../src/Conversation.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import * as Tool from "../../../src/Tool.js"
import { type Harness, open } from "../harness.js"
import { second } from "../speaking.js"

const { Faults } = EmbeddedRealtime
const { call, say } = ScriptedModel

/** Longer than the first attempt is put off, and shorter than the second. */
const soon = "301 millis"
const desk = Agent.make("Desk", { instructions: "Be brief." })

/** A tool that ends when the test says so. */
const gated = Effect.map(Deferred.make<string>(), (gate) => ({
  finish: (value: string) => Deferred.succeed(gate, value),
  agent: Agent.make("Desk", {
    instructions: "Be brief.",
    tools: [Tool.make("lookup", { description: "Looks up.", handler: () => Deferred.await(gate) })]
  })
}))

/** What the latest connection was told, as short as it can be read. */
const told = (h: Harness<unknown>) =>
  Effect.gen(function* () {
    const connection = yield* h.model.connection
    const received = yield* connection.received
    return received.map((event) => {
      if (event.type !== "conversation.item.create") return event.type
      const { item } = event
      return item.type === "message"
        ? `${item.role}: ${item.content.map((part) => ("text" in part ? part.text : part.type)).join(" ")}`
        : item.type
    })
  })

const nothingRefused = (h: Harness<unknown>) =>
  Effect.map(h.model.refused, (refused) => expect(refused.map(({ refusal }) => refusal.code)).toEqual([]))

describe("§7: a passing loss of the connection", () => {
  it.scoped("is said, and the session goes on where it was: settings, conversation, and what the model had said", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Good day!")], [say("Yes, I am here.")]])
      yield* h.session.sendText("Hello.")
      yield* h.first("ResponseDone")
      yield* h.model.drop()
      expect(yield* h.first("ConnectionLost")).toMatchObject({ code: 1006, willReconnect: true })
      expect(yield* h.first("Reconnecting")).toMatchObject({ attempt: 1 })
      yield* TestClock.adjust(soon)
      expect(yield* h.first("Reconnected")).toEqual({
        _tag: "Reconnected",
        epoch: 1,
        replayed: 2,
        omitted: [],
        deferred: 0
      })
      yield* h.session.sendText("Are you there?")
      yield* h.nth("ResponseDone", 2)
      expect(yield* told(h)).toEqual([
        "session.update",
        "user: Hello.",
        "assistant: Good day!",
        "user: Are you there?",
        "response.create"
      ])
      const { items } = yield* h.session.conversation
      expect(items.map((item) => (item._tag === "Message" ? textOf(item) : item._tag))).toEqual([
        "Hello.",
        "Good day!",
        "Are you there?",
        "Yes, I am here."
      ])
      expect(h.all("ItemAdded"), "nothing that was said before is news").toHaveLength(4)
      yield* nothingRefused(h)
    })
  )

  it.scoped("leaves the calls in flight running, and their outputs go to the new connection, with the call", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const h = yield* open(agent, [[call("lookup", {}, { callId: "c1" })], [say("Found.")]])
      yield* h.session.sendText("Look it up.")
      yield* h.first("ToolStarted")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* finish("42")
      expect(yield* h.first("ToolSucceeded")).toMatchObject({ call: { callId: "c1" }, output: "42" })
      yield* h.nth("ResponseDone", 2)
      expect(yield* told(h)).toEqual([
        "session.update",
        "user: Look it up.",
        "function_call",
        "function_call_output",
        "response.create"
      ])
      expect(h.all("OutputDeferred")).toEqual([])
      yield* nothingRefused(h)
    })
  )

  it.scoped("waits with the answer that was cut off for the calls that it made: the model would make them again", () =>
    Effect.gen(function* () {
      for (const reply of ["respond", "silent"] as const) {
        const gate = yield* Deferred.make<string>()
        const lookup = Tool.make("lookup", { description: "Looks up.", reply, handler: () => Deferred.await(gate) })
        const h = yield* open(
          Agent.make("Desk", { instructions: "Be brief.", tools: [lookup] }),
          [[call("lookup", {}, { callId: "c1" })], [say("Found.")]],
          {},
          { faults: [Faults.onServerEvent("response.output_item.done", [Faults.pass, Faults.drop], { connection: 1 })] }
        )
        yield* h.session.sendText("Look it up.")
        yield* h.first("ToolStarted")
        yield* h.first("ConnectionLost")
        yield* TestClock.adjust(soon)
        yield* h.first("Reconnected")
        yield* TestClock.adjust("1 second")
        expect(yield* told(h), reply).toEqual(["session.update", "user: Look it up.", "function_call"])
        yield* Deferred.succeed(gate, "42")
        yield* h.nth("ResponseDone", 2)
        yield* TestClock.adjust("1 minute")
        expect((yield* told(h)).slice(3), reply).toEqual(["function_call_output", "response.create"])
        yield* nothingRefused(h)
      }
    })
  )

  it.scoped("keeps the output of a call that ends meanwhile, says so, and asks the model to go on with it", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const h = yield* open(agent, [[call("lookup", {}, { callId: "c1" })], [say("Found.")]])
      yield* h.session.sendText("Look it up.")
      yield* h.first("ToolStarted")
      yield* h.nth("ResponseDone", 1)
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* finish("42")
      yield* h.first("ToolSucceeded")
      expect(h.events.map(({ _tag }) => _tag).slice(-2)).toEqual(["OutputDeferred", "ToolSucceeded"])
      yield* TestClock.adjust(soon)
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 2, deferred: 1 })
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.model.outputs).toEqual([{ callId: "c1", output: "42" }])
      expect(yield* told(h)).toEqual([
        "session.update",
        "user: Look it up.",
        "function_call",
        "function_call_output",
        "response.create"
      ])
      yield* nothingRefused(h)
    })
  )

  it.scoped("keeps the acknowledgement of a deferred call and its result, says so, and sends them in this order", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const tools = agent.tools.map((tool) => Tool.deferred(tool, "A moment."))
      const deferring = Agent.make("Desk", { instructions: "Be brief.", tools })
      const h = yield* open(
        deferring,
        [[call("lookup", {}, { callId: "c1" })], [say("Found.")]],
        {},
        {
          // The handler begins when the connection is gone already.
          faults: [Faults.onServerEvent("response.output_item.done", [Faults.pass, Faults.drop], { connection: 1 })]
        }
      )
      yield* h.session.sendText("Look it up.")
      yield* h.first("ToolDeferred")
      yield* finish("42")
      yield* h.first("ToolSucceeded")
      expect(h.all("OutputDeferred")).toMatchObject([{ call: { callId: "c1" } }])
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* h.nth("ResponseDone", 2)
      expect(yield* told(h)).toEqual([
        "session.update",
        "user: Look it up.",
        "function_call",
        "function_call_output",
        "system: The result of lookup (call c1) has come: 42",
        "response.create"
      ])
      yield* nothingRefused(h)
    })
  )

  it.scoped("asks again for the response that was cut off, and says that it was", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("Well, let me see when they open.")], [say("As I said: yes.")]],
        {},
        {
          faults: [
            Faults.onServerEvent("response.output_text.delta", [Faults.pass, Faults.drop], { nth: 2, connection: 1 })
          ]
        }
      )
      yield* h.session.sendText("Is it open?")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "incomplete", reason: "connection_lost" })
      yield* TestClock.adjust(soon)
      yield* h.nth("ResponseDone", 2)
      expect(h.all("TextCompleted").map(({ text }) => text)).toContain("As I said: yes.")
      const { items } = yield* h.session.conversation
      expect(items.flatMap((item) => (item._tag === "Message" ? item.status : []))).toEqual([
        "completed",
        "incomplete",
        "completed"
      ])
    })
  )

  it.scoped("does not begin an answer again that was stopped while there was no connection", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("Well, let me see when they open.")], [say("Until six.")]],
        {},
        {
          faults: [
            Faults.onServerEvent("response.output_text.delta", [Faults.pass, Faults.drop], { nth: 2, connection: 1 })
          ]
        }
      )
      yield* h.session.sendText("Is it open?")
      yield* h.first("ConnectionLost")
      yield* h.session.interrupt
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* TestClock.adjust("1 minute")
      expect(yield* told(h)).not.toContain("response.create")
      yield* h.session.sendText("Until when?")
      yield* h.nth("ResponseDone", 2)
    })
  )

  it.scoped("asks once where the user had gone on before the end of the answer was known", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("Yes, until six.")], [say("Then at five.")], [say("I said: at five.")]],
        {},
        { faults: [Faults.onServerEvent("response.done", [], { nth: 1, connection: 1 })] }
      )
      yield* h.session.sendText("Is it open?")
      yield* h.first("TextCompleted")
      yield* h.session.sendText("Then I come at five.")
      yield* h.model.drop()
      yield* TestClock.adjust(soon)
      yield* h.nth("TextCompleted", 2)
      yield* TestClock.adjust("1 minute")
      expect(yield* told(h)).toEqual([
        "session.update",
        "user: Is it open?",
        "assistant: Yes, until six.",
        "user: Then I come at five.",
        "response.create"
      ])
      expect(h.all("TextCompleted").map(({ text }) => text)).toEqual(["Yes, until six.", "Then at five."])
      yield* nothingRefused(h)
    })
  )

  it.scoped("keeps what is sent meanwhile in order, settings too", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Both.")]])
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* h.session.sendText("One.")
      yield* h.session.sendText("Two.")
      const updating = yield* Effect.fork(h.session.updateConfig({ max_output_tokens: 77 }))
      yield* TestClock.adjust(soon)
      yield* Fiber.join(updating)
      yield* h.first("ResponseDone")
      expect(yield* told(h)).toEqual([
        "session.update",
        "user: One.",
        "user: Two.",
        "session.update",
        "response.create"
      ])
      expect(yield* h.requests).toBe(1)
      yield* nothingRefused(h)
    })
  )

  it.scoped("takes items out that are deleted meanwhile", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const id = yield* h.session.sendMessage({
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "Forget this." }]
      })
      yield* h.first("ItemAdded")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* h.session.send({ type: "conversation.item.delete", item_id: id })
      expect(yield* h.first("ItemDeleted")).toEqual({ _tag: "ItemDeleted", itemId: id })
      yield* TestClock.adjust(soon)
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 0 })
      expect(yield* told(h)).toEqual(["session.update"])
    })
  )

  it.scoped("leaves a call that waits for approval waiting, and takes the decision after it", () =>
    Effect.gen(function* () {
      const tool = Tool.make("pay", { description: "Pays.", approval: true, handler: () => Effect.succeed("paid") })
      const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [tool] })
      const h = yield* open(agent, [[call("pay", {}, { callId: "c1" })], [say("Done.")]])
      yield* h.session.sendText("Pay.")
      yield* h.first("ToolApprovalRequested")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      expect((yield* h.session.pendingApprovals).map(({ call }) => call.callId)).toEqual(["c1"])
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* h.session.approve("c1")
      yield* h.first("ToolSucceeded")
      expect(yield* h.model.outputs).toEqual([{ callId: "c1", output: "paid" }])
    })
  )

  it.scoped("completes a handoff that was in progress", () =>
    Effect.gen(function* () {
      const team = Agent.wire([
        Agent.make("Desk", { instructions: "Desk.", handoffs: ["Billing"] }),
        Agent.make("Billing", { instructions: "Billing.", handoffs: ["Desk"] })
      ])
      const h = yield* open(
        team,
        [[call("transfer_to_Billing", {}, { callId: "c1" })], [say("Billing here.")]],
        {},
        {
          // The update for Billing is the second: the connection drops before it is confirmed.
          faults: [Faults.onServerEvent("session.updated", [Faults.drop], { nth: 2, connection: 1 })]
        }
      )
      yield* h.session.sendText("A bill.")
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.first("HandedOff")
      yield* h.first("ToolSucceeded")
      expect(yield* h.session.agent).toBe("Billing")
      const connection = yield* h.model.connection
      expect(yield* connection.session).toMatchObject({ instructions: "Billing." })
      yield* nothingRefused(h)
    })
  )

  it.scoped("does not say of an output that went to the new connection that it is unacknowledged", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const h = yield* open(agent, [[call("lookup", {}, { callId: "c1" })], [say("Found.")]])
      yield* h.session.sendText("Look it up.")
      yield* h.first("ResponseDone")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* finish("42")
      yield* h.first("OutputDeferred")
      yield* TestClock.adjust(soon)
      yield* h.nth("ResponseDone", 2)
      yield* TestClock.adjust("1 minute")
      expect(h.all("ItemUnacknowledged")).toEqual([])
    })
  )

  it.scoped("does not send an output again that the server refused, for its call was taken out", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const h = yield* open(agent, [[call("lookup", {}, { callId: "c1" })], [say("Found.")], [say("Again.")]])
      yield* h.session.sendText("Look it up.")
      yield* h.first("ResponseDone")
      yield* h.session.editConversation(({ items }) => ({
        items: items.filter(({ _tag }) => _tag !== "FunctionCall")
      }))
      yield* h.first("ItemDeleted")
      yield* finish("42")
      yield* h.first("OutputRefused")
      yield* h.nth("ResponseDone", 2)
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* TestClock.adjust("1 minute")
      expect(yield* told(h)).toEqual(["session.update", "user: Look it up.", "assistant: Found."])
      expect(h.all("OutputRefused")).toHaveLength(1)
    })
  )

  it.scoped("tells the new server also a call that the old one only listed at the end of its response", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const h = yield* open(
        agent,
        [[call("lookup", {}, { callId: "c1" })], [say("Found.")]],
        {},
        { faults: [Faults.callsOnlyInResponseDone] }
      )
      yield* h.session.sendText("Look it up.")
      yield* h.first("ToolStarted")
      yield* h.first("ResponseDone")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* finish("42")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.model.outputs).toEqual([{ callId: "c1", output: "42" }])
      yield* nothingRefused(h)
    })
  )

  it.scoped("keeps an item that needed another id for the new server, there and for the one after it", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.model.push({
        type: "conversation.item.added",
        previous_item_id: null,
        item: {
          type: "message",
          id: `item_${"x".repeat(40)}`,
          role: "user",
          status: "completed",
          content: [{ type: "input_text", text: "Hello." }]
        }
      })
      yield* h.first("ItemAdded")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.nth("ItemAdded", 2)
      const { items } = yield* h.session.conversation
      expect(items.map((item) => (item._tag === "Message" ? textOf(item) : item._tag))).toEqual(["Hello."])
      yield* h.model.drop()
      yield* h.nth("ConnectionLost", 2)
      yield* TestClock.adjust("1 second")
      yield* h.nth("Reconnected", 2)
      expect(yield* told(h)).toEqual(["session.update", "user: Hello."])
    })
  )

  it.scoped(
    "says of the user's words that were committed and did not arrive that they are lost, and of no others",
    () =>
      Effect.gen(function* () {
        const h = yield* open(
          desk,
          [[say("Until six.")], [say("Pardon?")]],
          { settings: { output_modalities: ["text"], audio: { input: { turn_detection: null } } } },
          { faults: [Faults.onClientEvent("input_audio_buffer.commit", [Faults.drop], { nth: 2, connection: 1 })] }
        )
        yield* h.session.sendAudio(second())
        yield* h.session.commitAudio
        yield* h.first("ResponseDone")
        yield* h.session.sendAudio(second().subarray(0, 24_000))
        yield* h.session.commitAudio
        yield* h.first("ConnectionLost")
        yield* TestClock.adjust(soon)
        yield* h.nth("ResponseDone", 2)
        expect(h.all("InputAudioDropped")).toEqual([{ _tag: "InputAudioDropped", seconds: 0.5 }])
      })
  )

  it.scoped("keeps an item that the application sends as it is, also one without an id", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* h.session.send({
        type: "conversation.item.create",
        item: { type: "message", role: "user", content: [{ type: "input_text", text: "Hello." }] }
      })
      yield* TestClock.adjust(soon)
      yield* h.first("ItemAdded")
      expect(yield* told(h)).toEqual(["session.update", "user: Hello."])
      expect(h.all("ClientEventDropped")).toEqual([])
    })
  )

  it.scoped("tells no server that a call of another one's hosted tool was approved", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("Shall I try again?")]],
        {},
        { faults: [Faults.onClientEvent("conversation.item.create", [Faults.drop], { connection: 1 })] }
      )
      yield* h.model.push({
        type: "response.output_item.done",
        response_id: "r1",
        output_index: 0,
        item: { type: "mcp_approval_request", id: "m1", server_label: "bank", name: "pay", arguments: "{}" }
      })
      yield* h.first("ToolApprovalRequested")
      yield* h.session.approve("m1")
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.first("ResponseDone")
      expect(yield* told(h)).toEqual(["session.update", "response.create"])
      yield* nothingRefused(h)
    })
  )

  it.scoped("drops requests that mean nothing to another connection, and says so", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* h.session.send({ type: "response.cancel", response_id: "resp_1" })
      expect(yield* h.first("ClientEventDropped")).toEqual({ _tag: "ClientEventDropped", type: "response.cancel" })
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      expect(yield* told(h)).toEqual(["session.update"])
    })
  )

  it.scoped("lets a session that is closed meanwhile end at once", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* h.session.close
      yield* h.session.await
      expect(yield* h.first("SessionEnded")).toEqual({ _tag: "SessionEnded" })
      yield* TestClock.adjust("1 hour")
      expect(yield* h.model.connections).toHaveLength(1)
    })
  )
})

describe("§7: which losses are tried again", () => {
  it.scoped("not one with a fatal close code: the session ends with it", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.model.drop(1008, "policy")
      expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "ConnectionLost", code: 1008 })
      expect(h.all("ConnectionLost")).toMatchObject([{ willReconnect: false }])
    })
  )

  it.scoped("not if the server refuses for good: the session ends with the refusal", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], {}, { faults: [Faults.refuseHandshake(401, "", { connection: 2 })] })
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "HandshakeRefused", status: 401 })
    })
  )

  it.scoped("not if the quota is used up: no caller waits two minutes for a problem that retrying cannot fix", () =>
    Effect.gen(function* () {
      const body = JSON.stringify({ error: { message: "You exceeded your quota.", code: "insufficient_quota" } })
      const h = yield* open(desk, [], {}, { faults: [Faults.refuseHandshake(429, body, { connection: 2 })] })
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "HandshakeRefused", status: 429 })
      expect(h.all("Reconnecting")).toHaveLength(1)
    })
  )

  it.scoped("not before the server wants to see it again, and not later than a minute after the schedule", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [],
        { reconnect: Schedule.spaced("1 second") },
        {
          faults: [
            Faults.refuseHandshake(429, "", { connection: 2, retryAfterMs: 7_000 }),
            Faults.refuseHandshake(429, "", { connection: 3, retryAfterMs: 3_600_000 })
          ]
        }
      )
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("8999 millis")
      expect(h.all("Reconnecting")).toMatchObject([{ delayMs: 1_000 }, { delayMs: 8_000 }])
      yield* TestClock.adjust("1 millis")
      yield* h.nth("Reconnecting", 3)
      yield* TestClock.adjust("61 seconds")
      yield* h.first("Reconnected")
      expect(h.all("Reconnecting").map(({ delayMs }) => delayMs)).toEqual([1_000, 8_000, 61_000])
    })
  )

  it.scoped("again and again at the times of the schedule, and no more when it ends", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [],
        { reconnect: Schedule.intersect(Schedule.exponential("1 second"), Schedule.recurs(3)) },
        { faults: [2, 3, 4].map((connection) => Faults.refuseHandshake(503, "", { connection })) }
      )
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("7 seconds")
      expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "HandshakeRefused", status: 503 })
      yield* h.first("SessionEnded")
      expect(h.all("Reconnecting")).toEqual(
        [1000, 2000, 4000].map((delayMs, index) => ({ _tag: "Reconnecting", attempt: index + 1, delayMs }))
      )
    })
  )

  it.scoped("also a loss while the settings are on their way, and a server that never confirms them", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("Here.")]],
        {},
        {
          faults: [
            Faults.onServerEvent("session.updated", [Faults.drop], { connection: 2 }),
            Faults.withholdSessionUpdated({ connection: 3 })
          ]
        }
      )
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* h.session.sendText("Hello?")
      yield* TestClock.adjust(soon)
      yield* h.nth("ConnectionLost", 2)
      yield* TestClock.adjust("601 millis")
      yield* TestClock.adjust("10 seconds")
      yield* h.nth("ConnectionLost", 3)
      yield* TestClock.adjust("2 seconds")
      expect(yield* h.first("Reconnected")).toMatchObject({ deferred: 1 })
      yield* h.first("ResponseDone")
      expect(h.all("Reconnecting").map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    })
  )

  it.scoped("and tells the next server everything once, also where the one before was lost in the midst of it", () =>
    Effect.gen(function* () {
      const { agent, finish } = yield* gated
      const h = yield* open(
        agent,
        [[call("lookup", {}, { callId: "c1" })], [say("Found.")]],
        {},
        { faults: [2, 3].map((connection) => Faults.onServerEvent("session.updated", [Faults.drop], { connection })) }
      )
      yield* h.session.sendText("Look it up.")
      yield* h.first("ToolStarted")
      yield* h.nth("ResponseDone", 1)
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* finish("42")
      yield* TestClock.adjust(soon)
      yield* h.nth("ConnectionLost", 2)
      yield* TestClock.adjust("601 millis")
      yield* h.nth("ConnectionLost", 3)
      yield* TestClock.adjust("2 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.updateConfig({ max_output_tokens: 77 })
      expect(h.all("Reconnected")).toMatchObject([{ epoch: 3, replayed: 2, deferred: 1 }])
      expect(yield* h.model.outputs).toEqual([{ callId: "c1", output: "42" }])
      const { received } = yield* h.model.connection
      expect((yield* received).filter(({ type }) => type === "session.update")).toHaveLength(2)
      yield* nothingRefused(h)
    })
  )

  it.scoped("with all the tries of the schedule, also where those for a fresh connection were almost used up", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [],
        { rolloverAfter: "1 minute", reconnect: Schedule.intersect(Schedule.spaced("10 seconds"), Schedule.recurs(2)) },
        { faults: [2, 3, 4].map((connection) => Faults.refuseHandshake(503, "", { connection })) }
      )
      yield* TestClock.adjust("75 seconds")
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("30 seconds")
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 0 })
      expect(h.all("SessionEnded")).toEqual([])
    })
  )

  it.scoped("also the end that the server announces: session_expired", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const connection = yield* h.model.connection
      yield* connection.push({
        type: "error",
        event_id: "e1",
        error: { type: "invalid_request_error", code: "session_expired", message: "Your session hit the limit." }
      })
      expect(yield* h.first("ConnectionLost")).toMatchObject({ willReconnect: true })
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
    })
  )

  it.scoped("and what the server says behind the end that it announced holds no later answer up", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Here.")]])
      const { push } = yield* h.model.connection
      yield* push({
        type: "error",
        event_id: "e1",
        error: { type: "invalid_request_error", code: "session_expired", message: "Your session hit the limit." }
      })
      yield* push({
        type: "response.created",
        response: { id: "late", status: "in_progress", metadata: null, conversation_id: "conv" }
      })
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* h.session.sendText("Hello?")
      yield* h.first("ResponseDone")
      expect(h.all("ResponseStarted").map(({ responseId }) => responseId)).not.toContain("late")
    })
  )
})

describe("§7: before the server's maximum duration", () => {
  it.scoped("the session moves to a fresh connection in a quiet moment, and the calls in flight with it", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<string>()
      const lookup = Tool.make("lookup", {
        description: "Looks up.",
        timeout: "2 hours",
        handler: () => Deferred.await(gate)
      })
      const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [lookup] })
      const h = yield* open(agent, [[call("lookup", {}, { callId: "c1" })], [say("Found.")]])
      yield* h.session.sendText("Look it up.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("54 minutes")
      expect(yield* h.model.connections).toHaveLength(1)
      yield* TestClock.adjust("1 minute")
      expect(yield* h.first("Reconnected")).toMatchObject({ epoch: 1, replayed: 2, deferred: 0 })
      expect(yield* (yield* h.model.connections)[0]?.ended ?? Effect.void).toMatchObject({ _tag: "ClosedByClient" })
      yield* Deferred.succeed(gate, "42")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ConnectionLost")).toEqual([])
      expect(yield* h.model.outputs).toEqual([{ callId: "c1", output: "42" }])
      yield* nothingRefused(h)
    })
  )

  it.scoped("also after the server left an update of the settings unanswered, once its time is over", () =>
    Effect.gen(function* () {
      const ignored = Faults.onClientEvent("session.update", [], { connection: 1, nth: 2 })
      const h = yield* open(desk, [], { rolloverAfter: "1 minute" }, { faults: [ignored] })
      const update = yield* Effect.fork(Effect.flip(h.session.updateConfig({ max_output_tokens: 100 })))
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(update)).toMatchObject({ _tag: "SettingsTimedOut" })
      yield* TestClock.adjust("1 minute")
      expect(h.all("Reconnected")).toHaveLength(1)
      expect(h.all("ConnectionLost")).toEqual([])
    })
  )

  it.scoped("not while the model speaks", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Well,"), ScriptedModel.pause("10 seconds"), say("there it is.")]], {
        rolloverAfter: "1 minute"
      })
      yield* TestClock.adjust("55 seconds")
      yield* h.session.sendText("Hello.")
      yield* TestClock.adjust("9 seconds")
      expect(yield* h.model.connections, "the next one is there").toHaveLength(2)
      expect(h.all("Reconnected")).toEqual([])
      yield* TestClock.adjust("2 seconds")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "completed" })
      expect(yield* h.first("Reconnected")).toMatchObject({ epoch: 1, replayed: 3 })
      expect(h.all("ConnectionLost")).toEqual([])
      expect(yield* told(h)).toEqual(["session.update", "user: Hello.", "assistant: Well,", "assistant: there it is."])
      yield* nothingRefused(h)
    })
  )

  it.scoped("not again and again without a pause, where the server drops each connection that is to take over", () =>
    Effect.gen(function* () {
      const dropped: EmbeddedRealtime.Faults.Fault = (step) =>
        step._tag === "Outgoing" && step.connection > 1 && step.connection < 50 ? [Faults.drop] : undefined
      const h = yield* open(desk, [[say("Here.")]], { rolloverAfter: "1 minute" }, { faults: [dropped] })
      yield* h.model.push({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u1" })
      yield* h.first("SpeechStarted")
      for (let seconds = 0; seconds < 90; seconds += 1) yield* TestClock.adjust("1 second")
      expect(yield* h.model.connections).toHaveLength(2)
      yield* TestClock.adjust("30 seconds")
      expect(yield* h.model.connections, "but a minute later").toHaveLength(3)
      expect(h.all("ConnectionLost")).toEqual([])
    })
  )

  it.scoped("not between the end of the user's words and the answer: they would be lost", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("Until six.")]],
        {
          rolloverAfter: "1 minute",
          settings: {
            output_modalities: ["text"],
            audio: { input: { turn_detection: { type: "server_vad" }, transcription: { model: "whisper-1" } } }
          }
        },
        { faults: [Faults.delay("input_audio_buffer.committed", "1 second", { connection: 1 })] }
      )
      const first = yield* h.model.connection
      yield* TestClock.adjust("59500 millis")
      yield* first.push({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u1" })
      yield* h.first("SpeechStarted")
      yield* TestClock.adjust("600 millis")
      expect(yield* h.model.connections, "the next one is there").toHaveLength(2)
      yield* Effect.fork(first.userSays("Is it open?"))
      yield* h.first("SpeechStopped")
      yield* TestClock.adjust("2 seconds")
      yield* h.first("Reconnected")
      expect(yield* told(h)).toEqual(["session.update", "user: Is it open?", "assistant: Until six."])
    })
  )

  it.scoped("not while a call of a hosted tool waits for approval: it would be gone with the connection", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Paid.")]], { rolloverAfter: "1 minute" })
      const first = yield* h.model.connection
      yield* TestClock.adjust("50 seconds")
      yield* first.push({
        type: "response.created",
        response: { id: "r1", status: "in_progress", metadata: null, conversation_id: "conv" }
      })
      yield* first.push({
        type: "response.output_item.done",
        response_id: "r1",
        output_index: 0,
        item: { type: "mcp_approval_request", id: "m1", server_label: "bank", name: "pay", arguments: "{}" }
      })
      yield* first.push({ type: "response.done", response: { id: "r1", status: "completed", output: [] } })
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("30 seconds")
      expect(yield* h.model.connections, "the next one is there").toHaveLength(2)
      expect(yield* h.session.pendingApprovals).toHaveLength(1)
      expect(h.all("Reconnected")).toEqual([])
      yield* h.session.reject("m1")
      yield* TestClock.adjust("1 minute")
      yield* h.first("Reconnected")
      expect(h.all("ToolFailed").map(({ error }) => error._tag)).toEqual(["ToolRejected"])
    })
  )
})
