import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import type { ClientEvent } from "../../src/protocol/ClientEvent.js"
import type { Dialect } from "../../src/realtimeModel/Dialect.js"
import * as dialect from "../../src/xai/dialect.js"

/** The events that the session gets of this message. */
const read = (grok: Dialect, message: object) => {
  const { frames, send } = grok.read(JSON.stringify(message), {})
  expect(send).toEqual([])
  return frames.map((frame) => ("event" in frame ? frame.event : frame))
}

const write = (grok: Dialect, event: ClientEvent) => {
  const { frames, send } = grok.write(event)
  return { sent: send.map((text): unknown => JSON.parse(text)), frames }
}

const created = (id: string) => ({ type: "response.created", response: { id, status: "in_progress", output: [] } })

describe("What a session sends to Grok", () => {
  it("has the voice and the turn detection at the top level of the settings", () => {
    const { sent } = write(dialect.make(), {
      type: "session.update",
      event_id: "upd_1",
      session: {
        type: "realtime",
        instructions: "Be brief.",
        audio: {
          input: {
            format: { type: "audio/pcm", rate: 24_000 },
            turn_detection: { type: "server_vad", threshold: 0.7 }
          },
          output: { format: { type: "audio/pcmu" }, voice: "ara" }
        }
      }
    })
    expect(sent).toEqual([
      {
        type: "session.update",
        event_id: "upd_1",
        session: {
          type: "realtime",
          instructions: "Be brief.",
          voice: "ara",
          turn_detection: { type: "server_vad", threshold: 0.7 },
          audio: { input: { format: { type: "audio/pcm", rate: 24_000 } }, output: { format: { type: "audio/pcmu" } } }
        }
      }
    ])
  })

  it("turns detection off with null, and says nothing of what the settings do not name", () => {
    const session = { type: "realtime", audio: { input: { turn_detection: null } } } as const
    expect(write(dialect.make(), { type: "session.update", session }).sent).toEqual([
      { type: "session.update", session: { type: "realtime", turn_detection: null, audio: { input: {} } } }
    ])
    expect(write(dialect.make(), { type: "session.update", session: { type: "realtime", tools: [] } }).sent).toEqual([
      { type: "session.update", session: { type: "realtime", tools: [] } }
    ])
  })
})

describe("What a session gets of Grok", () => {
  it("has no ping", () => {
    expect(read(dialect.make(), { type: "ping", timestamp: 1 })).toEqual([])
  })

  it("has the settings where OpenAI has them", () => {
    const session = {
      type: "realtime",
      voice: "ara",
      turn_detection: { type: "server_vad" },
      audio: { output: { speed: 1 } }
    }
    expect(read(dialect.make(), { type: "session.updated", session })).toEqual([
      {
        type: "session.updated",
        session: {
          type: "realtime",
          audio: { input: { turn_detection: { type: "server_vad" } }, output: { speed: 1, voice: "ara" } }
        }
      }
    ])
  })

  it("has no usage where Grok's is empty", () => {
    const response = { id: "resp_1", status: "completed", output: [], usage: {} }
    expect(read(dialect.make(), { type: "response.done", response })).toMatchObject([{ response: { usage: null } }])
  })

  it("has the deleted item that was asked for longest, where Grok names none", () => {
    const grok = dialect.make()
    for (const id of ["item_1", "item_2", "item_3"]) {
      write(grok, { type: "conversation.item.delete", event_id: `del_${id}`, item_id: id })
    }
    read(grok, { type: "error", error: { type: "invalid_request_error", message: "No.", event_id: "del_item_2" } })
    const deleted = { type: "conversation.item.deleted", item_id: "" }
    expect(read(grok, deleted)).toMatchObject([{ item_id: "item_1" }])
    expect(read(grok, deleted)).toMatchObject([{ item_id: "item_3" }])
  })

  it("has the response of the call's item, where the end of its arguments names none", () => {
    const grok = dialect.make()
    const item = { id: "item_1", type: "function_call", name: "f", call_id: "c".repeat(43), arguments: "" }
    read(grok, created("resp_1"))
    read(grok, { type: "response.output_item.added", response_id: "resp_1", output_index: 0, item })
    const done = { type: "response.function_call_arguments.done", item_id: "item_1", output_index: 0, arguments: "{}" }
    expect(read(grok, done)).toMatchObject([{ response_id: "resp_1", item_id: "item_1" }])
    // An item that nobody announced: what is active is the best guess.
    expect(read(grok, { ...done, item_id: "item_9" })).toMatchObject([{ response_id: "resp_1" }])
  })

  it("has an end of a response that the user interrupted, once, at the latest when the turn is over", () => {
    const grok = dialect.make()
    read(grok, created("resp_1"))
    expect(
      read(grok, { type: "input_audio_buffer.speech_started", item_id: "item_2", audio_start_ms: 1 })
    ).toHaveLength(1)
    const stopped = { type: "input_audio_buffer.speech_stopped", item_id: "item_2", audio_end_ms: 2 }
    expect(read(grok, stopped)).toMatchObject([
      {
        type: "response.done",
        response: { id: "resp_1", status: "cancelled", status_details: { reason: "turn_detected" } }
      },
      { type: "input_audio_buffer.speech_stopped" }
    ])
    expect(read(grok, { type: "input_audio_buffer.committed", item_id: "item_2" })).toHaveLength(1)
  })

  it("has an end of a response that another one follows", () => {
    const grok = dialect.make()
    read(grok, created("resp_1"))
    expect(read(grok, created("resp_2"))).toMatchObject([
      { type: "response.done", response: { id: "resp_1" } },
      { type: "response.created" }
    ])
  })

  it("has an end of a response that the session cancels", () => {
    const grok = dialect.make()
    read(grok, created("resp_1"))
    const { frames, sent } = write(grok, { type: "response.cancel", response_id: "resp_1" })
    expect(sent).toHaveLength(1)
    expect(frames).toMatchObject([
      { event: { type: "response.done", response: { id: "resp_1", status: "cancelled" } } }
    ])
    expect(write(grok, { type: "response.cancel", response_id: "resp_1" }).frames).toEqual([])
  })

  it("has no end of a response that goes on while the user speaks", () => {
    const grok = dialect.make()
    const audio = { input: { turn_detection: { type: "server_vad", interrupt_response: false } } } as const
    write(grok, { type: "session.update", session: { type: "realtime", audio } })
    read(grok, created("resp_1"))
    read(grok, { type: "input_audio_buffer.speech_started", item_id: "item_2", audio_start_ms: 1 })
    expect(read(grok, { type: "input_audio_buffer.committed", item_id: "item_2" })).toHaveLength(1)
  })

  it("never fails, whatever Grok sends", () => {
    const types = [
      "ping",
      "session.updated",
      "response.created",
      "response.done",
      "response.output_item.added",
      "response.function_call_arguments.done",
      "conversation.item.deleted",
      "error",
      "input_audio_buffer.speech_started",
      "input_audio_buffer.committed"
    ]
    const message = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .tuple(
          fc.constantFrom(...types),
          fc.dictionary(fc.constantFrom("session", "response", "item", "item_id", "error"), fc.jsonValue())
        )
        .map(([type, rest]) => JSON.stringify({ ...rest, type }))
    )
    fc.assert(
      fc.property(fc.array(message, { maxLength: 12 }), (messages) => {
        const grok = dialect.make()
        for (const text of messages) {
          for (const frame of grok.read(text, {}).frames) expect(frame._tag).toMatch(/Known|Salvaged|Unknown|Malformed/)
        }
      }),
      { numRuns: 300 }
    )
  })
})
