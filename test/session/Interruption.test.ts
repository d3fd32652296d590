import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { call, pause, say } from "../../src/ScriptedModel.js"
import type * as Session from "../../src/Session.js"
import type * as SessionError from "../../src/SessionError.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"
import { begin, beginItem, end, handled, sentOf, sound, speak, userBegins, words } from "./speaking.js"

const { Faults } = EmbeddedRealtime
const desk = Agent.make("Desk", { instructions: "" })
const audioOut = { settings: { output_modalities: ["audio"] } } satisfies Session.Options

/** The first bytes of the chunks that the application has played when the session is over. */
const played = <E>(session: Session.Session<E>) =>
  Effect.gen(function* () {
    yield* session.close
    return [...(yield* Stream.runCollect(session.audio))].map(({ bytes }) => bytes[0])
  })

describe("§4 Barge-in", () => {
  it.scoped("cuts each audio item that is not heard to its end: one where it is, those behind at their beginning", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], audioOut)
      yield* speak(h, 2)
      yield* speak(h, 2, { item_id: "i2" })
      yield* handled(h)
      yield* TestClock.adjust("500 millis")
      yield* userBegins(h)
      yield* handled(h)
      expect(h.all("AudioInterrupted")).toMatchObject([
        { responseId: "r1", itemId: "i1", contentIndex: 0, heardMs: 500 },
        { responseId: "r1", itemId: "i2", contentIndex: 0, heardMs: 0 }
      ])
      expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([
        { item_id: "i1", content_index: 0, audio_end_ms: 500 },
        { item_id: "i2", content_index: 0, audio_end_ms: 0 }
      ])
    })
  )

  it.scoped("names the part of the item", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], audioOut)
      yield* begin(h)
      yield* beginItem(h)
      yield* sound(h, { content_index: 3 })
      yield* userBegins(h)
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ itemId: "i1", contentIndex: 3 })
      expect(yield* h.model.next("conversation.item.truncate")).toMatchObject({ content_index: 3 })
    })
  )

  it.scoped("drops the later deltas of the response, which the server cancels by itself", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], audioOut)
      yield* speak(h, 0)
      yield* words(h, "Audio", "Heard")
      yield* sound(h)
      yield* handled(h)
      yield* TestClock.adjust("500 millis")
      yield* userBegins(h)
      yield* sound(h, {}, 2)
      yield* words(h, "Audio", " unheard")
      yield* handled(h)
      yield* end(h, "r1", "cancelled")
      yield* speak(h, 0, { response_id: "r2", item_id: "i2" })
      yield* sound(h, { response_id: "r2", item_id: "i2" }, 3)
      yield* words(h, "Audio", "Next", { response_id: "r2", item_id: "i2" })
      yield* handled(h)
      expect(h.all("TextDelta").map(({ delta }) => delta)).toEqual(["Heard", "Next"])
      expect((yield* h.session.conversation).items).toMatchObject([
        { id: "i1", content: [{ transcript: "Heard" }] },
        { id: "i2", content: [{ transcript: "Next" }] }
      ])
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
      expect(yield* played(h.session)).toEqual([1, 3])
    })
  )

  it.scoped("drops a response that has begun, also before its first audio", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], audioOut)
      yield* begin(h)
      yield* userBegins(h)
      yield* sound(h, {}, 2)
      yield* sound(h, {}, 3)
      yield* words(h, "Audio", "unheard")
      yield* handled(h)
      expect(h.all("AudioInterrupted")).toEqual([])
      expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([{ item_id: "i1", audio_end_ms: 0 }])
      expect(h.all("TextDelta")).toEqual([])
      expect(yield* played(h.session)).toEqual([])
    })
  )

  it.scoped("changes nothing where interrupt_response is off", () =>
    Effect.gen(function* () {
      const detection = { turn_detection: { type: "server_vad", interrupt_response: false } } as const
      const agent = Agent.make("Desk", { instructions: "", settings: { audio: { input: detection } } })
      const h = yield* open(agent, [], audioOut)
      yield* speak(h, 2)
      yield* userBegins(h)
      yield* sound(h, {}, 2)
      yield* words(h, "Audio", "still heard")
      yield* handled(h)
      expect(h.all("SpeechStarted")).toHaveLength(1)
      expect(h.all("AudioInterrupted")).toEqual([])
      expect(h.all("TextDelta").map(({ delta }) => delta)).toEqual(["still heard"])
      expect(yield* sentOf(h, "conversation.item.truncate")).toEqual([])
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
      expect(yield* played(h.session)).toEqual([1, 1, 2])
    })
  )

  it.scoped("stops no tool but those that want to be cancelled, whose calls are answered", () =>
    Effect.gen(function* () {
      const options = { description: "", handler: () => Effect.as(Effect.sleep("5 seconds"), "done") } as const
      const cancel = Tool.make("cancel", { ...options, onInterrupt: "cancel" })
      const go = Tool.make("go", options)
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [cancel, go] }), [
        [call("cancel", {}, { callId: "c1" }), call("go", {}, { callId: "c2" })]
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolStarted", 2)
      yield* userBegins(h)
      expect(yield* h.first("ToolFailed")).toMatchObject({ call: { callId: "c1" }, error: { _tag: "ToolInterrupted" } })
      yield* TestClock.adjust("5 seconds")
      expect(yield* h.first("ToolSucceeded")).toMatchObject({ call: { callId: "c2" }, output: "done" })
      expect(yield* h.outputs).toMatchObject([{ item: { call_id: "c1" } }, { item: { call_id: "c2", output: "done" } }])
    })
  )
})

describe("§4 session.interrupt", () => {
  it.scoped("cancels the active response, cuts its audio, and drops what it still says", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], audioOut)
      yield* speak(h, 2)
      yield* handled(h)
      yield* TestClock.adjust("700 millis")
      yield* h.session.interrupt
      yield* sound(h, {}, 9)
      yield* words(h, "Audio", "unheard")
      yield* handled(h)
      expect(yield* sentOf(h, "response.cancel")).toMatchObject([{ response_id: "r1" }])
      expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([{ item_id: "i1", audio_end_ms: 700 }])
      expect(h.all("AudioInterrupted")).toMatchObject([{ itemId: "i1", heardMs: 700 }])
      expect(h.all("TextDelta")).toEqual([])
      expect(yield* played(h.session)).toEqual([1, 1])
    })
  )

  it.scoped("sends no response.cancel where none is active, and cuts what still plays", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], audioOut)
      yield* h.session.interrupt
      yield* speak(h, 2)
      yield* end(h)
      yield* handled(h)
      yield* h.session.interrupt
      yield* handled(h)
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
      expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([{ item_id: "i1" }])
    })
  )

  it.scoped(
    "works before the first audio: cancels, plays nothing of it, and has the server forget what still comes",
    () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [], audioOut)
        yield* begin(h)
        yield* beginItem(h)
        yield* handled(h)
        yield* h.session.interrupt
        yield* handled(h)
        expect(yield* sentOf(h, "conversation.item.truncate")).toEqual([])
        yield* sound(h)
        yield* sound(h)
        yield* handled(h)
        expect(yield* sentOf(h, "response.cancel")).toMatchObject([{ response_id: "r1" }])
        expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([{ item_id: "i1", audio_end_ms: 0 }])
        expect(h.all("AudioInterrupted")).toEqual([])
        expect(yield* played(h.session)).toEqual([])
      })
  )

  it.scoped("leaves nothing with the server of an answer that it had said before it heard of the interruption", () =>
    Effect.gen(function* () {
      const slow = { faults: [Faults.delay("response.created", "5 seconds")] }
      const h = yield* open(desk, [[say("Your code is 7429.")]], audioOut, {
        ...slow,
        voice: EmbeddedRealtime.silentVoice()
      })
      yield* h.session.sendText("My code?")
      yield* h.model.next("response.create")
      yield* h.session.interrupt
      yield* TestClock.adjust("5 seconds")
      yield* h.model.next("conversation.item.truncate")
      yield* handled(h)
      const { conversation } = yield* h.model.connection
      expect((yield* conversation).at(-1)).toMatchObject({
        status: "completed",
        content: [{ type: "output_audio", transcript: "" }]
      })
      const { items } = yield* h.session.conversation
      expect(items.at(-1)).toMatchObject({ content: [{ _tag: "Audio", cut: { heardMs: 0 } }] })
      expect(yield* played(h.session)).toEqual([])
    })
  )

  it.scoped("works for text: cancels, truncates nothing, and publishes no more of it", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Text", "One")
      yield* handled(h)
      yield* h.session.interrupt
      yield* words(h, "Text", " two")
      yield* handled(h)
      expect(yield* sentOf(h, "response.cancel")).toMatchObject([{ response_id: "r1" }])
      expect(yield* sentOf(h, "conversation.item.truncate")).toEqual([])
      expect(h.all("TextDelta").map(({ delta }) => delta)).toEqual(["One"])
    })
  )

  const aside = (output_modalities: ReadonlyArray<"audio" | "text">) =>
    ({ conversation: "none", output_modalities }) as const

  for (const [what, breaksIn] of [
    ["interrupt", ({ session }) => session.interrupt],
    ["a user who breaks in", userBegins]
  ] satisfies ReadonlyArray<
    readonly [string, (h: Harness<never>) => Effect.Effect<unknown, SessionError.SessionClosed>]
  >) {
    it.scoped(`lets no voice go on beside the conversation: ${what} stops it before its first word, too`, () =>
      Effect.gen(function* () {
        const h = yield* open(
          desk,
          [
            [pause("5 seconds"), say("Too late.")],
            [pause("5 seconds"), say("Written.")]
          ],
          audioOut
        )
        yield* h.session.requestResponse(aside(["audio"]))
        yield* h.session.requestResponse(aside(["text"]))
        yield* h.nth("ResponseStarted", 2)
        yield* breaksIn(h)
        yield* TestClock.adjust("1 minute")
        const [spoken] = h.all("ResponseStarted")
        expect(yield* sentOf(h, "response.cancel")).toMatchObject([{ response_id: spoken?.responseId }])
        expect(yield* played(h.session)).toEqual([])
        expect(h.all("TextCompleted").map(({ text }) => text)).toEqual(["Written."])
      })
    )

    it.scoped(`tells whoever waits for speech beside the conversation that ${what} stopped the next try of it`, () =>
      Effect.gen(function* () {
        const faults = [Faults.refuseResponseCreate("server_error", "", { nth: 1 })]
        const h = yield* open(desk, [[say("Too late.")]], audioOut, { faults })
        const requestId = yield* h.session.requestResponse(aside(["audio"]))
        yield* h.first("ResponseRefused")
        yield* breaksIn(h)
        yield* handled(h)
        expect(h.all("ResponseLost")).toEqual([
          { _tag: "ResponseLost", requestId, responseId: undefined, interrupted: true }
        ])
      })
    )
  }

  it.scoped("stops what is about to be said beside the conversation, when it begins", () =>
    Effect.gen(function* () {
      const slow = { faults: [Faults.delay("response.created", "5 seconds")] }
      const h = yield* open(desk, [[pause("1 minute"), say("Too late.")]], audioOut, slow)
      yield* h.session.requestResponse(aside(["audio"]))
      yield* h.model.next("response.create")
      yield* h.session.interrupt
      yield* TestClock.adjust("5 seconds")
      yield* h.model.next("response.cancel")
      yield* TestClock.adjust("2 minutes")
      expect(h.all("ResponseDone")).toMatchObject([{ status: "cancelled", outOfBand: true }])
      expect(yield* h.requests).toBe(1)
    })
  )

  it.scoped("works while a request is outstanding: its response is cancelled when it begins", () =>
    Effect.gen(function* () {
      const slow = { faults: [Faults.delay("response.created", "5 seconds")] }
      const h = yield* open(desk, [[pause("1 minute"), say("Too late.")]], {}, slow)
      yield* h.session.sendText("Hello?")
      yield* h.model.next("response.create")
      yield* h.session.interrupt
      yield* TestClock.adjust("4 seconds")
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
      yield* TestClock.adjust("1 second")
      yield* h.model.next("response.cancel")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "cancelled" })
      yield* TestClock.adjust("2 minutes")
      expect(h.all("TextDelta")).toEqual([])
      expect(yield* h.requests).toBe(1)
    })
  )
})

describe("§4 Benign races", () => {
  it.scoped("are not errors: a cancellation and a truncation that came too late", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Still here.")]])
      for (const error of [
        { code: "response_cancel_not_active", message: "Cancellation failed: no active response found" },
        { code: "invalid_value", message: "Audio content of 800ms is already shorter than 900ms" }
      ]) {
        yield* h.model.push({ type: "error", error: { type: "invalid_request_error", ...error } })
      }
      yield* handled(h)
      expect(h.all("ServerErrorReceived")).toEqual([])
      yield* h.session.sendText("Hello?")
      yield* h.first("TextCompleted")
      yield* h.session.close
      expect([...(yield* Stream.runCollect(h.session.errors))]).toEqual([])
    })
  )
})

describe("§4 What is not an error", () => {
  it.scoped("is logged at debug level", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel._tag === "Debug") lines.push(String(message))
    })
    return Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.model.push({
        type: "error",
        error: { type: "invalid_request_error", code: "response_cancel_not_active", message: "x" }
      })
      yield* handled(h)
      expect(lines.join("\n")).toContain("response_cancel_not_active")
    }).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, logger)), Logger.withMinimumLogLevel(LogLevel.Debug))
  })
})
