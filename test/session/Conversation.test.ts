import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as Audio from "../../src/Audio.js"
import { type Conversation, Item } from "../../src/Conversation.js"
import { say } from "../../src/ScriptedModel.js"
import { editsBetween } from "../../src/session/conversation/edit.js"
import { numRuns } from "../runs.js"
import { type Harness, open } from "./harness.js"

const agent = Agent.make("Desk", { instructions: "" })
const user = (id: string, text = id): Item => ({
  _tag: "Message",
  id,
  role: "user",
  status: "completed",
  content: [{ _tag: "Text", text }]
})

const quiet = { output_modalities: ["text"], audio: { input: { turn_detection: null } } } as const

const nothingKept = { get: () => undefined, told: () => undefined }

describe("§6 session.editConversation", () => {
  it.scoped("deletes what is left out and puts what is new where it stands, on the server too", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hello.")], [say("Bye.")]])
      yield* h.session.sendText("One")
      yield* h.first("ResponseDone")
      yield* h.session.sendText("Two")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.editConversation(({ items }) => ({
        items: items.flatMap((item, index) =>
          index === 0 ? [] : index === 1 ? [user("new", "Instead"), item] : [item]
        )
      }))
      yield* h.first("ItemDeleted")
      yield* h.nth("ItemCompleted", 5)
      const texts = ({ items }: Conversation) =>
        items.flatMap((item) =>
          item._tag === "Message" ? item.content.map((part) => (part._tag === "Text" ? part.text : "")) : []
        )
      expect(texts(yield* h.session.conversation)).toEqual(["Instead", "Hello.", "Two", "Bye."])
      const onServer = yield* Effect.flatMap(h.model.connection, ({ conversation }) => conversation)
      expect(onServer.map(({ id }) => id)).toEqual((yield* h.session.conversation).items.map(({ id }) => id))
      expect(yield* h.model.refused).toEqual([])
      expect(yield* h.requests).toBe(2)
    })
  )

  it("turns any conversation into any other, and touches nothing that stays in order", () => {
    const ids = fc.uniqueArray(fc.constantFrom("a", "b", "c", "d", "e", "f", "g"))
    fc.assert(
      fc.property(ids, ids, (before, after) => {
        const items = new Map([...before, ...after].map((id) => [id, user(id)]))
        const list = (ids: ReadonlyArray<string>): Conversation => ({ items: ids.flatMap((id) => items.get(id) ?? []) })
        let count = 0
        const origin = new Map<string, string>()
        const events = Either.getOrThrow(
          editsBetween(
            list(before),
            list(after),
            (prefix) => {
              count += 1
              return `${prefix}_${count}`
            },
            nothingKept
          )
        )
        let server: Array<string> = [...before]
        for (const event of events) {
          if (event.type === "conversation.item.delete") server = server.filter((id) => id !== event.item_id)
          if (event.type !== "conversation.item.create" || !("role" in event.item)) continue
          const [part] = event.item.content
          const { previous_item_id: previous } = event
          const id = event.item.id ?? ""
          origin.set(id, part !== undefined && "text" in part ? (part.text ?? "") : "")
          const at = previous === "root" ? 0 : server.indexOf(previous ?? "") + 1
          expect(previous === "root" || at > 0).toBe(true)
          server.splice(at, 0, id)
        }
        expect(server.map((id) => origin.get(id) ?? id)).toEqual(after)
        const common = before.filter((id) => after.includes(id))
        if (common.every((id, index) => after.filter((other) => before.includes(other))[index] === id)) {
          expect(events.filter(({ type }) => type === "conversation.item.delete")).toHaveLength(
            before.length - common.length
          )
        }
      }),
      { numRuns: numRuns(1000) }
    )
  })

  it("does not delete an item that it could not create again, moved or changed, and names that item", () => {
    const hosted = (id: string): Item => ({ _tag: "Other", id, type: "mcp_call", item: {} })
    const silent = (id: string): Item => ({
      _tag: "Message",
      id,
      role: "user",
      status: "completed",
      content: [{ _tag: "Audio", transcript: undefined }]
    })
    // Beside its words: of such an item, a server would take the rest, and lose the picture.
    const seen = (id: string): Item => ({
      _tag: "Message",
      id,
      role: "user",
      status: "completed",
      content: [
        { _tag: "Text", text: "This one." },
        { _tag: "Image", url: undefined }
      ]
    })
    const items = [...["a", "b", "c", "d"].map((id) => user(id)), hosted("w"), seen("x"), silent("y"), silent("z")]
    const known = new Map(items.map((item) => [item.id, item]))
    const ids = fc.shuffledSubarray(Array.from(known.keys()))
    const list = (ids: ReadonlyArray<string>): Conversation => ({ items: ids.flatMap((id) => known.get(id) ?? []) })
    let refused = 0
    fc.assert(
      fc.property(ids, ids, (before, wanted) => {
        const after = wanted.filter((id) => before.includes(id) || "abcd".includes(id))
        const edits = editsBetween(list(before), list(after), (prefix) => prefix, nothingKept)
        if (Either.isLeft(edits)) {
          refused += 1
          for (const { itemId } of edits.left.problems) expect("wxyz").toContain(itemId)
          // Those that stay could all have stayed, had they been left in their order.
          const fixed = (ids: ReadonlyArray<string>) =>
            ids.filter((id) => "wxyz".includes(id) && before.includes(id) && after.includes(id))
          expect(fixed(after)).not.toEqual(fixed(before))
          return
        }
        const deleted = edits.right.flatMap((event) =>
          event.type === "conversation.item.delete" && after.includes(event.item_id) ? event.item_id : []
        )
        for (const id of deleted) expect("abcd").toContain(id)
      }),
      { numRuns: numRuns(1000) }
    )
    expect(refused).toBeGreaterThan(0)
  })

  it.scoped("does nothing if it would lose something, and says which items", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hello.")]], { settings: quiet, untranscribedAudio: { maxBytes: 0 } })
      yield* h.session.sendAudio(new Uint8Array(48_000).fill(20))
      yield* h.session.commitAudio
      yield* h.first("ResponseDone")
      const before = yield* h.session.conversation
      const failure = yield* Effect.flip(
        h.session.editConversation(({ items }) => ({
          items: items.map((item) => (item._tag === "Message" && item.role === "user" ? { ...item } : item))
        }))
      )
      expect(failure).toMatchObject({ _tag: "EditInvalid", problems: [{ itemId: before.items[0]?.id }] })
      expect(failure.message).toContain("words and sound are not known")
      expect(yield* h.session.conversation).toEqual(before)
      expect((yield* h.model.sent).map(({ type }) => type)).not.toContain("conversation.item.delete")
    })
  )

  it.scoped("moves the user's audio that has no transcript as audio", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hello.")]], { settings: quiet })
      const bytes = new Uint8Array(48_000).fill(20)
      yield* h.session.sendAudio(bytes)
      yield* h.session.commitAudio
      yield* h.first("ResponseDone")
      yield* h.session.editConversation(({ items }) => ({ items: items.map((item) => ({ ...item })) }))
      yield* h.nth("ItemDeleted", 2)
      yield* h.nth("ItemCompleted", 4)
      const created = (yield* h.model.sent).flatMap((event) =>
        event.type === "conversation.item.create" ? event.item : []
      )
      expect(created).toMatchObject([
        { role: "user", content: [{ type: "input_audio", audio: Audio.encodeBase64(bytes) }] },
        { role: "assistant" }
      ])
      // And again: the new item has the audio too.
      yield* h.session.editConversation(({ items }) => ({ items: items.map((item) => ({ ...item })) }))
      yield* h.nth("ItemDeleted", 4)
    })
  )
})

describe("§6 What a user interface needs", () => {
  it.scoped("publishes the user's transcripts, limits, keys, silence, and how hosted tools are doing", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [])
      const transcription = "conversation.item.input_audio_transcription"
      const at = { item_id: "u1", content_index: 0 }
      const { model } = h
      yield* model.push({ type: `${transcription}.delta`, ...at, delta: "Hel" })
      yield* model.push({ type: `${transcription}.completed`, ...at, transcript: "Hello" })
      yield* model.push({
        type: `${transcription}.failed`,
        ...at,
        error: { code: "audio_unintelligible", message: "Noise." }
      })
      yield* model.push({
        type: "input_audio_buffer.timeout_triggered",
        item_id: "u2",
        audio_start_ms: 5,
        audio_end_ms: 6
      })
      yield* model.push({ type: "input_audio_buffer.dtmf_event_received", event: "9", received_at: 7 })
      yield* model.push({ type: "mcp_list_tools.in_progress", item_id: "m1" })
      yield* model.push({ type: "response.mcp_call.failed", item_id: "m2", output_index: 0 })
      yield* model.push({
        type: "rate_limits.updated",
        rate_limits: [{ name: "tokens", limit: 9, remaining: 8, reset_seconds: 1 }]
      })
      yield* h.first("RateLimitsUpdated")
      expect(h.events.slice(-8)).toEqual([
        { _tag: "UserTranscriptDelta", itemId: "u1", contentIndex: 0, delta: "Hel" },
        { _tag: "UserTranscriptCompleted", itemId: "u1", contentIndex: 0, transcript: "Hello" },
        {
          _tag: "UserTranscriptFailed",
          itemId: "u1",
          contentIndex: 0,
          code: "audio_unintelligible",
          message: "Noise."
        },
        { _tag: "IdleTimedOut", itemId: "u2", audioStartMs: 5, audioEndMs: 6 },
        { _tag: "DtmfReceived", key: "9", receivedAt: 7 },
        { _tag: "McpProgressed", itemId: "m1", what: "ListTools", state: "InProgress" },
        { _tag: "McpProgressed", itemId: "m2", what: "Call", state: "Failed" },
        { _tag: "RateLimitsUpdated", limits: [{ name: "tokens", limit: 9, remaining: 8, resetSeconds: 1 }] }
      ])
    })
  )

  it.scoped("adds up the session's usage", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hello.")], [say("Bye.")]])
      for (const turn of [1, 2]) {
        yield* h.session.sendText("Hi")
        yield* h.nth("ResponseDone", turn)
      }
      const used = h.all("ResponseDone").map(({ usage }) => usage?.total_tokens ?? 0)
      expect(yield* h.session.usage).toMatchObject({
        responses: 2,
        totalTokens: used.reduce((sum, one) => sum + one, 0)
      })
    })
  )

  it.scoped("shows images that the user sends in the conversation", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [])
      const image_url = "data:image/png;base64,iVBORw0KGgo="
      yield* h.session.sendMessage({ type: "message", role: "user", content: [{ type: "input_image", image_url }] })
      yield* h.first("ItemCompleted")
      yield* TestClock.adjust("1 second")
      expect((yield* h.session.conversation).items).toMatchObject([
        { role: "user", content: [{ _tag: "Image", url: image_url }] }
      ])
      expect(yield* h.requests).toBe(0)
    })
  )
})

describe("§6 keepAudio", () => {
  const at = { response_id: "r1", item_id: "i1", output_index: 0, content_index: 0 }
  const audioOut = { settings: { output_modalities: ["audio"] } } as const
  /** Two chunks of a second each, and the words in them. */
  const speak = <E>({ first, model }: Harness<E>) =>
    Effect.gen(function* () {
      yield* model.push({ type: "response.created", response: { id: "r1", status: "in_progress" } })
      yield* model.push({
        type: "response.output_item.added",
        response_id: "r1",
        output_index: 0,
        item: { type: "message", id: "i1", role: "assistant", content: [] }
      })
      for (const value of [1, 2]) {
        const delta = Audio.encodeBase64(new Uint8Array(48_000).fill(value))
        yield* model.push({ type: "response.output_audio.delta", ...at, delta })
      }
      yield* model.push({ type: "response.output_audio_transcript.delta", ...at, delta: "Hello" })
      yield* model.push({ type: "response.output_audio.done", ...at })
      yield* first("AudioCompleted")
    })
  const recordings = <E>({ session }: Harness<E>) =>
    Effect.map(session.conversation, ({ items }) =>
      items.flatMap((item) =>
        item._tag === "Message" ? item.content.map((part) => (part._tag === "Audio" ? part.recording : undefined)) : []
      )
    )

  it.scoped("keeps what the model said, cut to what was heard when it is interrupted", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], { ...audioOut, keepAudio: true })
      yield* speak(h)
      const whole = new Uint8Array(96_000).fill(1).fill(2, 48_000)
      expect(yield* recordings(h)).toEqual([{ _tag: "Kept", format: Audio.pcm16, bytes: whole }])
      yield* TestClock.adjust("1500 millis")
      yield* h.session.interrupt
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ heardMs: 1500 })
      const heard = whole.subarray(0, 72_000)
      expect(yield* recordings(h)).toEqual([{ _tag: "Kept", format: Audio.pcm16, bytes: heard }])
      const { items } = yield* h.session.conversation
      const json = JSON.stringify(yield* Schema.encode(Schema.Array(Item))(items))
      expect(yield* Schema.decode(Schema.parseJson(Schema.Array(Item)))(json)).toEqual(items)
    })
  )

  it.scoped("drops audio beyond its limit, and says so", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], { ...audioOut, keepAudio: { maxBytes: 90_000 } })
      yield* speak(h)
      expect(yield* recordings(h)).toEqual([{ _tag: "Dropped" }])
    })
  )

  it.scoped("is off by default: events and the conversation contain no audio", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], audioOut)
      yield* speak(h)
      expect(yield* recordings(h)).toEqual([undefined])
      expect((yield* h.session.conversation).items).toMatchObject([{ content: [{ transcript: "Hello" }] }])
    })
  )

  it.scoped("leaves the bytes out of events", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], { ...audioOut, keepAudio: true })
      yield* speak(h)
      yield* h.model.push({
        type: "conversation.item.done",
        item: {
          type: "message",
          id: "i1",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_audio", transcript: "Hello" }]
        }
      })
      expect((yield* h.first("ItemCompleted")).item).toMatchObject({
        content: [{ _tag: "Audio", transcript: "Hello" }]
      })
      expect(JSON.stringify(h.events)).not.toContain("recording")
      expect(yield* recordings(h)).toMatchObject([{ _tag: "Kept" }])
    })
  )
})
