import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as EmbeddedRealtime from "../src/EmbeddedRealtime.js"
import * as ScriptedModel from "../src/ScriptedModel.js"
import { connect, inText, userSays, wrap } from "./embedded/client.js"

describe("ScriptedModel", () => {
  it.scoped("takes one turn of the script for each response", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([
        [ScriptedModel.call("get_weather", { city: "Paris" }, { callId: "call_1" })],
        [ScriptedModel.say("Sunny.")]
      ])
      const client = yield* connect(model.model)
      yield* client.send(userSays("How is the weather in Paris?"))
      yield* client.send({ type: "response.create" })
      const done = yield* client.until("response.done")
      expect(done.response.output).toMatchObject([
        {
          type: "function_call",
          name: "get_weather",
          call_id: "call_1",
          arguments: '{"city":"Paris"}',
          status: "completed"
        }
      ])
      yield* client.send({
        type: "conversation.item.create",
        item: { type: "function_call_output", call_id: "call_1", output: "sunny" }
      })
      yield* client.send({ type: "response.create" })
      yield* client.until("conversation.item.done")
      const said = yield* client.until("response.output_audio_transcript.done")
      expect(said.transcript).toBe("Sunny.")
      yield* client.until("response.done")
      expect(yield* model.outputs).toEqual([{ callId: "call_1", output: "sunny" }])
      expect((yield* model.sent).map((event) => event.type)).toEqual([
        "conversation.item.create",
        "response.create",
        "conversation.item.create",
        "response.create"
      ])
      expect(yield* model.refused).toEqual([])
    })
  )

  it.scoped("shows a turn that keeps its request the conversation as it was then, whenever that is read", () =>
    Effect.gen(function* () {
      const kept: Array<EmbeddedRealtime.Request> = []
      const keep: ScriptedModel.Turn = (request) => {
        kept.push(request)
        return [ScriptedModel.say("Yes.")]
      }
      const model = yield* ScriptedModel.make([keep, keep])
      const client = yield* connect(model.model)
      for (const _ of [1, 2]) {
        yield* client.send(userSays("Hello?"))
        yield* client.send({ type: "response.create" })
        yield* client.until("response.done")
      }
      expect(kept.map(({ conversation }) => conversation.length)).toEqual([1, 3])
    })
  )

  it.scoped("goes on speaking when its script has run out", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([])
      const client = yield* connect(model.model)
      yield* client.send(inText)
      yield* client.send({ type: "response.create" })
      expect((yield* client.until("response.output_text.done")).text).toBe(ScriptedModel.SCRIPT_ENDED)
    })
  )

  it.scoped("starts over for each server made from the same turns", () =>
    Effect.gen(function* () {
      const turns: ReadonlyArray<ScriptedModel.Turn> = [[ScriptedModel.say("One.")]]
      for (const _ of [1, 2]) {
        const model = yield* ScriptedModel.make(turns)
        const client = yield* connect(model.model)
        yield* client.send({ type: "response.create" })
        expect((yield* client.until("response.output_audio_transcript.done")).transcript).toBe("One.")
      }
    })
  )

  it.scoped("lets a turn look at the conversation", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([
        ({ conversation }) => [ScriptedModel.say(`${conversation.length} items.`)]
      ])
      const client = yield* connect(model.model)
      yield* client.send(userSays("one"))
      yield* client.send(userSays("two"))
      yield* client.send({ type: "response.create" })
      expect((yield* client.until("response.output_audio_transcript.done")).transcript).toBe("2 items.")
    })
  )

  it.scoped("reports a user's turn as voice activity detection does, and answers it", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([[ScriptedModel.say("Hi.")]])
      const client = yield* connect(model.model)
      yield* model.userSays("hello there")
      expect(yield* client.typesUntil("response.created")).toEqual([
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.done",
        "response.created"
      ])
      yield* client.until("response.done")
    })
  )

  it.scoped("waits for the client's next event of a type", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([])
      const waiting = yield* Effect.fork(model.next("response.create"))
      const client = yield* connect(model.model)
      yield* client.send({ type: "response.create", event_id: "mine" })
      expect((yield* Fiber.join(waiting)).event_id).toBe("mine")
    })
  )

  it.scoped("pushes, drops, and takes the next connection", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([])
      const client = yield* connect(model.model)
      yield* model.push({ type: "input_audio_buffer.cleared", event_id: "pushed" })
      yield* model.drop()
      expect((yield* client.take).event_id).toBe("pushed")
      const lost = yield* Effect.flip(client.connection.frames.take)
      expect(lost).toMatchObject({ _tag: "ConnectionLost", code: 1006 })
      const refused = yield* Effect.flip(client.connection.send({ type: "response.create" }))
      expect(refused._tag).toBe("ConnectionLost")

      const again = wrap(yield* model.model.connect({}))
      yield* model.drop(1001, "going away")
      yield* again.until("session.created")
      expect(yield* Effect.flip(again.connection.frames.take)).toMatchObject({ code: 1001, reason: "going away" })
    })
  )
})
