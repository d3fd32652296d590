import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../src/Guardrail.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as Session from "../../src/Session.js"
import type { SessionEvent } from "../../src/SessionEvent.js"
import * as Tool from "../../src/Tool.js"
import { numRuns } from "../runs.js"

class Broken extends Schema.TaggedError<Broken>()("Broken", { part: Schema.String }) {}

const tools = [
  Tool.make("ok", { description: "", handler: () => Effect.succeed("ok") }),
  Tool.make("slow", { description: "", handler: () => Effect.as(Effect.sleep("2 seconds"), "slow") }),
  Tool.make("fails", { description: "", failure: Broken, handler: () => new Broken({ part: "x" }) }),
  Tool.make("dies", { description: "", handler: () => Effect.die("boom") }),
  Tool.make("hangs", { description: "", timeout: "3 seconds", handler: () => Effect.never }),
  Tool.make("deaf", {
    description: "",
    timeout: "1 second",
    handler: () => Effect.uninterruptible(Effect.sleep("4 seconds"))
  }),
  Tool.make("strict", { description: "", parameters: { n: Schema.Int }, handler: ({ n }) => Effect.succeed(n) }),
  Tool.make("asks", { description: "", approval: true, handler: () => Effect.succeed("approved") }),
  Tool.make("stops", {
    description: "",
    onInterrupt: "cancel",
    handler: () => Effect.as(Effect.sleep("3 seconds"), "done")
  }),
  Tool.make("quiet", { description: "", reply: "silent", handler: () => Effect.succeed("quiet") })
] as const
const names = [...tools.map(({ name }) => name), "nobody", "transfer_to_Other", "transfer_to_Desk"]
const guardrails = [
  Guardrail.output("no_bad", {
    check: (text) => Effect.succeed(text.includes("bad") ? Guardrail.trip("Be good.") : Guardrail.pass)
  })
]
const team = Agent.wire([
  Agent.make("Desk", { instructions: "Desk", tools, guardrails, handoffs: ["Other"] }),
  Agent.make("Other", { instructions: "Other", tools: [tools[0], tools[2], tools[7]], handoffs: ["Desk"] })
])

const speech = fc.constantFrom("Hello.", "Something bad.", "Well, that is a longer sentence, is it not?")
const part = fc.oneof(
  { weight: 2, arbitrary: fc.record({ say: speech }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constantFrom(...names) }) },
  { weight: 1, arbitrary: fc.record({ pause: fc.integer({ min: 1, max: 3000 }) }) },
  { weight: 1, arbitrary: fc.record({ fail: fc.constantFrom("server_error", "content_policy") }) }
)
const step = fc.oneof(
  { weight: 3, arbitrary: fc.constant("text" as const) },
  { weight: 2, arbitrary: fc.constant("voice" as const) },
  { weight: 2, arbitrary: fc.constant("interrupt" as const) },
  { weight: 3, arbitrary: fc.constant("decide" as const) },
  { weight: 1, arbitrary: fc.constant("request" as const) },
  { weight: 1, arbitrary: fc.constant("agent" as const) },
  { weight: 4, arbitrary: fc.integer({ min: 1, max: 4000 }) }
)
const program = fc.record({
  turns: fc.array(fc.array(part, { minLength: 1, maxLength: 3 }), { maxLength: 8 }),
  steps: fc.array(step, { maxLength: 12 })
})
type Program = typeof program extends fc.Arbitrary<infer A> ? A : never

/** Runs a program to its end, and to where nothing more is to come. */
const run = ({ steps, turns }: Program) =>
  Effect.gen(function* () {
    let turn = 0
    let calls = 0
    const mind = EmbeddedRealtime.fromFunction(() => {
      const parts = turns[turn] ?? [{ say: "That is all." }]
      turn += 1
      return parts.map((one) => {
        if ("say" in one) return EmbeddedRealtime.say(one.say)
        if ("pause" in one) return EmbeddedRealtime.pause(one.pause)
        if ("fail" in one) return EmbeddedRealtime.fail(one.fail)
        calls += 1
        return EmbeddedRealtime.call(one.call, {}, { callId: `call_${calls}` })
      })
    })
    const server = yield* EmbeddedRealtime.make({ mind })
    const session = yield* Session.make(team, { settings: { output_modalities: ["text"] } }).pipe(
      Effect.provideService(RealtimeModel, server.model)
    )
    const events: Array<SessionEvent<Broken>> = []
    yield* Effect.forkScoped(Stream.runForEach(session.events, (event) => Effect.sync(() => events.push(event))))
    const connection = yield* server.connection
    const decideAll = Effect.flatMap(session.pendingApprovals, (pending) =>
      Effect.forEach(pending, ({ call }, index) =>
        Effect.ignore(index % 2 === 0 ? session.approve(call.callId) : session.reject(call.callId))
      )
    )
    for (const step of steps) {
      if (typeof step === "number") yield* TestClock.adjust(step)
      else if (step === "text") yield* session.sendText("Hi")
      else if (step === "voice") yield* connection.userSays("Hello")
      else if (step === "interrupt") yield* session.interrupt
      else if (step === "decide") yield* decideAll
      else if (step === "request") yield* session.requestResponse()
      else yield* Effect.ignore(Effect.fork(session.updateAgent("Other")))
    }
    for (let round = 0; round < 16; round += 1) {
      yield* decideAll
      yield* TestClock.adjust("8 seconds")
    }
    const conversation = yield* connection.conversation
    const outputs = yield* connection.outputs
    const refused = yield* connection.refused
    yield* session.close
    const exit = yield* Effect.exit(session.await)
    return { conversation, events, exit, outputs, refused }
  }).pipe(Effect.scoped)

describe("Settlement, Publication and Liveness, over random programs of a whole session", () => {
  it("answers each call once, publishes each end once, refuses nothing of the protocol, and goes on", async () => {
    await fc.assert(
      fc.asyncProperty(program, async (program) => {
        const { conversation, events, exit, outputs, refused } = await Effect.runPromise(
          Effect.provide(run(program), TestContext.TestContext)
        )
        expect(Exit.isSuccess(exit)).toBe(true)
        const completed = conversation.flatMap((item) =>
          item.type === "function_call" && item.status === "completed" ? [item.call_id] : []
        )
        for (const callId of completed) {
          expect(
            outputs.filter((output) => output.callId === callId),
            `outputs of ${callId}`
          ).toHaveLength(1)
          const ends = events.filter(
            (event) => (event._tag === "ToolSucceeded" || event._tag === "ToolFailed") && event.call.callId === callId
          )
          expect(ends, `ends of ${callId}`).toHaveLength(1)
        }
        expect(outputs).toHaveLength(completed.length)
        const codes = new Set(refused.map(({ refusal }) => refusal.code))
        codes.delete("conversation_already_has_active_response")
        codes.delete("response_cancel_not_active")
        expect(codes).toEqual(new Set())
        expect(events.filter(({ _tag }) => _tag === "ResponseLost" || _tag === "ProtocolViolation")).toEqual([])
        expect(events.at(-1)).toEqual({ _tag: "SessionEnded" })
      }),
      { numRuns: numRuns(100) }
    )
  })
})
