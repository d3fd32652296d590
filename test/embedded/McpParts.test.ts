import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { connect } from "./client.js"

const { mcpApprovalRequest, mcpCall, mcpListTools, say, script } = EmbeddedRealtime

const start = (turns: ReadonlyArray<EmbeddedRealtime.Turn>, options: EmbeddedRealtime.Options = {}) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make({ ...options, mind: script(turns) })
    const client = yield* connect(server.model)
    yield* client.send({ type: "response.create" })
    yield* client.until("rate_limits.updated")
    return { client, connection: yield* server.connection }
  })

describe("mcpListTools", () => {
  it.scoped("puts the tools into the conversation, beside the response's output", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start([[mcpListTools("docs", [{ name: "search", description: "Finds." }])]])
      const added = yield* client.take
      expect(added).toMatchObject({ item: { type: "mcp_list_tools", server_label: "docs", tools: [] } })
      expect(yield* client.typesUntil("mcp_list_tools.completed")).toEqual([
        "mcp_list_tools.in_progress",
        "mcp_list_tools.completed"
      ])
      const { item } = yield* client.until("conversation.item.done")
      expect(item).toMatchObject({
        tools: [{ name: "search", description: "Finds.", input_schema: { type: "object" } }]
      })
      expect((yield* client.until("response.done")).response.output).toEqual([])
      expect(yield* connection.conversation).toMatchObject([{ type: "mcp_list_tools", tools: [{ name: "search" }] }])
    })
  )

  it.scoped("may fail", () =>
    Effect.gen(function* () {
      const { client } = yield* start([[mcpListTools("docs", "failed")]])
      const progress = yield* client.until("mcp_list_tools.in_progress")
      expect((yield* client.until("mcp_list_tools.failed")).item_id).toBe(progress.item_id)
    })
  )
})

describe("mcpCall", () => {
  it.scoped("sends its arguments in pieces, then that it runs, then how it ended", () =>
    Effect.gen(function* () {
      const { client } = yield* start([
        [mcpCall("docs", "search", { q: "tides" }, { output: "Two a day." }), say("Twice.")]
      ])
      expect(yield* client.typesUntil("conversation.item.done")).toEqual([
        "response.output_item.added",
        "conversation.item.added",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.delta",
        "response.mcp_call_arguments.done",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed",
        "response.output_item.done",
        "conversation.item.done"
      ])
      expect((yield* client.until("response.done")).response.output).toMatchObject([
        {
          type: "mcp_call",
          server_label: "docs",
          name: "search",
          arguments: '{"q":"tides"}',
          output: "Two a day.",
          error: null,
          approval_request_id: null
        },
        { type: "message" }
      ])
    })
  )

  it.scoped("may fail, with an error of the tool or of the connection to it", () =>
    Effect.gen(function* () {
      const error = { type: "http_error", code: 502, message: "Bad gateway" } as const
      const { client } = yield* start([[mcpCall("docs", "search", {}, { error })]])
      yield* client.until("response.mcp_call.failed")
      expect((yield* client.until("conversation.item.done")).item).toMatchObject({ error, output: null })
    })
  )

  it.scoped("that is cut off by a cancel gave neither an output nor an error", () =>
    Effect.gen(function* () {
      const { client } = yield* start([[mcpCall("docs", "search", {}, { output: "late" })]], { pace: "1 second" })
      // One second to begin, one for the arguments; the call itself would take another.
      yield* TestClock.adjust("2 seconds")
      yield* client.until("response.mcp_call.in_progress")
      yield* client.send({ type: "response.cancel" })
      expect((yield* client.until("response.output_item.done")).item).toMatchObject({ output: null, error: null })
      expect((yield* client.until("response.done")).response.status).toBe("cancelled")
      yield* TestClock.adjust("1 minute")
      expect(client.connection.frames).toHaveLength(0)
    })
  )

  it.scoped("can be retrieved while it runs", () =>
    Effect.gen(function* () {
      const { client } = yield* start([[mcpCall("docs", "search", {}, { output: "late" })]], { pace: "1 second" })
      yield* TestClock.adjust("2 seconds")
      const { item_id } = yield* client.until("response.mcp_call.in_progress")
      yield* client.send({ type: "conversation.item.retrieve", item_id })
      expect((yield* client.until("conversation.item.retrieved")).item).toMatchObject({ arguments: "{}", output: null })
    })
  )
})

describe("mcpApprovalRequest", () => {
  const asked = (result: EmbeddedRealtime.McpResult = { output: "paid" }) =>
    Effect.gen(function* () {
      const started = yield* start([[mcpApprovalRequest("shop", "pay", { amount: 3 }, result)], [say("Well.")]])
      const { item } = yield* started.client.until("conversation.item.done")
      expect(item).toMatchObject({ type: "mcp_approval_request", server_label: "shop", arguments: '{"amount":3}' })
      const { response } = yield* started.client.until("response.done")
      expect(response.output).toMatchObject([{ type: "mcp_approval_request", id: item.id }])
      const decide = (approve: boolean, approval_request_id = item.id ?? "") =>
        started.client.sendRaw({
          type: "conversation.item.create",
          item: { type: "mcp_approval_response", approval_request_id, approve }
        })
      return { ...started, decide, requestId: item.id }
    })

  it.scoped("runs the call once it is approved, beside the responses; the client asks for the next one", () =>
    Effect.gen(function* () {
      const { client, connection, decide, requestId } = yield* asked()
      yield* decide(true)
      expect(yield* client.typesUntil("response.mcp_call.completed")).toEqual([
        "conversation.item.added",
        "conversation.item.done",
        "conversation.item.added",
        "response.mcp_call.in_progress",
        "response.mcp_call.completed"
      ])
      const paid = { type: "mcp_call", name: "pay", output: "paid", error: null, approval_request_id: requestId }
      expect((yield* client.until("conversation.item.done")).item).toMatchObject(paid)
      yield* client.send({ type: "response.create" })
      yield* client.until("response.done")
      expect(yield* connection.conversation).toMatchObject([
        { type: "mcp_approval_request" },
        { type: "mcp_approval_response", approve: true },
        paid,
        { type: "message" }
      ])
    })
  )

  it.scoped("may give an error in the end", () =>
    Effect.gen(function* () {
      const error = { type: "tool_execution_error", message: "no money" } as const
      const { client, decide } = yield* asked({ error })
      yield* decide(true)
      yield* client.until("response.mcp_call.failed")
      expect((yield* client.until("conversation.item.done")).item).toMatchObject({ error, output: null })
    })
  )

  it.scoped("leads to nothing when it is rejected", () =>
    Effect.gen(function* () {
      const { client, connection, decide } = yield* asked()
      yield* decide(false)
      yield* client.until("conversation.item.done")
      yield* client.send({ type: "response.create" })
      expect(yield* client.typesUntil("response.done")).not.toContain("response.mcp_call.in_progress")
      expect((yield* connection.conversation).map(({ type }) => type)).toEqual([
        "mcp_approval_request",
        "mcp_approval_response",
        "message"
      ])
    })
  )

  it.scoped("takes one answer to what it asked", () =>
    Effect.gen(function* () {
      const { client, decide, requestId } = yield* asked()
      yield* decide(true, "nobody")
      expect((yield* client.until("error")).error.message).toBe(
        "Approval request with id 'nobody' not found in conversation."
      )
      yield* decide(true)
      yield* client.until("response.mcp_call.completed")
      yield* decide(true)
      expect((yield* client.until("error")).error).toMatchObject({
        message: `Approval request with id '${requestId}' was answered already.`,
        param: "item.approval_request_id"
      })
    })
  )
})
