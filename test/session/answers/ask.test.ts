import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../../src/Guardrail.js"
import { call, cutShort, fail, pause, say, stall } from "../../../src/ScriptedModel.js"
import { AnswerError, RequestOverflow, SessionClosed } from "../../../src/SessionError.js"
import * as Tool from "../../../src/Tool.js"
import { open } from "../harness.js"

const { Faults } = EmbeddedRealtime

const echo = Tool.make("echo", { description: "", handler: () => Effect.succeed("echo") })
const broken = Tool.make("broken", { description: "", failure: Schema.String, handler: () => Effect.fail("no") })
const slow = Tool.make("slow", { description: "", handler: () => Effect.as(Effect.sleep("10 seconds"), "slow") })
const quiet = Tool.make("quiet", { description: "", reply: "silent", handler: () => Effect.succeed("quiet") })
const pay = Tool.make("pay", { description: "", approval: true, handler: () => Effect.succeed("paid") })
const agent = Agent.make("Desk", { instructions: "Desk.", tools: [echo, broken, slow, quiet, pay] })

/** Lets time pass until this is done. */
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(effect, Effect.forever(TestClock.adjust("1 second")))

const speaking = { settings: { output_modalities: ["audio"] as const } }

describe("The parameters of a question", () => {
  it.scoped("hold for the whole answer, except for a call that they force", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[call("echo")], [call("echo")], [say("Echo.")], [say("Plain.")]])
      const response = { instructions: "Whisper.", tool_choice: "required", max_output_tokens: 99 } as const
      expect(yield* h.session.ask("Hello?", { response })).toMatchObject({ text: "Echo.", calls: [{}, {}] })
      yield* h.session.ask("And now?")
      const asked = (yield* h.model.sent).flatMap((event) => (event.type === "response.create" ? [event.response] : []))
      const rest = { instructions: "Whisper.", max_output_tokens: 99 }
      expect(asked).toMatchObject([response, rest, rest, {}])
      expect(asked.map((params) => params?.tool_choice)).toEqual(["required", undefined, undefined, undefined])
      expect(asked[3]?.instructions).toBeUndefined()
    })
  )

  it.scoped("hold after calls that the model may not go on with, but for the last words of the turn", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[call("echo"), call("echo")], [say("Enough.")]], { maxCallsPerTurn: 1 })
      yield* h.session.ask("Hello?", { response: { instructions: "Whisper." } })
      const asked = (yield* h.model.sent).flatMap((event) => (event.type === "response.create" ? [event.response] : []))
      expect(asked[1]).toMatchObject({ instructions: "Whisper.", tool_choice: "none" })
    })
  )
})

describe("An answer that is asked for", () => {
  it.scoped("is what the model says, and names its item and its response", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Good day.")]])
      const answer = yield* h.session.ask("Hello!")
      const started = yield* h.first("ResponseStarted")
      expect(answer).toMatchObject({
        text: "Good day.",
        status: "completed",
        responseIds: [started.responseId],
        requestId: started.requestId,
        calls: [],
        audio: []
      })
      expect(started.cause?.itemIds).toEqual([answer.itemId])
      expect(answer.usage).toEqual(yield* h.session.usage)
      expect((yield* h.session.conversation).items.map(({ id }) => id)).toContain(answer.itemId)
    })
  )

  it.scoped("goes on after calls, and says how each of them ended", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [
        [say("Let me see."), call("echo", {}, { callId: "c1" }), call("broken", {}, { callId: "c2" })],
        [call("slow", {}, { callId: "c3" })],
        [say("Here it is.")],
        [say("Nobody asked.")]
      ])
      const answer = yield* inTime(h.session.ask("Do it."))
      expect(answer.text).toBe("Let me see.\nHere it is.")
      expect(answer.responseIds).toHaveLength(3)
      expect(answer.calls).toMatchObject([
        { _tag: "ToolSucceeded", call: { callId: "c1" }, output: "echo" },
        { _tag: "ToolFailed", call: { callId: "c2" }, error: { failure: "no" } },
        { _tag: "ToolSucceeded", call: { callId: "c3" } }
      ])
      expect(answer.usage.responses).toBe(3)
    })
  )

  it.scoped("ends with a call after which the model is not to speak", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Noted."), call("quiet", {}, { callId: "c1" })]])
      const answer = yield* h.session.ask("Note it.")
      expect(answer).toMatchObject({ text: "Noted.", calls: [{ call: { callId: "c1" } }] })
      expect(answer.responseIds).toHaveLength(1)
    })
  )

  it.scoped("waits for the decision on a call", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[call("pay", {}, { callId: "c1" })], [say("Paid.")]])
      const answer = yield* Effect.fork(h.session.ask("Pay."))
      yield* h.first("ToolApprovalRequested")
      yield* TestClock.adjust("1 minute")
      expect(answer.unsafePoll()).toBeNull()
      yield* h.session.approve("c1")
      expect(yield* answer).toMatchObject({ text: "Paid." })
    })
  )

  it.scoped("has the audio, and its transcript as text", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Good day.")]], speaking)
      const chunks = yield* Effect.fork(Stream.runCollect(h.session.audio))
      const answer = yield* h.session.ask("Hello!")
      expect(answer.text).toBe("Good day.")
      expect(answer.audio.length).toBeGreaterThan(0)
      yield* h.session.close
      expect([...(yield* chunks)]).toEqual(answer.audio)
    })
  )

  it.scoped("says that a limit cut it short", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Once upon"), cutShort("max_output_tokens")]])
      expect(yield* h.session.ask("A story!")).toMatchObject({
        text: "Once upon",
        status: "incomplete",
        reason: "max_output_tokens"
      })
    })
  )

  it.scoped("has the call of a deferred tool only if that ends before the answer is complete", () =>
    Effect.gen(function* () {
      const taking = (name: string, seconds: number) => {
        const handler = () => Effect.delay(Effect.succeed("done"), `${seconds} seconds`)
        return Tool.deferred(Tool.make(name, { description: "", handler }), "It takes a while.")
      }
      const desk = Agent.make("Desk", { instructions: "", tools: [taking("soon", 1), taking("late", 60)] })
      const h = yield* open(desk, [
        [call("soon"), call("late")],
        [say("Wait,"), pause("5 seconds"), say("please.")]
      ])
      const answer = yield* inTime(h.session.ask("Both."))
      expect(answer.calls).toMatchObject([{ _tag: "ToolSucceeded", call: { tool: "soon" } }])
    })
  )

  it.scoped("leaves out what was said in a response that failed and was tried again", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Good"), fail("server_error")], [say("Good day.")]])
      const answer = yield* inTime(h.session.ask("Hello!"))
      expect(answer.text).toBe("Good day.")
      expect(answer.responseIds).toHaveLength(2)
    })
  )

  it.scoped("comes on another connection where one was lost before it was complete", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Good"), pause("10 seconds")], [say("Good day.")]])
      const answer = yield* Effect.fork(h.session.ask("Hello!"))
      yield* h.first("TextCompleted")
      yield* h.model.drop()
      expect(yield* inTime(Fiber.join(answer))).toMatchObject({ text: "Good day.", status: "completed" })
    })
  )

  it.scoped("goes on after a call that ran while the connection was lost", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("One moment."), call("slow", {}, { callId: "c1" })], [say("Here it is.")]])
      const answer = yield* Effect.fork(h.session.ask("Do it."))
      yield* h.first("ToolStarted")
      yield* h.model.drop()
      expect(yield* inTime(Fiber.join(answer))).toMatchObject({
        text: "One moment.\nHere it is.",
        calls: [{ call: { callId: "c1" } }]
      })
    })
  )

  it.scoped("is one for two questions that wait together, and each has it", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Wait."), pause("10 seconds")], [say("Both.")]])
      yield* h.session.sendText("Begin.")
      yield* h.first("ResponseStarted")
      const both = yield* Effect.fork(
        Effect.all([h.session.ask("One?"), h.session.ask("Two?")], { concurrency: "unbounded" })
      )
      const [one, two] = yield* inTime(Fiber.join(both))
      expect([one.text, two.text]).toEqual(["Both.", "Both."])
      expect(one.responseIds).toEqual(two.responseIds)
      expect(one.itemId).not.toBe(two.itemId)
    })
  )

  it.scoped("is one of its own where the question says how to answer", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("One.")], [say("Two.")]])
      const ask = (text: string) => h.session.ask(text, { response: { instructions: "Be brief." } })
      const both = yield* Effect.all([ask("One?"), ask("Two?")], { concurrency: "unbounded" })
      expect(both.map(({ text }) => text)).toEqual(["One.", "Two."])
      const requested = (yield* h.model.sent).flatMap((event) =>
        event.type === "response.create" ? [[event.event_id, event.response?.instructions]] : []
      )
      expect(requested).toEqual(both.map(({ requestId }) => [requestId, "Be brief."]))
    })
  )

  it.scoped("may be an answer to any item", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Welcome.")]])
      const content = [{ type: "input_text", text: "Somebody came in." }] as const
      const answer = yield* h.session.ask({ id: "itm_door", type: "message", role: "system", content })
      expect(answer).toMatchObject({ itemId: "itm_door", text: "Welcome." })
    })
  )
})

/** The failure, and a proof that it can cross a wire. */
const failureOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(inTime(effect))
    const decoded: unknown = yield* Schema.decodeUnknown(AnswerError)(
      JSON.parse(JSON.stringify(yield* Schema.encodeUnknown(AnswerError)(error)))
    )
    expect(decoded).toEqual(error)
    return error
  })

describe("An answer that does not come", () => {
  it.scoped("is lost when the server is silent each time", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Well"), stall], [stall], [stall]])
      expect(yield* failureOf(h.session.ask("Hello?"))).toMatchObject({ _tag: "AnswerLost", text: "" })
    })
  )

  it.scoped("is lost when no response begins", () =>
    Effect.gen(function* () {
      const ignored = [1, 2, 3].map((nth) => Faults.ignoreResponseCreate({ nth }))
      const h = yield* open(agent, [], {}, { faults: ignored })
      expect(yield* failureOf(h.session.ask("Hello?"))).toMatchObject({ _tag: "AnswerLost", responseIds: [] })
    })
  )

  it.scoped("is lost when the response after a call does not come", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("One moment."), call("echo")], [stall], [stall], [stall]])
      const error = yield* failureOf(h.session.ask("Do it."))
      expect(error).toMatchObject({ _tag: "AnswerLost", text: "One moment." })
    })
  )

  it.scoped("is refused when the response fails for good", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[fail("content_policy", "No.")]])
      expect(yield* failureOf(h.session.ask("Hello?"))).toMatchObject({
        _tag: "AnswerRefused",
        code: "content_policy",
        reason: "No."
      })
    })
  )

  it.scoped("is refused when the server does not take the request", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [])
      const answer = yield* Effect.fork(failureOf(h.session.ask("Hello?", { response: { max_output_tokens: -1 } })))
      expect(yield* answer).toMatchObject({ _tag: "AnswerRefused", responseIds: [] })
    })
  )

  it.scoped("is blocked when a guardrail stops what is said", () =>
    Effect.gen(function* () {
      const noSecrets = Guardrail.output("No secrets", {
        check: (text) =>
          Effect.succeed(text.includes("secret") ? Guardrail.trip("Say nothing of that.") : Guardrail.pass)
      })
      const guarded = Agent.make("Desk", { instructions: "Desk.", guardrails: [noSecrets] })
      const h = yield* open(guarded, [[say("The secret is 42.")], [say("I can not say.")]])
      const error = yield* failureOf(h.session.ask("Tell me."))
      expect(error).toMatchObject({
        _tag: "AnswerBlocked",
        guardrail: "No secrets",
        subject: "Output",
        feedback: "Say nothing of that."
      })
    })
  )

  it.scoped("is blocked by a verdict that comes when all is said", () =>
    Effect.gen(function* () {
      const late = Guardrail.output("Late", {
        check: () => Effect.as(Effect.sleep("2 seconds"), Guardrail.trip("No."))
      })
      const h = yield* open(Agent.make("Desk", { instructions: "Desk.", guardrails: [late] }), [[say("42.")]])
      expect(yield* failureOf(h.session.ask("Tell me."))).toMatchObject({ _tag: "AnswerBlocked", guardrail: "Late" })
    })
  )

  it.scoped("is blocked when the question must not be answered", () =>
    Effect.gen(function* () {
      const noQuestions = Guardrail.input("No questions", { check: () => Effect.succeed(Guardrail.trip("Decline.")) })
      const guarded = Agent.make("Desk", { instructions: "Desk.", guardrails: [noQuestions] })
      const h = yield* open(guarded, [[pause("10 seconds"), say("42.")], [say("No.")]])
      const error = yield* failureOf(h.session.ask("Why?"))
      expect(error).toMatchObject({ _tag: "AnswerBlocked", guardrail: "No questions", subject: "Input" })
      expect(error.message).toContain("The guardrail No questions stopped the question.")
    })
  )

  it.scoped("was interrupted by the application", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Once upon"), pause("1 minute"), say("a time.")]])
      const answer = yield* Effect.fork(failureOf(h.session.ask("A story!")))
      yield* h.first("TextCompleted")
      yield* h.session.interrupt
      expect(yield* answer).toMatchObject({ _tag: "AnswerInterrupted", text: "Once upon" })
    })
  )

  it.scoped("was interrupted by the user", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Once upon"), pause("1 minute")], [say("Yes?")]], speaking)
      const answer = yield* Effect.fork(failureOf(h.session.ask("A story!")))
      yield* h.first("AudioCompleted")
      yield* h.model.userSays("Stop!")
      expect(yield* answer).toMatchObject({ _tag: "AnswerInterrupted", text: "Once upon" })
    })
  )

  it.scoped("was interrupted before it had begun", () =>
    Effect.gen(function* () {
      const ignored = [Faults.ignoreResponseCreate({ nth: 1 })]
      for (const options of [{}, { response: { instructions: "Be brief." } }]) {
        const h = yield* open(agent, [[say("Yes?")]], {}, { faults: ignored })
        const answer = yield* Effect.fork(failureOf(h.session.ask("A story!", options)))
        yield* h.model.next("response.create")
        yield* h.session.interrupt
        expect(yield* answer).toMatchObject({ _tag: "AnswerInterrupted", responseIds: [] })
      }
    })
  )

  it.scoped("was interrupted while it waited to be asked for again", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[fail("server_error")], [say("Sunny.")]])
      const answer = yield* Effect.fork(failureOf(h.session.ask("What is the weather?")))
      yield* h.first("ResponseDone")
      yield* h.session.interrupt
      expect(yield* answer).toMatchObject({ _tag: "AnswerInterrupted", responseIds: ["resp_1_1"] })
      yield* TestClock.adjust("1 minute")
      expect(h.all("ResponseStarted")).toHaveLength(1)
    })
  )

  it.scoped("is not waited for when the session ends", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[pause("1 minute"), say("Late.")]])
      const answer = yield* Effect.fork(Effect.flip(h.session.ask("Hello?")))
      yield* h.first("ResponseStarted")
      yield* h.session.close
      expect(yield* answer).toEqual(new SessionClosed())
      expect(yield* Effect.flip(h.session.ask("Hello?"))).toEqual(new SessionClosed())
    })
  )

  it.scoped("is not asked for where too many requests wait, and nothing is said", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[pause("1 minute")]], { maxWaitingRequests: 1 })
      yield* h.session.sendText("Begin.")
      yield* h.first("ResponseStarted")
      yield* h.session.requestResponse({ instructions: "First." })
      const error = yield* Effect.flip(h.session.ask("Hello?", { response: { instructions: "Second." } }))
      expect(error).toEqual(new RequestOverflow({ limit: 1 }))
      expect((yield* h.model.sent).filter(({ type }) => type === "conversation.item.create")).toHaveLength(1)
    })
  )
})

describe("An answer that nobody waits for", () => {
  it.scoped("is spoken all the same, and the session goes on", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Once upon"), pause("10 seconds"), say("a time.")], [say("Yes?")]])
      const answer = yield* Effect.fork(h.session.ask("A story!"))
      yield* h.first("TextCompleted")
      yield* Fiber.interrupt(answer)
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.first("ResponseDone")).toMatchObject({ status: "completed" })
      expect((yield* h.model.sent).map(({ type }) => type)).not.toContain("response.cancel")
      expect(yield* h.session.ask("And then?")).toMatchObject({ text: "Yes?" })
    })
  )
})
