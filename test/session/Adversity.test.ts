import { describe, expect, it, vi } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../src/Guardrail.js"
import { HandshakeRefused, RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import { call, pause, say } from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import { Responses } from "../../src/session/Responses.js"
import * as Tool from "../../src/Tool.js"
import { open } from "./harness.js"

const { Faults } = EmbeddedRealtime
const desk = Agent.make("Desk", { instructions: "Desk." })
const then = [say("All right.")]
const deaf = Effect.uninterruptible(Effect.sleep("1 hour"))

describe("Law 8, Closure", () => {
  it.effect("ends a session that was made as a resource, in a region that cannot be interrupted", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([then])
      const make = Effect.provideService(Session.make(desk), RealtimeModel, model.model)
      const used = Effect.acquireRelease(make, (session) => session.close).pipe(
        Effect.flatMap((session) => session.sendText("Hi")),
        Effect.scoped
      )
      yield* used
      expect((yield* model.sent).at(-1)?.type).toBe("response.create")
    })
  )

  it.effect("leaves nothing behind where its making is interrupted, at whichever step", () =>
    Effect.gen(function* () {
      /** Makes a session by so many steps at a time, and stops that some turns after it asked for the instructions. */
      const leftBehind = (ops: number, turns: number) =>
        Effect.gen(function* () {
          const asked = yield* Deferred.make<void>()
          const agent = Agent.make("Desk", { instructions: Effect.as(Deferred.succeed(asked, undefined), "Desk.") })
          const model = yield* ScriptedModel.make([])
          const scope = yield* Scope.make()
          const before = new Set(yield* Fiber.roots)
          const making = yield* Session.make(agent).pipe(
            Effect.provideService(RealtimeModel, model.model),
            Scope.extend(scope),
            Effect.withMaxOpsBeforeYield(ops),
            Effect.fork
          )
          yield* Deferred.await(asked)
          for (let turn = 0; turn < turns; turn += 1) yield* Effect.yieldNow()
          const made = yield* Fiber.interrupt(making)
          for (let turn = 0; turn < 20; turn += 1) yield* Effect.yieldNow()
          const left = Array.from(yield* Fiber.roots).filter((fiber) => !before.has(fiber))
          yield* Scope.close(scope, Exit.void)
          return Exit.isFailure(made) ? left.length : 0
        })
      for (let ops = 10; ops < 20; ops += 1) {
        for (let turns = 0; turns < 15; turns += 1) {
          expect({ ops, turns, left: yield* leftBehind(ops, turns) }).toEqual({ ops, turns, left: 0 })
        }
      }
    })
  )

  it.effect("leaves nothing behind where no server can be reached, with a journal", () =>
    Effect.gen(function* () {
      const refused = new HandshakeRefused({
        status: 503,
        url: "wss://example.com",
        body: "Busy.",
        message: "Try later."
      })
      const before = new Set(yield* Fiber.roots)
      const made = yield* Session.make(desk).pipe(
        Effect.provideService(RealtimeModel, { connect: () => Effect.fail(refused) }),
        Effect.provide(SessionJournal.layerMemory),
        Effect.scoped,
        Effect.exit
      )
      expect(Exit.isFailure(made)).toBe(true)
      for (let turn = 0; turn < 20; turn += 1) yield* Effect.yieldNow()
      expect(Array.from(yield* Fiber.roots).filter((fiber) => !before.has(fiber))).toEqual([])
    })
  )

  it.effect("ends in time although a check cannot be interrupted, and stops the tools that can", () =>
    Effect.gen(function* () {
      let stopped = false
      const tool = Tool.make("tool", {
        description: "",
        handler: () => Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => (stopped = true))))
      })
      const asks = Tool.make("asks", {
        description: "",
        approval: () => Effect.as(deaf, true),
        handler: () => Effect.void
      })
      const agent = Agent.make("Desk", {
        instructions: "",
        tools: [tool, asks],
        guardrails: [Guardrail.output("deaf", { check: () => Effect.as(deaf, Guardrail.pass) })]
      })
      const scope = yield* Scope.make()
      const h = yield* Scope.extend(open(agent, [[say("Well."), call("tool", {}), call("asks", {})]]), scope)
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(closing)
      expect(stopped).toBe(true)
    })
  )

  it.scoped("stops a handler whose time is over in the moment in which the session ends", () =>
    Effect.gen(function* () {
      const stopped: Array<string> = []
      const hangs = (name: string) =>
        Tool.make(name, {
          description: "",
          timeout: "1 second",
          handler: () => Effect.never.pipe(Effect.onInterrupt(() => Effect.sync(() => stopped.push(name))))
        })
      const agent = Agent.make("Desk", { instructions: "", tools: [hangs("one"), hangs("two"), hangs("three")] })
      const calls = [call("one", {}), call("two", {}), call("three", {})]
      const h = yield* open(agent, [calls], { controlCapacity: 1, reconnect: Schedule.spaced("1 hour") })
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolStarted", 3)
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("1 second")
      expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "OutboundOverflow" })
      yield* TestClock.adjust("1 second")
      expect(stopped.sort()).toEqual(["one", "three", "two"])
    })
  )

  it.scoped("ends with the failure of a tool that terminates, even if that failure has no message", () =>
    Effect.gen(function* () {
      class Odd extends Error {
        readonly _tag = "Odd"
        override get message(): string {
          throw new Error("no message")
        }
      }
      const tool = Tool.make("tool", { description: "", onFailure: "terminate", handler: () => Effect.fail(new Odd()) })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool] }), [
        [call("tool", {}, { callId: "c1" })]
      ])
      yield* h.session.sendText("Go.")
      expect(Exit.isFailure(yield* Effect.exit(h.session.await))).toBe(true)
      yield* h.model.next("conversation.item.create")
      yield* h.model.next("conversation.item.create")
      expect(yield* h.outputs).toHaveLength(1)
    })
  )
})

describe("§1 Settlement", () => {
  for (const [what, tool] of [
    [
      "the check for approval",
      Tool.make("tool", { description: "", approval: () => Effect.never, handler: () => Effect.void })
    ],
    [
      "the decoding of its arguments",
      Tool.make("tool", {
        description: "",
        parameters: { text: Schema.String.pipe(Schema.filterEffect(() => Effect.never)) },
        handler: () => Effect.void
      })
    ]
  ] as const) {
    it.scoped(`answers a call although ${what} never ends, and does not run it`, () =>
      Effect.gen(function* () {
        const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool] }), [
          [call("tool", { text: "x" })],
          then
        ])
        yield* h.session.sendText("Go.")
        yield* h.first("ResponseDone")
        yield* TestClock.adjust("20 seconds")
        expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolTimedOut" } })
        yield* h.nth("ResponseDone", 2)
        expect(h.all("ToolStarted")).toEqual([])
      })
    )
  }

  it.scoped("answers a handoff to an agent that never says what it wants, and can hand over afterwards", () =>
    Effect.gen(function* () {
      const stuck = Agent.make("Stuck", { instructions: Effect.never })
      const fine = Agent.make("Fine", { instructions: "Fine." })
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [stuck, fine] }), [
        [call("transfer_to_Stuck", {})],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "HandoffFailed", step: "settings" } })
      yield* h.session.updateAgent("Fine")
      expect(yield* h.session.agent).toBe("Fine")
    })
  )

  it.scoped("runs no handler of a call that the user cut off in the moment in which it came", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const tool = Tool.make("tool", {
        description: "",
        onInterrupt: "cancel",
        handler: () => Effect.sync(() => ran.push("ran"))
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool] }), [])
      yield* h.model.push({ type: "response.created", response: { id: "r1", status: "in_progress" } })
      yield* h.first("ResponseStarted")
      const item = {
        type: "function_call",
        id: "i1",
        call_id: "c1",
        name: "tool",
        arguments: "{}",
        status: "completed"
      }
      const { pushText } = yield* h.model.connection
      yield* pushText(JSON.stringify({ type: "response.output_item.done", response_id: "r1", output_index: 0, item }))
      yield* pushText(JSON.stringify({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u1" }))
      expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted" } })
      yield* TestClock.adjust("1 minute")
      expect(ran).toEqual([])
      expect(h.all("ToolStarted")).toEqual([])
    })
  )

  it.scoped("answers a call that waits for approval when the user stops it, and takes no approval after that", () =>
    Effect.gen(function* () {
      let ran = false
      const tool = Tool.make("tool", {
        description: "",
        approval: true,
        onInterrupt: "cancel",
        handler: () =>
          Effect.sync(() => {
            ran = true
          })
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool] }), [[call("tool", {})], then])
      yield* h.session.sendText("Go.")
      const { call: asked } = yield* h.first("ToolApprovalRequested")
      yield* h.session.interrupt
      expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted" } })
      expect(yield* h.session.pendingApprovals).toEqual([])
      expect(yield* Effect.flip(h.session.approve(asked.callId))).toMatchObject({ _tag: "ApprovalNotPending" })
      yield* h.nth("ResponseDone", 2)
      yield* TestClock.adjust("10 minutes")
      expect(ran).toBe(false)
      expect(h.all("ToolFailed")).toHaveLength(1)
    })
  )

  it.scoped("says which output the server refused, and sends a neutral one once", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "", handler: () => Effect.succeed("too much") })
      const refuse = Faults.onClientEvent(
        "conversation.item.create",
        [Faults.refuse("string_above_max_length", "Too long.")],
        { nth: 2 }
      )
      const h = yield* open(
        Agent.make("Desk", { instructions: "", tools: [tool] }),
        [[call("tool", {}, { callId: "c1" })], then],
        {},
        { faults: [refuse] }
      )
      yield* h.session.sendText("Go.")
      expect(yield* h.first("OutputRefused")).toMatchObject({ call: { callId: "c1" }, code: "string_above_max_length" })
      yield* h.nth("ResponseDone", 2)
      yield* TestClock.adjust("1 second")
      expect(yield* h.model.outputs).toMatchObject([{ callId: "c1", output: expect.stringContaining("OutputRefused") }])
    })
  )
})

describe("§2 Handoffs", () => {
  const other = Agent.make("Other", { instructions: "Other." })
  const agent = Agent.make("Desk", { instructions: "Desk.", handoffs: [other] })

  it.scoped("complete on both sides, even when the caller has stopped waiting", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], {}, { faults: [Faults.delay("session.updated", "3 seconds", { nth: 2 })] })
      const asked = yield* Effect.fork(h.session.updateAgent("Other"))
      yield* h.model.next("session.update")
      yield* h.model.next("session.update")
      yield* Fiber.interrupt(asked)
      yield* TestClock.adjust("3 seconds")
      yield* h.first("HandedOff")
      expect(yield* h.session.agent).toBe("Other")
    })
  )

  it.scoped("are not confirmed by an update of the server that is not theirs", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], {}, { faults: [Faults.withholdSessionUpdated({ nth: 2 })] })
      const asked = yield* Effect.fork(Effect.flip(h.session.updateAgent("Other")))
      yield* h.model.next("session.update")
      yield* h.model.next("session.update")
      const session = {
        type: "realtime",
        instructions: "Desk.",
        tools: [{ type: "function", name: "transfer_to_Other" }]
      }
      const connection = yield* h.model.connection
      yield* connection.pushText(JSON.stringify({ type: "session.updated", session }))
      yield* h.nth("SessionUpdated", 2)
      expect(yield* h.session.agent).toBe("Desk")
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(asked)).toMatchObject({ _tag: "SettingsTimedOut" })
    })
  )

  it.scoped("that come to their end before the session has begun: it begins with the other agent", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([], {
        faults: [Faults.withholdSessionUpdated(), Faults.withholdSessionUpdated({ nth: 2 })]
      })
      const heard: Array<unknown> = []
      const making = yield* Session.make(agent, { onEvent: (event) => heard.push(event) }).pipe(
        Effect.provideService(RealtimeModel, model.model),
        Effect.fork
      )
      yield* model.next("session.update")
      const { pushText } = yield* model.connection
      const item = { type: "function_call", id: "i1", call_id: "c1", name: "transfer_to_Other", arguments: "{}" }
      yield* pushText(JSON.stringify({ type: "response.output_item.done", response_id: "r1", output_index: 0, item }))
      yield* model.next("session.update")
      const session = {
        type: "realtime",
        instructions: "Desk.",
        tools: [{ type: "function", name: "transfer_to_Other" }]
      }
      yield* pushText(JSON.stringify({ type: "session.updated", session }))
      yield* pushText(
        JSON.stringify({ type: "session.updated", session: { type: "realtime", instructions: "Other.", tools: [] } })
      )
      yield* Fiber.join(making)
      expect(
        heard.filter((event) => Predicate.isTagged(event, "HandedOff") || Predicate.isTagged(event, "SessionStarted"))
      ).toMatchObject([
        { _tag: "HandedOff", to: "Other" },
        { _tag: "SessionStarted", agent: "Other" }
      ])
    })
  )

  const settingsAre = [
    ["trims the instructions", { instructions: "Be brief.", tools: [] }],
    ["has those of a stored prompt", { instructions: "You are a pirate.", tools: [], prompt: { id: "pmpt_1" } }],
    ["fills a limit in", { instructions: "Be brief.", tools: [], max_output_tokens: 4096 }],
    ["says nothing of them", {}]
  ] as const
  for (const [what, session] of settingsAre) {
    it.scoped(`are in force also where the server ${what} in its answer`, () =>
      Effect.gen(function* () {
        const model = yield* ScriptedModel.make([then], { faults: [Faults.withholdSessionUpdated()] })
        const brief = Agent.make("Desk", { instructions: "\n  Be brief.\n", settings: { max_output_tokens: "inf" } })
        const making = yield* Effect.fork(Effect.provideService(Session.make(brief), RealtimeModel, model.model))
        yield* model.next("session.update")
        const connection = yield* model.connection
        yield* connection.pushText(
          JSON.stringify({ type: "session.updated", session: { type: "realtime", ...session } })
        )
        expect(yield* Effect.flatMap(Fiber.join(making), ({ agent }) => agent)).toBe("Desk")
      })
    )
  }

  it.scoped("work again after a confirmation that was lost", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [], {}, { faults: [Faults.withholdSessionUpdated({ nth: 2 })] })
      const lost = yield* Effect.fork(Effect.flip(h.session.updateConfig({ max_output_tokens: 7 })))
      yield* h.model.next("session.update")
      yield* h.model.next("session.update")
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(lost)).toMatchObject({ _tag: "SettingsTimedOut" })
      yield* h.session.updateAgent("Other")
      yield* h.session.updateConfig({ max_output_tokens: 8 })
      expect(yield* h.session.agent).toBe("Other")
    })
  )

  it.scoped("leave a change of settings in force that came before one that failed", () =>
    Effect.gen(function* () {
      const limited = Agent.make("Desk", { instructions: "", handoffs: [other], settings: { max_output_tokens: 100 } })
      const h = yield* open(limited, [], {}, { faults: [Faults.withholdSessionUpdated({ nth: 3 })] })
      yield* h.session.updateConfig({ max_output_tokens: 777 })
      const asked = yield* Effect.fork(Effect.flip(h.session.updateAgent("Other")))
      for (const _ of [1, 2, 3]) yield* h.model.next("session.update")
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(asked)
      yield* h.model.next("session.update")
      expect((yield* h.model.sent).at(-1)).toMatchObject({ session: { max_output_tokens: 777 } })
    })
  )
})

describe("Law 5, Isolation", () => {
  it.scoped("begins also with a server that speaks while the agent still thinks of its instructions", () =>
    Effect.gen(function* () {
      const slow = Agent.make("Slow", { instructions: Effect.as(Effect.sleep("5 seconds"), "Slow.") })
      const model = yield* ScriptedModel.make([then])
      const making = yield* Effect.fork(Effect.provideService(Session.make(slow), RealtimeModel, model.model))
      const connection = yield* model.connection
      yield* connection.pushText('{"type":"response.created","response":{"id":"hello"}}')
      yield* TestClock.adjust("5 seconds")
      const session = yield* Fiber.join(making)
      expect(yield* session.agent).toBe("Slow")
    })
  )

  it.scoped("answers a call that comes together with an event that cannot be handled", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "", handler: () => Effect.succeed("done") })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool] }), [])
      const broken = vi.spyOn(Responses.prototype, "created").mockImplementationOnce(() => {
        throw new Error("my secret")
      })
      yield* Effect.addFinalizer(() => Effect.sync(() => broken.mockRestore()))
      const { pushText } = yield* h.model.connection
      const item = {
        type: "function_call",
        id: "i1",
        call_id: "c1",
        name: "tool",
        arguments: "{}",
        status: "completed"
      }
      yield* pushText(JSON.stringify({ type: "response.created", response: { id: "r1", status: "in_progress" } }))
      yield* pushText(JSON.stringify({ type: "response.output_item.done", response_id: "r1", output_index: 0, item }))
      expect(yield* h.first("InputFailed")).toMatchObject({ input: "Received" })
      expect(yield* h.first("ToolSucceeded")).toMatchObject({ output: "done" })
    })
  )

  for (const what of ["begun", "described", "ended"] as const) {
    it.scoped(`goes on where no span can be ${what}`, () =>
      Effect.gen(function* () {
        const tracer = yield* Effect.tracer
        const breaks = (): never => {
          throw new Error("my secret")
        }
        const breaking = Tracer.make({
          context: tracer.context,
          span: (name, parent, context, links, startTime, kind) => {
            const span = tracer.span(name, parent, context, links, startTime, kind)
            const isOfCall = name.startsWith("execute_tool")
            if (isOfCall && what === "begun") breaks()
            if (isOfCall && what === "described") span.attribute = breaks
            if (isOfCall && what === "ended") span.end = breaks
            return span
          }
        })
        const tool = Tool.make("tool", { description: "", handler: () => Effect.succeed("done") })
        const agent = Agent.make("Desk", { instructions: "", tools: [tool] })
        const h = yield* Effect.withTracer(open(agent, [[call("tool", {})], then]), breaking)
        yield* h.session.sendText("Go.")
        expect(yield* h.first("ToolSucceeded")).toMatchObject({ output: "done" })
        yield* h.nth("ResponseDone", 2)
        expect(h.all("InputFailed")).toEqual([])
      })
    )
  }

  it.scoped("loses only an event that JSON cannot represent, and says so", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [then])
      const circular: Record<string, unknown> = {}
      circular["self"] = circular
      yield* h.session.requestResponse({ tools: [{ type: "function", name: "x", parameters: circular }] })
      expect(yield* h.first("InputFailed")).toMatchObject({ input: "response.create" })
      yield* h.session.updateConfig({ max_output_tokens: 7 })
    })
  )

  it.scoped("goes on after an update that names a model which does not exist (§7)", () =>
    Effect.gen(function* () {
      const h = yield* open(
        desk,
        [then],
        {},
        {
          faults: [Faults.refuseSessionUpdate("model_not_found", "No such model.", { nth: 2 })]
        }
      )
      const settings = { audio: { input: { transcription: { model: "whisper-9" } } } }
      expect(yield* Effect.flip(h.session.updateConfig(settings))).toMatchObject({ _tag: "SettingsRejected" })
      yield* h.session.sendText("Still there?")
      yield* h.first("ResponseDone")
    })
  )

  it.scoped("does not give up on a response while a hosted tool of it works (§3)", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.model.push({ type: "response.created", response: { id: "r1", status: "in_progress" } })
      yield* h.first("ResponseStarted")
      for (let second = 0; second < 60; second += 10) {
        yield* h.model.push({ type: "response.mcp_call.in_progress", item_id: "m1", output_index: 0 })
        yield* h.nth("McpProgressed", second / 10 + 1)
        yield* TestClock.adjust("10 seconds")
      }
      expect(h.all("ResponseStalled")).toEqual([])
    })
  )

  it.scoped("neither runs the calls of a response beside the conversation, nor takes its items into that (§3)", () =>
    Effect.gen(function* () {
      let ran = false
      const tool = Tool.make("tool", {
        description: "",
        handler: () =>
          Effect.sync(() => {
            ran = true
          })
      })
      const agent = Agent.make("Desk", { instructions: "", tools: [tool] })
      const h = yield* open(agent, [[say("Aside."), call("tool", {}, { callId: "c1" })]])
      yield* h.session.requestResponse({ conversation: "none" })
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("1 minute")
      expect(h.all("ToolCallAbandoned")).toMatchObject([{ call: { callId: "c1" } }])
      expect(ran).toBe(false)
      expect((yield* h.session.conversation).items).toEqual([])
      expect(yield* h.requests).toBe(1)
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("does not stop a tool for speech that must not interrupt (§4)", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", {
        description: "",
        onInterrupt: "cancel",
        handler: () => Effect.as(Effect.sleep("2 seconds"), "done")
      })
      const detection = { turn_detection: { type: "server_vad", interrupt_response: false } } as const
      const agent = Agent.make("Desk", { instructions: "", tools: [tool], settings: { audio: { input: detection } } })
      const h = yield* open(agent, [[call("tool", {})], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* h.model.push({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u1" })
      yield* h.first("SpeechStarted")
      yield* TestClock.adjust("2 seconds")
      yield* h.first("ToolSucceeded")
    })
  )
})

describe("§5 Guardrails", () => {
  it.scoped("read each part of what is said by itself", () =>
    Effect.gen(function* () {
      const no = Guardrail.output("no", {
        check: (text) => Effect.succeed(text.includes("BAD") ? Guardrail.trip("No.") : Guardrail.pass)
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", guardrails: [no] }), [])
      const at = { response_id: "r1", item_id: "i1", output_index: 0 }
      yield* h.model.push({
        type: "response.output_text.done",
        ...at,
        content_index: 0,
        text: "A long and harmless part."
      })
      yield* h.model.push({ type: "response.output_text.done", ...at, content_index: 1, text: "BAD." })
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ itemId: "i1" })
    })
  )

  it.scoped("stop no answer to a later turn for what was said before", () =>
    Effect.gen(function* () {
      const no = Guardrail.input("no", {
        check: (text) => Effect.succeed(text.includes("BAD") ? Guardrail.trip("No.") : Guardrail.pass)
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", guardrails: [no] }), [
        [say("First.")],
        [pause("20 seconds"), say("Second.")]
      ])
      yield* h.model.push({ type: "input_audio_buffer.speech_started", audio_start_ms: 0, item_id: "u1" })
      yield* h.model.push({ type: "input_audio_buffer.speech_stopped", audio_end_ms: 9, item_id: "u1" })
      yield* h.session.sendText("Another turn")
      yield* h.first("SpeechStopped")
      const late = "conversation.item.input_audio_transcription.completed"
      yield* h.model.push({ type: late, item_id: "u1", content_index: 0, transcript: "BAD" })
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ itemId: "u1" })
      yield* TestClock.adjust("1 minute")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "completed" })
    })
  )

  it.scoped("read what the user writes, however it is sent", () =>
    Effect.gen(function* () {
      const no = Guardrail.input("no", {
        check: (text) => Effect.succeed(text.includes("BAD") ? Guardrail.trip("No.") : Guardrail.pass)
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", guardrails: [no] }), [then])
      yield* h.session.sendMessage({ type: "message", role: "user", content: [{ type: "input_text", text: "BAD" }] })
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ subject: "Input" })
    })
  )
})
