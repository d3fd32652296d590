import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { call, say } from "../../src/ScriptedModel.js"
import * as Tool from "../../src/Tool.js"
import { ToolOverloaded } from "../../src/ToolError.js"
import { errorText, open, outputFrame } from "./harness.js"

const { Faults } = EmbeddedRealtime
const agentOf = <E, R>(...tools: ReadonlyArray<Tool.Tool<string, E, R>>) =>
  Agent.make("Desk", { instructions: "Be brief.", tools })
const pay = Tool.make("pay", { description: "Pays.", approval: true, handler: () => Effect.succeed("paid") })
const payments = (...ids: ReadonlyArray<string>) => ids.map((callId) => call("pay", {}, { callId }))

describe("law 6, Boundedness: calls", () => {
  it.scoped("answers the call that is one too many for the session, and runs it when there is room again", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<string>()
      const wait = Tool.make("wait", { description: "Waits.", handler: () => Deferred.await(gate) })
      const also = Tool.make("also", { description: "Waits too.", handler: () => Deferred.await(gate) })
      const h = yield* open(
        agentOf(wait, also),
        [
          [call("wait", {}, { callId: "c1" }), call("also", {}, { callId: "c2" }), call("wait", {}, { callId: "c3" })],
          [call("wait", {}, { callId: "c4" })],
          [say("Done.")]
        ],
        { maxOpenCalls: 2 }
      )
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolFailed")).toMatchObject({
        call: { callId: "c3" },
        error: { _tag: "ToolOverloaded", limit: 2, per: "session" }
      })
      yield* Deferred.succeed(gate, "waited")
      yield* h.nth("ToolSucceeded", 3)
      yield* h.nth("ResponseDone", 3)
      const text = "2 calls are already open. Wait for their results, then call wait again."
      expect(yield* h.outputs).toEqual([
        outputFrame("c3", errorText("ToolOverloaded", text)),
        outputFrame("c1", "waited"),
        outputFrame("c2", "waited"),
        outputFrame("c4", "waited")
      ])
      expect(h.all("ToolFailed")).toHaveLength(1)
    })
  )

  it.scoped("counts a deferred call as open until its result has come", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<string>()
      const slow = Tool.make("slow", { description: "Takes long.", handler: () => Deferred.await(gate) })
      const h = yield* open(
        agentOf(Tool.deferred(slow, "It takes a while.")),
        [[call("slow", {}, { callId: "c1" })], [call("slow", {}, { callId: "c2" })], [say("Later, then.")]],
        { maxOpenCalls: 1 }
      )
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolFailed")).toMatchObject({ call: { callId: "c2" }, error: { per: "session" } })
      expect(h.all("ToolDeferred")).toMatchObject([{ call: { callId: "c1" } }])
    })
  )

  it.scoped("counts a handler that ignores its timeout until it ends", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<string>()
      const deaf = Tool.make("deaf", {
        description: "Does not stop.",
        timeout: "1 second",
        handler: () => Effect.uninterruptible(Deferred.await(gate))
      })
      const once = (callId: string) => [call("deaf", {}, { callId })]
      const h = yield* open(agentOf(deaf), [once("c1"), once("c2"), [say("It hangs.")], once("c3"), [say("Done.")]], {
        maxOpenCalls: 1
      })
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("1 second")
      expect(yield* h.nth("ToolFailed", 2)).toMatchObject({ call: { callId: "c2" }, error: { per: "session" } })
      yield* h.nth("ResponseDone", 3)
      yield* TestClock.adjust("1 second")
      yield* Deferred.succeed(gate, "late")
      yield* h.first("ToolResultDiscarded")
      yield* h.session.sendText("Again.")
      yield* h.first("ToolSucceeded")
      expect(h.all("ToolFailed").map(({ error }) => error._tag)).toEqual(["ToolTimedOut", "ToolOverloaded"])
    })
  )

  it.scoped("hold back a handler that has more to say than the session can hear", () =>
    Effect.gen(function* () {
      let said = 0
      const chatty = Tool.make("chatty", {
        description: "Says much.",
        handler: (_, { progress }) =>
          Effect.forever(
            Effect.zipRight(
              progress("Still here."),
              Effect.sync(() => {
                said += 1
              })
            )
          )
      })
      const h = yield* open(agentOf(chatty), [[call("chatty", {}, { callId: "c1" })]], { subscriberCapacity: 100_000 })
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolProgress", 100)
      yield* h.session.close
      yield* h.first("SessionEnded")
      // It reports once, and nothing more before that was published.
      expect(h.all("ToolProgress").length - said).toBeGreaterThanOrEqual(0)
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolInterrupted" } }])
    })
  )

  it("tells the model how often a tool runs already", () => {
    const overloaded = (limit: number) =>
      new ToolOverloaded({ callId: "c", tool: "dial", agent: "Desk", limit, per: "concurrency" }).message
    expect(overloaded(1)).toBe("dial is already running. Wait for it to finish.")
    expect(overloaded(3)).toBe("dial is already running 3 times. Wait for one of them to finish.")
  })
})

describe("law 6, Boundedness: what is sent", () => {
  const text = (text: string) => ({ type: "message", role: "user", content: [{ type: "input_text", text }] }) as const

  it.scoped(
    "ends the session with an error when more waits for a connection than may, and drops nothing silently",
    () =>
      Effect.gen(function* () {
        const h = yield* open(Agent.make("Desk", { instructions: "" }), [], { controlCapacity: 2 })
        yield* h.model.drop()
        yield* h.first("ConnectionLost")
        yield* h.session.sendMessage(text("One."))
        yield* h.session.sendMessage(text("Two."))
        yield* Effect.exit(h.session.sendMessage(text("Three.")))
        const error = yield* Effect.flip(h.session.await)
        expect(error).toMatchObject({ _tag: "OutboundOverflow", type: "conversation.item.create" })
        expect(yield* h.first("SessionEnded")).toMatchObject({ error: { _tag: "OutboundOverflow" } })
      })
  )

  it.scoped("says which item the server does not acknowledge, once, and goes on", () =>
    Effect.gen(function* () {
      const lost = Faults.onClientEvent("conversation.item.create", [], { nth: 1 })
      const h = yield* open(
        Agent.make("Desk", { instructions: "" }),
        [[say("Hello.")]],
        { acknowledgementTimeout: "3 seconds" },
        { faults: [lost] }
      )
      const itemId = yield* h.session.sendMessage(text("One."))
      yield* TestClock.adjust("3 seconds")
      expect(yield* h.first("ItemUnacknowledged")).toMatchObject({ itemId, afterMs: 3000 })
      yield* h.session.sendText("Two.")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("10 seconds")
      expect(h.all("ItemUnacknowledged")).toHaveLength(1)
    })
  )
})

describe("law 6, Boundedness: calls that wait for approval", () => {
  const reason = "too many calls are already waiting for approval. Try again when some of them are decided."

  it.scoped("rejects the call that is one too many at once, without asking for approval", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(pay), [payments("c1", "c2", "c3"), [say("One is left.")], payments("c4")], {
        maxPendingApprovals: 2
      })
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolFailed")).toMatchObject({
        call: { callId: "c3" },
        error: { _tag: "ToolRejected", by: "limit", reason }
      })
      expect(h.all("ToolApprovalRequested").map(({ call }) => call.callId)).toEqual(["c1", "c2"])
      expect(yield* h.outputs).toEqual([
        outputFrame("c3", errorText("ToolRejected", `pay was not approved: ${reason}`))
      ])
      yield* h.nth("ResponseDone", 2)
      yield* h.session.approve("c1")
      yield* h.first("ToolSucceeded")
      // There is room again.
      expect(yield* h.nth("ToolApprovalRequested", 3)).toMatchObject({ call: { callId: "c4" } })
    })
  )

  it.scoped("does not ask for approval of calls that are already decided, however many wait", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(pay), [payments("c1"), payments("c2"), [say("Done.")]], { maxPendingApprovals: 1 })
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      yield* h.session.approve("c1", { always: true })
      yield* h.nth("ToolSucceeded", 2)
      expect(h.all("ToolFailed")).toEqual([])
    })
  )

  it.scoped("counts calls of hosted tools with the others, and answers them too", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(pay), [payments("c1"), [say("Done.")]], { maxPendingApprovals: 1 })
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      const item = {
        type: "mcp_approval_request",
        id: "mcpr_1",
        server_label: "bank",
        name: "transfer",
        arguments: "{}"
      } as const
      yield* h.model.push({
        type: "response.output_item.done",
        event_id: "evt_1",
        response_id: "resp_x",
        output_index: 0,
        item
      })
      expect(yield* h.first("ToolFailed")).toMatchObject({
        call: { callId: "mcpr_1" },
        error: { _tag: "ToolRejected", by: "limit" }
      })
      yield* TestClock.adjust("1 millis")
      const sent = yield* h.model.sent
      expect(sent.flatMap((event) => (event.type === "conversation.item.create" ? event.item : []))).toContainEqual(
        expect.objectContaining({ type: "mcp_approval_response", approve: false, reason })
      )
      expect(yield* h.session.pendingApprovals).toHaveLength(1)
    })
  )
})
