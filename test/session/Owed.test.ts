import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { call, fail, pause, say, stall } from "../../src/ScriptedModel.js"
import * as Tool from "../../src/Tool.js"
import { open, outputFrame } from "./harness.js"

const { Faults } = EmbeddedRealtime

const desk = Agent.make("Desk", { instructions: "Desk." })
const echo = Tool.make("echo", { description: "", handler: () => Effect.succeed("echo") })
const withEcho = Agent.make("Desk", { instructions: "Desk.", tools: [echo] })
const slow = Tool.make("slow", {
  description: "",
  timeout: "2 minutes",
  handler: () => Effect.as(Effect.sleep("40 seconds"), "slow")
})
const withSlow = Agent.make("Desk", { instructions: "Desk.", tools: [slow] })
const then = [say("All right.")]

/** Time for anything that should not happen. */
const later = TestClock.adjust("5 minutes")

describe("Liveness: a spoken turn that the server answers by itself", () => {
  it.scoped("is answered although the server never began to, after 10 seconds", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.ignoreTurn()] })
      yield* h.model.userSays("Hello?")
      yield* h.first("SpeechStopped")
      yield* TestClock.adjust("9999 millis")
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([0, 0])
      yield* TestClock.adjust("1 millis")
      const { requestId } = yield* h.first("ResponseStalled")
      expect(yield* h.first("ResponseStarted")).toMatchObject({ requestId })
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
      yield* later
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([1, 1])
    })
  )

  it.scoped("is answered although the server's response failed for a passing reason", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.failTurn("server_error")] })
      yield* h.model.userSays("Hello?")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "failed" })
      yield* TestClock.adjust("2 seconds")
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
      yield* later
      expect([h.all("ResponseDone").length, yield* h.requests]).toEqual([2, 1])
    })
  )

  it.scoped("is answered although the server's response fell silent", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.stallTurn()] })
      yield* h.model.userSays("Hello?")
      const { responseId } = yield* h.first("ResponseStarted")
      yield* TestClock.adjust("30 seconds")
      expect(yield* h.first("ResponseStalled")).toMatchObject({ responseId })
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
      yield* later
      expect([h.all("ResponseLost").length, yield* h.requests]).toEqual([0, 1])
    })
  )

  it.scoped("is said to be lost when nothing comes of it, after it was asked for twice", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], {}, { faults: [Faults.ignoreTurn(), Faults.ignoreResponseCreate()] })
      yield* h.model.userSays("Hello?")
      yield* h.first("SpeechStopped")
      yield* TestClock.adjust("30 seconds")
      const { requestId } = yield* h.first("ResponseLost")
      expect(h.all("ResponseStalled").map((event) => event.requestId)).toEqual([requestId, requestId, requestId])
      yield* later
      expect([h.all("ResponseLost").length, yield* h.requests]).toEqual([1, 2])
    })
  )

  it.scoped("is owed nothing when its response failed for good: that is published, and is an error", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.failTurn("content_policy")] })
      yield* h.model.userSays("Hello?")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "failed" })
      yield* later
      expect(yield* h.requests).toBe(0)
    })
  )

  it.scoped("is owed nothing if nothing was committed: that was a cough", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then])
      yield* h.model.push({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "i1" })
      yield* h.model.push({ type: "input_audio_buffer.speech_stopped", audio_end_ms: 90, item_id: "i1" })
      yield* later
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([0, 0])
    })
  )

  it.scoped("is owed nothing when the user barged in on its response, and said nothing then", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("So"), pause("1 minute")]])
      yield* h.model.userSays("Hello?")
      yield* h.first("TextCompleted")
      yield* (yield* h.model.connection).speechStarts
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "cancelled", reason: "turn_detected" })
      yield* later
      expect([h.all("ResponseLost").length, yield* h.requests]).toEqual([0, 0])
    })
  )

  it.scoped("is owed nothing when the application interrupted before the server began", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.ignoreTurn()] })
      yield* h.model.userSays("Hello?")
      yield* h.first("SpeechStopped")
      yield* TestClock.adjust("1 second")
      yield* h.session.interrupt
      yield* later
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([0, 0])
    })
  )

  it.scoped("is stopped when the application interrupted, and the server then begins", () =>
    Effect.gen(function* () {
      const faults = [Faults.onTurn([Faults.wait("3 seconds"), Faults.pass])]
      const h = yield* open(desk, [[say("So"), pause("1 minute")]], {}, { faults })
      yield* h.model.userSays("Hello?")
      yield* h.first("SpeechStopped")
      yield* h.session.interrupt
      yield* TestClock.adjust("3 seconds")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "cancelled", reason: "client_cancelled" })
      yield* later
      expect(yield* h.requests).toBe(0)
    })
  )

  it.scoped("waits for a user who goes on speaking, and is answered once with what they add", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.ignoreTurn()] })
      const connection = yield* h.model.connection
      yield* h.model.userSays("I would like")
      yield* h.first("SpeechStopped")
      yield* TestClock.adjust("5 seconds")
      const itemId = yield* connection.speechStarts
      yield* TestClock.adjust("20 seconds")
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([0, 0])
      yield* connection.speechEnds(itemId, "a table for two.")
      yield* h.nth("SpeechStopped", 2)
      yield* TestClock.adjust("10 seconds")
      yield* h.first("TextCompleted")
      yield* later
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([1, 1])
    })
  )

  it.scoped("is answered by one response together with an output that asks for one", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "", handler: () => Effect.as(Effect.sleep("5 seconds"), "done") })
      const agent = Agent.make("Desk", { instructions: "", tools: [tool] })
      const h = yield* open(
        agent,
        [[call("tool", {}, { callId: "c1" })], then, then],
        {},
        { faults: [Faults.ignoreTurn()] }
      )
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseDone")
      yield* h.model.userSays("And?")
      yield* h.first("SpeechStopped")
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* later
      expect([h.all("ResponseDone").length, h.all("ResponseStalled").length, yield* h.requests]).toEqual([2, 0, 2])
    })
  )

  it.scoped("is answered where it ended while a response was active that may not be interrupted", () =>
    Effect.gen(function* () {
      const turn_detection = { type: "server_vad", interrupt_response: false } as const
      const agent = Agent.make("Desk", { instructions: "", settings: { audio: { input: { turn_detection } } } })
      const h = yield* open(agent, [[say("Long."), pause("20 seconds")], then, then])
      yield* h.session.sendText("Go.")
      yield* h.first("TextCompleted")
      yield* h.model.userSays("But")
      yield* h.first("SpeechStopped")
      yield* TestClock.adjust("20 seconds")
      expect(yield* h.nth("TextCompleted", 2)).toMatchObject({ text: "All right." })
      yield* later
      expect([h.all("ResponseDone").length, h.all("ResponseStalled").length, yield* h.requests]).toEqual([2, 0, 2])
    })
  )

  it.scoped("is answered although nobody spoke: the server makes a turn of silence, too", () =>
    Effect.gen(function* () {
      const turn_detection = { type: "server_vad", idle_timeout_ms: 6_000 } as const
      const agent = Agent.make("Desk", { instructions: "", settings: { audio: { input: { turn_detection } } } })
      const h = yield* open(agent, [then, [say("Still there?")]], {}, { faults: [Faults.ignoreTurn({ nth: 1 })] })
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("6 seconds")
      yield* h.first("IdleTimedOut")
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.nth("TextCompleted", 2)).toMatchObject({ text: "Still there?" })
    })
  )

  it.scoped("asks for nothing if the application commits the audio itself", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.ignoreTurn()] })
      yield* h.session.sendAudio(new Uint8Array(9_600))
      yield* h.session.commitAudio
      yield* h.model.next("input_audio_buffer.commit")
      yield* later
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([0, 0])
    })
  )
})

describe("Liveness: a request that is refused for a passing reason", () => {
  it.scoped("is made again after 1, then after 2 seconds, and is answered", () =>
    Effect.gen(function* () {
      const faults = [Faults.refuseResponseCreate("server_error", "Oops.", { first: 2 })]
      const h = yield* open(desk, [then], {}, { faults })
      yield* h.session.sendText("Hello?")
      expect(yield* h.first("ResponseRefused")).toMatchObject({ code: "server_error", retryInMs: 1_000 })
      yield* TestClock.adjust("999 millis")
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("1 millis")
      expect(yield* h.nth("ResponseRefused", 2)).toMatchObject({ retryInMs: 2_000 })
      yield* TestClock.adjust("2 seconds")
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
      yield* later
      expect([h.all("ResponseLost").length, yield* h.requests]).toEqual([0, 3])
    })
  )

  it.scoped("is made again for a tool's output", () =>
    Effect.gen(function* () {
      const faults = [Faults.refuseResponseCreate("rate_limit_exceeded", "Slow down.", { nth: 2 })]
      const h = yield* open(withEcho, [[call("echo", {}, { callId: "c1" })], then], {}, { faults })
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseRefused")
      yield* TestClock.adjust("1 second")
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
      expect(yield* h.outputs).toEqual([outputFrame("c1", "echo")])
    })
  )

  it.scoped("is made again beside the conversation", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.refuseResponseCreate("server_error", "", { nth: 1 })] })
      yield* h.session.requestResponse({ conversation: "none" })
      yield* h.first("ResponseRefused")
      yield* TestClock.adjust("1 second")
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
    })
  )

  it.scoped("is made again at the time that the server named", () =>
    Effect.gen(function* () {
      const message = "Rate limit reached for gpt-realtime. Please try again in 6.2s."
      const faults = [Faults.refuseResponseCreate("rate_limit_exceeded", message, { nth: 1 })]
      const h = yield* open(desk, [then], {}, { faults })
      yield* h.session.sendText("Hello?")
      expect(yield* h.first("ResponseRefused")).toMatchObject({ retryInMs: 6_200 })
      yield* TestClock.adjust("6199 millis")
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("1 millis")
      yield* h.first("TextCompleted")
    })
  )

  it.scoped("is made again when the exhausted limits are renewed", () =>
    Effect.gen(function* () {
      const rateLimits = [
        { name: "requests", limit: 10, remaining: 0, reset_seconds: 8 },
        { name: "tokens", limit: 10, remaining: 5, reset_seconds: 60 }
      ] as const
      const h = yield* open(desk, [[fail("rate_limit_exceeded")], then], {}, { rateLimits })
      yield* h.session.sendText("Hello?")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("7999 millis")
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("1 millis")
      yield* h.first("TextCompleted")
    })
  )

  for (const code of ["server_error", "rate_limit_exceeded"]) {
    it.scoped(
      `is made again and again while the server refuses with ${code}: half a minute is no reason to hang up`,
      () =>
        Effect.gen(function* () {
          const faults = [1, 2, 3, 4, 5, 6].map((nth) => Faults.refuseResponseCreate(code, "Not now.", { nth }))
          const h = yield* open(desk, [then], {}, { faults })
          yield* h.session.sendText("Hello?")
          yield* TestClock.adjust("31 seconds")
          expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
          const pauses = h.all("ResponseRefused").map(({ retryInMs }) => retryInMs)
          expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000])
          yield* later
          expect([h.all("ResponseLost").length, yield* h.requests]).toEqual([0, 7])
        })
    )
  }

  for (const [what, options, message, requests] of [
    ["for longer than a minute", {}, "Oops.", 10],
    ["at all where the session says so", { retryWithin: 0 }, "Oops.", 1],
    ["where the server wants it too late", {}, "Please try again in 20m.", 1],
    ["where that would be later than the session allows", { retryWithin: "2 seconds" }, "Oops.", 2],
    ["for longer where silence is borne longer", { maxRetries: 20 }, "Oops.", 10]
  ] as const) {
    it.scoped(`is said to be lost when it was refused, and not made again ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [then], options, { faults: [Faults.refuseResponseCreate("server_error", message)] })
        yield* h.session.sendText("Hello?")
        yield* later
        expect(yield* h.requests).toBe(requests)
        expect(h.all("ResponseRefused").at(-1)?.retryInMs).toBeUndefined()
        expect(h.all("ResponseLost")).toMatchObject([{ requestId: h.all("ResponseRefused")[0]?.requestId }])
      })
    )
  }

  it.scoped("is not made again when the application interrupted meanwhile", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.refuseResponseCreate("server_error", "", { nth: 1 })] })
      yield* h.session.sendText("Hello?")
      yield* h.first("ResponseRefused")
      yield* h.session.interrupt
      yield* later
      expect(yield* h.requests).toBe(1)
    })
  )
})

describe("Liveness: a response that the server never announced", () => {
  it.scoped("answers what was asked for, and is not asked for again", () =>
    Effect.gen(function* () {
      const h = yield* open(
        withEcho,
        [[call("echo", {}, { callId: "c1" })], [say("Long."), pause("25 seconds")], then],
        {},
        {
          faults: [Faults.withholdResponseCreated()]
        }
      )
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseStarted", 2)
      yield* TestClock.adjust("25 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* later
      const sent = (yield* h.model.sent).filter((event) => event.type === "response.create")
      expect(sent).toHaveLength(2)
      expect(h.all("ResponseStarted").map(({ requestId }) => requestId)).toEqual(sent.map(({ event_id }) => event_id))
      expect(h.all("ResponseStalled")).toEqual([])
      expect(yield* h.outputs).toEqual([outputFrame("c1", "echo")])
    })
  )

  it.scoped("answers a turn of the user", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then], {}, { faults: [Faults.withholdResponseCreated()] })
      yield* h.model.userSays("Hello?")
      expect(yield* h.first("ResponseStarted")).toMatchObject({ requestId: undefined })
      yield* later
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([0, 0])
    })
  )

  it.scoped("is asked for again when it falls silent", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[say("So"), stall], then],
        {},
        { faults: [Faults.withholdResponseCreated({ nth: 1 })] }
      )
      yield* h.session.sendText("Hello?")
      yield* h.first("TextCompleted")
      yield* TestClock.adjust("30 seconds")
      yield* h.first("ResponseStalled")
      expect(yield* h.nth("TextCompleted", 2)).toMatchObject({ text: "All right." })
    })
  )

  it.scoped("is asked for again when it fails, though its end was the only event about it", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [[fail("server_error")], then],
        {},
        { faults: [Faults.withholdResponseCreated({ nth: 1 })] }
      )
      yield* h.session.sendText("Hello?")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "failed" })
      yield* TestClock.adjust("1 second")
      yield* h.first("TextCompleted")
    })
  )
})

describe("Liveness: what asks for a response at the same moment", () => {
  it.scoped("is one request of a response that fell silent and of the output of its call", () =>
    Effect.gen(function* () {
      const h = yield* open(withEcho, [[call("echo", {}, { callId: "c1" }), stall], then, then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      yield* TestClock.adjust("30 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* later
      expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([1, 2])
    })
  )

  for (const [what, end, fault] of [
    ["fell silent", stall, "ResponseStalled"],
    ["failed", fail("server_error"), "ResponseDone"]
  ] as const) {
    it.scoped(`is one request once the output is there, of a response that ${what} while its call ran`, () =>
      Effect.gen(function* () {
        const seen: Array<ReadonlyArray<string>> = []
        const answer = ({ conversation }: EmbeddedRealtime.Request) => {
          seen.push(conversation.map(({ type }) => type))
          return then
        }
        const h = yield* open(withSlow, [[call("slow", {}, { callId: "c1" }), end], answer, answer])
        yield* h.session.sendText("Go.")
        yield* h.first("ToolStarted")
        yield* TestClock.adjust("35 seconds")
        yield* h.first(fault)
        expect(yield* h.requests).toBe(1)
        yield* TestClock.adjust("5 seconds")
        yield* h.first("TextCompleted")
        yield* later
        expect(yield* h.requests).toBe(2)
        expect(seen).toEqual([expect.arrayContaining(["function_call_output"])])
      })
    )
  }

  it.scoped("is one request of a refusal that passes and of what the user writes meanwhile", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [then, then],
        {},
        { faults: [Faults.refuseResponseCreate("server_error", "", { nth: 1 })] }
      )
      yield* h.session.sendText("Hello?")
      yield* h.first("ResponseRefused")
      yield* h.session.sendText("Are you there?")
      yield* later
      expect([h.all("ResponseDone").length, yield* h.requests]).toEqual([1, 2])
    })
  )

  it.scoped("is one request of a failure that passes and of a turn that the server answers by itself", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[fail("server_error")], then, then], {})
      yield* h.session.sendText("Hello?")
      yield* h.first("ResponseDone")
      yield* h.model.userSays("Hello!")
      yield* h.nth("ResponseDone", 2)
      yield* later
      expect([h.all("ResponseDone").length, yield* h.requests]).toEqual([2, 1])
    })
  )
})
