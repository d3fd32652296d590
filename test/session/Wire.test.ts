import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { classifyServerError, type ServerEvent } from "../../src/Protocol.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import { call, say } from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { mutate, mutation, pathsOf, serverEvents } from "../protocol/arbitraries.js"
import { numRuns } from "../runs.js"
import { open, outputFrame } from "./harness.js"
import { begin, end, handled, position } from "./speaking.js"

const { Faults } = EmbeddedRealtime
const desk = Agent.make("Desk", { instructions: "" })
const echo = Tool.make("echo", { description: "", handler: () => Effect.succeed("still here") })
const echoing = Agent.make("Desk", { instructions: "", tools: [echo] })

describe("§7 What the server may say", () => {
  const surprising: ReadonlyArray<readonly [string, string, object]> = [
    ["an unknown type", '{"type":"response.sung","note":"c"}', { _tag: "ServerEventReceived", type: "response.sung" }],
    ["no type", '{"note":"c"}', { _tag: "ProtocolViolation", type: undefined }],
    ["no object", "[]", { _tag: "ProtocolViolation", type: undefined }],
    ["no JSON", '{"type":"resp', { _tag: "ProtocolViolation", excerpt: '{"type":"resp' }],
    ["an empty frame", "", { _tag: "ProtocolViolation", excerpt: "" }],
    [
      "a known type whose field has another type",
      '{"type":"response.output_text.delta","response_id":"r","item_id":"i","output_index":0,"content_index":0,"delta":5}',
      { _tag: "ProtocolViolation", type: "response.output_text.delta" }
    ],
    [
      "a known type whose field has another type, as far as it goes",
      '{"type":"input_audio_buffer.speech_started","item_id":7}',
      { _tag: "SpeechStarted" }
    ]
  ]
  for (const [what, text, event] of surprising) {
    it.scoped(`${what}: it is published, nothing ends, and a call is answered`, () =>
      Effect.gen(function* () {
        const h = yield* open(echoing, [[call("echo", {}, { callId: "c1" })], [say("Yes.")]])
        yield* Effect.flatMap(h.model.connection, (connection) => connection.pushText(text))
        yield* handled(h)
        expect(h.events).toContainEqual(expect.objectContaining(event))
        yield* h.session.sendText("Are you there?")
        // Longer than speech that never ends may hold the session's requests.
        yield* TestClock.adjust("2 minutes")
        yield* h.nth("ResponseDone", 2)
        expect(yield* h.outputs).toEqual([outputFrame("c1", "still here")])
      })
    )
  }

  it.scoped("known events with unknown fields are taken for what they are, and passed on with those", () =>
    Effect.gen(function* () {
      const h = yield* open(echoing, [])
      const text = JSON.stringify({
        type: "response.output_item.done",
        response_id: "r1",
        output_index: 0,
        mood: "calm",
        item: { type: "function_call", id: "i1", call_id: "c1", name: "echo", arguments: "{}", mood: { calm: true } }
      })
      yield* Effect.flatMap(h.model.connection, (connection) => connection.pushText(text))
      yield* h.first("ToolSucceeded")
      const cleared = '{"type":"input_audio_buffer.cleared","mood":"calm"}'
      yield* Effect.flatMap(h.model.connection, (connection) => connection.pushText(cleared))
      yield* handled(h)
      expect(h.all("ServerEventReceived").map(({ event }) => event)).toContainEqual(JSON.parse(cleared))
      expect(h.all("ProtocolViolation")).toEqual([])
    })
  )

  it.scoped("enum members that are new, wherever a state depends on one, and the session goes on", () =>
    Effect.gen(function* () {
      const h = yield* open(echoing, [[call("echo", {}, { callId: "c1" })], [say("Yes.")]])
      yield* begin(h, "r0")
      yield* h.model.push({
        type: "response.output_item.added",
        ...position,
        response_id: "r0",
        item: { type: "message", id: "i1", role: "narrator", status: "rehearsed", content: [{ type: "output_smell" }] }
      })
      yield* end(h, "r0", "paused")
      yield* h.model.push({ type: "error", error: { type: "weather_error", code: "rain", message: "It rains." } })
      yield* h.model.push({
        type: "session.updated",
        session: { type: "realtime", audio: { input: { turn_detection: { type: "mind_reading" } } } }
      })
      yield* handled(h)
      expect(h.all("ResponseDone")).toMatchObject([{ status: "paused" }])
      expect(h.all("ServerErrorReceived")).toMatchObject([{ type: "weather_error", code: "rain" }])
      yield* h.session.sendText("Are you there?")
      yield* h.nth("ResponseDone", 3)
      expect(yield* h.outputs).toEqual([outputFrame("c1", "still here")])
    })
  )

  /** What the session may wait upon: chance alone would seldom come to it. */
  const states = fc.constantFrom<ServerEvent>(
    {
      type: "response.created",
      response: { id: "r1", status: "in_progress", metadata: null, conversation_id: "conv" }
    },
    { type: "response.done", response: { id: "r1", status: "completed", output: [] } },
    { type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u1" },
    { type: "input_audio_buffer.speech_stopped", audio_end_ms: 9, item_id: "u1" }
  )
  const anything = fc.oneof(...serverEvents.map(([, events]) => events))
  const frames = fc.oneof({ weight: 2, arbitrary: anything }, { weight: 1, arbitrary: states }).chain((event) => {
    const paths = pathsOf(event).filter(([key]) => key !== "type")
    return fc
      .option(fc.tuple(fc.nat(Math.max(0, paths.length - 1)), mutation), { nil: undefined })
      .map((change): unknown => {
        const path = change === undefined ? undefined : paths[change[0]]
        return change === undefined || path === undefined ? event : mutate(event, path, change[1])
      })
  })
  /** The errors that are to end a session. */
  const isTheEnd = (frame: unknown): boolean => {
    const error: unknown = Object(frame)["error"]
    const severity = classifyServerError(Object(error))
    return severity === "fatal" || severity === "transient"
  }

  it("any events in any order, with any field changed: nothing ends, no input is lost, and it is not silent", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(frames, { maxLength: 12 }), async (frames) => {
        fc.pre(!frames.some(isTheEnd))
        const run = Effect.gen(function* () {
          const h = yield* open(desk, [])
          const connection = yield* h.model.connection
          for (const frame of frames) yield* connection.pushText(JSON.stringify(frame))
          yield* handled(h)
          expect(h.all("InputFailed")).toEqual([])
          // Whatever it was led to believe, it believes no longer.
          yield* TestClock.adjust("10 minutes")
          const before = yield* h.requests
          yield* h.session.sendText("Are you there?")
          yield* TestClock.adjust("1 minute")
          expect(yield* h.requests).toBeGreaterThan(before)
          expect(h.all("SessionEnded")).toEqual([])
        })
        await Effect.runPromise(Effect.provide(Effect.scoped(run), TestContext.TestContext))
      }),
      // A session that hangs is a failure with a seed too. Shrinking whole sessions takes minutes: the seed replays it.
      { numRuns: numRuns(60), timeout: 10_000, endOnFailure: true }
    )
  })
})

describe("§7 Errors of the server", () => {
  const fatal = [
    "invalid_api_key",
    "insufficient_quota",
    "account_deactivated",
    "billing_hard_limit_reached",
    "model_not_found"
  ]
  for (const code of fatal) {
    it.scoped(`that are fatal end the session with a typed error, and it does not connect again: ${code}`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [])
        yield* h.model.push({ type: "error", error: { type: "invalid_request_error", code, message: "No." } })
        expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "ServerFailed", code, reason: "No." })
        expect(yield* h.first("SessionEnded")).toMatchObject({ error: { _tag: "ServerFailed" } })
        yield* TestClock.adjust("1 hour")
        expect(yield* h.model.connections).toHaveLength(1)
      })
    )
  }

  for (const status of [401, 403]) {
    it.scoped(`that refuse to connect with ${status} fail the session, and it does not try again`, () =>
      Effect.gen(function* () {
        let attempts = 0
        const model = yield* ScriptedModel.make([], { faults: [Faults.refuseHandshake(status)] })
        const counting = RealtimeModel.of({
          connect: (options) =>
            Effect.suspend(() => {
              attempts += 1
              return model.model.connect(options)
            })
        })
        const making = yield* Effect.fork(
          Effect.flip(Effect.provideService(Session.make(desk), RealtimeModel, counting))
        )
        yield* TestClock.adjust("1 hour")
        expect(yield* Fiber.join(making)).toMatchObject({ _tag: "HandshakeRefused", status })
        expect(attempts).toBe(1)
      })
    )
  }

  it.scoped("that are recoverable are published with all they say, and the session goes on", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Yes.")]])
      yield* h.model.push({
        type: "error",
        error: { type: "server_error", code: "odd", message: "Odd.", param: "session.x", event_id: "evt_9" }
      })
      expect(yield* h.first("ServerErrorReceived")).toEqual({
        _tag: "ServerErrorReceived",
        type: "server_error",
        code: "odd",
        message: "Odd.",
        param: "session.x",
        eventId: "evt_9"
      })
      yield* h.session.sendText("Are you there?")
      yield* h.first("ResponseDone")
    })
  )
})

describe("§7 Changes of settings", () => {
  const twoUpdates = (faults: EmbeddedRealtime.Options["faults"]) =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], {}, faults === undefined ? {} : { faults })
      const first = yield* Effect.fork(Effect.either(h.session.updateConfig({ max_output_tokens: 1 })))
      yield* Effect.yieldNow()
      const second = yield* Effect.fork(Effect.either(h.session.updateConfig({ max_output_tokens: 2 })))
      for (const _ of [1, 2, 3]) yield* h.model.next("session.update")
      return { h, first, second }
    })

  it.scoped("keep each other where two are made at the same time", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      const detection = (changed: { readonly threshold?: number; readonly silence_duration_ms?: number }) =>
        h.session.updateConfig({ audio: { input: { turn_detection: { type: "server_vad", ...changed } } } })
      yield* Effect.all([detection({ threshold: 0.8 }), detection({ silence_duration_ms: 900 })], {
        concurrency: "unbounded"
      })
      expect(h.all("SessionUpdated").at(-1)).toMatchObject({
        session: { audio: { input: { turn_detection: { threshold: 0.8, silence_duration_ms: 900 } } } }
      })
    })
  )

  it.scoped("are confirmed in their order: each caller waits for its own", () =>
    Effect.gen(function* () {
      const { h, first, second } = yield* twoUpdates([Faults.delay("session.updated", "3 seconds", { nth: 3 })])
      expect(yield* Fiber.join(first)).toMatchObject({ _tag: "Right" })
      yield* Effect.orDie(h.session.clearAudio)
      yield* h.model.next("input_audio_buffer.clear")
      expect(second.unsafePoll()).toBeNull()
      yield* TestClock.adjust("3 seconds")
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "Right" })
    })
  )

  it.scoped("are refused by the id of their event: an older one goes on waiting", () =>
    Effect.gen(function* () {
      const { first, h, second } = yield* twoUpdates([
        Faults.withholdSessionUpdated({ nth: 2 }),
        Faults.refuseSessionUpdate("invalid_value", "Not 2.", { nth: 3 })
      ])
      expect(yield* Fiber.join(second)).toMatchObject({ _tag: "Left", left: { reason: "Not 2." } })
      yield* TestClock.adjust("9 seconds")
      expect(first.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(first)).toMatchObject({ _tag: "Left", left: { _tag: "SettingsTimedOut" } })
      expect(h.all("ServerErrorReceived")).toEqual([])
    })
  )

  it.scoped("are refused also by an error that names a setting and no event", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], {}, { faults: [Faults.onClientEvent("session.update", [], { nth: 2 })] })
      const update = yield* Effect.fork(Effect.flip(h.session.updateConfig({ max_output_tokens: 1 })))
      for (const _ of [1, 2]) yield* h.model.next("session.update")
      const param = "session.max_output_tokens"
      yield* h.model.push({ type: "error", error: { type: "invalid_request_error", message: "Too few.", param } })
      expect(yield* Fiber.join(update)).toMatchObject({ _tag: "SettingsRejected", param, reason: "Too few." })
    })
  )

  it.scoped("do not wait for the server longer than their time limit", () =>
    Effect.gen(function* () {
      const faults = [Faults.withholdSessionUpdated({ nth: 2 })]
      const h = yield* open(desk, [], { settingsTimeout: "4 seconds" }, { faults })
      const update = yield* Effect.fork(Effect.flip(h.session.updateConfig({ max_output_tokens: 1 })))
      for (const _ of [1, 2]) yield* h.model.next("session.update")
      yield* TestClock.adjust("3999 millis")
      expect(update.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(update)).toMatchObject({ _tag: "SettingsTimedOut", afterMs: 4000 })
    })
  )
})

describe("§7 A response that failed for a fatal reason", () => {
  it.scoped("ends the session with a typed error, for no other response would end otherwise", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[ScriptedModel.fail("insufficient_quota")]])
      yield* h.session.sendText("Hi")
      expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "ServerFailed", code: "insufficient_quota" })
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "failed", reason: "insufficient_quota" })
    })
  )
})
