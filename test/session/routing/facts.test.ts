import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Agent from "../../../src/Agent.js"
import { say } from "../../../src/ScriptedModel.js"
import * as SessionEvent from "../../../src/SessionEvent.js"
import { type Harness, open } from "../harness.js"
import { begin, beginItem, sound, userBegins } from "../speaking.js"

const desk = Agent.make("Desk", { instructions: "" })

const push = <E>({ model }: Harness<E>, event: object) =>
  Effect.flatMap(model.connection, (connection) => connection.pushText(JSON.stringify(event)))

/** The event after a round trip through JSON, as a log of the events has it. */
const logged = <E>(event: SessionEvent.SessionEvent<E>) =>
  Effect.flatMap(Schema.encode(SessionEvent.SessionEvent)(event), (encoded) =>
    Effect.succeed(JSON.parse(JSON.stringify(encoded)))
  )

describe("§7 Every field of a known event can be reached", () => {
  it.scoped("says what a transcription has cost, in which languages it was, and how sure the server is", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const logprobs = [{ token: "Hi", logprob: -0.1, bytes: [72, 105] }]
      const usage = { type: "tokens", input_tokens: 14, output_tokens: 3, total_tokens: 17 }
      const at = { item_id: "u1", content_index: 0 }
      const of = "conversation.item.input_audio_transcription"
      yield* push(h, { type: `${of}.delta`, ...at, delta: "Hi", logprobs })
      yield* push(h, { type: `${of}.completed`, ...at, transcript: "Hi", languages: [{ code: "en" }], logprobs, usage })
      expect(yield* logged(yield* h.first("UserTranscriptDelta"))).toMatchObject({ delta: "Hi", logprobs })
      expect(yield* logged(yield* h.first("UserTranscriptCompleted"))).toMatchObject({
        transcript: "Hi",
        languages: ["en"],
        logprobs,
        usage
      })
    })
  )

  it.scoped("says when in the audio the user began and stopped", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* push(h, { type: "input_audio_buffer.speech_started", item_id: "u1", audio_start_ms: 1_200 })
      yield* push(h, { type: "input_audio_buffer.speech_stopped", item_id: "u1", audio_end_ms: 2_900 })
      expect(yield* h.first("SpeechStopped")).toMatchObject({ itemId: "u1", audioEndMs: 2_900 })
      expect(h.all("SpeechStarted")).toMatchObject([{ itemId: "u1", audioStartMs: 1_200 }])
    })
  )

  it.scoped("says what the model says a message and a call for, also after an update that does not", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const message = {
        type: "message",
        id: "i1",
        role: "assistant",
        content: [{ type: "output_text", text: "Let me see." }]
      }
      const call = { type: "function_call", id: "i2", name: "look", arguments: "{}", status: "in_progress" }
      for (const item of [message, call]) {
        yield* push(h, { type: "conversation.item.added", item: { ...item, phase: "commentary" } })
      }
      yield* push(h, { type: "conversation.item.done", item: { ...message, status: "completed" } })
      yield* h.first("ItemCompleted")
      expect((yield* h.session.conversation).items).toMatchObject([
        { id: "i1", phase: "commentary" },
        { id: "i2", phase: "commentary" }
      ])
      expect(yield* logged(yield* h.first("ItemCompleted"))).toMatchObject({ item: { phase: "commentary" } })
    })
  )

  it.scoped("tells the voice of a response beside the conversation from that of the conversation", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], { settings: { output_modalities: ["audio"] } })
      yield* begin(h, "r1")
      yield* begin(h, "r2", true)
      for (const id of ["1", "2"]) yield* beginItem(h, { response_id: `r${id}`, item_id: `i${id}` })
      for (const id of ["1", "2", "1"]) yield* sound(h, { response_id: `r${id}`, item_id: `i${id}` })
      const chunks = yield* Stream.runCollect(Stream.take(h.session.audio, 3))
      expect(Chunk.toArray(chunks).map(({ itemId, outOfBand }) => [itemId, outOfBand])).toEqual([
        ["i1", false],
        ["i2", true],
        ["i1", false]
      ])
    })
  )

  it.scoped("publishes the events of known types as they came where the application asks, each once", () =>
    Effect.gen(function* () {
      const committed = { type: "input_audio_buffer.committed", item_id: "u1", later: { field: 1 } }
      const raw = <E>(h: Harness<E>) => h.all("ServerEventReceived").map(({ event }) => event)
      const some = yield* open(desk, [], {
        rawEvents: ["input_audio_buffer.committed", "input_audio_buffer.speech_started"]
      })
      yield* userBegins(some)
      yield* push(some, committed)
      // The first is `session.created`, which has no event of the session's own.
      yield* some.nth("ServerEventReceived", 3)
      expect(raw(some).slice(1)).toMatchObject([
        { type: "input_audio_buffer.speech_started", audio_start_ms: 0 },
        committed
      ])

      const all = yield* open(desk, [[say("Hello.")]], { rawEvents: true })
      yield* all.session.sendText("Hi.")
      yield* all.first("ResponseDone")
      const types = all.all("ServerEventReceived").map(({ type }) => type)
      expect(types).toEqual(
        expect.arrayContaining(["session.updated", "response.created", "response.output_text.delta"])
      )
      const tags = all.events.map(({ _tag }) => _tag)
      expect(tags.lastIndexOf("ServerEventReceived")).toBeLessThan(tags.indexOf("ResponseDone"))

      const none = yield* open(desk, [[say("Hello.")]])
      yield* none.session.sendText("Hi.")
      yield* none.first("ResponseDone")
      expect(none.all("ServerEventReceived").map(({ type }) => type)).not.toContain("response.created")
    })
  )
})
