import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import { call, say } from "../../src/ScriptedModel.js"
import * as Tool from "../../src/Tool.js"
import { errorText, open, outputFrame } from "./harness.js"

const pay = Tool.make("pay", {
  description: "Pays",
  parameters: { amount: Schema.Number },
  approval: true,
  handler: ({ amount }) => Effect.succeed(`paid ${amount}`)
})
const payments = (...ids: ReadonlyArray<string>) =>
  ids.map((callId, index) => [call("pay", { amount: index + 1 }, { callId })])

describe("§1 Approvals that stand", () => {
  it.scoped("approves later calls of the tool by the same agent without asking, and by no other agent", () =>
    Effect.gen(function* () {
      const other = Agent.make("Other", { instructions: "", tools: [pay] })
      const agent = Agent.make("Desk", { instructions: "", tools: [pay], handoffs: [other] })
      const h = yield* open(agent, [...payments("c1", "c2"), [say("Done.")], ...payments("c3")])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      yield* h.session.approve("c1", { always: true })
      yield* h.nth("ToolSucceeded", 2)
      yield* h.nth("ResponseDone", 3)
      expect(h.all("ToolApprovalRequested")).toHaveLength(1)
      expect(h.all("ToolApproved")).toHaveLength(2)
      yield* h.session.updateAgent("Other")
      yield* h.session.sendText("Again.")
      expect(yield* h.nth("ToolApprovalRequested", 2)).toMatchObject({ call: { agent: "Other", callId: "c3" } })
    })
  )

  it.scoped("rejects later calls too, with the same reason", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [pay] }), [
        ...payments("c1", "c2"),
        [say("No.")]
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      yield* h.session.reject("c1", "not today", { always: true })
      yield* h.nth("ToolFailed", 2)
      const output = errorText("ToolRejected", "pay was not approved: not today")
      yield* h.nth("ResponseDone", 3)
      expect(yield* h.outputs).toEqual([outputFrame("c1", output), outputFrame("c2", output)])
    })
  )
})

describe("session.pendingApprovals.changes", () => {
  it.scoped("tells of each call that waits, and no longer waits, and ends empty with the session", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [pay] }), [
        ...payments("c1", "c2"),
        [say("Done.")]
      ])
      const pull = yield* Stream.toPull(
        Stream.map(h.session.pendingApprovals.changes, (pending) => pending.map(({ call }) => call.callId))
      )
      const next = Effect.map(pull, Chunk.unsafeHead)
      expect(yield* next).toEqual([])
      yield* h.session.sendText("Go.")
      expect(yield* next).toEqual(["c1"])
      yield* h.session.approve("c1")
      expect(yield* next).toEqual([])
      expect(yield* next).toEqual(["c2"])
      yield* h.session.close
      expect(yield* next).toEqual([])
      expect(yield* Effect.flip(next)).toEqual(Option.none())
      expect(yield* h.session.pendingApprovals).toEqual([])
    })
  )
})

describe("§1 Approvals of hosted MCP tools", () => {
  const request = {
    type: "response.output_item.done",
    response_id: "r1",
    output_index: 0,
    item: {
      type: "mcp_approval_request",
      id: "mcpr_1",
      server_label: "bank",
      name: "transfer",
      arguments: '{"to":"Ada"}'
    }
  } as const

  for (const [what, approve] of [
    ["approved", true],
    ["rejected", false]
  ] as const) {
    it.scoped(`use the same interface: ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* open(Agent.make("Desk", { instructions: "" }), [])
        yield* h.model.push(request)
        yield* h.model.push({ type: "response.done", response: { id: "r1", status: "completed", output: [] } })
        expect(yield* h.first("ToolApprovalRequested")).toMatchObject({
          call: { callId: "mcpr_1", tool: "transfer", server: "bank", arguments: '{"to":"Ada"}' },
          deadline: 120_000
        })
        expect(yield* h.session.pendingApprovals).toMatchObject([{ call: { callId: "mcpr_1" } }])
        yield* approve ? h.session.approve("mcpr_1") : h.session.reject("mcpr_1", "no")
        expect(yield* h.model.next("conversation.item.create")).toMatchObject({
          item: {
            type: "mcp_approval_response",
            approval_request_id: "mcpr_1",
            approve,
            ...(approve ? {} : { reason: "no" })
          }
        })
        // An approved call must run first: the model would have nothing to say about it.
        if (approve) yield* h.model.push({ type: "response.mcp_call.completed", item_id: "mcpr_1", output_index: 0 })
        yield* h.model.next("response.create")
        if (approve) yield* h.first("ToolApproved")
        else expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolRejected", by: "decision" } })
        expect(yield* h.session.pendingApprovals).toEqual([])
      })
    )
  }

  it.scoped("stop waiting when the session is over", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "" }), [])
      yield* h.model.push(request)
      yield* h.first("ToolApprovalRequested")
      yield* h.session.close
      expect(yield* h.session.pendingApprovals).toEqual([])
      expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted" }, output: undefined })
    })
  )

  it.scoped("are refused if they are not decided in time", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "" }), [])
      yield* h.model.push(request)
      yield* h.first("ToolApprovalRequested")
      yield* TestClock.adjust("2 minutes")
      expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolRejected", by: "deadline" } })
      expect(yield* h.model.next("conversation.item.create")).toMatchObject({ item: { approve: false } })
    })
  )
})

describe("§1 Deferred results", () => {
  const book = Tool.deferred(
    Tool.make("book", {
      description: "Books",
      parameters: { guests: Schema.Int },
      timeout: "5 minutes",
      failure: Schema.Struct({ full: Schema.Boolean }),
      handler: ({ guests }) =>
        Effect.delay(guests > 9 ? Effect.fail({ full: true }) : Effect.succeed(`Table for ${guests}`), "1 minute")
    }),
    "Calling the restaurant."
  )
  const agent = Agent.make("Desk", { instructions: "", tools: [book] })

  it.scoped("answers at once, and delivers the result as an item when it is there", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [
        [call("book", { guests: 2 }, { callId: "c1" })],
        [say("I am on it.")],
        [say("Booked.")]
      ])
      yield* h.session.sendText("A table for two.")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", "Calling the restaurant.")])
      expect(h.all("ToolDeferred")).toMatchObject([{ call: { callId: "c1" }, output: "Calling the restaurant." }])
      expect(h.all("ToolSucceeded")).toEqual([])
      yield* TestClock.adjust("1 minute")
      yield* h.nth("ResponseDone", 3)
      expect(h.all("ToolSucceeded")).toMatchObject([{ output: "Table for 2", durationMs: 60_000 }])
      expect((yield* h.session.conversation).items.at(-2)).toMatchObject({
        role: "system",
        content: [{ text: "The result of book (call c1) has come: Table for 2" }]
      })
      expect(yield* h.outputs).toHaveLength(1)
    })
  )

  it.scoped("delivers a failure the same way, and answers arguments that do not fit at once", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [
        [call("book", { guests: 20 }, { callId: "c1" }), call("book", {}, { callId: "c2" })],
        [say("I am on it.")],
        [say("Full.")]
      ])
      yield* h.session.sendText("A table for twenty.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([{ call: { callId: "c2" }, error: { _tag: "InvalidArguments" } }])
      yield* TestClock.adjust("1 minute")
      yield* h.nth("ResponseDone", 3)
      expect(h.all("ToolFailed")[1]).toMatchObject({ call: { callId: "c1" }, error: { _tag: "ToolFailure" } })
      expect(yield* h.outputs).toHaveLength(2)
    })
  )

  it.scoped("publishes a result that is lost because the session has ended", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[call("book", { guests: 2 }, { callId: "c1" })], [say("I am on it.")]])
      yield* h.session.sendText("A table for two.")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.close
      yield* h.first("SessionEnded")
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolInterrupted" }, output: undefined }])
    })
  )

  it.scoped("has the model say something to a caller who waits, once, and not to one who does not", () =>
    Effect.gen(function* () {
      const tool = (seconds: number) =>
        Tool.make("look", {
          description: "",
          filler: { after: "2 seconds", text: "I am still looking." },
          handler: () => Effect.as(Effect.sleep(seconds * 1000), "found")
        })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool(5)] }), [
        [call("look", {}, { callId: "c1" })],
        [say("Still looking.")],
        [say("Found.")]
      ])
      yield* h.session.sendText("Look.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("2 seconds")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("FillerRequested")).toMatchObject([{ call: { callId: "c1" }, text: "I am still looking." }])
      yield* TestClock.adjust("3 seconds")
      yield* h.nth("ResponseDone", 3)
      const requests = (yield* h.model.sent).filter((event) => event.type === "response.create")
      expect(requests[1]?.response).toMatchObject({
        instructions: expect.stringContaining("still looking"),
        tool_choice: "none"
      })

      const quick = yield* open(Agent.make("Desk", { instructions: "", tools: [tool(1)] }), [
        [call("look", {})],
        [say("Found.")]
      ])
      yield* quick.session.sendText("Look.")
      yield* quick.first("ToolStarted")
      yield* TestClock.adjust("1 second")
      yield* quick.nth("ResponseDone", 2)
      yield* TestClock.adjust("20 seconds")
      expect(quick.all("FillerRequested")).toEqual([])
    })
  )
})
