import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import { call, cutShort, pause, say } from "../../../src/ScriptedModel.js"
import * as Tool from "../../../src/Tool.js"
import { type Harness, open, outputFrame } from "../harness.js"

const then = [say("All right.")]
const agentOf = <const Tools extends ReadonlyArray<Tool.Tool>>(...tools: Tools) =>
  Agent.make("Desk", { instructions: "", tools })

/** A tool that counts how often it ran. */
const counted = (name = "tool") => {
  const ran: Array<unknown> = []
  const tool = Tool.make(name, {
    description: "",
    parameters: { n: Schema.optional(Schema.Int) },
    handler: (args) => Effect.sync(() => `run ${ran.push(args)}`)
  })
  return { ran, tool }
}

/** Time for anything that should not happen. */
const later = TestClock.adjust("1 minute")

const functionCall = (fields: Record<string, unknown>) => ({
  type: "response.output_item.done",
  response_id: "r1",
  output_index: 0,
  item: { type: "function_call", id: "item_9", name: "tool", arguments: "{}", status: "completed", ...fields }
})

/** An event as a server writes it that keeps the protocol loosely. */
const pushJson = <E>({ model }: Harness<E>, event: object) =>
  Effect.flatMap(model.connection, (connection) => connection.pushText(JSON.stringify(event)))

describe("§1 Arrival: which calls are run", () => {
  it.scoped("starts a call when its item is done, and answers it without waiting for response.done", () =>
    Effect.gen(function* () {
      const { tool } = counted()
      const h = yield* open(agentOf(tool), [
        [call("tool", {}, { callId: "c1" }), pause("10 seconds"), say("So.")],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      expect(h.all("ResponseDone")).toEqual([])
      expect(yield* h.outputs).toEqual([outputFrame("c1", "run 1")])
      yield* TestClock.adjust("10 seconds")
      yield* h.nth("ResponseDone", 2)
    })
  )

  it.scoped("never runs a call on response.function_call_arguments.done", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const h = yield* open(agentOf(tool), [])
      yield* h.model.push({ type: "response.created", response: { id: "r1", status: "in_progress", metadata: null } })
      yield* h.model.push({
        type: "response.function_call_arguments.done",
        response_id: "r1",
        item_id: "item_9",
        output_index: 0,
        call_id: "c1",
        name: "tool",
        arguments: "{}"
      })
      yield* h.model.push({ type: "response.done", response: { id: "r1", status: "cancelled", output: [] } })
      yield* h.first("ResponseDone")
      yield* later
      expect(ran).toEqual([])
      expect(yield* h.outputs).toEqual([])
    })
  )

  it.scoped("does not run a call whose item ended incomplete, says so once, and asks the model to go on", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" }), cutShort("max_output_tokens")]])
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseDone")
      yield* later
      expect(ran).toEqual([])
      expect(h.all("ToolCallAbandoned")).toMatchObject([{ call: { callId: "c1", tool: "tool", agent: "Desk" } }])
      expect(h.all("ToolFailed")).toEqual([])
      expect([yield* h.outputs, yield* h.requests]).toEqual([[], 2])
    })
  )

  it.scoped("does not run a call that a cancel cut off before it was complete, and says so once", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const turns = [[call("tool", { n: 1, text: "x".repeat(100) }, { callId: "c1" })]]
      const h = yield* open(agentOf(tool), turns, {}, { pace: "1 second" })
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseStarted")
      yield* TestClock.adjust("5 seconds")
      yield* h.session.interrupt
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "cancelled" })
      yield* later
      expect(ran).toEqual([])
      expect(h.all("ToolCallAbandoned")).toMatchObject([{ call: { callId: "c1" } }])
      expect([yield* h.outputs, yield* h.requests]).toEqual([[], 1])
    })
  )

  it.scoped("runs and answers a call that was complete before its response was cancelled", () =>
    Effect.gen(function* () {
      const { tool } = counted()
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" }), pause("10 seconds")], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      yield* h.session.interrupt
      yield* h.first("ResponseDone")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", "run 1")])
      expect(h.all("ToolCallAbandoned")).toEqual([])
    })
  )

  for (const [status, item, runs] of [
    ["completed", { status: "completed" }, true],
    ["completed", {}, true],
    ["cancelled", { status: "completed" }, true],
    ["cancelled", {}, false],
    ["cancelled", { status: "in_progress" }, false],
    ["incomplete", { status: "incomplete" }, false],
    ["failed", {}, false]
  ] as const) {
    const what = JSON.stringify({ status, output: [item] })
    it.scoped(`${runs ? "takes" : "abandons"} a call that only response.done lists, as in ${what}`, () =>
      Effect.gen(function* () {
        const { ran, tool } = counted()
        const h = yield* open(agentOf(tool), [])
        const listed = { type: "function_call", id: "item_9", call_id: "c1", name: "tool", arguments: "{}", ...item }
        yield* pushJson(h, { type: "response.created", response: { id: "r1", status: "in_progress", metadata: null } })
        yield* pushJson(h, { type: "response.done", response: { id: "r1", status, output: [listed] } })
        yield* h.first(runs ? "ToolSucceeded" : "ToolCallAbandoned")
        yield* later
        expect(ran).toHaveLength(runs ? 1 : 0)
        expect(h.all("ToolCallAbandoned")).toHaveLength(runs ? 0 : 1)
      })
    )
  }

  it.scoped("does not abandon a call that has run, though its cancelled response lists it without a status", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const h = yield* open(agentOf(tool), [])
      const listed = { type: "function_call", id: "item_9", call_id: "c1", name: "tool", arguments: "{}" }
      yield* pushJson(h, { type: "response.created", response: { id: "r1", status: "in_progress", metadata: null } })
      yield* pushJson(h, functionCall({ call_id: "c1" }))
      yield* pushJson(h, { type: "response.done", response: { id: "r1", status: "cancelled", output: [listed] } })
      yield* h.first("ResponseDone")
      yield* later
      expect(ran).toHaveLength(1)
      expect(h.all("ToolCallAbandoned")).toEqual([])
    })
  )

  it.scoped("takes a call for complete whose item says nothing of its status", () =>
    Effect.gen(function* () {
      const { tool } = counted()
      const h = yield* open(agentOf(tool), [])
      yield* pushJson(h, functionCall({ call_id: "c1", status: undefined }))
      yield* h.first("ToolSucceeded")
      expect(h.all("ToolCallAbandoned")).toEqual([])
    })
  )

  it.scoped("takes the item's id for an empty call id; without both it sends nothing, and publishes an error", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const h = yield* open(agentOf(tool), [])
      yield* pushJson(h, functionCall({ call_id: "" }))
      yield* h.first("ToolSucceeded")
      expect(yield* h.outputs).toEqual([outputFrame("item_9", "run 1")])
      yield* pushJson(h, functionCall({ call_id: "", id: "" }))
      yield* h.first("ProtocolViolation")
      yield* h.session.close
      expect(ran).toHaveLength(1)
      expect(yield* h.outputs).toHaveLength(1)
      const errors = [...(yield* Stream.runCollect(h.session.errors))]
      expect(errors.filter(({ _tag }) => _tag === "ProtocolViolation")).toHaveLength(1)
    })
  )
})
