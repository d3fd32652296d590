import { describe, expect, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { pcmu } from "../../src/audio/Format.js"
import { ConversationMirror } from "../../src/machine/Conversation.js"
import type { Item } from "../../src/protocol/Item.js"
import { numRuns } from "../runs.js"

const message = (id: string, text = "", role = "assistant"): Item => ({
  type: "message",
  id,
  role,
  status: "in_progress",
  content: text === "" ? [] : [{ type: "output_text", text }]
})

const ids = (mirror: ConversationMirror) => mirror.snapshot().items.map(({ id }) => id)

describe("Conversation", () => {
  it("keeps the server's order, also where an item is put between others or moved later", () => {
    const mirror = new ConversationMirror()
    mirror.put(message("a"), undefined)
    mirror.put(message("c"), "a")
    mirror.put(message("b"), "a")
    expect(ids(mirror)).toEqual(["a", "b", "c"])
    mirror.put(message("b"), "c")
    expect(ids(mirror)).toEqual(["a", "c", "b"])
  })

  it("puts an item last whose predecessor it does not know", () => {
    const mirror = new ConversationMirror()
    mirror.put(message("a"), undefined)
    mirror.put(message("b"), "nobody")
    expect(ids(mirror)).toEqual(["a", "b"])
  })

  it("puts an item that it learns of late before the one that follows it, as what is said to nobody may be", () => {
    const mirror = new ConversationMirror()
    mirror.put(message("a"), undefined)
    mirror.put(message("c"), "b")
    mirror.put(message("d"), "c")
    mirror.put(message("b"), undefined)
    expect(ids(mirror)).toEqual(["a", "b", "c", "d"])
    // The server says so again, when the item is complete.
    mirror.put(message("c"), "b")
    expect(ids(mirror)).toEqual(["a", "b", "c", "d"])
  })

  it("does so also where the one that follows it was known before, without its place", () => {
    const mirror = new ConversationMirror()
    for (const id of ["a", "c", "d"]) mirror.put(message(id), undefined)
    mirror.put(message("c"), "b")
    mirror.put(message("b"), undefined)
    expect(ids(mirror)).toEqual(["a", "b", "c", "d"])
  })

  it("keeps a text that a later update lacks, and takes one that differs", () => {
    const mirror = new ConversationMirror()
    mirror.put(message("a"), undefined)
    mirror.append("a", 0, "Audio", "Hel")
    mirror.append("a", 0, "Audio", "lo")
    mirror.put(
      { type: "message", id: "a", role: "assistant", status: "completed", content: [{ type: "output_audio" }] },
      undefined
    )
    expect(mirror.get("a")).toMatchObject({ status: "completed", content: [{ _tag: "Audio", transcript: "Hello" }] })
    mirror.replace("a", 0, "Audio", "Hello!")
    expect(mirror.get("a")).toMatchObject({ content: [{ transcript: "Hello!" }] })
  })

  it("keeps a transcript that comes before its item", () => {
    const mirror = new ConversationMirror()
    mirror.replace("u", 0, "Audio", "Hello?")
    mirror.put({ type: "message", id: "u", role: "user", content: [{ type: "input_audio" }] }, undefined)
    expect(mirror.get("u")).toMatchObject({ content: [{ _tag: "Audio", transcript: "Hello?" }] })
  })

  it("ignores what is said of items that it does not know, and items without an id", () => {
    const mirror = new ConversationMirror()
    mirror.append("nobody", 0, "Text", "x")
    mirror.replace("nobody", 0, "Text", "x")
    expect(mirror.put({ type: "message", role: "user", content: [] }, undefined)).toBeUndefined()
    expect(mirror.remove("nobody")).toBe(false)
    expect(mirror.snapshot()).toEqual({ items: [] })
  })

  it("has another version, and another snapshot, exactly when something changed", () => {
    const mirror = new ConversationMirror()
    const isNewAfter = (act: () => void): boolean => {
      const before = { version: mirror.version(), snapshot: mirror.snapshot() }
      act()
      const isNew = mirror.version() !== before.version
      expect(mirror.snapshot() !== before.snapshot).toBe(isNew)
      return isNew
    }
    expect(isNewAfter(() => mirror.put(message("a"), undefined))).toBe(true)
    expect(isNewAfter(() => mirror.put(message("b"), undefined))).toBe(true)
    expect(isNewAfter(() => mirror.append("a", 0, "Text", "x"))).toBe(true)
    expect(isNewAfter(() => mirror.replace("a", 0, "Text", "y"))).toBe(true)
    expect(isNewAfter(() => mirror.put(message("a"), "b"))).toBe(true)
    expect(isNewAfter(() => mirror.remove("a"))).toBe(true)
    expect(isNewAfter(() => mirror.remove("a"))).toBe(false)
    expect(isNewAfter(() => mirror.append("a", 0, "Text", "x"))).toBe(false)
    expect(isNewAfter(() => mirror.replace("early", 0, "Text", "x"))).toBe(false)
    expect(isNewAfter(() => mirror.put({ type: "message", role: "user", content: [] }, undefined))).toBe(false)
    expect(isNewAfter(() => mirror.get("b"))).toBe(false)
  })

  it("shows recordings in the snapshot only, of items that it knows, and leaves the other items as they are", () => {
    const mirror = new ConversationMirror(100)
    const audio = (mirror: ConversationMirror, index = 0) => {
      const item = mirror.snapshot().items[index]
      return item?._tag === "Message" ? item.content : []
    }
    const recording = (...bytes: ReadonlyArray<number>) => ({
      _tag: "Kept",
      format: pcmu,
      bytes: Uint8Array.from(bytes)
    })
    mirror.put(message("a"), undefined)
    mirror.put(message("b", "Hi"), undefined)
    const [, other] = mirror.snapshot().items
    const before = mirror.version()
    mirror.record("nobody", 0, Uint8Array.of(9), pcmu)
    expect(mirror.version()).toBe(before)
    mirror.record("a", 0, Uint8Array.of(1, 2), pcmu)
    expect(mirror.version()).not.toBe(before)
    expect(audio(mirror)).toEqual([{ _tag: "Audio", transcript: undefined, recording: recording(1, 2) }])
    mirror.append("a", 0, "Audio", "Hello")
    mirror.record("a", 0, Uint8Array.of(3), pcmu)
    expect(audio(mirror)).toEqual([{ _tag: "Audio", transcript: "Hello", recording: recording(1, 2, 3) }])
    mirror.cut("a", 0, { heardMs: 7, length: () => 99, bytes: () => 1 })
    mirror.recorded("a", 0)
    const cut = { _tag: "Audio", transcript: "Hello", cut: { heardMs: 7 } }
    expect(audio(mirror)).toEqual([{ ...cut, recording: recording(1) }])
    expect(mirror.get("a")).toMatchObject({ content: [cut] })
    expect(mirror.get("a")).not.toMatchObject({ content: [{ recording: {} }] })
    expect(mirror.snapshot().items[1]).toBe(other)
    mirror.remove("a")
    mirror.put(message("a"), undefined)
    expect(audio(mirror, 1)).toEqual([])
  })

  it("keeps no audio unless asked to", () => {
    const mirror = new ConversationMirror()
    mirror.put(message("a"), undefined)
    const before = mirror.snapshot()
    mirror.record("a", 0, Uint8Array.of(1, 2), pcmu)
    mirror.recorded("a", 0)
    expect(mirror.snapshot()).toBe(before)
    mirror.append("a", 0, "Audio", "Hello")
    mirror.cut("a", 0, { heardMs: 7, length: () => 0, bytes: () => 1 })
    expect(mirror.snapshot().items).toMatchObject([
      { content: [{ _tag: "Audio", transcript: "", cut: { heardMs: 7 } }] }
    ])
    expect(mirror.snapshot().items).not.toMatchObject([{ content: [{ recording: {} }] }])
  })

  it("takes a call without a call id for the call of its item, and passes other kinds through", () => {
    const mirror = new ConversationMirror()
    mirror.put({ type: "function_call", id: "f", name: "t", arguments: "{}" }, undefined)
    mirror.put({ type: "mcp_approval_request", id: "m", server_label: "s", name: "n", arguments: "{}" }, undefined)
    expect(mirror.get("f")).toMatchObject({ _tag: "FunctionCall", callId: "f", status: "completed" })
    expect(mirror.get("m")).toMatchObject({ _tag: "Other", type: "mcp_approval_request" })
  })

  it("is the same as a plain list, over random puts, moves and removals", () => {
    const id = fc.constantFrom("a", "b", "c", "d", "e", "f")
    const operation = fc.oneof(
      fc.record({ put: id, after: fc.option(id, { nil: undefined }) }),
      fc.record({ remove: id })
    )
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const mirror = new ConversationMirror()
        let list: ReadonlyArray<string> = []
        /** The item that follows one that is not there, by the latter. */
        const followers = new Map<string, string>()
        for (const step of operations) {
          if ("remove" in step) {
            mirror.remove(step.remove)
            list = list.filter((other) => other !== step.remove)
            for (const [before, follower] of followers) if (follower === step.remove) followers.delete(before)
            continue
          }
          const { after, put } = step
          mirror.put(message(put), after)
          const known = list.includes(put)
          if (after !== undefined && after !== put && list.includes(after)) {
            const others = list.filter((other) => other !== put)
            const index = others.indexOf(after) + 1
            list = [...others.slice(0, index), put, ...others.slice(index)]
          } else if (!known) {
            const index = list.indexOf(followers.get(put) ?? "")
            list = index < 0 ? [...list, put] : [...list.slice(0, index), put, ...list.slice(index)]
          }
          if (!known) followers.delete(put)
          if (after !== undefined && after !== put && !list.includes(after)) followers.set(after, put)
        }
        expect(ids(mirror)).toEqual(list)
        expect(mirror.size()).toBe(list.length)
      }),
      { numRuns: numRuns(2000) }
    )
  })
})
