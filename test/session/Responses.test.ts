import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { vi } from "vitest"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { call, cutShort, fail, pause, say } from "../../src/ScriptedModel.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import type * as Responses from "../../src/session/Responses.js"
import { requestKey } from "../../src/session/requestKey.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open, outputFrame } from "./harness.js"
import { parts } from "./parts.js"

const { Faults } = EmbeddedRealtime

/** With what it sends and says written down. As the session's calls do, the end of a response may ask for the next. */
const make = (onEnded: (responses: Responses.Responses) => void = () => undefined) => {
  const { published: events, sent, session } = parts()
  const ended: Array<string> = []
  vi.spyOn(session.calls, "responseEnded").mockImplementation((responseId) => {
    ended.push(responseId)
    onEnded(session.responses)
  })
  return { responses: session.responses, sent, events, ended, types: () => sent.map(({ type }) => type) }
}

const response = (id: string, outOfBand = false) => ({
  id,
  metadata: null,
  conversation_id: outOfBand ? null : "conv"
})

describe("§3 Liveness", () => {
  it("tells the calls of a response that it is over, also when its response.done has no id", () => {
    const { ended, events, responses, types } = make((responses) => responses.ask([]))
    responses.created(response("r1"))
    responses.done({ status: "completed" })
    expect(ended).toEqual(["r1"])
    expect(events.at(-1)).toMatchObject({ _tag: "ResponseDone", responseId: "r1" })
    expect(types()).toEqual(["response.create"])
  })

  it("does not let a call wait for the end of a response that is over", () => {
    const { ended, responses } = make()
    responses.created(response("r1"))
    responses.progressed("r1")
    expect(ended).toEqual([])
    responses.done({ id: "r1", status: "completed" })
    responses.progressed("r1")
    expect(ended).toEqual(["r1", "r1"])
  })

  it("counts and publishes the end of a response once, however often the server says it", () => {
    const { events, responses } = make()
    responses.created(response("r1"))
    for (const _ of [1, 2]) responses.done({ id: "r1", status: "failed", usage: { total_tokens: 5 } })
    expect(events.map(({ _tag }) => _tag)).toEqual(["ResponseStarted", "ResponseDone"])
    expect(responses.usage()).toMatchObject({ totalTokens: 5 })
  })

  it("makes one request of what waits and of what the end of the response adds", () => {
    const { responses, types } = make((responses) => responses.ask(["b"]))
    responses.created(response("r1"))
    responses.ask(["a"])
    responses.done({ id: "r1", status: "completed" })
    expect(types()).toEqual(["response.create"])
  })
})

describe("Cancellation", () => {
  it("stops a response beside the conversation, and leaves nothing to mend there", () => {
    const { responses, sent } = make()
    responses.created(response("beside", true))
    expect(responses.cancel("beside")).toBe(false)
    expect(sent).toMatchObject([{ type: "response.cancel", response_id: "beside" }])
  })

  it("says whether the conversation had a response to stop", () => {
    const { responses, types } = make()
    responses.created(response("r1"))
    expect([responses.cancel("r1"), responses.cancel("r2")]).toEqual([true, false])
    expect(types()).toEqual(["response.cancel"])
  })
})

const desk = Agent.make("Desk", { instructions: "Desk." })
const echo = Tool.make("echo", { description: "", handler: () => Effect.succeed("echo") })
const withEcho = Agent.make("Desk", { instructions: "Desk.", tools: [echo] })
const then = [say("All right.")]

/** The requests for a response, as they were sent. */
const requestsOf = <E>({ model }: Harness<E>) =>
  Effect.map(model.sent, (sent) => sent.filter((event) => event.type === "response.create"))

/** Time for anything that should not happen. */
const later = TestClock.adjust("5 minutes")

describe("§3 Requests", () => {
  it.scoped("makes one response.create of all reasons to speak that come while a response is active", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("One."), pause("10 seconds")], then, then])
      yield* h.session.sendText("1")
      yield* h.first("ResponseStarted")
      yield* h.session.sendText("2")
      yield* h.session.requestResponse()
      yield* h.session.sendText("3")
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("10 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* later
      expect(yield* h.requests).toBe(2)
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("merges no request that has parameters, and keeps its place among the others", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[pause("10 seconds")], then, then, then])
      yield* h.session.sendText("0")
      yield* h.first("ResponseStarted")
      yield* h.session.requestResponse({ instructions: "1" })
      yield* h.session.sendText("Hello?")
      yield* h.session.requestResponse({ instructions: "2" })
      yield* h.session.requestResponse()
      yield* TestClock.adjust("10 seconds")
      yield* h.nth("ResponseDone", 4)
      yield* later
      expect((yield* requestsOf(h)).map(({ response }) => response?.instructions)).toEqual([
        undefined,
        "1",
        undefined,
        "2"
      ])
    })
  )

  it.scoped("runs a response beside the conversation while another is active", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[pause("10 seconds"), say("Of the talk.")], [say("Beside.")]])
      yield* h.session.sendText("0")
      yield* h.first("ResponseStarted")
      yield* h.session.requestResponse({ conversation: "none" })
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "Beside." })
      expect((yield* requestsOf(h))[1]?.response).toMatchObject({ conversation: "none" })
      expect(h.all("ResponseDone")).toHaveLength(1)
      yield* TestClock.adjust("10 seconds")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("carries the id of its event in the response's metadata too", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then, then])
      yield* h.session.sendText("Hi.")
      yield* h.session.requestResponse({ metadata: { mine: "yes" } })
      yield* h.nth("ResponseDone", 2)
      const requests = yield* requestsOf(h)
      for (const { event_id, response } of requests) {
        expect(event_id).toMatch(/^req_/)
        expect(response?.metadata?.[requestKey]).toBe(event_id)
      }
      expect(requests.map(({ response }) => response?.metadata?.["mine"])).toEqual([undefined, "yes"])
      expect(h.all("ResponseStarted").map(({ requestId }) => requestId)).toEqual(
        requests.map(({ event_id }) => event_id)
      )
    })
  )

  for (const metadata of [null, {}, { effect_realtime_request: "req_of_another_client" }]) {
    it.scoped(`does not take a response for its own if its metadata is ${JSON.stringify(metadata)}`, () =>
      Effect.gen(function* () {
        const faults = [Faults.ignoreResponseCreate({ nth: 1 }), Faults.onServerEvent("conversation.item.added", [])]
        const done = Faults.onServerEvent("conversation.item.done", [])
        const h = yield* open(desk, [then], {}, { faults: [...faults, done] })
        yield* h.session.sendText("Hi.")
        yield* h.model.next("response.create")
        yield* h.model.push({ type: "response.created", response: { id: "foreign", status: "in_progress", metadata } })
        yield* h.model.push({ type: "response.done", response: { id: "foreign", status: "completed", output: [] } })
        yield* h.first("ResponseDone")
        yield* TestClock.adjust("10 seconds")
        yield* h.first("ResponseStalled")
        expect(yield* h.requests).toBe(2)
        yield* h.first("TextCompleted")
      })
    )
  }

  for (const isAcknowledged of [true, false]) {
    const faults = [
      Faults.vadWins("created-first", { nth: 2 }),
      ...["conversation.item.added", "conversation.item.done"].map((type) =>
        Faults.onServerEvent(type, ({ item }) =>
          !isAcknowledged && JSON.stringify(item).includes("function_call_output") ? [] : undefined
        )
      )
    ]
    it.scoped(
      isAcknowledged
        ? "lets the server's own response answer where it had acknowledged every output before"
        : "asks again after the server's own response where that may not have seen an output",
      () =>
        Effect.gen(function* () {
          const h = yield* open(withEcho, [[call("echo", {}, { callId: "c1" })], then, then], {}, { faults })
          yield* h.session.sendText("Go.")
          yield* h.nth("ResponseDone", isAcknowledged ? 2 : 3)
          yield* later
          expect(yield* h.outputs).toEqual([outputFrame("c1", "echo")])
          expect(h.all("ResponseDone")).toHaveLength(isAcknowledged ? 2 : 3)
          // One for the user, one that collided.
          expect(yield* h.requests).toBe(isAcknowledged ? 2 : 3)
        })
    )
  }

  for (const order of ["created-first", "error-first"] as const) {
    it.scoped(`keeps a request that collided, and sends it again when the other response is done (${order})`, () =>
      Effect.gen(function* () {
        const h = yield* open(
          desk,
          [[pause("10 seconds"), say("Of the turn.")], [say("As asked.")]],
          {},
          { faults: [Faults.vadWins(order, { nth: 1 })] }
        )
        yield* h.session.requestResponse({ instructions: "Do as asked." })
        yield* h.first("ResponseStarted")
        yield* TestClock.adjust("9999 millis")
        expect(yield* h.requests).toBe(1)
        yield* TestClock.adjust("1 millis")
        yield* h.nth("ResponseDone", 2)
        expect(h.all("TextCompleted").map(({ text }) => text)).toEqual(["Of the turn.", "As asked."])
        expect((yield* requestsOf(h)).map(({ response }) => response?.instructions)).toEqual([
          "Do as asked.",
          "Do as asked."
        ])
        expect([h.all("ResponseRefused"), h.all("ServerErrorReceived")]).toEqual([[], []])
      })
    )
  }

  it.scoped("publishes that a request was refused for any other reason, and goes on with the next", () =>
    Effect.gen(function* () {
      const refuse = Faults.onClientEvent("response.create", [Faults.refuse("invalid_value", "No such tool.")], {
        nth: 1
      })
      const h = yield* open(desk, [then], {}, { faults: [refuse] })
      yield* h.session.requestResponse({ instructions: "1" })
      yield* h.session.requestResponse({ instructions: "2" })
      yield* h.first("ResponseDone")
      yield* later
      const [first, second] = yield* requestsOf(h)
      expect(h.all("ResponseRefused")).toEqual([
        {
          _tag: "ResponseRefused",
          requestId: first?.event_id,
          code: "invalid_value",
          message: "No such tool.",
          retryInMs: undefined
        }
      ])
      expect(second?.response?.instructions).toBe("2")
      expect(yield* h.requests).toBe(2)
    })
  )

  it.scoped("publishes that a request beside the conversation was refused, and leaves it at that", () =>
    Effect.gen(function* () {
      const refuse = Faults.onClientEvent("response.create", [Faults.refuse("invalid_value", "No.")], { nth: 1 })
      const h = yield* open(desk, [then], {}, { faults: [refuse] })
      yield* h.session.requestResponse({ conversation: "none" })
      expect(yield* h.first("ResponseRefused")).toMatchObject({ code: "invalid_value", message: "No." })
      yield* later
      expect([h.all("ResponseRefused").length, yield* h.requests]).toEqual([1, 1])
    })
  )

  it.scoped("keeps two responses apart that are alive at a time", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then])
      const created = (id: string) =>
        h.model.push({ type: "response.created", response: { id, status: "in_progress", metadata: null } })
      const done = (id: string) =>
        h.model.push({ type: "response.done", response: { id, status: "completed", output: [] } })
      yield* created("r1")
      yield* created("r2")
      yield* h.nth("ResponseStarted", 2)
      yield* h.session.requestResponse({ instructions: "Mine." })
      yield* done("r2")
      yield* h.first("ResponseDone")
      expect(yield* h.requests).toBe(0)
      yield* done("r1")
      yield* h.model.next("response.create")
    })
  )
})

describe("§3 While the user speaks", () => {
  const slow = Tool.make("slow", { description: "", handler: () => Effect.as(Effect.sleep("5 seconds"), "slow") })
  const speaking = (turn_detection: { readonly type: "server_vad"; readonly create_response?: boolean }) =>
    Effect.gen(function* () {
      const agent = Agent.make("Desk", {
        instructions: "",
        tools: [slow],
        settings: { audio: { input: { turn_detection } } }
      })
      const seen: Array<ReadonlyArray<string>> = []
      const answer = ({ conversation }: EmbeddedRealtime.Request) => {
        seen.push(conversation.map(({ type }) => type))
        return then
      }
      const h = yield* open(agent, [[call("slow", {}, { callId: "c1" })], answer, answer])
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseDone")
      const connection = yield* h.model.connection
      const itemId = yield* connection.speechStarts
      yield* h.first("SpeechStarted")
      yield* TestClock.adjust("5 seconds")
      yield* h.first("ToolSucceeded")
      return { h, seen, stop: connection.speechEnds(itemId, "And then?") }
    })

  it.scoped("holds the request for an output, and leaves it to the server's response, which sees the output", () =>
    Effect.gen(function* () {
      const { h, seen, stop } = yield* speaking({ type: "server_vad" })
      expect(yield* h.outputs).toEqual([outputFrame("c1", "slow")])
      yield* TestClock.adjust("20 seconds")
      expect(yield* h.requests).toBe(1)
      yield* stop
      yield* h.nth("ResponseDone", 2)
      yield* later
      expect(yield* h.requests).toBe(1)
      expect(seen).toEqual([expect.arrayContaining(["function_call_output"])])
    })
  )

  it.scoped("asks at once if the server does not answer turns by itself", () =>
    Effect.gen(function* () {
      const { h } = yield* speaking({ type: "server_vad", create_response: false })
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.requests).toBe(2)
    })
  )

  it.scoped("asks after all if the server does not answer the turn", () =>
    Effect.gen(function* () {
      const { h } = yield* speaking({ type: "server_vad" })
      yield* h.model.push({ type: "input_audio_buffer.speech_stopped", audio_end_ms: 900, item_id: "nothing" })
      yield* h.first("SpeechStopped")
      yield* TestClock.adjust("1999 millis")
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("1 millis")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.requests).toBe(2)
    })
  )
})

describe("§3 Watchdog", () => {
  for (const [what, options, ms] of [
    ["within 10 seconds", {}, 10_000],
    ["within the session's time", { responseTimeout: "3 seconds" }, 3000]
  ] as const) {
    it.scoped(
      `asks at most twice again for a response that does not begin ${what}, and then says that it is lost`,
      () =>
        Effect.gen(function* () {
          const ignored = [1, 2, 3].map((nth) => Faults.ignoreResponseCreate({ nth }))
          const h = yield* open(desk, [then], options, { faults: ignored })
          yield* h.session.sendText("Hello?")
          yield* h.model.next("response.create")
          for (const stalls of [0, 1, 2]) {
            yield* TestClock.adjust(ms - 1)
            expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([stalls, stalls + 1])
            yield* TestClock.adjust(1)
            yield* h.nth("ResponseStalled", stalls + 1)
          }
          yield* h.first("ResponseLost")
          yield* later
          const [request] = yield* requestsOf(h)
          expect(h.all("ResponseStalled")).toHaveLength(3)
          expect(h.all("ResponseLost")).toMatchObject([{ requestId: request?.event_id }])
          expect(h.all("ResponseLost")[0]?.responseId).toBeUndefined()
          expect(yield* h.requests).toBe(3)
          // Nothing blocks for ever.
          yield* h.session.sendText("Still there?")
          expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
        })
    )
  }

  for (const [what, options, ms] of [
    ["for 30 seconds", {}, 30_000],
    ["for the session's time", { silenceTimeout: "4 seconds" }, 4000]
  ] as const) {
    it.scoped(`asks at most twice again for a response that is silent ${what}, and then says that it is lost`, () =>
      Effect.gen(function* () {
        const stalled = [1, 2, 3].map((nth) => Faults.stallResponse({ nth }))
        const h = yield* open(desk, [then], options, { faults: stalled })
        yield* h.session.sendText("Hello?")
        for (const stalls of [0, 1, 2]) {
          yield* h.nth("ResponseStarted", stalls + 1)
          yield* TestClock.adjust(ms - 1)
          expect([h.all("ResponseStalled").length, yield* h.requests]).toEqual([stalls, stalls + 1])
          yield* TestClock.adjust(1)
          yield* h.nth("ResponseStalled", stalls + 1)
        }
        const ids = h.all("ResponseStarted").map(({ responseId }) => responseId)
        expect(h.all("ResponseStalled").map(({ responseId }) => responseId)).toEqual(ids)
        expect(yield* h.first("ResponseLost")).toMatchObject({ responseId: ids[2] })
        yield* later
        expect(h.all("ResponseLost")).toHaveLength(1)
        expect(yield* h.requests).toBe(3)
        yield* h.session.sendText("Still there?")
        expect(yield* h.first("TextCompleted")).toMatchObject({ text: "All right." })
      })
    )
  }

  it.scoped("says that a response of the server's own went silent, and asks for none in its place", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then])
      yield* h.model.push({ type: "response.created", response: { id: "r1", status: "in_progress", metadata: null } })
      yield* h.first("ResponseStarted")
      yield* TestClock.adjust("30 seconds")
      expect(yield* h.first("ResponseLost")).toMatchObject({ responseId: "r1" })
      expect(h.all("ResponseStalled")).toMatchObject([{ responseId: "r1" }])
      expect(h.all("ResponseLost")[0]?.requestId).toBeUndefined()
      yield* later
      expect(yield* h.requests).toBe(0)
    })
  )

  for (const event of [
    { type: "response.output_audio.delta", content_index: 0, delta: "AAAA" },
    { type: "response.output_audio_transcript.delta", content_index: 0, delta: "Hi" },
    { type: "response.output_text.delta", content_index: 0, delta: "Hi" },
    { type: "response.function_call_arguments.delta", call_id: "c1", delta: "{" },
    { type: "response.content_part.added", content_index: 0, part: { type: "text", text: "" } }
  ] as const) {
    it.scoped(`counts ${event.type} as a sign of life`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [])
        const connection = yield* h.model.connection
        yield* h.model.push({ type: "response.created", response: { id: "r1", status: "in_progress", metadata: null } })
        yield* h.first("ResponseStarted")
        yield* TestClock.adjust("20 seconds")
        yield* connection.pushText(JSON.stringify({ ...event, response_id: "r1", item_id: "i1", output_index: 0 }))
        yield* TestClock.adjust("29999 millis")
        expect(h.all("ResponseStalled")).toEqual([])
        yield* TestClock.adjust("1 millis")
        yield* h.first("ResponseStalled")
      })
    )
  }
})

describe("§3 How a response ends", () => {
  const usage = { total_tokens: expect.any(Number) }
  for (const [what, parts, act, end] of [
    ["failed", [fail("content_policy")], undefined, { status: "failed", reason: "content_policy" }],
    [
      "cut off by its limit",
      [say("So"), cutShort("max_output_tokens")],
      undefined,
      { status: "incomplete", reason: "max_output_tokens" }
    ],
    [
      "cut off by a filter",
      [say("So"), cutShort("content_filter")],
      undefined,
      { status: "incomplete", reason: "content_filter" }
    ],
    [
      "cancelled by the application",
      [say("So"), pause("1 minute")],
      "interrupt",
      { status: "cancelled", reason: "client_cancelled" }
    ],
    [
      "cancelled by the user's speech",
      [say("So"), pause("1 minute")],
      "speech",
      { status: "cancelled", reason: "turn_detected" }
    ]
  ] as const) {
    it.scoped(`publishes a response as it ended, with its reason and usage, and asks for no other: ${what}`, () =>
      Effect.gen(function* () {
        const agent = Agent.make("Desk", {
          instructions: "",
          settings: { audio: { input: { turn_detection: { type: "server_vad", create_response: false } } } }
        })
        const h = yield* open(agent, [parts, then])
        yield* h.session.sendText("Go.")
        if (act !== undefined) {
          yield* h.first("TextCompleted")
          yield* act === "interrupt" ? h.session.interrupt : h.model.userSays("Stop.")
        }
        expect(yield* h.first("ResponseDone")).toMatchObject({ ...end, usage })
        yield* later
        expect(h.all("ResponseDone")).toHaveLength(1)
        expect(yield* h.requests).toBe(1)
      })
    )
  }

  for (const [code, options, backoff] of [
    ["server_error", {}, 1000],
    ["rate_limit_exceeded", {}, 1000],
    ["server_error", { retryBackoff: "3 seconds" }, 3000]
  ] as const) {
    it.scoped(`asks again for a response that failed by ${code}, first after ${backoff} milliseconds`, () =>
      Effect.gen(function* () {
        const failing = Array.from({ length: 4 }, () => [fail(code)])
        const h = yield* open(desk, [...failing, then], { retryWithin: 5 * backoff, ...options })
        yield* h.session.sendText("Hello?")
        for (const [index, delay] of [backoff, 2 * backoff].entries()) {
          expect(yield* h.nth("ResponseDone", index + 1)).toMatchObject({ status: "failed", reason: code })
          yield* TestClock.adjust(delay - 1)
          expect(yield* h.requests).toBe(index + 1)
          yield* TestClock.adjust(1)
        }
        yield* h.nth("ResponseDone", 3)
        const [request] = yield* requestsOf(h)
        expect(yield* h.first("ResponseLost")).toMatchObject({ requestId: request?.event_id })
        yield* later
        expect([yield* h.requests, h.all("ResponseLost").length]).toEqual([3, 1])
      })
    )
  }

  it.scoped("has what failed, or was cut short, among the errors, and not what was cancelled", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [
        [fail("content_policy")],
        [say("So"), cutShort("content_filter")],
        [pause("1 minute")]
      ])
      const errors: Array<SessionEvent> = []
      yield* Effect.forkScoped(Stream.runForEach(h.session.errors, (error) => Effect.sync(() => errors.push(error))))
      for (const n of [1, 2, 3]) {
        yield* h.session.requestResponse()
        yield* h.nth("ResponseStarted", n)
        if (n === 3) yield* h.session.interrupt
        yield* h.nth("ResponseDone", n)
      }
      yield* later
      expect(errors).toMatchObject([
        { _tag: "ResponseDone", status: "failed", reason: "content_policy" },
        { _tag: "ResponseDone", status: "incomplete", reason: "content_filter" }
      ])
    })
  )
})
