import { describe, expect, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import type { ServerEvent } from "../../src/protocol/ServerEvent.js"
import { numRuns } from "../runs.js"
import { type Client, connect } from "./client.js"

const { call, say, script, silentVoice, toneVoice } = EmbeddedRealtime

const start = (parts: EmbeddedRealtime.Parts, options: EmbeddedRealtime.Options = {}, session: object = {}) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make({ ...options, mind: script([parts]) })
    const client = yield* connect(server.model)
    yield* client.sendRaw({ type: "session.update", session: { type: "realtime", ...session } })
    yield* client.until("session.updated")
    yield* client.send({ type: "response.create" })
    return { client, connection: yield* server.connection }
  })

/** All events up to the end of the response. */
const untilDone = (client: Client) =>
  Effect.gen(function* () {
    const events: Array<ServerEvent> = []
    while (true) {
      const event = yield* client.take
      events.push(event)
      if (event.type === "response.done") return events
    }
  })

const audioOf = (events: ReadonlyArray<ServerEvent>, itemId?: string) =>
  Buffer.concat(
    events.flatMap((event) =>
      event.type === "response.output_audio.delta" && (itemId === undefined || event.item_id === itemId)
        ? [Buffer.from(event.delta, "base64")]
        : []
    )
  )

const cut = (client: Client, item_id: string, audio_end_ms: number) =>
  Effect.gen(function* () {
    yield* client.sendRaw({ type: "conversation.item.truncate", item_id, content_index: 0, audio_end_ms })
    while (true) {
      const event = yield* client.take
      if (event.type === "error") return event.error.message
      if (event.type === "conversation.item.truncated") return `cut at ${event.audio_end_ms}`
    }
  })

describe("speech", () => {
  it.scoped("is heard and read in turns, the words ahead of the sound", () =>
    Effect.gen(function* () {
      // 60 ms for each of 8 and 7 characters.
      const { client } = yield* start([say("Good day. Sunny!")])
      const types = (yield* untilDone(client)).map(({ type }) => type.replace("response.output_", ""))
      expect(types.slice(types.indexOf("response.content_part.added") + 1)).toEqual([
        "audio_transcript.delta",
        "audio.delta",
        "audio_transcript.delta",
        "audio.delta",
        "audio.delta",
        "audio.delta",
        "audio_transcript.delta",
        "audio.delta",
        "audio.delta",
        "audio.delta",
        "audio.done",
        "audio_transcript.done",
        "response.content_part.done",
        "item.done",
        "conversation.item.done",
        "response.done"
      ])
    })
  )

  it.scoped("comes in the session's format, and is as long as its text", () =>
    Effect.gen(function* () {
      for (const [type, bytesPerMs] of [
        ["audio/pcm", 48],
        ["audio/pcmu", 8],
        ["audio/pcma", 8]
      ] as const) {
        const { client } = yield* start([say("Twelve chars")], {}, { audio: { output: { format: { type } } } })
        const events = yield* untilDone(client)
        expect(audioOf(events).length).toBe(12 * 60 * bytesPerMs)
        const done = events.at(-1)
        // 720 ms at 50 ms a token, and two words of two tokens.
        expect(done?.type === "response.done" && done.response.usage?.output_token_details).toMatchObject({
          audio_tokens: 15,
          text_tokens: 4
        })
      }
    })
  )

  it.scoped("of several items in one response has a length of its own for each", () =>
    Effect.gen(function* () {
      const { client } = yield* start([say("First one."), call("look"), say("The second.")])
      const events = yield* untilDone(client)
      const items = events.flatMap((event) =>
        event.type === "response.output_item.done" && event.item.type === "message" ? [event.item.id ?? ""] : []
      )
      expect(items.map((id) => audioOf(events, id).length / 48)).toEqual([600, 660])
      const [first = "", second = ""] = items
      expect(yield* cut(client, first, 601)).toBe("Audio content of 600ms is already shorter than 601ms")
      expect(yield* cut(client, second, 601)).toBe("cut at 601")
      expect(yield* cut(client, first, 600)).toBe("cut at 600")
    })
  )

  it.scoped("has no audio with a voice that takes no time, and none in text", () =>
    Effect.gen(function* () {
      const mute = yield* start([say("Hello there.")], { voice: silentVoice(0) })
      expect((yield* untilDone(mute.client)).map(({ type }) => type)).not.toContain("response.output_audio.delta")
      const text = yield* start([say("Hello there.")], {}, { output_modalities: ["text"] })
      expect((yield* untilDone(text.client)).map(({ type }) => type)).not.toContain("response.output_audio.delta")
    })
  )

  it.scoped("counts against max_output_tokens", () =>
    Effect.gen(function* () {
      const { client } = yield* start([say("A long way to say nothing at all.")], {}, { max_output_tokens: 10 })
      const events = yield* untilDone(client)
      const done = events.at(-1)
      expect(done).toMatchObject({
        response: {
          status: "incomplete",
          status_details: { reason: "max_output_tokens" },
          output: [{ status: "incomplete" }]
        }
      })
      // Three pieces of 160 ms make 10 tokens: the limit is met, and passed by the last one at most.
      expect(audioOf(events).length / 48).toBeLessThanOrEqual(480)
    })
  )

  it.scoped("is generated as fast as possible, or at the requested multiple of its playing speed", () =>
    Effect.gen(function* () {
      // 25 characters: 1,500 ms.
      const { client } = yield* start([say("x".repeat(25))], { realtimeFactor: 3 })
      yield* client.until("rate_limits.updated")
      yield* TestClock.adjust("499 millis")
      yield* client.until("response.output_audio.delta")
      yield* client.send({ type: "output_audio_buffer.clear" })
      expect(yield* client.typesUntil("error")).not.toContain("response.done")
      yield* TestClock.adjust("1 millis")
      yield* client.until("response.done")
    })
  )
})

describe("a cancel in the middle of speech", () => {
  it.scoped("leaves the item incomplete with what was said, and sends nothing of it any more", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start([say("one two three four five six")], { pace: "10 millis" })
      yield* TestClock.adjust("60 millis")
      const { item_id } = yield* client.until("response.output_audio.delta")
      yield* client.send({ type: "response.cancel" })
      const events = yield* untilDone(client)
      expect(events.at(-1)).toMatchObject({
        response: {
          status: "cancelled",
          output: [{ status: "incomplete", content: [{ transcript: "one two three" }] }]
        }
      })
      yield* TestClock.adjust("1 minute")
      expect(client.connection.frames).toHaveLength(0)
      // Two pieces of 160 ms were made.
      expect(yield* cut(client, item_id, 321)).toBe("Audio content of 320ms is already shorter than 321ms")
      expect(yield* cut(client, item_id, 100)).toBe("cut at 100")
      expect(yield* connection.conversation).toMatchObject([
        { status: "incomplete", content: [{ type: "output_audio", transcript: "" }] }
      ])
    })
  )

  it.scoped("ends with the same length for the client and the server, whenever it comes", () =>
    Effect.promise(() =>
      fc.assert(
        fc.asyncProperty(fc.integer({ min: 0, max: 60 }), (steps) =>
          Effect.gen(function* () {
            const { client } = yield* start([say("one two three four five six. And so on.")], { pace: "1 millis" })
            yield* client.until("rate_limits.updated")
            yield* TestClock.adjust(Duration.millis(steps))
            yield* client.send({ type: "response.cancel" })
            yield* client.send({ type: "output_audio_buffer.clear" })
            const events: Array<ServerEvent> = []
            while (!events.some((event) => event.type === "error" && event.error.param === "type")) {
              events.push(yield* client.take)
            }
            const ms = audioOf(events).length / 48
            const last = events.findLast((event) => event.type === "response.output_audio.delta")
            if (last?.type !== "response.output_audio.delta") return
            expect(yield* cut(client, last.item_id, ms + 1)).toContain(`${ms}ms is already shorter`)
            expect(yield* cut(client, last.item_id, ms)).toBe(`cut at ${ms}`)
          }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext), Effect.runPromise)
        ),
        { numRuns: numRuns(25) }
      )
    )
  )

  it.scoped("may come after the truncation: the item stays cut", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start([say("one two three four five six")], { pace: "10 millis" })
      yield* TestClock.adjust("60 millis")
      const { item_id } = yield* client.until("response.output_audio.delta")
      expect(yield* cut(client, item_id, 150)).toBe("cut at 150")
      yield* TestClock.adjust("40 millis")
      yield* client.send({ type: "response.cancel" })
      yield* client.until("response.done")
      expect(yield* connection.conversation).toMatchObject([{ content: [{ type: "output_audio", transcript: "" }] }])
      expect(yield* cut(client, item_id, 151)).toBe("Audio content of 150ms is already shorter than 151ms")
    })
  )
})

describe("rate_limits.updated", () => {
  it.scoped("says what was scripted, for each response", () =>
    Effect.gen(function* () {
      const { client } = yield* start([say("Hi.")], {
        voice: toneVoice({ msPerCharacter: 1 }),
        rateLimits: (nth) => [{ name: "requests", limit: 3, remaining: 3 - nth, reset_seconds: 20 }]
      })
      expect((yield* client.until("rate_limits.updated")).rate_limits).toMatchObject([{ remaining: 2 }])
      yield* client.until("response.done")
      yield* client.send({ type: "response.create" })
      expect((yield* client.until("rate_limits.updated")).rate_limits).toEqual([
        { name: "requests", limit: 3, remaining: 1, reset_seconds: 20 }
      ])
    })
  )
})

describe("pressKey", () => {
  it.scoped("reports a key of the telephone, without an event id", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start([])
      yield* client.until("response.done")
      yield* TestClock.adjust("90 seconds")
      yield* connection.pressKey("#")
      expect(yield* client.take).toEqual({
        type: "input_audio_buffer.dtmf_event_received",
        event: "#",
        received_at: 90
      })
    })
  )
})
