import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as Guardrail from "../../src/Guardrail.js"
import { call, say } from "../../src/ScriptedModel.js"
import type * as Session from "../../src/Session.js"
import * as SessionEvent from "../../src/SessionEvent.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"
import {
  begin,
  end,
  handled,
  sentOf,
  sound,
  soundDone,
  speak,
  systemMessages,
  transcribed,
  userBegins,
  words,
  wordsDone
} from "./speaking.js"

const audioOut = { settings: { output_modalities: ["audio"] } } satisfies Session.Options
const guardedBy = (...guardrails: ReadonlyArray<Guardrail.Guardrail<never>>) =>
  Agent.make("Desk", { instructions: "", guardrails })

const noBad = (text: string) => Effect.succeed(text.includes("BAD") ? Guardrail.trip("Be good.") : Guardrail.pass)
const eager = Guardrail.output("eager", { check: noBad, debounce: 1 })

/** A check that is done when the test says so. */
const gated = Effect.map(Deferred.make<void>(), (gate) => ({
  open: Deferred.succeed(gate, undefined),
  check: (text: string) => Effect.zipRight(text.includes("BAD") ? Deferred.await(gate) : Effect.void, noBad(text))
}))

describe("§5 A trip", () => {
  it.scoped("cancels the response, truncates what was not heard, tells the model why, and asks it to go on", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(eager), [], audioOut)
      yield* speak(h, 5)
      yield* handled(h)
      yield* TestClock.adjust("1200 millis")
      yield* words(h, "Audio", "BAD")
      yield* h.model.next("response.cancel")
      yield* sound(h)
      yield* end(h, "r1", "cancelled")
      yield* h.model.next("response.create")
      expect(h.all("GuardrailTripped")).toMatchObject([{ guardrail: "eager", itemId: "i1", feedback: "Be good." }])
      expect(h.all("AudioInterrupted")).toMatchObject([{ itemId: "i1", heardMs: 1200 }])
      expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([{ item_id: "i1", audio_end_ms: 1200 }])
      expect(yield* sentOf(h, "response.cancel")).toMatchObject([{ response_id: "r1" }])
      expect(yield* systemMessages(h)).toEqual(["Be good."])
      // The model knows why before it goes on.
      const types = (yield* h.model.sent).map(({ type }) => type)
      expect(types.indexOf("conversation.item.create")).toBeLessThan(types.indexOf("response.create"))
    })
  )

  it.scoped("cancels only the response that said it", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(eager), [])
      yield* begin(h, "beside", true)
      yield* begin(h)
      yield* words(h, "Text", "BAD")
      yield* h.first("GuardrailTripped")
      yield* words(h, "Text", "Fine.", { response_id: "beside", item_id: "i2" })
      yield* handled(h)
      expect(yield* sentOf(h, "response.cancel")).toMatchObject([{ response_id: "r1" }])
      expect(h.all("TextDelta").map(({ delta }) => delta)).toContain("Fine.")
    })
  )

  it.scoped("of a response beside the conversation cancels that one, and leaves the conversation's alone", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(eager), [])
      yield* begin(h)
      yield* begin(h, "beside", true)
      yield* words(h, "Text", "BAD", { response_id: "beside", item_id: "i2" })
      yield* h.first("GuardrailTripped")
      yield* words(h, "Text", "Fine.")
      yield* handled(h)
      expect(yield* sentOf(h, "response.cancel")).toMatchObject([{ response_id: "beside" }])
      expect(h.all("TextDelta").map(({ delta }) => delta)).toContain("Fine.")
    })
  )

  it.scoped("about an answer whose audio is not heard yet cuts it, and mends it behind a newer response", () =>
    Effect.gen(function* () {
      const late = yield* gated
      const h = yield* open(guardedBy(Guardrail.output("late", { check: late.check })), [], audioOut)
      yield* speak(h, 2)
      yield* soundDone(h)
      yield* wordsDone(h, "Audio", "BAD")
      yield* end(h)
      yield* speak(h, 2, { response_id: "r2", item_id: "i2" })
      yield* handled(h)
      yield* TestClock.adjust("500 millis")
      yield* late.open
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ itemId: "i1" })
      yield* words(h, "Audio", "Good.", { response_id: "r2", item_id: "i2" })
      yield* handled(h)
      yield* TestClock.adjust("1 second")
      expect(h.all("AudioInterrupted")).toMatchObject([{ responseId: "r1", itemId: "i1", heardMs: 500 }])
      expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([{ item_id: "i1", audio_end_ms: 500 }])
      expect(h.all("TextDelta").map(({ delta }) => delta)).toEqual(["Good."])
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
      expect(yield* systemMessages(h)).toEqual(["Be good."])
      expect(yield* h.requests).toBe(0)
      yield* end(h, "r2")
      yield* h.model.next("response.create")
    })
  )

  /** An answer that is generated to its end, and the verdict on it is still to come. */
  const answered = (kind: "Text" | "Audio", beside = false) =>
    Effect.gen(function* () {
      const late = yield* gated
      const h = yield* open(guardedBy(Guardrail.output("late", { check: late.check })), [], audioOut)
      yield* begin(h, "r1", beside)
      if (kind === "Audio") {
        yield* sound(h)
        yield* soundDone(h)
      }
      yield* wordsDone(h, kind, "BAD")
      yield* end(h)
      yield* handled(h)
      return { ...h, verdict: Effect.zipRight(late.open, h.first("GuardrailTripped")) }
    })

  it.scoped("that comes when the answer is generated and not heard is as good as one in the middle of it", () =>
    Effect.gen(function* () {
      const h = yield* answered("Audio")
      yield* TestClock.adjust("300 millis")
      yield* h.verdict
      yield* h.model.next("response.create")
      expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([{ item_id: "i1", audio_end_ms: 300 }])
      expect(yield* systemMessages(h)).toEqual(["Be good."])
    })
  )

  it.scoped("mends a text until the user goes on", () =>
    Effect.gen(function* () {
      const h = yield* answered("Text")
      yield* h.verdict
      yield* h.model.next("response.create")
      expect(yield* systemMessages(h)).toEqual(["Be good."])
    })
  )

  const past = [
    ["audio that was heard to its end", "Audio", false, () => TestClock.adjust("1 second")],
    ["a text that the user has answered", "Text", false, userBegins],
    ["a text beside the conversation", "Text", true, () => Effect.void]
  ] satisfies ReadonlyArray<
    readonly [string, "Text" | "Audio", boolean, (h: Harness<never>) => Effect.Effect<unknown, unknown>]
  >
  for (const [what, kind, beside, happens] of past) {
    it.scoped(`does not make the model speak again of ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* answered(kind, beside)
        yield* happens(h)
        yield* handled(h)
        yield* h.verdict
        yield* handled(h)
        expect(yield* systemMessages(h)).toEqual([])
        expect(yield* h.requests).toBe(0)
      })
    )
  }
})

describe("§5 A verdict on a text that the application has stopped", () => {
  it.scoped("does not make the model speak again", () =>
    Effect.gen(function* () {
      const late = yield* gated
      const h = yield* open(guardedBy(Guardrail.output("late", { check: late.check, debounce: 1 })), [])
      yield* begin(h)
      yield* words(h, "Text", "BAD")
      yield* handled(h)
      yield* h.session.interrupt
      yield* end(h, "r1", "cancelled")
      yield* handled(h)
      yield* late.open
      yield* h.first("GuardrailTripped")
      yield* handled(h)
      expect(yield* systemMessages(h)).toEqual([])
      expect(yield* h.requests).toBe(0)
    })
  )
})

describe("§5 A guardrail that fails", () => {
  const failures: ReadonlyArray<readonly [string, () => Effect.Effect<Guardrail.Verdict, unknown>]> = [
    ["fails", () => Effect.fail("down")],
    ["dies", () => Effect.die("boom")],
    [
      "throws",
      () => {
        throw new Error("boom")
      }
    ]
  ]
  for (const [how, check] of failures) {
    it.scoped(`because its check ${how} is published, and is open by default: what is said stands`, () =>
      Effect.gen(function* () {
        const h = yield* open(guardedBy(Guardrail.output("broken", { check })), [[say("Fine.")]])
        yield* h.session.sendText("Hello?")
        const failed = yield* h.first("GuardrailFailed")
        expect(failed).toMatchObject({ guardrail: "broken", subject: "Output", reason: "CheckFailed" })
        // The reason, for callers who ask for it; it is never printed.
        const thrown = failed.failure === undefined ? undefined : Redacted.value(failed.failure)
        expect(thrown).toEqual(how === "fails" ? "down" : how === "dies" ? "boom" : new Error("boom"))
        expect(JSON.stringify(Schema.encodeSync(SessionEvent.SessionEvent)(failed))).not.toMatch(/down|boom/)
        expect(yield* h.first("ResponseDone")).toMatchObject({ status: "completed" })
        yield* TestClock.adjust("1 second")
        expect(h.all("GuardrailFailed")).toHaveLength(1)
        expect(h.all("GuardrailTripped")).toEqual([])
        expect(yield* systemMessages(h)).toEqual([])
      })
    )
  }

  it.scoped("closed counts as a trip, with all that follows from one", () =>
    Effect.gen(function* () {
      const closed = Guardrail.output("closed", { check: () => Effect.fail("down"), onFailure: "closed", debounce: 1 })
      const h = yield* open(guardedBy(closed), [], audioOut)
      yield* speak(h, 2)
      yield* words(h, "Audio", "Anything")
      yield* h.model.next("response.cancel")
      yield* end(h, "r1", "cancelled")
      yield* h.model.next("response.create")
      expect(h.all("GuardrailFailed")).toMatchObject([{ guardrail: "closed" }])
      expect(h.all("GuardrailTripped")).toMatchObject([{ guardrail: "closed", feedback: "It could not be checked." }])
      expect(h.all("AudioInterrupted")).toHaveLength(1)
      expect(yield* systemMessages(h)).toEqual(["It could not be checked."])
    })
  )

  it.scoped("masks no trip of another, whichever comes first", () =>
    Effect.gen(function* () {
      const broken = Guardrail.output("broken", { check: () => Effect.fail("down") })
      const no = Guardrail.output("no", { check: noBad })
      for (const guardrails of [
        [broken, no],
        [no, broken]
      ]) {
        const h = yield* open(guardedBy(...guardrails), [])
        yield* begin(h)
        yield* wordsDone(h, "Text", "BAD")
        yield* h.first("GuardrailFailed")
        expect(yield* h.first("GuardrailTripped")).toMatchObject({ guardrail: "no" })
        expect(yield* h.model.next("response.cancel")).toMatchObject({ response_id: "r1" })
      }
    })
  )
})

describe("§5 Input guardrails, on the transcript of what the user said,", () => {
  const polite = (options: Partial<Guardrail.Options<never>> = {}) =>
    Guardrail.input("polite", { check: noBad, ...options })
  /** The user speaks, and the server begins to answer by itself. */
  const answering = (guardrail: Guardrail.Guardrail<never>) =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(guardrail), [], audioOut)
      yield* userBegins(h)
      yield* h.model.push({ type: "input_audio_buffer.speech_stopped", audio_end_ms: 9, item_id: "u1" })
      yield* speak(h, 3)
      yield* handled(h)
      yield* TestClock.adjust("400 millis")
      return h
    })

  it.scoped("do the same to the response that answers it", () =>
    Effect.gen(function* () {
      const h = yield* answering(polite())
      yield* transcribed(h, "You BAD thing")
      yield* h.model.next("response.cancel")
      yield* sound(h)
      yield* end(h, "r1", "cancelled")
      yield* h.model.next("response.create")
      expect(h.all("GuardrailTripped")).toMatchObject([{ guardrail: "polite", subject: "Input", itemId: "u1" }])
      expect(yield* sentOf(h, "response.cancel")).toMatchObject([{ response_id: "r1" }])
      expect(h.all("AudioInterrupted")).toMatchObject([{ itemId: "i1", heardMs: 400 }])
      expect(yield* sentOf(h, "conversation.item.truncate")).toMatchObject([{ item_id: "i1", audio_end_ms: 400 }])
      expect(yield* systemMessages(h)).toEqual(["Be good."])
      expect(yield* h.requests).toBe(1)
    })
  )

  it.scoped("leave the response alone if they pass", () =>
    Effect.gen(function* () {
      const h = yield* answering(polite())
      yield* transcribed(h, "You good thing")
      yield* handled(h)
      yield* TestClock.adjust("1 millis")
      expect(h.all("GuardrailTripped")).toEqual([])
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
    })
  )

  it.scoped("fail open by default, and are published", () =>
    Effect.gen(function* () {
      const h = yield* answering(polite({ check: () => Effect.die("boom") }))
      yield* transcribed(h, "Anything")
      expect(yield* h.first("GuardrailFailed")).toMatchObject({ guardrail: "polite", subject: "Input", itemId: "u1" })
      yield* handled(h)
      expect(h.all("GuardrailTripped")).toEqual([])
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
    })
  )

  it.scoped("fail closed if told to", () =>
    Effect.gen(function* () {
      const h = yield* answering(polite({ check: () => Effect.fail("down"), onFailure: "closed" }))
      yield* transcribed(h, "Anything")
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ guardrail: "polite" })
      expect(yield* h.model.next("response.cancel")).toMatchObject({ response_id: "r1" })
      expect(h.all("GuardrailFailed")).toHaveLength(1)
    })
  )

  /** What the application puts into the conversation for the user, said aloud. */
  const saidAloud = (onFailure: "open" | "closed", transcript?: string) =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(polite({ onFailure })), [])
      const audio = { type: "input_audio", audio: "AAAA", ...(transcript === undefined ? {} : { transcript }) } as const
      yield* h.session.sendMessage({ type: "message", id: "u1", role: "user", content: [audio] })
      yield* handled(h)
      return h
    })

  it.scoped("read what the application says aloud for the user, in an item of its own", () =>
    Effect.gen(function* () {
      const h = yield* saidAloud("open", "You BAD thing")
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ itemId: "u1", feedback: "Be good." })
      expect(h.all("GuardrailFailed")).toEqual([])
    })
  )

  it.scoped("say of such an item that they could not read it, where nobody wrote it down", () =>
    Effect.gen(function* () {
      const unread = { itemId: "u1", reason: "NoTranscript" }
      const h = yield* saidAloud("open")
      expect(h.all("GuardrailFailed")).toMatchObject([unread])
      expect(h.all("GuardrailTripped")).toEqual([])
      const closed = yield* saidAloud("closed")
      expect(closed.all("GuardrailFailed")).toMatchObject([unread])
      expect(yield* closed.first("GuardrailTripped")).toMatchObject({ itemId: "u1" })
      // Behind the item that it is about.
      const created = (yield* sentOf(closed, "conversation.item.create")).map(({ item }) =>
        item.type === "message" ? item.role : item.type
      )
      expect(created).toEqual(["user", "system"])
    })
  )

  const unread = [
    [
      "was not transcribed",
      { transcription: { model: "whisper-1" } },
      (h: Harness<never>) =>
        h.model.push({
          type: "conversation.item.input_audio_transcription.failed",
          item_id: "u1",
          content_index: 0,
          error: { code: "busy", message: "Busy." }
        })
    ],
    ["is transcribed by nobody", { transcription: null }, () => Effect.void],
    ["has no transcript in time", { transcription: { model: "whisper-1" } }, () => TestClock.adjust("10 seconds")]
  ] as const
  for (const [what, input, happens] of unread) {
    const spoken = (onFailure: "open" | "closed") =>
      Effect.gen(function* () {
        const guardrails = [Guardrail.input("polite", { check: noBad, onFailure })]
        const agent = Agent.make("Desk", { instructions: "", guardrails })
        const h = yield* open(agent, [], { settings: { output_modalities: ["audio"], audio: { input } } })
        yield* userBegins(h)
        yield* h.model.push({ type: "input_audio_buffer.speech_stopped", audio_end_ms: 9, item_id: "u1" })
        yield* speak(h, 60)
        yield* h.model.push({ type: "input_audio_buffer.committed", item_id: "u1", previous_item_id: null })
        yield* handled(h)
        yield* happens(h)
        yield* handled(h)
        return h
      })

    it.scoped(`stop the answer to what ${what}, where they fail closed`, () =>
      Effect.gen(function* () {
        const h = yield* spoken("closed")
        expect(yield* h.first("GuardrailTripped")).toMatchObject({ guardrail: "polite", itemId: "u1" })
        expect(yield* h.model.next("response.cancel")).toMatchObject({ response_id: "r1" })
        yield* end(h, "r1", "cancelled")
        yield* h.model.next("response.create")
        expect(h.all("GuardrailFailed")).toMatchObject([{ subject: "Input", itemId: "u1", reason: "NoTranscript" }])
        expect(yield* systemMessages(h)).toEqual(["It could not be read: there is no transcript."])
      })
    )

    it.scoped(`say that they could not read what ${what}, where they fail open`, () =>
      Effect.gen(function* () {
        const h = yield* spoken("open")
        expect(yield* h.first("GuardrailFailed")).toMatchObject({ itemId: "u1", reason: "NoTranscript" })
        expect(h.all("GuardrailTripped")).toEqual([])
        expect(yield* sentOf(h, "response.cancel")).toEqual([])
      })
    )
  }

  it.scoped("decide once of a turn whose transcript fails when it was given up", () =>
    Effect.gen(function* () {
      const settings = { audio: { input: { transcription: { model: "whisper-1" } } } }
      const agent = guardedBy(
        Guardrail.input("strict", { check: () => Effect.succeed(Guardrail.pass), onFailure: "closed" })
      )
      const h = yield* open(agent, [], { settings })
      yield* h.model.push({ type: "input_audio_buffer.committed", item_id: "u1" })
      yield* handled(h)
      yield* TestClock.adjust("10 seconds")
      yield* h.first("GuardrailTripped")
      yield* h.model.push({
        type: "conversation.item.input_audio_transcription.failed",
        item_id: "u1",
        content_index: 0,
        error: { type: "transcription_error", message: "No." }
      })
      yield* handled(h)
      expect([h.all("GuardrailFailed").length, h.all("GuardrailTripped").length]).toEqual([1, 1])
    })
  )

  it.scoped("do not wait for a transcript that was lost with the connection", () =>
    Effect.gen(function* () {
      const settings = { audio: { input: { transcription: { model: "whisper-1" } } } }
      const agent = guardedBy(
        Guardrail.input("strict", { check: () => Effect.succeed(Guardrail.pass), onFailure: "closed" })
      )
      const h = yield* open(agent, [[say("Sorry?")]], { settings })
      yield* h.model.push({ type: "input_audio_buffer.committed", item_id: "u1" })
      yield* handled(h)
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("1 seconds")
      yield* h.first("Reconnected")
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ itemId: "u1" })
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "Sorry?" })
    })
  )

  it.scoped("stop no answer to a later turn", () =>
    Effect.gen(function* () {
      const late = yield* gated
      const h = yield* answering(polite({ check: late.check }))
      yield* transcribed(h, "You BAD thing")
      yield* end(h)
      yield* userBegins(h, "u2")
      yield* h.model.push({ type: "input_audio_buffer.speech_stopped", audio_end_ms: 99, item_id: "u2" })
      yield* speak(h, 1, { response_id: "r2", item_id: "i2" })
      yield* handled(h)
      yield* late.open
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ itemId: "u1" })
      yield* words(h, "Audio", "Good.", { response_id: "r2", item_id: "i2" })
      yield* handled(h)
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
      expect(h.all("TextDelta").map(({ delta }) => delta)).toEqual(["Good."])
      expect(yield* systemMessages(h)).toEqual([])
    })
  )
})

describe("§5 Guardrails of tools", () => {
  it.scoped("that fail publish that too, beside the call's own end", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "", handler: () => Effect.succeed("paid") })
      const open1 = Guardrail.toolInput("open", { check: () => Effect.die("boom"), onFailure: "open" })
      const closed = Guardrail.toolOutput("closed", { check: () => Effect.fail("down"), onFailure: "closed" })
      const agent = Agent.make("Desk", { instructions: "", tools: [pay], guardrails: [open1, closed] })
      const h = yield* open(agent, [[call("pay", {}, { callId: "c1" })], [say("All right.")]])
      yield* h.session.sendText("Pay.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolStarted")).toHaveLength(1)
      expect(h.all("GuardrailFailed").map(({ guardrail }) => guardrail)).toEqual(["open", "closed"])
      expect(h.all("ToolFailed")).toMatchObject([
        { error: { _tag: "ToolBlocked", guardrail: "closed", stage: "output" } }
      ])
      expect(JSON.stringify(yield* h.outputs)).not.toContain("paid")
      expect(yield* h.outputs).toHaveLength(1)
    })
  )
})

describe("§5 No part of what was said, and no failure of a check, escapes", () => {
  it.scoped("a check that interrupts itself fails: published, open by default, and checks go on", () =>
    Effect.gen(function* () {
      const g = Guardrail.output("g", { debounce: 1, check: (text) => (text === "a" ? Effect.interrupt : noBad(text)) })
      const h = yield* open(guardedBy(g), [])
      yield* begin(h)
      yield* words(h, "Text", "a")
      yield* handled(h)
      yield* TestClock.adjust("11 seconds")
      yield* words(h, "Text", "BAD")
      yield* handled(h)
      yield* TestClock.adjust("11 seconds")
      expect([h.all("GuardrailFailed").length, h.all("GuardrailTripped").length]).toEqual([1, 1])
    })
  )

  it.scoped("toolInput check that interrupts itself counts by onFailure", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "", handler: () => Effect.succeed("paid") })
      const agent = Agent.make("Desk", {
        instructions: "",
        tools: [pay],
        guardrails: [Guardrail.toolInput("g", { check: () => Effect.interrupt })]
      })
      const h = yield* open(agent, [[call("pay", {}, { callId: "c1" })], [say("ok")]])
      yield* h.session.sendText("Go")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolBlocked" } }])
      expect(h.all("GuardrailFailed")).toHaveLength(1)
    })
  )

  it.scoped("input trip truncates the answer that is generated and still plays", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(Guardrail.input("p", { check: noBad })), [], audioOut)
      yield* userBegins(h)
      yield* h.model.push({ type: "input_audio_buffer.speech_stopped", audio_end_ms: 9, item_id: "u1" })
      yield* speak(h, 3)
      yield* soundDone(h)
      yield* end(h)
      yield* handled(h)
      yield* TestClock.adjust("400 millis")
      yield* transcribed(h, "BAD")
      yield* h.first("GuardrailTripped")
      yield* handled(h)
      expect(h.all("AudioInterrupted")).toMatchObject([{ itemId: "i1", heardMs: 400 }])
    })
  )

  it.scoped("push-to-talk: a late verdict on an earlier turn stops no answer to a later one", () =>
    Effect.gen(function* () {
      const agent = Agent.make("Desk", {
        instructions: "",
        guardrails: [Guardrail.input("p", { check: noBad })],
        settings: { audio: { input: { turn_detection: null } } }
      })
      const h = yield* open(agent, [])
      yield* h.model.push({ type: "input_audio_buffer.committed", item_id: "u1", previous_item_id: null })
      yield* begin(h)
      yield* end(h)
      yield* h.model.push({ type: "input_audio_buffer.committed", item_id: "u2", previous_item_id: "u1" })
      yield* begin(h, "r2")
      yield* handled(h)
      yield* transcribed(h, "BAD", "u1")
      yield* h.first("GuardrailTripped")
      yield* handled(h)
      expect(yield* sentOf(h, "response.cancel")).toEqual([])
      expect(yield* systemMessages(h)).toEqual([])
    })
  )

  it.scoped("the tail that was said before the user interrupted is read", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(Guardrail.output("g", { check: noBad })), [], audioOut)
      yield* speak(h, 1)
      yield* words(h, "Audio", "BAD")
      yield* handled(h)
      yield* userBegins(h)
      yield* wordsDone(h, "Audio", "BAD")
      yield* end(h, "r1", "cancelled")
      yield* handled(h)
      yield* TestClock.adjust("1 second")
      expect(h.all("GuardrailTripped")).toHaveLength(1)
    })
  )

  it.scoped("the tail is read also where only response.done says the end", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(Guardrail.output("g", { check: noBad })), [])
      yield* begin(h)
      yield* words(h, "Text", "BAD")
      yield* end(h, "r1", "incomplete")
      yield* handled(h)
      yield* TestClock.adjust("1 second")
      expect(h.all("GuardrailTripped")).toHaveLength(1)
    })
  )

  it.scoped("the final text is read also where it is another one of the same length", () =>
    Effect.gen(function* () {
      const h = yield* open(guardedBy(Guardrail.output("g", { check: noBad, debounce: 1 })), [])
      yield* begin(h)
      yield* words(h, "Text", "GUT")
      yield* handled(h)
      yield* wordsDone(h, "Text", "BAD")
      yield* handled(h)
      yield* TestClock.adjust("1 second")
      expect(h.all("GuardrailTripped")).toHaveLength(1)
    })
  )
})
