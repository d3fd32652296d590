import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../src/Guardrail.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"

const { call, cutShort, Faults, mcpApprovalRequest, mcpCall, pause, say } = EmbeddedRealtime

const slow = Tool.make("slow", { description: "", handler: () => Effect.as(Effect.sleep("3 seconds"), "slow") })
const desk = Agent.make("Desk", { instructions: "", tools: [slow] })

const told = [say("Two a day.")]
const tides = (manner: EmbeddedRealtime.McpManner = {}) =>
  mcpCall("docs", "search", { q: "tides" }, { output: "Two a day." }, manner)
const pay = (result: EmbeddedRealtime.McpResult = { output: "paid" }, manner: EmbeddedRealtime.McpManner = {}) =>
  mcpApprovalRequest("shop", "pay", {}, result, manner)

/** Everything that could still arrive has arrived. */
const later = Effect.zipRight(
  TestClock.adjust("1 millis"),
  Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow())
)

/** The caller heard this, and the model was asked so often, the user's own turn included. */
const heard = <E>(h: Harness<E>, requests: number) =>
  Effect.gen(function* () {
    yield* later
    expect(h.all("TextCompleted").map(({ text }) => text)).toContain("Two a day.")
    expect(yield* h.requests).toBe(requests)
  })

describe("a finished hosted call", () => {
  for (const runs of ["within", "after"] as const) {
    for (const item of ["before", "behind"] as const) {
      it.scoped(`is spoken of, once, where it runs ${runs} its response and its item comes ${item} its end`, () =>
        Effect.gen(function* () {
          const h = yield* open(desk, [[tides({ runs, item, takes: "2 seconds" })], told])
          yield* h.session.sendText("When is high tide?")
          if (runs === "after") {
            yield* h.first("ResponseDone")
            yield* later
            expect(yield* h.requests, "it has not run yet").toBe(1)
          } else yield* h.first("McpProgressed")
          yield* TestClock.adjust("2 seconds")
          yield* h.nth("ResponseDone", 2)
          yield* heard(h, 2)
        })
      )
    }
  }

  it.scoped("that failed is spoken of too", () =>
    Effect.gen(function* () {
      const error = { type: "http_error", code: 502, message: "Bad gateway" } as const
      const h = yield* open(desk, [[mcpCall("docs", "search", {}, { error })], told])
      yield* h.session.sendText("When is high tide?")
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 2)
    })
  )

  it.scoped("waits for the response that made it, if all of it began while nobody was connected", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [told])
      const call = {
        type: "mcp_call",
        id: "m1",
        server_label: "docs",
        name: "search",
        arguments: "{}",
        output: "Two."
      } as const
      yield* h.model.push({ type: "response.mcp_call.completed", item_id: "m1", output_index: 0 })
      yield* h.model.push({ type: "response.output_item.done", response_id: "r1", output_index: 0, item: call })
      yield* h.first("ResponseStarted")
      yield* later
      expect(yield* h.requests, "its response goes on").toBe(0)
      yield* h.model.push({ type: "response.done", response: { id: "r1", status: "completed", output: [call] } })
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 1)
    })
  )

  for (const [when, faults, paused] of [
    [
      "is requested",
      [Faults.onClientEvent("response.create", [Faults.wait("1 second"), Faults.pass], { nth: 1 })],
      told
    ],
    ["is under way", [], [pause("1 second"), ...told]]
  ] as const) {
    it.scoped(`of a response that nobody saw does not get in the way of an answer that ${when}`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [paused, [say("That is all.")]], {}, { faults })
        const call = {
          type: "mcp_call",
          id: "m1",
          server_label: "docs",
          name: "search",
          arguments: "{}",
          output: "Two."
        } as const
        yield* h.session.sendText("When is high tide?")
        yield* h.first("ItemCompleted")
        yield* later
        yield* h.model.push({ type: "response.output_item.done", response_id: "r0", output_index: 0, item: call })
        yield* later
        yield* TestClock.adjust("2 seconds")
        yield* h.nth("ResponseDone", 2)
        yield* heard(h, 2)
        expect(h.all("ResponseDone").map(({ status }) => status)).toEqual(["completed", "completed"])
      })
    )
  }

  it.scoped("waits for the others of its response, functions among them", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [
        [tides({ runs: "after", takes: "1 second" }), call("slow"), tides({ runs: "after", takes: "5 seconds" })],
        told
      ])
      yield* h.session.sendText("When is high tide?")
      yield* h.first("ToolStarted")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("3 seconds")
      yield* h.first("ToolSucceeded")
      yield* later
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("2 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 2)
    })
  )

  it.scoped("that was approved is spoken of when it has run, not when it was approved", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[pay({ output: "paid" }, { takes: "4 seconds" })], told])
      yield* h.session.sendText("Pay.")
      const { call } = yield* h.first("ToolApprovalRequested")
      yield* h.first("ResponseDone")
      yield* h.session.approve(call.callId)
      yield* h.first("McpProgressed")
      yield* later
      expect(yield* h.requests, "it has not run yet").toBe(1)
      yield* TestClock.adjust("4 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 2)
    })
  )

  for (const item of ["before", "behind"] as const) {
    it.scoped(`of an answer that a guardrail withdrew is not spoken of, where its item comes ${item} its end`, () =>
      Effect.gen(function* () {
        const polite = Guardrail.input("polite", {
          check: () => Effect.as(Effect.sleep("1 second"), Guardrail.trip("Ask for other words."))
        })
        const guarded = Agent.make("Desk", { instructions: "", guardrails: [polite] })
        const h = yield* open(guarded, [[pay({ output: "paid" }, { item, takes: "4 seconds" })], told])
        yield* h.session.sendText("Pay.")
        const { call } = yield* h.first("ToolApprovalRequested")
        yield* h.first("ResponseDone")
        yield* h.session.approve(call.callId)
        yield* TestClock.adjust("1 second")
        yield* h.first("GuardrailTripped")
        yield* h.nth("ResponseDone", 2)
        yield* TestClock.adjust("10 seconds")
        yield* heard(h, 2)
      })
    )
  }

  it.scoped("that waits for approval holds no other's reply", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[pay(), tides()], told, [say("Paid.")]])
      yield* h.session.sendText("Pay, and tell me.")
      const { call } = yield* h.first("ToolApprovalRequested")
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 2)
      yield* h.session.approve(call.callId)
      yield* h.nth("ResponseDone", 3)
      yield* heard(h, 3)
    })
  )

  it.scoped("that was rejected is spoken of at once", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[pay()], told])
      yield* h.session.sendText("Pay.")
      const { call } = yield* h.first("ToolApprovalRequested")
      yield* h.session.reject(call.callId)
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 2)
    })
  )

  it.scoped("that never ends is given up, with an error, and the model goes on", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[tides({ runs: "after", takes: "1 hour" })], told])
      yield* h.session.sendText("When is high tide?")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("1 minute")
      expect(yield* h.first("ToolFailed")).toMatchObject({
        call: { tool: "search", agent: "Desk" },
        error: { _tag: "ToolTimedOut", afterMs: 60_000 },
        output: undefined
      })
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 2)
      yield* TestClock.adjust("1 hour")
      yield* heard(h, 2)
    })
  )

  it.scoped("that is gone with its connection is given up, and the model goes on with the next", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[tides({ runs: "after", takes: "30 seconds" })], told])
      yield* h.session.sendText("When is high tide?")
      yield* h.first("ResponseDone")
      yield* h.model.drop()
      expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted" } })
      yield* TestClock.adjust("1 second")
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 2)
    })
  )

  it.scoped("that a client only mentions is not reported", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [told])
      yield* h.session.send({
        type: "conversation.item.create",
        item: { type: "mcp_call", id: "m1", server_label: "docs", name: "search", arguments: "{}", output: "old" }
      })
      yield* h.first("ItemCompleted")
      yield* later
      expect(yield* h.requests).toBe(0)
    })
  )
})

describe("a call that was cut off before it was complete", () => {
  const half = call("slow", '{"n":')
  for (const [what, end] of [
    ["by max_output_tokens", cutShort("max_output_tokens")],
    ["by a filter", cutShort("content_filter")],
    ["by a response that failed for good", "a failure"]
  ] as const) {
    it.scoped(`${what} is not run, and the model goes on`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [end === "a failure" ? [] : [half, end], told])
        yield* h.session.sendText("Go.")
        if (end === "a failure") yield* failInTheMiddle(h)
        yield* h.first("ToolCallAbandoned")
        yield* h.first("TextCompleted")
        expect(h.all("ToolStarted")).toEqual([])
        yield* heard(h, 2)
      })
    )
  }

  it.scoped("again is left at that: once in a row is the model asked to go on", () =>
    Effect.gen(function* () {
      const turn = [half, cutShort("max_output_tokens")]
      const h = yield* open(desk, [turn, turn, turn, told])
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolCallAbandoned", 2)
      yield* h.nth("ResponseDone", 2)
      yield* later
      expect(yield* h.requests).toBe(2)
    })
  )

  it.scoped("by the user stays cut off", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[call("slow", '{"n":"one two three four five"}')], told], {}, { pace: "1 second" })
      yield* h.session.sendText("Go.")
      yield* TestClock.adjust("2 seconds")
      yield* h.first("ResponseStarted")
      yield* h.session.interrupt
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("5 seconds")
      yield* later
      expect(yield* h.requests).toBe(1)
    })
  )

  it.scoped("to a hosted tool ends with its response, and the model goes on", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[tides(), cutShort("max_output_tokens")], told])
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolCallAbandoned")).toMatchObject({ call: { tool: "search" } })
      yield* h.nth("ResponseDone", 2)
      yield* heard(h, 2)
    })
  )
})

/** The server begins one more response, whose call is cut off by a failure. */
const failInTheMiddle = <E>(h: Harness<E>) =>
  Effect.gen(function* () {
    yield* h.first("ResponseDone")
    const connection = yield* h.model.connection
    const item = {
      type: "function_call",
      id: "fc_1",
      call_id: "c_1",
      name: "slow",
      arguments: "{",
      status: "incomplete"
    } as const
    const error = { type: "invalid_request_error", code: "content_policy", message: "No." }
    yield* connection.push({
      type: "response.created",
      response: { id: "resp_9", status: "in_progress", conversation_id: "conv" }
    })
    yield* connection.push({ type: "response.output_item.done", response_id: "resp_9", output_index: 0, item })
    yield* connection.push({
      type: "response.done",
      response: { id: "resp_9", status: "failed", status_details: { type: "failed", error }, output: [item] }
    })
  })
