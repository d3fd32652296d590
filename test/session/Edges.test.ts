import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { call, fail, pause, say } from "../../src/ScriptedModel.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"

const { Faults } = EmbeddedRealtime
const then = [say("All right.")]
const tool = Tool.make("tool", { description: "", handler: () => Effect.succeed("x") })
const agentOf = <const Tools extends ReadonlyArray<Tool.Tool>>(...tools: Tools) =>
  Agent.make("Desk", { instructions: "", tools })
const later = TestClock.adjust("1 minute")

/** An event as a server writes it that keeps the protocol loosely. */
const pushJson = <E>({ model }: Harness<E>, event: object) =>
  Effect.flatMap(model.connection, (connection) => connection.pushText(JSON.stringify(event)))
const created = (id: string) => ({ type: "response.created", response: { id, status: "in_progress", metadata: null } })

describe("§1 Arrival", () => {
  for (const first of ["completed", "incomplete"]) {
    it.scoped(`abandons a call that was cut off, though another response had its id for one that was ${first}`, () =>
      Effect.gen(function* () {
        const h = yield* open(agentOf(tool), [])
        for (const [response, status] of [
          ["r1", first],
          ["r2", "incomplete"]
        ] as const) {
          const item = {
            type: "function_call",
            id: `item_${response}`,
            call_id: "call_0",
            name: "tool",
            arguments: "{}"
          }
          yield* pushJson(h, created(response))
          yield* pushJson(h, {
            type: "response.output_item.done",
            response_id: response,
            output_index: 0,
            item: { ...item, status }
          })
          yield* pushJson(h, { type: "response.done", response: { id: response, status: "completed", output: [] } })
        }
        yield* h.nth("ResponseDone", 2)
        yield* later
        const abandoned = h.all("ToolCallAbandoned").map(({ call }) => call.responseId)
        expect(abandoned).toEqual(first === "completed" ? ["r2"] : ["r1", "r2"])
      })
    )
  }
})

describe("§1 Settlement", () => {
  it.scoped("says that a late result was dropped, even if it is late by half a second", () =>
    Effect.gen(function* () {
      const deaf = Tool.make("deaf", {
        description: "",
        timeout: "5 seconds",
        handler: () => Effect.uninterruptible(Effect.as(Effect.sleep("5500 millis"), "late"))
      })
      const h = yield* open(agentOf(deaf), [[call("deaf", {}, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("5 seconds")
      yield* h.first("ToolFailed")
      yield* later
      expect(h.all("ToolResultDiscarded")).toMatchObject([{ call: { callId: "c1" }, lateMs: 500 }])
    })
  )

  const sentThrice = (nth: number) => ({
    faults: [Faults.onServerEvent("response.output_item.done", [Faults.pass, Faults.pass, Faults.pass], { nth })]
  })

  it.scoped("reports once that a call came again, however often it comes", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then], {}, sentThrice(1))
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolCallRepeated")).toHaveLength(1)
    })
  )

  it.scoped("publishes a call under a used id once, however often it comes", () =>
    Effect.gen(function* () {
      const both = [call("tool", {}, { callId: "c1" }), call("tool", { n: 2 }, { callId: "c1" })]
      const h = yield* open(agentOf(tool), [both, then], {}, sentThrice(2))
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toHaveLength(1)
    })
  )
})

describe("§1 Liveness", () => {
  it.scoped("causes no response by a silent tool that is deferred", () =>
    Effect.gen(function* () {
      const handler = () => Effect.as(Effect.sleep("5 seconds"), "x")
      const silent = Tool.deferred(Tool.make("silent", { description: "", reply: "silent", handler }), "Later.")
      const h = yield* open(agentOf(silent), [[call("silent", {}, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolDeferred")
      yield* TestClock.adjust("5 seconds")
      yield* h.first("ToolSucceeded")
      yield* later
      expect(yield* h.requests).toBe(1)
    })
  )

  it.scoped("causes no response by a silent tool that is called under a used id", () =>
    Effect.gen(function* () {
      const silent = Tool.make("silent", { description: "", reply: "silent", handler: () => Effect.succeed("x") })
      const both = [call("silent", {}, { callId: "c1" }), call("silent", { n: 2 }, { callId: "c1" })]
      const h = yield* open(agentOf(silent), [both, then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolFailed")
      yield* later
      expect(yield* h.requests).toBe(1)
    })
  )
})

describe("§2 Handoffs", () => {
  it.scoped("fail as handoffs, and not as defects, where the next agent's instructions die", () =>
    Effect.gen(function* () {
      const billing = Agent.make("Billing", { instructions: Effect.die("hunter2") })
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [billing] }), [
        [call("transfer_to_Billing", {}, { callId: "h1" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "HandoffFailed", step: "settings" } }])
      expect(JSON.stringify(yield* h.model.sent)).not.toContain("hunter2")
    })
  )
})

describe("§3 Requests", () => {
  it.scoped("repeats a failed response that was beside the conversation beside it, and not in it", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(tool), [
        [fail("server_error")],
        [pause("5 seconds"), say("Of the talk.")],
        [say("Beside."), call("tool", {}, { callId: "c1" })]
      ])
      yield* h.session.requestResponse({ conversation: "none" })
      yield* h.first("ResponseDone")
      yield* h.session.sendText("Hi.")
      yield* h.nth("ResponseStarted", 2)
      yield* TestClock.adjust("1 second")
      expect(yield* h.requests).toBe(3)
      yield* later
      expect(h.all("ToolCallAbandoned")).toMatchObject([{ call: { callId: "c1" } }])
      expect(yield* h.outputs).toEqual([])
      expect((yield* h.session.conversation).items).toHaveLength(2)
      expect(yield* h.requests).toBe(3)
    })
  )
})

describe("§3 Watchdog", () => {
  for (const type of ["response.mcp_call_arguments.delta", "response.mcp_call_arguments.done", "response.sung.delta"]) {
    it.scoped(`counts ${type} as a sign of life`, () =>
      Effect.gen(function* () {
        const h = yield* open(agentOf(), [])
        yield* pushJson(h, created("r1"))
        yield* h.first("ResponseStarted")
        yield* TestClock.adjust("20 seconds")
        const fields = { response_id: "r1", item_id: "i1", output_index: 0, delta: "{", arguments: "{}" }
        yield* pushJson(h, { type, ...fields })
        yield* TestClock.adjust("29999 millis")
        expect(h.all("ResponseStalled")).toEqual([])
      })
    )
  }
})
