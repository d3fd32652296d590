import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import { vi } from "vitest"
import {
  decodeClientEvent,
  decodeServerFrame,
  defaultMaxFrameLength,
  encodeClientEvent,
  encodeServerEvent
} from "../../src/Protocol.js"
import { numRuns } from "../runs.js"
import { clientEvents, mutate, mutation, pathsOf, serverEvents } from "./arbitraries.js"

const frame = (event: unknown) => decodeServerFrame(JSON.stringify(event))

describe("decodeServerFrame", () => {
  it.each(serverEvents)("gives back %s as it was encoded", (_, events) => {
    fc.assert(
      fc.property(events, (event) => {
        expect(decodeServerFrame(encodeServerEvent(event))).toStrictEqual({ _tag: "Known", event })
      })
    )
  })

  it.each(serverEvents)("reads %s without its event id, and with a null in its place", (_, events) => {
    fc.assert(
      fc.property(events, ({ event_id, ...event }) => {
        expect(frame(event)._tag).toBe("Known")
        expect(frame({ ...event, event_id: null })._tag).toBe("Known")
      }),
      { numRuns: numRuns(20) }
    )
  })

  it("keeps fields that it does not know, at every depth", () => {
    const event = {
      type: "response.output_item.done",
      event_id: "event_1",
      response_id: "resp_1",
      output_index: 0,
      colour: "blue",
      item: { type: "function_call", id: "item_1", call_id: "call_1", name: "f", arguments: "{}", mood: { calm: true } }
    }
    expect(frame(event)).toStrictEqual({ _tag: "Known", event })
  })

  it("knows an event with a member that its enums do not list", () => {
    const response = { id: "resp_1", status: "paused", output_modalities: ["smell"], status_details: { reason: "tea" } }
    expect(frame({ type: "response.done", response })._tag).toBe("Known")
    expect(frame({ type: "rate_limits.updated", rate_limits: [{ name: "smiles", limit: 3 }] })._tag).toBe("Known")
  })

  it("knows an event with an item of a new kind, and one with a content part of a new kind", () => {
    const item = { type: "dance", id: "item_1", steps: [1, 2, 3] }
    expect(frame({ type: "conversation.item.added", item })).toStrictEqual({
      _tag: "Known",
      event: { type: "conversation.item.added", item }
    })
    const message = { type: "message", role: "assistant", content: [{ type: "output_video", frames: 7 }] }
    expect(frame({ type: "conversation.item.added", item: message })._tag).toBe("Known")
  })

  it("passes on an event of an unknown type, raw", () => {
    const event = { type: "response.output_video.delta", delta: "…" }
    expect(frame(event)).toStrictEqual({ _tag: "Unknown", type: event.type, event })
  })

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", ""])("does not know the type %j", (type) => {
    expect(frame({ type })).toStrictEqual({ _tag: "Unknown", type, event: { type } })
  })

  it("does not read a field from a key named __proto__", () => {
    expect(decodeServerFrame('{"__proto__":{"type":"input_audio_buffer.cleared"}}')._tag).toBe("Malformed")
  })

  it.each([
    ["", "The frame is not JSON."],
    ["{", "The frame is not JSON."],
    ["\u0000", "The frame is not JSON."],
    ["[]", "The frame is JSON, but not an object."],
    ["null", "The frame is JSON, but not an object."],
    ['"session.created"', "The frame is JSON, but not an object."],
    ["{}", "The frame has no type."],
    ['{"type":7}', "The frame has no type."]
  ])("says what is wrong with %j", (text, message) => {
    expect(decodeServerFrame(text)).toStrictEqual({
      _tag: "Malformed",
      violation: { type: undefined, path: undefined, message, excerpt: text }
    })
  })

  it("names the invalid field", () => {
    const delta = {
      type: "response.output_text.delta",
      response_id: "r",
      item_id: "i",
      output_index: 0,
      content_index: 0
    }
    expect(frame({ ...delta, delta: 5 })).toMatchObject({
      _tag: "Malformed",
      violation: { path: "delta", message: "response.output_text.delta: delta should be a string, but is 5." }
    })
    expect(frame(delta)).toMatchObject({
      _tag: "Malformed",
      violation: { message: "response.output_text.delta: delta is missing." }
    })
  })

  it("does not parse a frame of 20 MB, unless it is told to", () => {
    const text = JSON.stringify({ type: "input_audio_buffer.cleared", padding: "A".repeat(20_000_000) })
    const parse = vi.spyOn(JSON, "parse")
    try {
      const refused = decodeServerFrame(text)
      expect(parse).not.toHaveBeenCalled()
      expect(refused).toMatchObject({
        _tag: "Malformed",
        violation: { message: expect.stringContaining(`at most ${defaultMaxFrameLength}`) }
      })
      expect(decodeServerFrame(text, { maxFrameLength: text.length })._tag).toBe("Known")
      expect(decodeServerFrame(text, { maxFrameLength: text.length - 1 })._tag).toBe("Malformed")
    } finally {
      parse.mockRestore()
    }
  })

  it("parses a frame once", () => {
    const parse = vi.spyOn(JSON, "parse")
    try {
      frame({ type: "response.done", response: { status: 5, output: [{ type: "function_call", arguments: {} }] } })
      expect(parse).toHaveBeenCalledTimes(1)
    } finally {
      parse.mockRestore()
    }
  })

  it("takes any string without throwing", () => {
    const text = fc.oneof(fc.string(), fc.fullUnicodeString(), fc.string16bits(), fc.json())
    fc.assert(
      fc.property(text, (frame) => {
        expect(decodeServerFrame(frame)).toHaveProperty("_tag")
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("takes any JSON under any known type without throwing", () => {
    const type = fc.constantFrom(...serverEvents.map(([type]) => type))
    fc.assert(
      fc.property(type, fc.dictionary(fc.string(), fc.jsonValue()), (type, fields) => {
        expect(frame({ ...fields, type })).not.toMatchObject({ _tag: "Unknown" })
      }),
      { numRuns: numRuns(500) }
    )
  })

  it("accepts a type that cannot be converted to text", () => {
    const item = { type: { toString: 1, valueOf: 1 } }
    expect(frame({ type: "conversation.item.added", item })._tag).toBe("Malformed")
    expect(frame({ type: "response.done", response: { output: [item] } })).toMatchObject({
      _tag: "Salvaged",
      event: { response: { output: [] } }
    })
    const message = { type: "message", content: [item, { type: "output_text", text: "Hi" }] }
    expect(frame({ type: "conversation.item.added", item: message })).toMatchObject({
      _tag: "Salvaged",
      event: { item: { role: "assistant", content: [{}, { type: "output_text", text: "Hi" }] } }
    })
    const created = decodeClientEvent(JSON.stringify({ type: "conversation.item.create", item }))
    expect(Either.isLeft(created)).toBe(true)
  })

  it.each(["[", '{"a":'])("takes 20,000 levels of %s without throwing", (open) => {
    const close = open === "[" ? "]" : "}"
    const deep = `${open.repeat(20_000)}0${close.repeat(20_000)}`
    for (const field of ["response", "item", "session", "error", "delta", "event_id"]) {
      for (const [type] of serverEvents) {
        expect(decodeServerFrame(`{"type":"${type}","${field}":${deep}}`)).toHaveProperty("_tag")
      }
    }
    for (const type of ["conversation.item.added", "session.created"]) {
      const field = type === "session.created" ? "session" : "item"
      expect(decodeServerFrame(`{"type":"${type}","${field}":{"type":${deep}}}`)).toHaveProperty("_tag")
    }
    const call = `{"type":"response.done","response":{"output":[{"type":"function_call","name":"f","arguments":${deep}}]}}`
    expect(decodeServerFrame(call)).toMatchObject({
      _tag: "Salvaged",
      event: { response: { output: [{ name: "f", arguments: expect.stringMatching(/^\(/) }] } }
    })
  })

  it.each(serverEvents)("takes %s with any one field changed without throwing", (type, events) => {
    fc.assert(
      fc.property(events, fc.nat(), mutation, (event, index, change) => {
        const paths = pathsOf(event).filter(([key]) => key !== "type")
        const path = paths[index % Math.max(paths.length, 1)]
        const mutated = path === undefined ? event : mutate(event, path, change)
        const decoded = frame(mutated)
        expect(decoded._tag).not.toBe("Unknown")
        if (type === "response.done") expect(decoded._tag).not.toBe("Malformed")
      })
    )
  })
})

describe("decodeClientEvent", () => {
  it.each(clientEvents)("gives back %s as it was encoded", (_, events) => {
    fc.assert(
      fc.property(events, (event) => {
        expect(decodeClientEvent(encodeClientEvent(event))).toStrictEqual(Either.right(event))
      })
    )
  })

  it.each([
    ["not JSON", "{", undefined, "The frame is not JSON."],
    [
      "an unknown type",
      { type: "session.destroy" },
      "type",
      "'session.destroy' is not a client event. Send one of session.update"
    ],
    ["a prototype's name", { type: "__proto__" }, "type", "is not a client event"],
    ["a missing field", { type: "input_audio_buffer.append" }, "audio", "input_audio_buffer.append: audio is missing."],
    [
      "null where the field may only be absent",
      { type: "response.cancel", response_id: null },
      "response_id",
      "response.cancel: response_id should be a string, but is null."
    ],
    [
      "a member that an enum does not list",
      { type: "session.update", session: { type: "realtime", output_modalities: ["smell"] } },
      "session.output_modalities[0]",
      'should be "text" or "audio", but is "smell"'
    ],
    [
      "a call without arguments",
      { type: "conversation.item.create", item: { type: "function_call", name: "f" } },
      "item.arguments",
      "item.arguments is missing"
    ],
    [
      "an item of an unknown kind",
      { type: "conversation.item.create", item: { type: "dance" } },
      "item.type",
      'item.type should be "message" or'
    ],
    [
      "a time that is not whole",
      { type: "conversation.item.truncate", item_id: "i", content_index: 0, audio_end_ms: 0.5 },
      "audio_end_ms",
      "audio_end_ms should be an integer, but is 0.5"
    ]
  ])("refuses %s, and names the field", (_, event, path, message) => {
    const decoded = decodeClientEvent(typeof event === "string" ? event : JSON.stringify(event))
    expect(Either.flip(decoded)).toMatchObject(Either.right({ path, message: expect.stringContaining(message) }))
  })

  it("takes any string without throwing", () => {
    const text = fc.oneof(fc.string16bits(), fc.json())
    fc.assert(
      fc.property(text, (frame) => {
        expect(Either.isEither(decodeClientEvent(frame))).toBe(true)
      }),
      { numRuns: numRuns(300) }
    )
  })
})
