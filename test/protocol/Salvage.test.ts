import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { decodeServerFrame } from "../../src/Protocol.js"
import { numRuns } from "../runs.js"
import { mutate, mutation, pathsOf, serverEvent } from "./arbitraries.js"

const frame = (event: unknown) => decodeServerFrame(JSON.stringify(event))

const salvaged = (event: unknown) => ({ _tag: "Salvaged", event, violation: expect.anything() })

const call = { type: "function_call", id: "item_1", call_id: "call_1", name: "f", arguments: "{}", status: "completed" }

const done = (response: unknown) => ({ type: "response.done", event_id: "event_1", response })

describe("Salvage", () => {
  it("leaves out what has the wrong type, and says so", () => {
    expect(
      frame(done({ id: "resp_1", status: 5, output: [call], usage: { total_tokens: 9, input_tokens: "4" } }))
    ).toEqual({
      _tag: "Salvaged",
      event: done({ id: "resp_1", output: [call], usage: { total_tokens: 9 } }),
      violation: {
        type: "response.done",
        path: "response.status",
        message: "response.done: response.status should be a string or null, but is 5.",
        excerpt: expect.stringContaining('"status":5')
      }
    })
  })

  it.each([
    ["without a response", { type: "response.done" }],
    ["with a response that is a string", { type: "response.done", response: "resp_1" }],
    ["with a response that is a list", { type: "response.done", response: [1] }]
  ])("keeps the end of a response %s", (_, event) => {
    expect(frame(event)).toEqual(salvaged({ type: "response.done", response: {} }))
  })

  it("keeps the pairs of metadata that are text", () => {
    const metadata = { ours: "1", count: 2 }
    expect(frame(done({ id: "resp_1", metadata }))).toEqual(salvaged(done({ id: "resp_1", metadata: { ours: "1" } })))
  })

  it("drops the items of a response that cannot be repaired, and keeps the others", () => {
    const output = [7, call, { type: "function_call_output" }, { type: "dance", id: "item_2" }, { id: "item_3" }]
    expect(frame(done({ output }))).toEqual(salvaged(done({ output: [call, { type: "dance", id: "item_2" }] })))
  })

  it.each([[{ city: "Oslo", days: [1, 2] }], [["Oslo"]], [5], [true]])(
    "turns arguments that are %j into text",
    (args) => {
      const event = { type: "response.output_item.done", response_id: "resp_1", output_index: 0 }
      expect(frame({ ...event, item: { ...call, arguments: args } })).toEqual(
        salvaged({ ...event, item: { ...call, arguments: JSON.stringify(args) } })
      )
    }
  )

  it("keeps a call without a name, arguments or a usable call id, so that it can be answered", () => {
    const event = { type: "response.output_item.done", response_id: "resp_1", output_index: 0 }
    expect(frame({ ...event, item: { type: "function_call", id: "item_1", call_id: 7 } })).toEqual(
      salvaged({ ...event, item: { type: "function_call", id: "item_1", name: "", arguments: "" } })
    )
  })

  it("keeps a finished item whose position is not given", () => {
    expect(frame({ type: "response.output_item.done", item: call })).toEqual(
      salvaged({ type: "response.output_item.done", response_id: "", output_index: 0, item: call })
    )
  })

  it.each([
    [[{ type: "input_text", text: "Hi" }, 7], "user", [{ type: "input_text", text: "Hi" }]],
    [[{ type: "output_text", text: "Hi" }], "assistant", [{ type: "output_text", text: "Hi" }]],
    ["Hi", "assistant", []]
  ])("keeps a message without a role: %j", (content, role, kept) => {
    const item = { type: "message", id: "item_1" }
    expect(frame({ type: "conversation.item.added", item: { ...item, content } })).toEqual(
      salvaged({ type: "conversation.item.added", item: { ...item, role, content: kept } })
    )
  })

  it.each([
    [
      { id: "sess_1", audio: { input: 7 } },
      { type: "realtime", id: "sess_1", audio: {} }
    ],
    [{ type: "transcription", id: 7 }, { type: "transcription" }],
    [null, { type: "realtime" }]
  ])("keeps a session that reads %j", (session, kept) => {
    expect(frame({ type: "session.created", session })).toEqual(salvaged({ type: "session.created", session: kept }))
  })

  it.each([
    ["boom", { type: "unknown", message: "boom" }],
    [
      { message: "boom", code: 500, event_id: "event_1" },
      { type: "unknown", message: "boom", event_id: "event_1" }
    ],
    [{ type: "server_error" }, { type: "server_error", message: "" }],
    [null, { type: "unknown", message: "" }]
  ])("keeps an error that reads %j", (error, kept) => {
    expect(frame({ type: "error", error })).toEqual(salvaged({ type: "error", error: kept }))
  })

  it("keeps the edges of speech", () => {
    expect(frame({ type: "input_audio_buffer.speech_started", item_id: 5 })).toEqual(
      salvaged({ type: "input_audio_buffer.speech_started", item_id: "", audio_start_ms: 0 })
    )
    expect(frame({ type: "input_audio_buffer.speech_stopped", item_id: "item_1" })).toEqual(
      salvaged({ type: "input_audio_buffer.speech_stopped", item_id: "item_1", audio_end_ms: 0 })
    )
  })

  it.each([
    { type: "conversation.item.added" },
    { type: "conversation.item.done", item: 7 },
    { type: "response.output_item.done", item: { type: "mcp_approval_request", name: "f", arguments: "{}" } },
    { type: "response.output_text.done", response_id: "resp_1" }
  ])("makes nothing up: %j", (event) => {
    expect(frame(event)._tag).toBe("Malformed")
  })

  it("never loses the id of a call in a response to a change elsewhere in the event", () => {
    fc.assert(
      fc.property(serverEvent("response.done"), fc.nat(), mutation, (event, index, change) => {
        if (event.type !== "response.done") return
        const withCall = { ...event, response: { ...event.response, output: [call] } }
        const paths = pathsOf(withCall).filter((path) => path.length > 1 && path[1] !== "output")
        const path = paths[index % Math.max(paths.length, 1)]
        const decoded = frame(path === undefined ? withCall : mutate(withCall, path, change))
        expect(decoded).toMatchObject({ event: { type: "response.done", response: { output: [call] } } })
      }),
      { numRuns: numRuns(300) }
    )
  })
})
