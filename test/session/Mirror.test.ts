import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import * as Audio from "../../src/Audio.js"
import { ConversationMirror } from "../../src/machine/Conversation.js"
import type { ContentPart } from "../../src/protocol/Item.js"
import { call, say } from "../../src/ScriptedModel.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"
import { begin, beginItem, end, handled, speak, transcribed, words, wordsDone } from "./speaking.js"

const desk = Agent.make("Desk", { instructions: "" })

const message = (id: string, role: "user" | "assistant", content: ReadonlyArray<ContentPart>, status?: string) => ({
  type: "message" as const,
  id,
  role,
  content,
  ...(status === undefined ? {} : { status })
})

const text = (id: string) => message(id, "user", [{ type: "input_text", text: id }], "completed")

/** The server puts an item after another, and reports it with this event. */
const put = <E>(
  { model }: Harness<E>,
  item: ReturnType<typeof message>,
  previous_item_id: string | null = null,
  type: "conversation.item.added" | "conversation.item.created" | "conversation.item.done" = "conversation.item.added"
) => model.push({ type, item, previous_item_id })

const itemsOf = <E>(h: Harness<E>) =>
  Effect.zipRight(
    handled(h),
    Effect.map(h.session.conversation, ({ items }) => items)
  )
const idsOf = <E>(h: Harness<E>) => Effect.map(itemsOf(h), (items) => items.map(({ id }) => id))

describe("§6 The conversation keeps", () => {
  for (const type of ["conversation.item.added", "conversation.item.created"] as const) {
    it.scoped(`the server's order, by the previous_item_id of ${type}`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [])
        yield* put(h, text("a"), null, type)
        yield* put(h, text("c"), "a", type)
        yield* put(h, text("b"), "a", type)
        expect(yield* idsOf(h)).toEqual(["a", "b", "c"])
      })
    )
  }

  it.scoped("the server's order also where that puts an item elsewhere later", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* put(h, text("a"))
      yield* put(h, text("b"), "a")
      yield* put(h, text("c"), "b")
      yield* put(h, text("a"), "c", "conversation.item.done")
      expect(yield* idsOf(h)).toEqual(["b", "c", "a"])
      yield* put(h, text("a"), "b")
      expect(yield* idsOf(h)).toEqual(["b", "a", "c"])
    })
  )

  it.scoped("the place of the user's words before their answer, which the server announces first", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* put(h, text("a"))
      yield* begin(h)
      yield* beginItem(h)
      yield* put(h, message("u1", "user", [{ type: "input_audio" }]), "a")
      yield* put(h, message("i1", "assistant", []), "u1")
      expect(yield* idsOf(h)).toEqual(["a", "u1", "i1"])
    })
  )

  it.scoped("the statuses of items: in progress, then completed or incomplete", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const statuses = Effect.map(itemsOf(h), (items) => items.map((item) => ("status" in item ? item.status : "")))
      yield* begin(h)
      for (const id of ["i1", "i2"]) {
        const item = message(id, "assistant", [], "in_progress")
        yield* h.model.push({ type: "response.output_item.added", response_id: "r1", output_index: 0, item })
      }
      expect(yield* statuses).toEqual(["in_progress", "in_progress"])
      yield* put(h, message("i1", "assistant", [], "completed"), null, "conversation.item.done")
      const cut = message("i2", "assistant", [], "incomplete")
      yield* h.model.push({ type: "response.output_item.done", response_id: "r1", output_index: 1, item: cut })
      expect(yield* statuses).toEqual(["completed", "incomplete"])
      expect(h.all("ItemCompleted")).toMatchObject([{ item: { id: "i1", status: "completed" } }])
    })
  )

  it.scoped("all parts of an item: text, audio with its transcript, images", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const url = "data:image/png;base64,iVBORw0KGgo="
      yield* put(
        h,
        message("u1", "user", [
          { type: "input_text", text: "Look:" },
          { type: "input_image", image_url: url },
          { type: "input_audio", transcript: "a cat" }
        ])
      )
      yield* put(
        h,
        message("i1", "assistant", [
          { type: "output_text", text: "Indeed." },
          { type: "output_audio", transcript: "A cat." }
        ]),
        "u1"
      )
      expect(yield* itemsOf(h)).toMatchObject([
        {
          role: "user",
          content: [
            { _tag: "Text", text: "Look:" },
            { _tag: "Image", url },
            { _tag: "Audio", transcript: "a cat" }
          ]
        },
        {
          role: "assistant",
          content: [
            { _tag: "Text", text: "Indeed." },
            { _tag: "Audio", transcript: "A cat." }
          ]
        }
      ])
    })
  )

  it.scoped("all parts of what the model says, each with its own words", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Text", "One")
      yield* words(h, "Audio", "Two", { content_index: 1 })
      yield* words(h, "Text", ", one")
      yield* wordsDone(h, "Audio", "Two!", { content_index: 1 })
      expect(yield* itemsOf(h)).toMatchObject([
        {
          content: [
            { _tag: "Text", text: "One, one" },
            { _tag: "Audio", transcript: "Two!" }
          ]
        }
      ])
    })
  )

  it.scoped("calls and their outputs", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "", handler: () => Effect.succeed("done") })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool] }), [
        [call("tool", {}, { callId: "c1" })],
        [say("Done.")]
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(yield* itemsOf(h)).toMatchObject([
        { _tag: "Message", role: "user" },
        { _tag: "FunctionCall", callId: "c1", name: "tool", arguments: "{}", status: "completed" },
        { _tag: "FunctionCallOutput", callId: "c1", output: "done" },
        { _tag: "Message", role: "assistant", content: [{ text: "Done." }] }
      ])
    })
  )

  it.scoped("the items of hosted MCP tools, as the server sent them", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const item = { type: "mcp_call", id: "m1", server_label: "maps", name: "find", arguments: "{}" } as const
      yield* h.model.push({ type: "conversation.item.added", item })
      expect(yield* itemsOf(h)).toEqual([{ _tag: "Other", id: "m1", type: "mcp_call", item }])
    })
  )

  it.scoped("a transcript, once it is known, although later updates lack it", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const transcripts = Effect.map(itemsOf(h), (items) =>
        items.flatMap((item) => (item._tag === "Message" ? item.content : []))
      )
      yield* put(h, message("u1", "user", [{ type: "input_audio" }]))
      yield* transcribed(h, "Hello?")
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Audio", "Hello!")
      const known = [
        { _tag: "Audio", transcript: "Hello?" },
        { _tag: "Audio", transcript: "Hello!" }
      ]
      expect(yield* transcripts).toEqual(known)
      yield* put(h, message("u1", "user", [{ type: "input_audio" }]), null, "conversation.item.done")
      const said = message("i1", "assistant", [{ type: "output_audio", transcript: null }], "completed")
      yield* h.model.push({ type: "response.output_item.done", response_id: "r1", output_index: 0, item: said })
      expect(yield* transcripts).toEqual(known)
      yield* put(h, message("i1", "assistant", [], "completed"), "u1", "conversation.item.done")
      expect(yield* transcripts).toEqual(known)
    })
  )

  it.scoped("a transcript that comes before its item", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* transcribed(h, "Hello?")
      expect(yield* itemsOf(h)).toEqual([])
      yield* put(h, message("u1", "user", [{ type: "input_audio", transcript: null }]))
      expect(yield* itemsOf(h)).toMatchObject([{ id: "u1", content: [{ _tag: "Audio", transcript: "Hello?" }] }])
      expect(h.all("ItemAdded")).toMatchObject([{ item: { content: [{ transcript: "Hello?" }] } }])
    })
  )
})

describe("§6 Events", () => {
  it.scoped("name the item that changed, and no other, however many there are", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      for (let index = 0; index < 20; index += 1) yield* put(h, text(`before_${index}`))
      yield* handled(h)
      const seen = h.events.length
      yield* put(h, text("b"))
      yield* put(h, text("b"), null, "conversation.item.done")
      yield* h.model.push({ type: "conversation.item.deleted", item_id: "b" })
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Text", "Hello.")
      yield* wordsDone(h, "Text", "Hello.")
      yield* transcribed(h, "Hello?")
      yield* end(h)
      yield* handled(h)
      const beside = new Set(["DtmfReceived", "ServerEventReceived"])
      const later = h.events.slice(seen).filter(({ _tag }) => !beside.has(_tag))
      expect(later.map(({ _tag }) => _tag)).toEqual([
        "ItemAdded",
        "ItemCompleted",
        "ItemDeleted",
        "ResponseStarted",
        "ItemAdded",
        "TextDelta",
        "TextCompleted",
        "UserTranscriptCompleted",
        "ResponseDone"
      ])
      expect(JSON.stringify(later)).not.toContain("before_")
    })
  )
})

describe("§6 The whole list", () => {
  it.scoped("is a snapshot: what was taken before does not change", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Text", "One")
      const before = yield* itemsOf(h)
      const copy = structuredClone(before)
      yield* words(h, "Text", " two")
      yield* put(h, text("b"))
      expect(yield* itemsOf(h)).toMatchObject([{ content: [{ text: "One two" }] }, { id: "b" }])
      expect(before).toEqual(copy)
    })
  )

  it.scoped("is a stream of its changes", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const sizes: Array<number> = []
      yield* h.session.conversation.changes.pipe(
        Stream.runForEach(({ items }) => Effect.sync(() => sizes.push(items.length))),
        Effect.forkScoped
      )
      for (const id of ["a", "b"]) {
        yield* put(h, text(id))
        yield* handled(h)
      }
      yield* h.model.push({ type: "conversation.item.deleted", item_id: "a" })
      yield* handled(h)
      expect(sizes).toEqual([0, 1, 2, 1])
    })
  )

  for (const keepAudio of [false, true]) {
    it.scoped(`contains none of the user's audio (keepAudio: ${keepAudio}), and neither do events`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [], { keepAudio })
        const audio = Audio.encodeBase64(new Uint8Array(600).fill(7))
        yield* put(h, message("u1", "user", [{ type: "input_audio", audio, transcript: "Hello?" }]))
        yield* put(h, message("u1", "user", [{ type: "input_audio", audio }]), null, "conversation.item.done")
        expect(yield* itemsOf(h)).toMatchObject([{ content: [{ _tag: "Audio", transcript: "Hello?" }] }])
        expect(JSON.stringify(yield* h.session.conversation)).not.toContain(audio)
        expect(h.all("ItemCompleted")).toHaveLength(1)
        expect(JSON.stringify(h.events)).not.toContain(audio)
      })
    )
  }

  it.scoped("contains none of the model's audio that its item carries", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], { settings: { output_modalities: ["audio"] } })
      yield* speak(h, 1)
      const audio = Audio.encodeBase64(new Uint8Array(600).fill(7))
      const said = message("i1", "assistant", [{ type: "output_audio", audio, transcript: "Hi" }], "completed")
      yield* h.model.push({ type: "response.output_item.done", response_id: "r1", output_index: 0, item: said })
      yield* put(h, said, null, "conversation.item.done")
      expect(yield* itemsOf(h)).toEqual([
        {
          _tag: "Message",
          id: "i1",
          role: "assistant",
          status: "completed",
          content: [{ _tag: "Audio", transcript: "Hi" }]
        }
      ])
      expect(JSON.stringify(h.events)).not.toContain(audio)
    })
  )
})

describe("§6 What is known stays", () => {
  it("a final status survives an update that lacks it", () => {
    const mirror = new ConversationMirror()
    mirror.put({ type: "message", id: "a", role: "assistant", status: "incomplete", content: [] }, undefined)
    mirror.put({ type: "message", id: "a", role: "assistant", content: [] }, undefined)
    expect(mirror.get("a")).toMatchObject({ status: "incomplete" })
  })

  it("early transcripts of each part", () => {
    const mirror = new ConversationMirror()
    mirror.replace("u", 0, "Audio", "one")
    mirror.replace("u", 1, "Audio", "two")
    mirror.put(
      { type: "message", id: "u", role: "user", content: [{ type: "input_audio" }, { type: "input_audio" }] },
      undefined
    )
    expect(mirror.get("u")).toMatchObject({ content: [{ transcript: "one" }, { transcript: "two" }] })
  })

  it("an early transcript of a later part keeps its place", () => {
    const mirror = new ConversationMirror()
    mirror.replace("u", 1, "Audio", "two")
    mirror.put(
      {
        type: "message",
        id: "u",
        role: "user",
        content: [{ type: "input_text", text: "look" }, { type: "input_audio" }]
      },
      undefined
    )
    expect(mirror.get("u")).toMatchObject({ content: [{ text: "look" }, { transcript: "two" }] })
  })
})
