import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { call, cutShort, say } from "../../src/ScriptedModel.js"
import * as Tool from "../../src/Tool.js"
import { errorText, type Harness, open, outputFrame } from "./harness.js"

class CityNotFound extends Schema.TaggedError<CityNotFound>()("CityNotFound", { city: Schema.String }) {
  override get message() {
    return `${this.city} is not on the map.`
  }
}

const agentOf = <const Tools extends ReadonlyArray<Tool.Tool>>(...tools: Tools) =>
  Agent.make("Concierge", { instructions: "Help.", tools })

const then = [say("All right.")]

/** Asks, and waits until the model has answered twice: with the call, and with what it makes of the output. */
const converse = <E>({ nth, session }: Harness<E>) => Effect.zipRight(session.sendText("Go."), nth("ResponseDone", 2))

/** Time for anything that should not happen. */
const later = TestClock.adjust("30 seconds")

describe("§1 Settlement and Publication", () => {
  it.scoped("sends text as it is, and says that the tool started and succeeded", () =>
    Effect.gen(function* () {
      const greet = Tool.make("greet", {
        description: "Greets",
        parameters: { name: Schema.String },
        handler: ({ name }) => Effect.as(Effect.sleep("2 seconds"), `Hello "${name}"`)
      })
      const h = yield* open(agentOf(greet), [[call("greet", { name: "Ada" }, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("2 seconds")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", 'Hello "Ada"')])
      expect(h.all("ToolStarted")).toEqual([
        {
          _tag: "ToolStarted",
          call: {
            callId: "c1",
            tool: "greet",
            agent: "Concierge",
            responseId: expect.stringMatching(/^resp_/),
            arguments: '{"name":"Ada"}'
          }
        }
      ])
      expect(h.all("ToolSucceeded")).toMatchObject([
        { call: { callId: "c1" }, output: 'Hello "Ada"', durationMs: 2000 }
      ])
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("sends a result as JSON, encoded by the tool's schema", () =>
    Effect.gen(function* () {
      const when = Tool.make("when", {
        description: "When",
        success: Schema.Struct({ at: Schema.Date }),
        handler: () => Effect.succeed({ at: new Date(0) })
      })
      const nothing = Tool.make("nothing", { description: "Nothing", handler: () => Effect.void })
      const h = yield* open(agentOf(when, nothing), [
        [call("when", {}, { callId: "c1" }), call("nothing", "", { callId: "c2" })],
        then
      ])
      yield* converse(h)
      expect(yield* h.outputs).toEqual([outputFrame("c1", '{"at":"1970-01-01T00:00:00.000Z"}'), outputFrame("c2", "")])
    })
  )

  it.scoped("answers a typed failure with its tag, message and encoded fields", () =>
    Effect.gen(function* () {
      const weather = Tool.make("weather", {
        description: "Weather",
        failure: CityNotFound,
        handler: () => new CityNotFound({ city: "Atlantis" })
      })
      const h = yield* open(agentOf(weather), [[call("weather", {}, { callId: "c1" })], then])
      yield* converse(h)
      const output = errorText("CityNotFound", "Atlantis is not on the map.", { city: "Atlantis" })
      expect(yield* h.outputs).toEqual([outputFrame("c1", output)])
      const [failed] = h.all("ToolFailed")
      expect(failed).toMatchObject({
        call: { callId: "c1", agent: "Concierge" },
        output,
        error: { _tag: "ToolFailure" }
      })
      expect(failed?.error._tag === "ToolFailure" && failed.error.failure).toBeInstanceOf(CityNotFound)
      expect(h.all("ToolFailed")).toHaveLength(1)
    })
  )

  it.scoped("tells the model nothing of an undeclared failure's fields", () =>
    Effect.gen(function* () {
      class Secret extends Schema.TaggedError<Secret>()("Secret", { password: Schema.String }) {}
      const leak = Tool.make("leak", { description: "Leaks", handler: () => new Secret({ password: "hunter2" }) })
      const h = yield* open(agentOf(leak), [[call("leak", {}, { callId: "c1" })], then])
      yield* converse(h)
      expect(yield* h.outputs).toEqual([outputFrame("c1", errorText("Secret", "leak failed."))])
    })
  )

  for (const [what, die] of [
    ["dies", () => Effect.die(new Error("password: hunter2"))],
    [
      "throws before it returns an effect",
      (): Effect.Effect<string> => {
        throw new Error("password: hunter2")
      }
    ],
    ["throws in a promise", () => Effect.promise(() => Promise.reject(new Error("password: hunter2")))]
  ] as const) {
    it.scoped(`answers a call whose handler ${what}, without its message`, () =>
      Effect.gen(function* () {
        const h = yield* open(agentOf(Tool.make("boom", { description: "Boom", handler: die })), [
          [call("boom", {}, { callId: "c1" })],
          then
        ])
        yield* converse(h)
        const [failed] = h.all("ToolFailed")
        const error = failed?.error
        if (error?._tag !== "ToolDefect") throw new Error(`not a defect: ${error?._tag}`)
        const text = `boom failed for an internal reason (incident ${error.incidentId}).`
        expect(yield* h.outputs).toEqual([outputFrame("c1", errorText("ToolDefect", text))])
        expect(String(error.defect)).toContain("hunter2")
        expect(JSON.stringify(yield* h.model.sent)).not.toContain("hunter2")
      })
    )
  }

  for (const [what, stop] of [
    ["interrupts itself", () => Effect.interrupt],
    [
      "has its fiber interrupted",
      () => Effect.withFiberRuntime<never>((fiber) => Effect.zipRight(Fiber.interruptFork(fiber), Effect.never))
    ]
  ] as const) {
    it.scoped(`answers a call whose handler ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* open(agentOf(Tool.make("stop", { description: "Stops", handler: stop })), [
          [call("stop", {}, { callId: "c1" })],
          then
        ])
        yield* converse(h)
        const output = errorText("ToolInterrupted", "stop was stopped before it finished.")
        expect(yield* h.outputs).toEqual([outputFrame("c1", output)])
        expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolInterrupted" }, output }])
      })
    )
  }

  for (const [what, handler] of [
    ["hangs", () => Effect.never],
    ["can not be interrupted", () => Effect.uninterruptible(Effect.sleep("1 hour"))],
    ["takes its time to clean up", () => Effect.never.pipe(Effect.ensuring(Effect.sleep("1 hour")))]
  ] as const) {
    it.scoped(`answers a call whose handler ${what}, at its timeout and not later`, () =>
      Effect.gen(function* () {
        const slow = Tool.make("slow", { description: "Slow", timeout: "5 seconds", handler })
        const h = yield* open(agentOf(slow), [[call("slow", {}, { callId: "c1" })], then])
        yield* h.session.sendText("Go.")
        yield* h.first("ToolStarted")
        yield* TestClock.adjust("4999 millis")
        expect(yield* h.outputs).toEqual([])
        yield* TestClock.adjust("1 millis")
        yield* h.nth("ResponseDone", 2)
        const output = errorText("ToolTimedOut", "slow did not finish within 5 seconds.")
        expect(yield* h.outputs).toEqual([outputFrame("c1", output)])
        expect(h.all("ToolFailed")).toMatchObject([
          { error: { _tag: "ToolTimedOut", afterMs: 5000 }, durationMs: 5000 }
        ])
      })
    )
  }

  it.scoped("gives a tool 20 seconds by default", () =>
    Effect.gen(function* () {
      const slow = Tool.make("slow", { description: "Slow", handler: () => Effect.never })
      const h = yield* open(agentOf(slow), [[call("slow", {}, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("20 seconds")
      expect((yield* h.first("ToolFailed")).error).toMatchObject({ _tag: "ToolTimedOut", afterMs: 20_000 })
    })
  )

  it.scoped("drops what a handler returns after its time, and says so once", () =>
    Effect.gen(function* () {
      const deaf = Tool.make("deaf", {
        description: "Deaf",
        timeout: "1 second",
        handler: () => Effect.uninterruptible(Effect.as(Effect.sleep("10 seconds"), "late"))
      })
      const h = yield* open(agentOf(deaf), [[call("deaf", {}, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("1 second")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolResultDiscarded")).toEqual([])
      yield* TestClock.adjust("9 seconds")
      yield* h.first("ToolResultDiscarded")
      yield* later
      expect(h.all("ToolResultDiscarded")).toMatchObject([{ call: { callId: "c1" }, lateMs: 9000 }])
      expect(yield* h.outputs).toHaveLength(1)
    })
  )

  it.scoped("answers arguments that are not JSON, and does not run the handler", () =>
    Effect.gen(function* () {
      let ran = false
      const tool = Tool.make("tool", {
        description: "Tool",
        handler: () => {
          ran = true
          return Effect.void
        }
      })
      const h = yield* open(agentOf(tool), [[call("tool", '{"city": ', { callId: "c1" })], then])
      yield* converse(h)
      const [failed] = h.all("ToolFailed")
      expect(failed).toMatchObject({ error: { _tag: "InvalidArguments", issues: [{ path: "" }] } })
      expect(JSON.parse(failed?.output ?? "")).toMatchObject({
        error: { type: "InvalidArguments", message: expect.stringContaining("Expected JSON") }
      })
      expect(yield* h.outputs).toEqual([outputFrame("c1", failed?.output)])
      expect(ran).toBe(false)
      expect(h.all("ToolStarted")).toEqual([])
    })
  )

  it.scoped("names every field of arguments that do not fit, and what was expected", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", {
        description: "Tool",
        parameters: { city: Schema.String, guests: Schema.Struct({ adults: Schema.Int }) },
        handler: () => Effect.void
      })
      const h = yield* open(agentOf(tool), [[call("tool", { guests: { adults: "two" } }, { callId: "c1" })], then])
      yield* converse(h)
      const output = errorText(
        "InvalidArguments",
        'The arguments of tool are not valid. city: is missing; guests.adults: Expected number, actual "two"',
        [
          { path: "city", message: "is missing" },
          { path: "guests.adults", message: 'Expected number, actual "two"' }
        ]
      )
      expect(yield* h.outputs).toEqual([outputFrame("c1", output)])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "InvalidArguments" }, output }])
    })
  )

  for (const name of ["nobody", "__proto__", "constructor", ""]) {
    it.scoped(`answers a call of a tool that does not exist: ${JSON.stringify(name)}`, () =>
      Effect.gen(function* () {
        const known = Tool.make("known", { description: "Known", handler: () => Effect.void })
        const h = yield* open(agentOf(known), [[call(name, {}, { callId: "c1" })], then])
        yield* converse(h)
        const message = `There is no tool named ${JSON.stringify(name)}. Available: known.`
        expect(yield* h.outputs).toEqual([
          outputFrame("c1", errorText("ToolNotFound", message, { available: ["known"] }))
        ])
        expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolNotFound", available: ["known"] } }])
      })
    )
  }

  it.scoped("answers neutrally if the result cannot be encoded, and tells the application why", () =>
    Effect.gen(function* () {
      const odd = Tool.make("odd", {
        description: "Odd",
        success: Schema.Int,
        handler: () => Effect.succeed(1.5)
      })
      const big = Tool.make("big", { description: "Big", handler: () => Effect.succeed(10n) })
      const h = yield* open(agentOf(odd, big), [
        [call("odd", {}, { callId: "c1" }), call("big", {}, { callId: "c2" })],
        then
      ])
      yield* converse(h)
      expect(yield* h.outputs).toEqual([
        outputFrame("c1", errorText("InvalidOutput", "odd finished, but its result could not be read.")),
        outputFrame("c2", errorText("InvalidOutput", "big finished, but its result could not be read."))
      ])
      expect(h.all("ToolFailed")).toMatchObject([
        { error: { _tag: "InvalidOutput", issue: expect.stringContaining("1.5") } },
        { error: { _tag: "InvalidOutput", issue: expect.stringContaining("BigInt") } }
      ])
    })
  )

  it.scoped("answers neutrally if the failure cannot be encoded, and publishes the original and the reason", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", {
        description: "Tool",
        failure: Schema.Struct({ code: Schema.Int }),
        handler: () => Effect.fail({ code: 0.5 })
      })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then])
      yield* converse(h)
      expect(yield* h.outputs).toEqual([outputFrame("c1", errorText("ToolFailure", "tool failed."))])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolFailure", failure: { code: 0.5 } } }])
      const [event] = h.all("FormatterFailed")
      expect(event).toMatchObject({ call: { callId: "c1" }, message: expect.stringContaining("`failure` schema") })
      expect(event?.reason && Redacted.value(event.reason)).toContain("0.5")
    })
  )

  it.scoped("gives the model a neutral text when `describe` throws, and publishes both failures", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "Tool", handler: () => Effect.fail("no") })
      const describe = () => {
        throw new Error("I have no words")
      }
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then], { describe })
      yield* converse(h)
      expect(yield* h.outputs).toEqual([outputFrame("c1", errorText("ToolFailure", "tool failed."))])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolFailure", failure: "no" } }])
      const [event] = h.all("FormatterFailed")
      expect(event?.message).toBe("`describe` threw.")
      expect(event?.reason && Redacted.value(event.reason)).toEqual(new Error("I have no words"))
    })
  )

  it.scoped("lets the application write the text that the model reads", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "Tool", handler: () => Effect.fail("no") })
      const describe = (error: { readonly _tag: string }) => `Sorry: ${error._tag}`
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then], { describe })
      yield* converse(h)
      expect(yield* h.outputs).toEqual([outputFrame("c1", "Sorry: ToolFailure")])
    })
  )

  it.scoped("answers a call once that the server sends twice, and notes the repetition once", () =>
    Effect.gen(function* () {
      let runs = 0
      const tool = Tool.make("tool", { description: "Tool", handler: () => Effect.sync(() => (runs += 1)) })
      const h = yield* open(
        agentOf(tool),
        [[call("tool", {}, { callId: "c1" })], then],
        {},
        {
          faults: [EmbeddedRealtime.Faults.duplicate("response.output_item.done", { nth: 1 })]
        }
      )
      yield* converse(h)
      yield* later
      expect(yield* h.outputs).toEqual([outputFrame("c1", "1")])
      expect(h.all("ToolCallRepeated")).toMatchObject([{ call: { callId: "c1" } }])
      expect(runs).toBe(1)
    })
  )

  it.scoped("does not answer a call id again that the model uses for another call, and publishes that", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", {
        description: "Tool",
        parameters: { n: Schema.Int },
        handler: ({ n }) => Effect.succeed(n)
      })
      const h = yield* open(agentOf(tool), [
        [call("tool", { n: 1 }, { callId: "c1" })],
        [call("tool", { n: 2 }, { callId: "c1" })]
      ])
      yield* converse(h)
      yield* later
      expect(yield* h.outputs).toEqual([outputFrame("c1", "1")])
      expect(h.all("ToolFailed")).toMatchObject([
        { call: { callId: "c1" }, error: { _tag: "DuplicateCall", arguments: '{"n":2}' }, output: undefined }
      ])
    })
  )

  it.scoped("takes the item's id for a call without a call id", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "Tool", handler: () => Effect.succeed("ok") })
      const h = yield* open(agentOf(tool), [])
      const item = { type: "function_call", name: "tool", arguments: "{}", status: "completed" } as const
      yield* h.model.push({
        type: "response.output_item.done",
        response_id: "r",
        output_index: 0,
        item: { ...item, id: "item_9" }
      })
      yield* h.first("ToolSucceeded")
      expect(yield* h.outputs).toEqual([outputFrame("item_9", "ok")])
      yield* h.model.push({ type: "response.output_item.done", response_id: "r", output_index: 0, item })
      expect(yield* h.first("ProtocolViolation")).toMatchObject({
        message: expect.stringContaining("neither a call id")
      })
    })
  )

  it.scoped("publishes what a handler has to say before it is done", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", {
        description: "Tool",
        handler: (_, call) => Effect.as(call.progress("halfway", { percent: 50 }), "ok")
      })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then])
      yield* converse(h)
      expect(h.all("ToolProgress")).toMatchObject([
        { call: { callId: "c1" }, message: "halfway", data: { percent: 50 } }
      ])
    })
  )

  it.scoped("does not run a call that was cut off, and says so once", () =>
    Effect.gen(function* () {
      let ran = false
      const tool = Tool.make("tool", { description: "Tool", handler: () => Effect.sync(() => (ran = true)) })
      const h = yield* open(
        agentOf(tool),
        [[call("tool", {}, { callId: "c1" }), cutShort("max_output_tokens")]],
        {},
        {
          faults: [
            EmbeddedRealtime.Faults.onServerEvent("response.output_item.done", [
              EmbeddedRealtime.Faults.send({
                type: "response.output_item.done",
                response_id: "resp_1_1",
                output_index: 0,
                item: {
                  type: "function_call",
                  id: "item_1_1",
                  call_id: "c1",
                  name: "tool",
                  arguments: '{"a',
                  status: "incomplete"
                }
              })
            ])
          ]
        }
      )
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseDone")
      yield* later
      expect(h.all("ToolCallAbandoned")).toMatchObject([{ call: { callId: "c1", tool: "tool" } }])
      expect(ran).toBe(false)
      expect(yield* h.outputs).toEqual([])
    })
  )

  it.scoped("takes a call that is only listed at the end of its response", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "Tool", handler: () => Effect.succeed("ok") })
      const h = yield* open(
        agentOf(tool),
        [[call("tool", {}, { callId: "c1" })], then],
        {},
        {
          faults: [EmbeddedRealtime.Faults.callsOnlyInResponseDone]
        }
      )
      yield* converse(h)
      expect(yield* h.outputs).toEqual([outputFrame("c1", "ok")])
      expect(h.all("ToolSucceeded")).toHaveLength(1)
    })
  )

  it.scoped("does not run a call that only the end of an out-of-band response lists, where nobody saw that begin", () =>
    Effect.gen(function* () {
      let ran = false
      const tool = Tool.make("tool", {
        description: "Tool",
        handler: () =>
          Effect.sync(() => {
            ran = true
            return "ok"
          })
      })
      const h = yield* open(agentOf(tool), [])
      const output = [{ type: "function_call", id: "i1", call_id: "c1", name: "tool", arguments: "{}" } as const]
      const response = { id: "r1", conversation_id: null, status: "completed", output } as const
      yield* h.model.push({ type: "response.done", response })
      expect((yield* h.first("ToolCallAbandoned")).call).toMatchObject({ callId: "c1", tool: "tool" })
      yield* later
      expect(ran).toBe(false)
      expect(yield* h.outputs).toEqual([])
      expect((yield* h.session.conversation).items).toEqual([])
    })
  )

  it.scoped("gives a handler its scope, and closes it with the call", () =>
    Effect.gen(function* () {
      const log: Array<string> = []
      const tool = Tool.make("tool", {
        description: "Tool",
        handler: () =>
          Effect.acquireRelease(
            Effect.sync(() => log.push("acquired")),
            () => Effect.sync(() => log.push("released"))
          ).pipe(Effect.as("ok"))
      })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then])
      yield* converse(h)
      expect(log).toEqual(["acquired", "released"])
    })
  )
})

describe("§1 Approval", () => {
  const pay = (approval: Tool.Options<{ readonly amount: typeof Schema.Number }, never>["approval"] = true) =>
    Tool.make("pay", {
      description: "Pays",
      parameters: { amount: Schema.Number },
      approval,
      handler: ({ amount }) => Effect.succeed(`paid ${amount}`)
    })
  const turns = [[call("pay", { amount: 5 }, { callId: "c1" })], then]

  it.scoped("asks before it runs, sends nothing until then, and lets other calls go on", () =>
    Effect.gen(function* () {
      const other = Tool.make("other", { description: "Other", handler: () => Effect.succeed("done") })
      const h = yield* open(agentOf(pay(), other), [
        [call("pay", { amount: 5 }, { callId: "c1" }), call("other", {}, { callId: "c2" })],
        then,
        then
      ])
      yield* h.session.sendText("Go.")
      const asked = yield* h.first("ToolApprovalRequested")
      expect(asked).toMatchObject({ call: { callId: "c1", agent: "Concierge" }, deadline: 120_000 })
      // The pending approval does not hold the others' reply.
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c2", "done")])
      expect(yield* h.session.pendingApprovals).toMatchObject([{ call: { callId: "c1" }, deadline: 120_000 }])

      yield* h.session.approve("c1")
      yield* h.nth("ResponseDone", 3)
      expect(yield* h.outputs).toEqual([outputFrame("c2", "done"), outputFrame("c1", "paid 5")])
      expect(h.all("ToolApproved")).toMatchObject([{ call: { callId: "c1" } }])
      expect(yield* h.session.pendingApprovals).toEqual([])
    })
  )

  for (const reason of [undefined, "not today"]) {
    it.scoped(`answers a rejected call${reason === undefined ? "" : " with the given reason"}`, () =>
      Effect.gen(function* () {
        const h = yield* open(agentOf(pay()), turns)
        yield* h.session.sendText("Go.")
        yield* h.first("ToolApprovalRequested")
        yield* h.session.reject("c1", reason)
        yield* h.nth("ResponseDone", 2)
        const message = `pay was not approved: ${reason ?? "the application refused it."}`
        expect(yield* h.outputs).toEqual([outputFrame("c1", errorText("ToolRejected", message))])
        expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolRejected", by: "decision" } }])
      })
    )
  }

  it.scoped("answers a call that is not decided in time", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(pay()), turns)
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      yield* TestClock.adjust("2 minutes")
      yield* h.nth("ResponseDone", 2)
      const output = errorText("ToolRejected", "pay was not approved: it was not decided in time.")
      expect(yield* h.outputs).toEqual([outputFrame("c1", output)])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolRejected", by: "deadline" } }])
      expect(yield* Effect.flip(h.session.approve("c1"))).toMatchObject({ _tag: "ApprovalNotPending", callId: "c1" })
    })
  )

  it.scoped("counts the tool's timeout from the approval on", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(pay()), turns)
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      yield* TestClock.adjust("90 seconds")
      yield* h.session.approve("c1")
      yield* h.first("ToolSucceeded")
      expect(yield* h.outputs).toEqual([outputFrame("c1", "paid 5")])
    })
  )

  it.scoped("decides by the arguments", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(pay(({ amount }) => Effect.succeed(amount > 100))), [
        [call("pay", { amount: 5 }, { callId: "c1" }), call("pay", { amount: 500 }, { callId: "c2" })]
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      expect(yield* h.first("ToolApprovalRequested")).toMatchObject({ call: { callId: "c2" } })
      expect(yield* h.outputs).toEqual([outputFrame("c1", "paid 5")])
    })
  )

  for (const [what, check] of [
    ["fails", () => Effect.fail("unreachable")],
    ["dies", () => Effect.die("boom")],
    [
      "throws",
      (): Effect.Effect<boolean> => {
        throw new Error("boom")
      }
    ]
  ] as const) {
    it.scoped(`asks for approval if the check ${what}: it fails closed`, () =>
      Effect.gen(function* () {
        const h = yield* open(agentOf(pay(check)), turns)
        yield* h.session.sendText("Go.")
        yield* h.first("ToolApprovalRequested")
        expect(h.all("ApprovalCheckFailed")).toMatchObject([{ call: { callId: "c1" } }])
        expect(yield* h.outputs).toEqual([])
        yield* h.session.approve("c1")
        yield* h.nth("ResponseDone", 2)
        expect(yield* h.outputs).toEqual([outputFrame("c1", "paid 5")])
      })
    )
  }
})

describe("§1 Liveness", () => {
  const quick = Tool.make("quick", { description: "Quick", handler: () => Effect.succeed("quick") })
  const slow = Tool.make("slow", { description: "Slow", handler: () => Effect.as(Effect.sleep("5 seconds"), "slow") })

  it.scoped("sends outputs as they arrive, and asks for one response after the last", () =>
    Effect.gen(function* () {
      const h = yield* open(agentOf(quick, slow), [
        [call("slow", {}, { callId: "c1" }), call("quick", {}, { callId: "c2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      yield* h.first("ResponseDone")
      expect(yield* h.outputs).toEqual([outputFrame("c2", "quick")])
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c2", "quick"), outputFrame("c1", "slow")])
      yield* later
      expect(yield* h.requests).toBe(2)
    })
  )

  it.scoped("asks after each output where the session wants that", () =>
    Effect.gen(function* () {
      const h = yield* open(
        agentOf(quick, slow),
        [[call("slow", {}, { callId: "c1" }), call("quick", {}, { callId: "c2" })], then, then],
        { parallelReply: "each" }
      )
      yield* converse(h)
      expect(yield* h.outputs).toEqual([outputFrame("c2", "quick")])
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("ResponseDone", 3)
      expect(yield* h.requests).toBe(3)
    })
  )

  it.scoped("asks for nothing after a silent tool", () =>
    Effect.gen(function* () {
      const silent = Tool.make("silent", {
        description: "Silent",
        reply: "silent",
        handler: () => Effect.succeed("ok")
      })
      const h = yield* open(agentOf(silent), [[call("silent", {}, { callId: "c1" })]])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      yield* later
      expect(yield* h.outputs).toEqual([outputFrame("c1", "ok")])
      expect(yield* h.requests).toBe(1)
    })
  )

  it.scoped("asks for nothing after a failure that is to be silent", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "Tool", onFailure: "silent", handler: () => Effect.fail("no") })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })]])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolFailed")
      yield* later
      expect(yield* h.outputs).toEqual([outputFrame("c1", errorText("ToolFailure", "no"))])
      expect(yield* h.requests).toBe(1)
    })
  )

  it.scoped("answers a call over its tool's concurrency without running it, and the model goes on", () =>
    Effect.gen(function* () {
      const one = Tool.make("one", {
        description: "One",
        concurrency: 1,
        handler: () => Effect.as(Effect.sleep("1 second"), "ok")
      })
      const h = yield* open(agentOf(one), [
        [call("one", {}, { callId: "c1" }), call("one", {}, { callId: "c2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolFailed")
      yield* TestClock.adjust("1 second")
      yield* h.nth("ResponseDone", 2)
      const text = "one is already running. Wait for it to finish."
      expect(yield* h.outputs).toEqual([outputFrame("c2", errorText("ToolOverloaded", text)), outputFrame("c1", "ok")])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolOverloaded", limit: 1, per: "concurrency" } }])
    })
  )

  it.scoped(
    "stops a model that calls endlessly: past the limit of a turn, calls are answered, and one last reply has none",
    () =>
      Effect.gen(function* () {
        const again = Array.from({ length: 10 }, (_, index) => [call("quick", {}, { callId: `c${index}` })])
        const h = yield* open(agentOf(quick), again, { maxCallsPerTurn: 3 })
        yield* h.session.sendText("Go.")
        yield* h.first("ToolFailed")
        yield* later
        expect(yield* h.requests).toBe(5)
        expect(h.all("ToolSucceeded")).toHaveLength(3)
        expect(h.all("ToolFailed")).toMatchObject([
          { call: { callId: "c3" }, error: { _tag: "ToolOverloaded", limit: 3, per: "turn" } }
        ])
        expect(yield* h.outputs).toHaveLength(4)
        // A new turn of the user makes room again.
        yield* h.session.sendText("And now?")
        yield* h.nth("ToolSucceeded", 4)
      })
  )
})

describe("§1 Isolation", () => {
  it.scoped(
    "ends the session with the failure of a tool that terminates: output first, then the event, then the end",
    () =>
      Effect.gen(function* () {
        const tool = Tool.make("tool", {
          description: "Tool",
          onFailure: "terminate",
          failure: CityNotFound,
          handler: () => new CityNotFound({ city: "Atlantis" })
        })
        const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })]])
        yield* h.session.sendText("Go.")
        const error = yield* Effect.flip(h.session.await)
        expect(error).toMatchObject({ _tag: "ToolFailure", failure: { _tag: "CityNotFound" } })
        const ended = yield* h.first("SessionEnded")
        expect(ended.error).toMatchObject({ _tag: "ToolFailure" })
        expect(yield* h.outputs).toEqual([
          outputFrame("c1", errorText("CityNotFound", "Atlantis is not on the map.", { city: "Atlantis" }))
        ])
        expect(h.events.slice(-2).map(({ _tag }) => _tag)).toEqual(["ToolFailed", "SessionEnded"])
        expect(yield* h.requests).toBe(1)
        expect(yield* Effect.flip(h.session.sendText("Hello?"))).toMatchObject({ _tag: "SessionClosed" })
      })
  )

  it.scoped("lets a failing tool end only its own call", () =>
    Effect.gen(function* () {
      const bad = Tool.make("bad", { description: "Bad", handler: () => Effect.die("boom") })
      const good = Tool.make("good", { description: "Good", handler: () => Effect.succeed("ok") })
      const h = yield* open(agentOf(bad, good), [
        [call("bad", {}, { callId: "c1" }), call("good", {}, { callId: "c2" })],
        then
      ])
      yield* converse(h)
      expect(yield* h.outputs).toHaveLength(2)
      yield* h.session.sendText("Still there?")
      yield* h.nth("ResponseDone", 3)
    })
  )
})

describe("§1 Closure", () => {
  it.scoped(
    "ends with the lost connection where the application wants that, and says of each call that it was stopped",
    () =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<void>()
        const tool = Tool.make("tool", { description: "Tool", handler: () => Effect.as(Deferred.await(gate), "ok") })
        const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })]], { reconnect: false })
        yield* h.session.sendText("Go.")
        yield* h.first("ToolStarted")
        yield* h.model.drop()
        const error = yield* Effect.flip(h.session.await)
        expect(error).toMatchObject({ _tag: "ConnectionLost", code: 1006 })
        expect(yield* h.outputs).toEqual([])
        yield* h.first("SessionEnded")
        expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolInterrupted" }, output: undefined }])
      })
  )

  it.scoped("interrupts the calls that run when the session closes, and tells subscribers", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const tool = Tool.make("tool", {
        description: "Tool",
        handler: () => Effect.never.pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)))
      })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })]])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* h.session.close
      yield* Deferred.await(interrupted)
      yield* h.first("SessionEnded")
      expect(yield* h.outputs).toEqual([])
      expect(h.events.slice(-2)).toMatchObject([
        { _tag: "ToolFailed", error: { _tag: "ToolInterrupted" }, output: undefined },
        { _tag: "SessionEnded" }
      ])
      expect(yield* Effect.exit(h.session.await)).toEqual(Exit.void)
    })
  )
})
