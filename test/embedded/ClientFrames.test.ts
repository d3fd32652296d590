import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { read } from "../../src/embedded/ClientFrames.js"
import { numRuns } from "../runs.js"
import { connect } from "./client.js"

const valid: ReadonlyArray<Record<string, unknown>> = [
  {
    type: "session.update",
    session: { type: "realtime", instructions: "x", tools: [{ type: "function", name: "a" }] }
  },
  { type: "input_audio_buffer.append", audio: "AAAA" },
  { type: "input_audio_buffer.commit" },
  { type: "input_audio_buffer.clear" },
  {
    type: "conversation.item.create",
    item: { type: "message", role: "user", content: [{ type: "input_text", text: "x" }] }
  },
  { type: "conversation.item.create", item: { type: "function_call_output", call_id: "c", output: "x" } },
  { type: "conversation.item.retrieve", item_id: "i" },
  { type: "conversation.item.truncate", item_id: "i", content_index: 0, audio_end_ms: 0 },
  { type: "conversation.item.delete", item_id: "i" },
  { type: "response.create", response: { conversation: "none", metadata: { a: "b" }, input: [] } },
  { type: "response.cancel" }
]

/** A valid event with one of its fields, at any depth, replaced or removed. */
const mutated = fc
  .tuple(fc.constantFrom(...valid), fc.nat(), fc.oneof(fc.jsonValue(), fc.constant(undefined)))
  .map(([event, at, value]) => {
    let count = 0
    return JSON.stringify(event, (key, field: unknown) => {
      if (key === "") return field
      count += 1
      return count - 1 === at % 6 ? value : field
    })
  })

describe("read", () => {
  it.each(valid)("accepts $type", (event) => {
    expect(read(JSON.stringify({ event_id: "mine", ...event }))._tag).toBe("Accepted")
  })

  it("refuses an unknown field anywhere, by its path", () => {
    for (const event of valid) {
      expect(read(JSON.stringify({ ...event, novelty: 1 }))).toMatchObject({
        _tag: "Refused",
        refusal: { code: "unknown_parameter", param: "novelty" }
      })
    }
    expect(read('{"type":"session.update","session":{"type":"realtime","__proto__":{}}}')).toMatchObject({
      refusal: { code: "unknown_parameter", param: "session.__proto__" }
    })
  })

  it("is not misled by a value that cannot be turned into text", () => {
    for (const text of [
      '{"type":{"toString":0}}',
      '{"type":"conversation.item.create","item":{"type":{"toString":0}}}'
    ]) {
      expect(read(text)).toMatchObject({ _tag: "Refused", refusal: { code: "invalid_value" } })
    }
  })

  it("never throws, whatever the text", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), mutated), (text) => {
        const frame = read(text)
        if (frame._tag === "Refused") expect(frame.refusal.message).not.toBe("")
      }),
      { numRuns: numRuns(1_000) }
    )
  })
})

describe("the server", () => {
  it.effect("survives any event, and goes on answering", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.array(fc.oneof(fc.json(), mutated), { maxLength: 10 }), (texts) =>
          Effect.gen(function* () {
            const server = yield* EmbeddedRealtime.make({ mind: EmbeddedRealtime.script([]) })
            const client = yield* connect(server.model)
            for (const text of texts) {
              const json: unknown = JSON.parse(text)
              yield* client.sendRaw(typeof json === "object" && json !== null ? json : {})
            }
            // An event of a known type with a mark comes back last: nothing before it ended the connection.
            yield* client.sendRaw({ type: "conversation.item.retrieve", item_id: "nobody", event_id: "the end" })
            while (true) {
              const event = yield* client.take
              if (event.type === "error" && event.error.event_id === "the end") return
            }
          }).pipe(Effect.scoped, Effect.runPromise)
        ),
        { numRuns: numRuns(100) }
      )
    )
  )
})
