import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../src/Agent.js"
import * as EmbeddedRealtime from "../src/EmbeddedRealtime.js"
import * as OpenAiRealtime from "../src/OpenAiRealtime.js"
import { type Connection, ConnectionLost, RealtimeModel } from "../src/RealtimeModel.js"
import * as ScriptedModel from "../src/ScriptedModel.js"
import { call, fail, pause, say } from "../src/ScriptedModel.js"
import * as Session from "../src/Session.js"
import { SessionEvent } from "../src/SessionEvent.js"
import * as Tool from "../src/Tool.js"
import { open, outputFrame } from "./session/harness.js"

const { Faults } = EmbeddedRealtime
const agent = Agent.make("Concierge", { instructions: "Help." })
const echo = Tool.make("echo", {
  description: "Says it again",
  parameters: { text: Schema.String },
  handler: ({ text }) => Effect.succeed(text)
})

const make = (model: ScriptedModel.ScriptedModel, options: Session.Options = {}) =>
  Effect.provideService(Session.make(agent, options), RealtimeModel, model.model)

describe("Session.make", () => {
  it.scoped("tells the model who it is, with its tools always, and waits until that is confirmed", () =>
    Effect.gen(function* () {
      const h = yield* open(
        Agent.make("A", {
          instructions: Effect.succeed("Help."),
          tools: [echo],
          settings: { tool_choice: "required" }
        }),
        []
      )
      yield* h.first("SessionStarted")
      expect(yield* h.model.sent).toEqual([
        {
          type: "session.update",
          event_id: expect.stringMatching(/^upd_/),
          session: {
            type: "realtime",
            output_modalities: ["text"],
            tool_choice: "required",
            instructions: "Help.",
            tools: [
              {
                type: "function",
                name: "echo",
                description: "Says it again",
                parameters: {
                  type: "object",
                  required: ["text"],
                  properties: { text: { type: "string" } },
                  additionalProperties: false
                }
              }
            ]
          }
        }
      ])
      expect(h.events.map(({ _tag }) => _tag)).toEqual(["ServerEventReceived", "SessionUpdated", "SessionStarted"])
      const bare = yield* open(agent, [])
      expect(yield* bare.model.sent).toMatchObject([{ session: { tools: [] } }])
    })
  )

  it.scoped("fails where the agent cannot be offered, before it connects", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([])
      const twice = Agent.make("A", { instructions: "", tools: [echo, echo] })
      const error = yield* Effect.flip(Effect.provideService(Session.make(twice), RealtimeModel, model.model))
      expect(error).toMatchObject({ _tag: "AgentInvalid", problems: [expect.stringContaining('"echo"')] })
      expect(yield* model.connections).toEqual([])
    })
  )

  it.scoped("fails where a server would refuse the settings of any agent that may take over, before it connects", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([])
      const billing = Agent.make("Billing", { instructions: "", settings: { audio: { output: { speed: 3 } } } })
      const desk = Agent.make("Desk", {
        instructions: "",
        handoffs: [billing],
        settings: { reasoning: { effort: "low" } }
      })
      const session = Session.make(desk, { model: "gpt-realtime" })
      const error = yield* Effect.flip(Effect.provideService(session, RealtimeModel, model.model))
      expect(error).toMatchObject({
        _tag: "SettingsInvalid",
        problems: [{ param: "session.reasoning" }, { param: "session.audio.output.speed" }]
      })
      expect(yield* model.connections).toEqual([])
    })
  )

  it.scoped("fails with the server's reason where it refuses the settings", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([], {
        faults: [Faults.refuseSessionUpdate("invalid_value", "No such voice.")]
      })
      expect(yield* Effect.flip(make(model))).toMatchObject({
        _tag: "SettingsRejected",
        code: "invalid_value",
        reason: "No such voice."
      })
    })
  )

  it.scoped("fails where the server never confirms the settings", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([], { faults: [Faults.withholdSessionUpdated()] })
      const fiber = yield* Effect.fork(Effect.flip(make(model)))
      yield* model.next("session.update")
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(fiber)).toMatchObject({ _tag: "SettingsTimedOut", afterMs: 10_000 })
    })
  )

  it.scoped("fails with the close code where the server closes at once", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([], { faults: [Faults.closeAtEvent(1, 1011, "try later")] })
      expect(yield* Effect.flip(make(model))).toMatchObject({ _tag: "ConnectionLost", code: 1011, reason: "try later" })
    })
  )

  it.scopedLive("fails with the status where the server refuses the handshake", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ apiKey: Redacted.make("right") })
      const layer = OpenAiRealtime.layer({ apiKey: Redacted.make("wrong"), url: server.url })
      const error = yield* Effect.flip(Effect.provide(Session.make(agent), layer))
      expect(error).toMatchObject({ _tag: "HandshakeRefused", status: 401 })
    })
  )
})

describe("Publication", () => {
  it.scoped("shows the first subscriber everything from the start, and later ones what follows", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([[say("One.")], [say("Two.")]])
      const session = yield* make(model, { settings: { output_modalities: ["text"] } })
      const said = (stream: typeof session.events) =>
        stream.pipe(
          Stream.filterMap((event) => (event._tag === "TextCompleted" ? Option.some(event.text) : Option.none())),
          Stream.runCollect,
          Effect.map((texts) => [...texts])
        )
      yield* session.sendText("1")
      yield* model.next("response.create")
      yield* until(session, (items) => items.length === 2)
      const first = yield* Effect.fork(said(session.events))
      yield* Effect.yieldNow()
      const later = yield* Effect.fork(said(session.events))
      yield* Effect.yieldNow()
      yield* session.sendText("2")
      yield* until(session, (items) => items.length === 4)
      yield* session.close
      expect(yield* Fiber.join(first)).toEqual(["One.", "Two."])
      expect(yield* Fiber.join(later)).toEqual(["Two."])
    })
  )

  it.scoped("does not wait for a subscriber that is slow or fails, and tells it what it missed", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const model = yield* ScriptedModel.make(Array.from({ length: 20 }, () => [say("Hello there, how are you?")]))
      const session = yield* make(model, { subscriberCapacity: 8, settings: { output_modalities: ["text"] } })
      const slow = yield* session.events.pipe(
        Stream.tap(() => Deferred.await(gate)),
        Stream.runCollect,
        Effect.fork
      )
      yield* session.events.pipe(
        Stream.runForEach(() => Effect.dieMessage("a subscriber")),
        Effect.fork
      )
      yield* Effect.yieldNow()
      for (let turn = 1; turn <= 20; turn += 1) {
        yield* session.sendText("Hi")
        yield* until(session, (items) => items.length === 2 * turn)
      }
      yield* Deferred.succeed(gate, undefined)
      yield* session.close
      const events = [...(yield* Fiber.join(slow))]
      const missed = events.filter((event) => event._tag === "EventsMissed")
      expect(missed.length).toBeGreaterThan(0)
      expect(missed[0]?.count).toBeGreaterThan(20)
    })
  )

  it.scoped("streams the errors apart, from the start, and ends both streams with the session", () =>
    Effect.gen(function* () {
      const broken = Tool.make("broken", { description: "", handler: () => Effect.fail("no") })
      const h = yield* open(Agent.make("A", { instructions: "", tools: [broken, echo] }), [
        [call("broken", {}), call("echo", { text: "x" })],
        [say("Sorry.")]
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.close
      const errors = yield* Stream.runCollect(h.session.errors)
      expect([...errors].map(({ _tag }) => _tag)).toEqual(["ToolFailed"])
      expect([...(yield* Stream.runCollect(h.session.events))]).toEqual([])
    })
  )

  it.scoped("has a schema that encodes every event as JSON, without what stays in the process", () =>
    Effect.gen(function* () {
      const broken = Tool.make("broken", { description: "", handler: () => Effect.die(new Error("hunter2")) })
      const h = yield* open(Agent.make("A", { instructions: "", tools: [broken, echo] }), [
        [call("broken", {}), call("echo", { text: "x" }), call("echo", { text: 1 }), call("nobody", {})],
        [say("Sorry.")]
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.close
      yield* h.first("SessionEnded")
      const list = Schema.parseJson(Schema.Array(SessionEvent))
      const text = yield* Schema.encodeUnknown(list)(h.events)
      expect(text).not.toContain("hunter2")
      const decoded = yield* Schema.decode(list)(text)
      expect(decoded.map(({ _tag }) => _tag)).toEqual(h.events.map(({ _tag }) => _tag))
      expect(decoded.filter(({ _tag }) => _tag === "ToolFailed")).toHaveLength(3)
    })
  )
})

describe("Commands", () => {
  it.scoped("says something as the user and gets an answer", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hello, Ada.")]])
      const id = yield* h.session.sendText("I am Ada.")
      const done = yield* h.first("ResponseDone")
      expect(done).toMatchObject({ status: "completed", usage: { total_tokens: expect.any(Number) } })
      expect((yield* h.model.sent).slice(1)).toEqual([
        {
          type: "conversation.item.create",
          event_id: id,
          item: { id, type: "message", role: "user", content: [{ type: "input_text", text: "I am Ada." }] }
        },
        {
          type: "response.create",
          event_id: expect.stringMatching(/^req_/),
          response: { metadata: { effect_realtime_request: expect.stringMatching(/^req_/) } }
        }
      ])
      expect((yield* h.session.conversation).items).toMatchObject([
        { _tag: "Message", id, role: "user", content: [{ text: "I am Ada." }] },
        { _tag: "Message", role: "assistant", status: "completed", content: [{ _tag: "Text", text: "Hello, Ada." }] }
      ])
      expect(h.all("ItemAdded")).toHaveLength(2)
    })
  )

  it.scoped("puts a message without asking, and asks with parameters, one response each", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("A")], [say("B")], [say("C")]])
      yield* h.session.sendMessage({
        type: "message",
        role: "system",
        content: [{ type: "input_text", text: "Be brief." }]
      })
      yield* h.session.requestResponse({ instructions: "Say A." })
      yield* h.session.requestResponse({ instructions: "Say B.", metadata: { mine: "yes" } })
      yield* h.session.requestResponse({ conversation: "none", instructions: "Say C." })
      yield* h.nth("ResponseDone", 3)
      const requests = (yield* h.model.sent).filter((event) => event.type === "response.create")
      expect(requests.map(({ response }) => response?.instructions)).toEqual(["Say A.", "Say C.", "Say B."])
      expect(requests[2]?.response?.metadata).toMatchObject({
        mine: "yes",
        effect_realtime_request: expect.any(String)
      })
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("stops what the model is saying, and what it is about to say", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [
        [say("One"), pause("1 minute"), say("two")],
        [pause("1 minute"), say("Three")],
        [say("Four")]
      ])
      yield* h.session.sendText("Count.")
      yield* h.first("TextCompleted")
      yield* h.session.interrupt
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "cancelled", reason: "client_cancelled" })
      yield* h.session.sendText("Again.")
      yield* h.session.interrupt
      expect(yield* h.nth("ResponseDone", 2)).toMatchObject({ status: "cancelled" })
      yield* h.session.sendText("Again.")
      expect(yield* h.nth("ResponseDone", 3)).toMatchObject({ status: "completed" })
    })
  )

  it.scoped("stops the tools that want to be interrupted, and only those", () =>
    Effect.gen(function* () {
      const options = { description: "", handler: () => Effect.as(Effect.sleep("5 seconds"), "done") } as const
      const cancel = Tool.make("cancel", { ...options, onInterrupt: "cancel" })
      const go = Tool.make("go", options)
      const h = yield* open(Agent.make("A", { instructions: "", tools: [cancel, go] }), [
        [call("cancel", {}, { callId: "c1" }), call("go", {}, { callId: "c2" })],
        [say("Fine.")]
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolStarted", 2)
      yield* h.session.interrupt
      expect(yield* h.first("ToolFailed")).toMatchObject({ call: { callId: "c1" }, error: { _tag: "ToolInterrupted" } })
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toMatchObject([{ item: { call_id: "c1" } }, { item: { call_id: "c2", output: "done" } }])
    })
  )

  it.scoped("changes settings when the server confirms them, and fails when it refuses", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [])
      yield* h.session.updateConfig({ max_output_tokens: 100 })
      expect(h.all("SessionUpdated").at(-1)).toMatchObject({
        session: { max_output_tokens: 100, instructions: "Help." }
      })
      const error = yield* Effect.flip(h.session.updateConfig({ reasoning: { effort: "low" } }))
      // The model's name is the provider's own, so only the server can know.
      expect(error).toMatchObject({ _tag: "SettingsRejected", param: expect.stringContaining("reasoning") })
      const invalid = yield* Effect.flip(h.session.updateConfig({ max_output_tokens: 5000 }))
      expect(invalid).toMatchObject({ _tag: "SettingsInvalid", problems: [{ param: "session.max_output_tokens" }] })
      yield* h.session.updateConfig({ max_output_tokens: 200 })
      expect(h.all("SessionUpdated").at(-1)).toMatchObject({ session: { max_output_tokens: 200 } })
    })
  )

  it.scoped("sends a raw event as it is", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [])
      yield* h.session.send({ type: "input_audio_buffer.clear" })
      expect(yield* h.nth("ServerEventReceived", 2)).toMatchObject({ type: "input_audio_buffer.cleared" })
    })
  )
})

describe("Bad input", () => {
  const survives: ReadonlyArray<readonly [string, string, Record<string, unknown>]> = [
    ["a frame that is not JSON", '{"type":"response.', { _tag: "ProtocolViolation", excerpt: '{"type":"response.' }],
    ["a frame that is no event", "[1,2,3]", { _tag: "ProtocolViolation" }],
    [
      "an event of a type that it does not know",
      '{"type":"response.sung","note":"c"}',
      { _tag: "ServerEventReceived", type: "response.sung", event: { type: "response.sung", note: "c" } }
    ],
    [
      "an event named like a prototype's field",
      '{"type":"__proto__"}',
      { _tag: "ServerEventReceived", type: "__proto__" }
    ],
    [
      "an enum member that it does not know",
      '{"type":"response.done","response":{"id":"resp_x","status":"paused","output":[]}}',
      { _tag: "ResponseDone", status: "paused" }
    ],
    [
      "an event with missing fields",
      '{"type":"response.output_item.done","output_index":0}',
      { _tag: "ProtocolViolation", type: "response.output_item.done" }
    ],
    [
      "an item of a kind that it does not know",
      '{"type":"conversation.item.added","item":{"id":"x1","type":"hologram"}}',
      { _tag: "ItemAdded", item: { _tag: "Other", id: "x1", type: "hologram", item: { id: "x1", type: "hologram" } } }
    ],
    [
      "a frame of 20 MB",
      JSON.stringify({ type: "response.output_text.delta", delta: "x".repeat(20_000_000) }),
      { _tag: "ProtocolViolation", message: expect.stringContaining("16") }
    ]
  ]
  for (const [what, text, event] of survives) {
    it.scoped(`survives ${what}, publishes it, and goes on`, () =>
      Effect.gen(function* () {
        const h = yield* open(Agent.make("A", { instructions: "", tools: [echo] }), [
          [call("echo", { text: "still here" }, { callId: "c1" })],
          [say("Yes.")]
        ])
        yield* h.session.sendText("Are you there?")
        const connection = yield* h.model.connection
        yield* connection.pushText(text)
        yield* h.nth("ResponseDone", event["_tag"] === "ResponseDone" ? 3 : 2)
        expect(h.events).toContainEqual(expect.objectContaining(event))
        expect(yield* h.outputs).toEqual([outputFrame("c1", "still here")])
      })
    )
  }

  it.scoped("answers a call whose frame it can read only in part", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("A", { instructions: "", tools: [echo] }), [])
      const connection = yield* h.model.connection
      yield* connection.pushText(
        JSON.stringify({
          type: "response.output_item.done",
          response_id: 7,
          output_index: "first",
          item: {
            type: "function_call",
            id: "i1",
            call_id: "c1",
            name: "echo",
            arguments: { text: "as an object" },
            status: 1
          }
        })
      )
      yield* h.first("ToolSucceeded")
      expect(yield* h.outputs).toEqual([outputFrame("c1", "as an object")])
      expect(h.all("ProtocolViolation")).toHaveLength(1)
    })
  )

  it.scoped("publishes an error of the server and goes on; says nothing of a race without consequences", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Yes.")]])
      yield* h.model.push({ type: "error", error: { type: "invalid_request_error", code: "odd", message: "Odd." } })
      yield* h.session.send({ type: "response.cancel" })
      yield* h.session.sendText("Still there?")
      yield* h.first("ResponseDone")
      expect(h.all("ServerErrorReceived")).toMatchObject([{ code: "odd", message: "Odd.", eventId: undefined }])
    })
  )

  it.scoped("ends with an error that retrying cannot fix", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [])
      yield* h.model.push({
        type: "error",
        error: { type: "invalid_request_error", code: "insufficient_quota", message: "Pay." }
      })
      const error = yield* Effect.flip(h.session.await)
      expect(error).toMatchObject({ _tag: "ServerFailed", code: "insufficient_quota" })
      expect(error.message).toContain("Pay. The account's quota is used up.")
      expect(yield* h.first("SessionEnded")).toMatchObject({ error: { _tag: "ServerFailed" } })
    })
  )
})

describe("Liveness", () => {
  for (const order of ["created-first", "error-first"] as const) {
    it.scoped(`responds to an output although the server began a response of its own (${order})`, () =>
      Effect.gen(function* () {
        const h = yield* open(
          Agent.make("A", { instructions: "", tools: [echo] }),
          [[call("echo", { text: "x" }, { callId: "c1" })], [say("Of the turn.")], [say("Of the output.")]],
          {},
          { faults: [Faults.vadWins(order, { nth: 2 })] }
        )
        yield* h.session.sendText("Go.")
        yield* h.nth("ResponseDone", 2)
        yield* TestClock.adjust("1 minute")
        expect(h.all("ResponseLost")).toEqual([])
        expect(h.all("TextCompleted").length).toBeGreaterThan(0)
        expect(yield* h.outputs).toHaveLength(1)
      })
    )
  }

  it.scoped("asks again for a response that never begins, and says at last that it is lost", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], {}, { faults: [Faults.ignoreResponseCreate()] })
      yield* h.session.sendText("Hello?")
      yield* h.model.next("response.create")
      yield* TestClock.adjust("30 seconds")
      yield* h.first("ResponseLost")
      expect(h.all("ResponseStalled")).toHaveLength(3)
      expect(yield* h.requests).toBe(3)
    })
  )

  it.scoped("gives up on a response that goes silent, and gets another", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hello.")]], {}, { faults: [Faults.stallResponse({ nth: 1 })] })
      yield* h.session.sendText("Hello?")
      yield* h.first("ResponseStarted")
      yield* TestClock.adjust("30 seconds")
      expect(yield* h.first("ResponseStalled")).toMatchObject({ responseId: expect.any(String) })
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "Hello." })
    })
  )

  it.scoped("asks again for a response that failed for a passing reason, and not for one that failed for good", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[fail("server_error")], [say("Hello.")], [fail("content_policy")]])
      yield* h.session.sendText("Hello?")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "failed", reason: "server_error" })
      yield* TestClock.adjust("1 second")
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "Hello." })
      yield* h.session.sendText("And now?")
      yield* h.nth("ResponseDone", 3)
      yield* TestClock.adjust("1 minute")
      expect(yield* h.requests).toBe(3)
    })
  )

  it.scoped("leaves the turn to the server while the user speaks, and lets its response answer", () =>
    Effect.gen(function* () {
      const h = yield* open(
        Agent.make("A", {
          instructions: "",
          tools: [echo],
          settings: { audio: { input: { turn_detection: { type: "server_vad" } } } }
        }),
        [[say("Heard.")]]
      )
      yield* h.model.userSays("Hello")
      yield* h.first("ResponseDone")
      expect(h.all("ResponseStarted")).toMatchObject([{ requestId: undefined }])
      expect(yield* h.requests).toBe(0)
    })
  )
})

describe("Settlement", () => {
  it.scoped("defers an output that the connection does not take, and publishes the call as it ended", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([[call("echo", { text: "x" }, { callId: "c1" })]])
      const closed = new ConnectionLost({ code: 1006, reason: "", message: "closed" })
      // The socket has closed, and its close event has not arrived yet.
      const closing = (connection: Connection): Connection => ({
        ...connection,
        send: (event) =>
          event.type === "conversation.item.create" && event.item.type === "function_call_output"
            ? closed
            : connection.send(event)
      })
      const session = yield* Session.make(Agent.make("A", { instructions: "", tools: [echo] })).pipe(
        Effect.provideService(RealtimeModel, {
          connect: (options) => Effect.map(model.model.connect(options), closing)
        })
      )
      yield* session.sendText("Go.")
      const events = yield* session.events.pipe(
        Stream.filter(({ _tag }) => _tag === "OutputDeferred" || _tag === "ToolSucceeded" || _tag === "ToolFailed"),
        Stream.take(2),
        Stream.runCollect
      )
      expect([...events].map(({ _tag }) => _tag)).toEqual(["OutputDeferred", "ToolSucceeded"])
    })
  )
})

describe("Closure", () => {
  it.effect("ends with its scope: nothing more is sent, streams end, commands fail, and no fiber is left", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const deaf = Tool.make("deaf", { description: "", handler: () => Effect.uninterruptible(Effect.sleep("1 hour")) })
      const h = yield* Scope.extend(
        open(Agent.make("A", { instructions: "", tools: [deaf] }), [[call("deaf", {}, { callId: "c1" })]]),
        scope
      )
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      const sent = (yield* h.model.sent).length
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      expect(yield* Effect.exit(h.session.await)).toEqual(Exit.void)
      expect(yield* Effect.flip(h.session.sendText("Hello?"))).toMatchObject({ _tag: "SessionClosed" })
      expect(yield* Effect.flip(h.session.updateConfig({}))).toMatchObject({ _tag: "SessionClosed" })
      expect([...(yield* Stream.runCollect(h.session.events))]).toEqual([])
      yield* TestClock.adjust("2 hours")
      expect(yield* h.model.sent).toHaveLength(sent)
    })
  )

  it.scoped("completes the commands that were in progress when it ended", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], {}, { faults: [Faults.onServerEvent("session.updated", [], { nth: 2 })] })
      const update = yield* Effect.fork(Effect.flip(h.session.updateConfig({ max_output_tokens: 1 })))
      yield* h.model.next("session.update")
      yield* h.model.next("session.update")
      yield* h.session.close
      expect(yield* Fiber.join(update)).toMatchObject({ _tag: "SessionClosed" })
    })
  )
})

/** Waits until the conversation looks so. */
const until = (
  session: Session.Session<unknown>,
  isDone: (items: ReadonlyArray<{ readonly _tag: string }>) => boolean
): Effect.Effect<void> =>
  Effect.flatMap(session.conversation, ({ items }) =>
    isDone(items.filter((item) => !("status" in item) || item.status === "completed"))
      ? Effect.void
      : Effect.zipRight(Effect.yieldNow(), until(session, isDone))
  )
