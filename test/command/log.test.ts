import { describe, expect, it } from "@effect/vitest"
import { line } from "../../src/command/log.js"

describe("the log", () => {
  const done = {
    _tag: "Sent",
    connection: 1,
    event: {
      type: "response.done",
      response: {
        status: "completed",
        output: [
          { type: "message", content: [{ type: "output_audio", transcript: "One moment." }] },
          { type: "function_call", name: "get_weather", arguments: '{"city":"Paris"}' }
        ]
      }
    }
  } as const

  it("shows what a client wrote on one line, and does not obey it", () => {
    const text = "\u001b[2J\r\n#9 connected\u202e"
    const item = { type: "message", content: [{ type: "input_text", text }] }
    const event = { type: "conversation.item.create", item }
    expect(line({ _tag: "Received", connection: 1, event }, { colour: false })).toBe(
      String.raw`#1 user: \u001b[2J\u000d\u000a#9 connected\u202e`
    )
    expect(line({ _tag: "Connected", connection: 1, model: text }, { colour: false })).not.toContain("\u001b")
  })

  it("is readable without colour, and has none unless asked to", () => {
    expect(line(done, { colour: false })).toBe(
      '#1 response completed: says "One moment."; calls get_weather({"city":"Paris"})'
    )
    expect(line(done, { colour: true })).toContain("\u001b[32mcompleted\u001b[0m")
    // A frame is logged before it is refused: it may hold anything.
    const odd = { type: "conversation.item.create", item: { type: "function_call_output", output: { toString: 0 } } }
    expect(line({ _tag: "Received", connection: 1, event: odd }, { colour: false })).toBe('#1 output: {"toString":0}')
    expect(
      line({ ...done, event: { type: "response.done", response: { status: "failed", output: [] } } }, { colour: false })
    ).toBe("#1 response failed")
  })

  it("says why a response failed, behind what was said before", () => {
    const error = { type: "server_error", code: "server_error", message: "Nobody listens.\u001b[2J" }
    const failed = (output: ReadonlyArray<object>) => {
      const response = { status: "failed", status_details: { type: "failed", error }, output }
      return line({ ...done, event: { type: "response.done", response } }, { colour: false })
    }
    const reason = String.raw`server_error: Nobody listens.\u001b[2J`
    expect(failed([])).toBe(`#1 response failed: ${reason}`)
    expect(failed([{ type: "message", content: [{ type: "output_text", text: "One" }] }])).toBe(
      `#1 response failed: says "One"; ${reason}`
    )
  })
})
