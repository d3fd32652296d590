import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { ServerConversation } from "../../src/embedded/ServerConversation.js"
import type { ServerItem } from "../../src/embedded/ServerItem.js"
import { tokensOfItems } from "../../src/embedded/Usage.js"
import { numRuns } from "../runs.js"

const said = (id: string, role: "user" | "assistant", text: string): ServerItem => ({
  id,
  object: "realtime.item",
  type: "message",
  role,
  status: "completed",
  content: [role === "user" ? { type: "input_audio", transcript: text } : { type: "output_audio", transcript: text }]
})

const called = (id: string, callId: string): ServerItem => ({
  id,
  object: "realtime.item",
  type: "function_call",
  status: "completed",
  name: "look",
  call_id: callId,
  arguments: "{}"
})

const approved = (id: string, requestId: string): ServerItem => ({
  id,
  type: "mcp_approval_response",
  approval_request_id: requestId,
  approve: true
})

const asked = (id: string): ServerItem => ({
  id,
  type: "mcp_approval_request",
  server_label: "wiki",
  name: "look",
  arguments: "{}"
})

const id = fc.integer({ min: 1, max: 5 }).map((n) => `item_${n}`)
const callId = fc.constantFrom("call_1", "call_2")
const text = fc.string({ maxLength: 30 })
const item = fc.oneof(
  fc
    .tuple(id, fc.constantFrom("user" as const, "assistant" as const), text)
    .map(([id, role, text]) => said(id, role, text)),
  fc.tuple(id, callId).map(([id, callId]) => called(id, callId)),
  fc.tuple(id, id).map(([id, requestId]) => approved(id, requestId)),
  id.map(asked)
)
const change = fc.oneof(
  fc.record({
    _tag: fc.constant("Create" as const),
    item,
    previous: fc.oneof(fc.constantFrom(null, undefined, "root"), id)
  }),
  fc.record({ _tag: fc.constant("Replace" as const), id, text }),
  fc.record({ _tag: fc.constant("Delete" as const), id }),
  fc.record({ _tag: fc.constant("Spoken" as const), id, ms: fc.integer({ min: 1, max: 3_000 }) }),
  fc.record({ _tag: fc.constant("Truncate" as const), id, ms: fc.integer({ min: 0, max: 3_000 }) })
)

/** What the list alone says of all that is counted and indexed. */
const derived = (conversation: ServerConversation) => {
  const items = conversation.snapshot()
  return {
    last: items.at(-1)?.id ?? null,
    previous: items.map((_, index) => items[index - 1]?.id ?? null),
    calls: ["call_1", "call_2"].map((callId) =>
      items.some((item) => item.type === "function_call" && item.call_id === callId)
    ),
    tokens: tokensOfItems(items, (id) => conversation.audioMs(id))
  }
}

const answered = (items: ReadonlyArray<ServerItem>, requestId: string) =>
  items.some((item) => item.type === "mcp_approval_response" && item.approval_request_id === requestId)

describe("ServerConversation", () => {
  it("counts and finds, after each change, what its list has", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40, size: "max" }), (changes) => {
        const conversation = new ServerConversation()
        for (const change of changes) {
          const before = conversation.snapshot()
          const copy = [...before]
          switch (change._tag) {
            case "Create": {
              if (conversation.refuse(change.item, change.previous) !== undefined) break
              const previous = conversation.insert(change.item, change.previous)
              const at = previous === null ? 0 : copy.findIndex(({ id }) => id === previous) + 1
              expect(conversation.snapshot()).toEqual(copy.toSpliced(at, 0, change.item))
              if (change.previous === "root") expect(at).toBe(0)
              else expect(previous).toBe(change.previous ?? copy.at(-1)?.id ?? null)
              break
            }
            case "Replace": {
              const known = conversation.get(change.id)
              if (known?.type !== "message" || known.role === "system") break
              conversation.replace(said(known.id, known.role, change.text))
              break
            }
            case "Delete":
              expect(conversation.delete(change.id)).toBe(copy.some(({ id }) => id === change.id))
              expect(conversation.snapshot()).toEqual(copy.filter(({ id }) => id !== change.id))
              break
            case "Spoken":
              conversation.spoken(change.id, change.ms)
              break
            case "Truncate":
              conversation.truncate(change.id, 0, change.ms)
              break
          }
          expect(before, "a list that was given out stays as it was").toEqual(copy)
          const items = conversation.snapshot()
          expect({
            last: conversation.last,
            previous: items.map(({ id }) => conversation.previousOf(id)),
            calls: ["call_1", "call_2"].map((callId) => conversation.call(callId) !== undefined),
            tokens: conversation.tokens
          }).toEqual(derived(conversation))
          for (const request of items.filter(({ type }) => type === "mcp_approval_request")) {
            const refused = conversation.refuse(approved("item_new", request.id), undefined)
            expect(refused !== undefined).toBe(answered(items, request.id))
          }
        }
      }),
      { numRuns: numRuns(2000) }
    )
  })

  it("lists an item once whose id the client took from a turn that was announced", () => {
    const conversation = new ServerConversation()
    conversation.insert(said("item_1", "user", "Hello"), undefined)
    conversation.insert(said("item_2", "assistant", "Hi"), undefined)
    conversation.insert(said("item_1", "user", "Hello again"), undefined)
    expect(conversation.snapshot().map(({ id }) => id)).toEqual(["item_2", "item_1"])
    expect(conversation.tokens).toEqual(derived(conversation).tokens)
  })

  it("knows what the response that made an item had seen, and what was put between others later", () => {
    const conversation = new ServerConversation()
    conversation.insert(said("item_1", "user", "Hello"), undefined)
    const seen = conversation.arrivals
    conversation.insert(said("item_2", "user", "Still there?"), undefined)
    conversation.insert(said("item_3", "assistant", "Hi"), undefined, seen)
    conversation.insert(said("item_4", "user", "Before that"), "item_1")
    conversation.insert(said("item_5", "user", "First"), "root")
    conversation.insert(said("item_6", "assistant", "The client's"), undefined)
    const unseenBy = (made: string) =>
      conversation.snapshot().flatMap(({ id }) => (conversation.hasSeen(made, id) ? [] : [id]))
    expect(unseenBy("item_3")).toEqual(["item_2", "item_3", "item_6"])
    expect(unseenBy("item_6")).toEqual([])
    conversation.hasFailed("item_3")
    expect(unseenBy("item_3")).toEqual(["item_1", "item_2", "item_3", "item_6"])
  })
})

describe("What was heard of a message that was cut", () => {
  const spoken = (transcript: string): ServerItem => ({
    id: "item_1",
    object: "realtime.item",
    type: "message",
    role: "assistant",
    status: "completed",
    content: [{ type: "output_audio", transcript }]
  })

  /** A message of one second. */
  const conversationWith = (transcript: string): ServerConversation => {
    const conversation = new ServerConversation()
    conversation.insert(spoken(transcript), undefined)
    conversation.spoken("item_1", 1_000)
    return conversation
  }

  it.each([
    [1_000, "One two three four"],
    [999, "One two three"],
    [500, "One two"],
    [100, ""],
    [0, ""]
  ])("at %s of 1,000 ms: %j", (ms, heard) => {
    const conversation = conversationWith("One two three four")
    expect(conversation.heardOf("item_1")).toBeUndefined()
    conversation.truncate("item_1", 0, ms)
    expect(conversation.heardOf("item_1")).toBe(heard)
    expect(conversation.snapshot()).toEqual([spoken("")])
  })

  it("becomes less with the next cut, and is no longer than what was said by then", () => {
    const conversation = conversationWith("")
    conversation.truncate("item_1", 0, 800)
    expect(conversation.heardOf("item_1")).toBe("")
    // It was still being said: its words are known in the end.
    conversation.replace(spoken("One two three four"))
    expect(conversation.heardOf("item_1")).toBe("One two three")
    conversation.truncate("item_1", 0, 500)
    expect(conversation.heardOf("item_1")).toBe("One two")
  })

  it("is forgotten with the message", () => {
    const conversation = conversationWith("One two three four")
    conversation.truncate("item_1", 0, 500)
    const length = conversation.length
    conversation.delete("item_1")
    expect(conversation.heardOf("item_1")).toBeUndefined()
    expect(conversation.length).toBeLessThan(length)
  })
})
