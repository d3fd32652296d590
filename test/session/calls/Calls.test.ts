import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../../src/Guardrail.js"
import { type Connection, RealtimeModel } from "../../../src/RealtimeModel.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import { call, pause, say } from "../../../src/ScriptedModel.js"
import * as Session from "../../../src/Session.js"
import * as Tool from "../../../src/Tool.js"
import { errorText, type Harness, open, outputFrame } from "../harness.js"

const { Faults } = EmbeddedRealtime
const then = [say("All right.")]
const agentOf = <const Tools extends ReadonlyArray<Tool.Tool>>(...tools: Tools) =>
  Agent.make("Desk", { instructions: "", tools })

/** A tool that counts how often it ran. */
const counted = (name = "tool") => {
  const ran: Array<unknown> = []
  const tool = Tool.make(name, {
    description: "",
    parameters: { n: Schema.optional(Schema.Int) },
    handler: (args) => Effect.sync(() => `run ${ran.push(args)}`)
  })
  return { ran, tool }
}

/** Time for anything that should not happen. */
const later = TestClock.adjust("1 minute")

const functionCall = (fields: Record<string, unknown>) => ({
  type: "response.output_item.done",
  response_id: "r1",
  output_index: 0,
  item: { type: "function_call", id: "item_9", name: "tool", arguments: "{}", status: "completed", ...fields }
})

/** An event as a server writes it that keeps the protocol loosely. */
const pushJson = <E>({ model }: Harness<E>, event: object) =>
  Effect.flatMap(model.connection, (connection) => connection.pushText(JSON.stringify(event)))

describe("§1 Binding: whose call it is", () => {
  const hours = (agent: string) =>
    Tool.make("hours", { description: "", handler: () => Effect.succeed(`${agent} knows`) })
  const nobody = Guardrail.toolInput("nobody", { check: () => Effect.succeed(Guardrail.trip("not here.")) })

  it.scoped("runs the tool of the agent that had the conversation when the response began, with its guardrails", () =>
    Effect.gen(function* () {
      const billing = Agent.make("Billing", { instructions: "", tools: [hours("Billing")], guardrails: [nobody] })
      const rude = Guardrail.output("rude", {
        check: (text) => Effect.succeed(text.includes("Fool") ? Guardrail.trip("Be kind.") : Guardrail.pass)
      })
      const desk = Agent.make("Desk", {
        instructions: "",
        tools: [hours("Desk")],
        handoffs: [billing],
        guardrails: [rude]
      })
      const transfer = call("transfer_to_Billing", {}, { callId: "h1" })
      const h = yield* open(desk, [
        [transfer, pause("5 seconds"), call("hours", {}, { callId: "c1" }), pause("5 seconds"), say("Fool.")],
        [call("hours", {}, { callId: "c2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("HandedOff")
      yield* TestClock.adjust("5 seconds")
      expect(yield* h.nth("ToolSucceeded", 2)).toMatchObject({ call: { agent: "Desk" }, output: "Desk knows" })
      yield* TestClock.adjust("5 seconds")
      expect(yield* h.first("GuardrailTripped")).toMatchObject({ guardrail: "rude", agent: "Desk" })
      // The next response is for the new agent.
      expect(yield* h.first("ToolFailed")).toMatchObject({
        call: { callId: "c2", agent: "Billing" },
        error: { _tag: "ToolBlocked", guardrail: "nobody" }
      })
    })
  )

  it.scoped("answers a call of a tool that only another agent has, with the names that this one has", () =>
    Effect.gen(function* () {
      const billing = Agent.make("Billing", { instructions: "", tools: [counted("invoice").tool] })
      const desk = Agent.make("Desk", { instructions: "", tools: [hours("Desk")], handoffs: [billing] })
      const h = yield* open(desk, [
        [call("invoice", {}, { callId: "c1" })],
        [call("transfer_to_Billing", {}, { callId: "h1" }), pause("5 seconds"), call("invoice", {}, { callId: "c2" })],
        [call("hours", {}, { callId: "c3" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("HandedOff")
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("ResponseDone", 4)
      const notFound = (callId: string, agent: string, available: ReadonlyArray<string>) => ({
        call: { callId, agent },
        error: { _tag: "ToolNotFound", available }
      })
      expect(h.all("ToolFailed")).toMatchObject([
        notFound("c1", "Desk", ["hours", "transfer_to_Billing"]),
        notFound("c2", "Desk", ["hours", "transfer_to_Billing"]),
        notFound("c3", "Billing", ["invoice"])
      ])
      const text = 'There is no tool named "hours". Available: invoice.'
      expect((yield* h.outputs).at(-1)).toEqual(
        outputFrame("c3", errorText("ToolNotFound", text, { available: ["invoice"] }))
      )
    })
  )
})

describe("§1 Settlement: one output, whatever the call comes to", () => {
  it.scoped("gives the model the details of a typed failure as the tool's schema encodes them", () =>
    Effect.gen(function* () {
      class TooLate extends Schema.TaggedError<TooLate>()("TooLate", { since: Schema.Date }) {
        override get message() {
          return "The kitchen is closed."
        }
      }
      const tool = Tool.make("tool", {
        description: "",
        failure: TooLate,
        handler: () => new TooLate({ since: new Date(0) })
      })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      const details = { since: "1970-01-01T00:00:00.000Z" }
      const output = errorText("TooLate", "The kitchen is closed.", details)
      expect(yield* h.outputs).toEqual([outputFrame("c1", output)])
      expect(h.all("ToolFailed")).toMatchObject([
        { error: { _tag: "ToolFailure", failure: { since: new Date(0) }, details }, output }
      ])
    })
  )

  it.scoped("gives the model a neutral text when `describe` returns no text, and publishes it", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "", handler: () => Effect.fail("no") })
      // As untyped code may.
      const describe = (): string => JSON.parse("7")
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then], { describe })
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.outputs).toEqual([outputFrame("c1", errorText("ToolFailure", "tool failed."))])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolFailure", failure: "no" } }])
      expect(h.all("FormatterFailed")).toMatchObject([{ call: { callId: "c1" } }])
    })
  )

  it.scoped("gives a call that comes again nothing more, while it runs and when it has its output", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const slow = Tool.make("slow", { description: "", handler: () => Effect.as(Effect.sleep("5 seconds"), "slow") })
      const h = yield* open(
        agentOf(tool, slow),
        [[call("slow", {}, { callId: "c1" })], then],
        {},
        { faults: [Faults.duplicate("response.output_item.done", { nth: 1 })] }
      )
      yield* h.session.sendText("Go.")
      yield* h.first("ToolCallRepeated")
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("ResponseDone", 2)
      const [{ responseId } = { responseId: "" }] = h.all("ResponseStarted")
      yield* pushJson(h, { ...functionCall({ name: "slow", call_id: "c1" }), response_id: responseId })
      yield* later
      expect(h.all("ToolCallRepeated")[0]).toMatchObject({ call: { callId: "c1", tool: "slow" } })
      expect([yield* h.outputs, ran]).toEqual([[outputFrame("c1", "slow")], []])
      expect([h.all("ToolFailed"), yield* h.requests]).toEqual([[], 2])
    })
  )

  for (const [what, second] of [
    ["another tool", call("other", {}, { callId: "c1" })],
    ["other arguments", call("tool", { n: 2 }, { callId: "c1" })]
  ] as const) {
    it.scoped(`does not run a call under a used id with ${what}, gives it no output, and publishes that once`, () =>
      Effect.gen(function* () {
        const [one, other] = [counted("tool"), counted("other")]
        const h = yield* open(agentOf(one.tool, other.tool), [[call("tool", {}, { callId: "c1" }), second], then])
        yield* h.session.sendText("Go.")
        yield* h.nth("ResponseDone", 2)
        yield* later
        expect([one.ran.length, other.ran.length]).toEqual([1, 0])
        expect(yield* h.outputs).toEqual([outputFrame("c1", "run 1")])
        expect(h.all("ToolFailed")).toMatchObject([
          { call: { callId: "c1", tool: second._tag === "Call" ? second.name : "" }, error: { _tag: "DuplicateCall" } }
        ])
        expect(h.all("ToolFailed")[0]?.output).toBeUndefined()
      })
    )
  }
})

describe("§1 Approval", () => {
  it.scoped("waits as long as the session says, and not a millisecond less", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const asks = Tool.make("asks", { description: "", approval: true, handler: () => Effect.void })
      const h = yield* open(agentOf(asks, tool), [[call("asks", {}, { callId: "c1" })], then], {
        approvalTimeout: "7 seconds"
      })
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolApprovalRequested")).toMatchObject({ deadline: 7000 })
      yield* TestClock.adjust("6999 millis")
      expect([h.all("ToolFailed"), yield* h.outputs]).toEqual([[], []])
      yield* TestClock.adjust("1 millis")
      expect(yield* h.first("ToolFailed")).toMatchObject({ error: { _tag: "ToolRejected", by: "deadline" } })
      yield* h.nth("ResponseDone", 2)
      expect(ran).toEqual([])
    })
  )

  for (const [what, handler, tag] of [
    ["fails", Effect.fail("no"), "ToolFailure"],
    ["dies", Effect.die("boom"), "ToolDefect"],
    ["takes too long", Effect.never, "ToolTimedOut"]
  ] as const) {
    it.scoped(`answers an approved call whose handler ${what} like any other`, () =>
      Effect.gen(function* () {
        const tool = Tool.make("tool", {
          description: "",
          approval: true,
          timeout: "3 seconds",
          handler: (): Effect.Effect<string, string> => handler
        })
        const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then])
        yield* h.session.sendText("Go.")
        yield* h.first("ToolApprovalRequested")
        yield* h.session.approve("c1")
        yield* h.first("ToolStarted")
        yield* TestClock.adjust("3 seconds")
        yield* h.nth("ResponseDone", 2)
        expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: tag } }])
        expect(yield* h.outputs).toHaveLength(1)
        const order = h.events.map(({ _tag }) => _tag).filter((name) => name.startsWith("Tool"))
        expect(order).toEqual(["ToolApprovalRequested", "ToolApproved", "ToolStarted", "ToolFailed"])
      })
    )
  }

  it.scoped("accepts one decision for a call, and says of the next that there is nothing to decide", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", { description: "", approval: true, handler: () => Effect.sleep("2 seconds") })
      const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      yield* h.session.approve("c1")
      const late = { _tag: "ApprovalNotPending", callId: "c1" }
      expect(yield* Effect.flip(h.session.approve("c1"))).toMatchObject(late)
      expect(yield* Effect.flip(h.session.reject("c1"))).toMatchObject(late)
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("2 seconds")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolApproved")).toHaveLength(1)
      expect(h.all("ToolFailed")).toEqual([])
    })
  )

  it.scoped("checks the arguments, also by guardrails, before it asks for approval", () =>
    Effect.gen(function* () {
      const tool = Tool.make("tool", {
        description: "",
        parameters: { n: Schema.Int },
        approval: true,
        handler: () => Effect.void
      })
      const small = Guardrail.toolInput("small", {
        check: (text) => Effect.succeed(text.includes("500") ? Guardrail.trip("too much.") : Guardrail.pass)
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool], guardrails: [small] }), [
        [call("tool", { n: "x" }, { callId: "c1" }), call("tool", { n: 500 }, { callId: "c2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([
        { error: { _tag: "InvalidArguments" } },
        { error: { _tag: "ToolBlocked", stage: "input" } }
      ])
      expect(h.all("ToolApprovalRequested")).toEqual([])
    })
  )

  it.scoped("blocks a call by whichever of several guardrails trips", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const pass = Guardrail.toolInput("passes", { check: () => Effect.succeed(Guardrail.pass) })
      const trip = Guardrail.toolInput("trips", { check: () => Effect.succeed(Guardrail.trip("no.")) })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool], guardrails: [pass, trip] }), [
        [call("tool", {}, { callId: "c1" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolBlocked", guardrail: "trips" } }])
      expect(ran).toEqual([])
    })
  )
})

describe("§1 Overload", () => {
  it.scoped("lets a call run when another of its tool has ended", () =>
    Effect.gen(function* () {
      const tool = Tool.make("one", { description: "", concurrency: 1, handler: () => Effect.sleep("1 second") })
      const h = yield* open(agentOf(tool), [
        [call("one", {}, { callId: "c1" })],
        [call("one", {}, { callId: "c2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("1 second")
      yield* h.nth("ToolStarted", 2)
      yield* TestClock.adjust("1 second")
      yield* h.nth("ToolSucceeded", 2)
      expect(h.all("ToolFailed")).toEqual([])
    })
  )

  it.scoped("asks the model to go on where the call over the limit is the only one of its response", () =>
    Effect.gen(function* () {
      const tool = Tool.make("one", { description: "", concurrency: 1, handler: () => Effect.sleep("10 seconds") })
      const h = yield* open(agentOf(tool), [
        [call("one", {}, { callId: "c1" })],
        [call("one", {}, { callId: "c2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ResponseDone")
      yield* h.session.sendText("Again.")
      expect(yield* h.first("ToolFailed")).toMatchObject({ call: { callId: "c2" }, error: { per: "concurrency" } })
      yield* h.nth("ResponseDone", 3)
      expect(yield* h.outputs).toHaveLength(1)
      expect(yield* h.requests).toBe(3)
    })
  )

  it.scoped("runs 20 calls of one turn, and not the 21st", () =>
    Effect.gen(function* () {
      const { ran, tool } = counted()
      const calls = Array.from({ length: 21 }, (_, index) => call("tool", {}, { callId: `c${index + 1}` }))
      const h = yield* open(agentOf(tool), [calls, then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolFailed")
      yield* h.nth("ToolSucceeded", 20)
      expect(ran).toHaveLength(20)
      expect(h.all("ToolFailed")).toMatchObject([
        { call: { callId: "c21" }, error: { _tag: "ToolOverloaded", limit: 20, per: "turn" } }
      ])
    })
  )

  const text = { type: "message", role: "user", content: [{ type: "input_text", text: "And?" }] } as const
  const silence = new Uint8Array(48_000)
  for (const [what, isTurn, act] of [
    ["text of the user", true, ({ session }: Harness<never>) => session.sendText("And?")],
    [
      "a message of the user",
      true,
      ({ session }: Harness<never>) => Effect.zipRight(session.sendMessage(text), session.requestResponse())
    ],
    [
      "audio that is committed by hand",
      true,
      ({ session }: Harness<never>) => Effect.zipRight(session.sendAudio(silence), session.commitAudio)
    ],
    ["the user's speech", true, ({ model }: Harness<never>) => model.userSays("And?")],
    [
      "a message of the system",
      false,
      ({ session }: Harness<never>) =>
        Effect.zipRight(session.sendMessage({ ...text, role: "system" }), session.requestResponse())
    ]
  ] as const) {
    it.scoped(`${isTurn ? "counts the calls anew" : "does not count the calls anew"} after ${what}`, () =>
      Effect.gen(function* () {
        const { ran, tool } = counted()
        const detection = what.startsWith("audio") ? null : ({ type: "server_vad" } as const)
        const agent = Agent.make("Desk", {
          instructions: "",
          tools: [tool],
          settings: { audio: { input: { turn_detection: detection } } }
        })
        const turn = (callId: string) => [call("tool", {}, { callId })]
        const h = yield* open(agent, [turn("c1"), turn("c2"), then, turn("c3")], { maxCallsPerTurn: 1 })
        yield* h.session.sendText("Go.")
        expect(yield* h.first("ToolFailed")).toMatchObject({ call: { callId: "c2" } })
        // Whoever runs away has one last word.
        yield* later
        expect(yield* h.requests).toBe(3)
        yield* act(h)
        if (isTurn) yield* h.nth("ToolSucceeded", 2)
        else yield* h.nth("ResponseDone", 4)
        expect(h.all("ToolFailed")).toHaveLength(1)
        expect(ran).toHaveLength(isTurn ? 2 : 1)
      })
    )
  }
})

describe("§1 onFailure: terminate", () => {
  const options = { description: "", onFailure: "terminate" } as const
  const one = [[call("tool", {}, { callId: "c1" })]]
  /** The one before it goes on. */
  const two = [[call("tool", {}, { callId: "c0" }), call("tool", {}, { callId: "c1" })]]
  const trips = { check: () => Effect.succeed(Guardrail.trip("no.")) }
  const cases: ReadonlyArray<{
    readonly error: string
    readonly tool: Tool.Tool<string, string, never>
    readonly guardrails?: ReadonlyArray<Guardrail.Guardrail<never>>
    readonly turns?: ReadonlyArray<ScriptedModel.Turn>
    readonly session?: Session.Options
    readonly outputs?: number
    readonly act?: (h: Harness<string>) => Effect.Effect<unknown, unknown>
  }> = [
    { error: "ToolFailure", tool: Tool.make("tool", { ...options, handler: () => Effect.fail("no") }) },
    { error: "ToolDefect", tool: Tool.make("tool", { ...options, handler: () => Effect.die("boom") }) },
    { error: "ToolInterrupted", tool: Tool.make("tool", { ...options, handler: () => Effect.interrupt }) },
    {
      error: "ToolTimedOut",
      tool: Tool.make("tool", { ...options, handler: () => Effect.never }),
      act: (h) => Effect.zipRight(h.first("ToolStarted"), TestClock.adjust("20 seconds"))
    },
    {
      error: "InvalidArguments",
      tool: Tool.make("tool", { ...options, parameters: { n: Schema.Int }, handler: () => Effect.void })
    },
    {
      error: "InvalidOutput",
      tool: Tool.make("tool", { ...options, success: Schema.Int, handler: () => Effect.succeed(0.5) })
    },
    {
      error: "ToolRejected",
      tool: Tool.make("tool", { ...options, approval: true, handler: () => Effect.void }),
      act: (h) => Effect.zipRight(h.first("ToolApprovalRequested"), h.session.reject("c1"))
    },
    {
      error: "ToolBlocked",
      tool: Tool.make("tool", { ...options, handler: () => Effect.void }),
      guardrails: [Guardrail.toolInput("no", trips)]
    },
    {
      error: "ToolBlocked",
      tool: Tool.make("tool", { ...options, handler: () => Effect.void }),
      guardrails: [Guardrail.toolOutput("no", trips)]
    },
    {
      error: "ToolOverloaded",
      tool: Tool.make("tool", { ...options, concurrency: 1, handler: () => Effect.never }),
      turns: two
    },
    {
      error: "ToolOverloaded",
      tool: Tool.make("tool", { ...options, handler: () => Effect.never }),
      session: { maxCallsPerTurn: 1 },
      turns: two
    },
    {
      error: "DuplicateCall",
      tool: Tool.make("tool", { ...options, handler: () => Effect.succeed("ok") }),
      turns: [[...one.flat(), call("tool", { again: true }, { callId: "c1" })]]
    }
  ]
  for (const { act, error, guardrails = [], session = {}, tool, turns = one } of cases) {
    const of = guardrails[0]?.subject ?? (session.maxCallsPerTurn === undefined ? "" : "per turn")
    const first = error === "DuplicateCall" ? "publishes" : "sends the output, publishes"
    it.scoped(`${first} the event, and ends the session with ${error} ${of}`.trim(), () =>
      Effect.gen(function* () {
        const h = yield* open(Agent.make("Desk", { instructions: "", tools: [tool], guardrails }), turns, session)
        yield* h.session.sendText("Go.")
        yield* act?.(h) ?? Effect.void
        expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: error, callId: "c1" })
        expect(yield* h.first("SessionEnded")).toMatchObject({ error: { _tag: error } })
        const failed = h.all("ToolFailed").filter((event) => event.error._tag === error)
        expect(failed).toHaveLength(1)
        expect(h.events.at(-1)?._tag).toBe("SessionEnded")
        const outputs = yield* h.outputs
        // An id can be answered once, so a call under a used one has no output.
        if (error !== "DuplicateCall") expect(outputs).toEqual([outputFrame("c1", failed[0]?.output)])
        yield* later
        expect(yield* h.requests).toBe(1)
      })
    )
  }

  it.scoped("stops the other calls, and says so before the end", () =>
    Effect.gen(function* () {
      const stopped = yield* Deferred.make<void>()
      const fails = Tool.make("fails", { ...options, handler: () => Effect.fail("no") })
      const runs = Tool.make("runs", {
        description: "",
        handler: () => Effect.never.pipe(Effect.onInterrupt(() => Deferred.succeed(stopped, undefined)))
      })
      const h = yield* open(agentOf(runs, fails), [
        [call("runs", {}, { callId: "c1" }), pause("1 second"), call("fails", {}, { callId: "c2" })]
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("1 second")
      expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "ToolFailure", failure: "no" })
      yield* Deferred.await(stopped)
      yield* h.first("SessionEnded")
      expect(h.events.slice(-3)).toMatchObject([
        { _tag: "ToolFailed", call: { callId: "c2" } },
        { _tag: "ToolFailed", call: { callId: "c1" }, error: { _tag: "ToolInterrupted" }, output: undefined },
        { _tag: "SessionEnded" }
      ])
    })
  )
})

describe("§1 Publication", () => {
  for (const onFailure of ["respond", "terminate"] as const) {
    it.scoped(`publishes a failure only when its output was handed to the wire (onFailure: ${onFailure})`, () =>
      Effect.gen(function* () {
        const [reached, gate] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const model = yield* ScriptedModel.make([[call("tool", {}, { callId: "c1" })], then])
        const slow = (connection: Connection): Connection => ({
          ...connection,
          send: (event) =>
            event.type === "conversation.item.create" && event.item.type === "function_call_output"
              ? Deferred.succeed(reached, undefined).pipe(
                  Effect.zipRight(Deferred.await(gate)),
                  Effect.zipRight(connection.send(event))
                )
              : connection.send(event)
        })
        const tool = Tool.make("tool", { description: "", onFailure, handler: () => Effect.fail("no") })
        const session = yield* Effect.provideService(Session.make(agentOf(tool)), RealtimeModel, {
          connect: (options) => Effect.map(model.model.connect(options), slow)
        })
        const seen: Array<string> = []
        const failed = yield* session.events.pipe(
          Stream.tap(({ _tag }) => Effect.sync(() => seen.push(_tag))),
          Stream.filter((event) => event._tag === "ToolFailed"),
          Stream.runHead,
          Effect.fork
        )
        yield* session.sendText("Go.")
        yield* Deferred.await(reached)
        yield* later
        expect(seen).toContain("ToolStarted")
        expect([...seen]).not.toContain("ToolFailed")
        yield* Deferred.succeed(gate, undefined)
        yield* Fiber.join(failed)
        expect(yield* model.outputs).toMatchObject([{ callId: "c1" }])
        if (onFailure === "terminate") expect(Exit.isFailure(yield* Effect.exit(session.await))).toBe(true)
      })
    )
  }
})

describe("§1 Liveness", () => {
  for (const [what, options, handler] of [
    ["that fails", {}, () => Effect.fail("no")],
    ["that dies", {}, () => Effect.die("boom")],
    ["that is not approved", { approval: true }, () => Effect.void]
  ] as const) {
    it.scoped(`causes no response by a silent tool ${what}`, () =>
      Effect.gen(function* () {
        const tool = Tool.make("tool", {
          description: "",
          reply: "silent",
          ...options,
          handler: (): Effect.Effect<void, string> => handler()
        })
        const h = yield* open(agentOf(tool), [[call("tool", {}, { callId: "c1" })]], { approvalTimeout: "1 second" })
        yield* h.session.sendText("Go.")
        yield* h.first("ResponseDone")
        yield* later
        expect(h.all("ToolFailed")).toHaveLength(1)
        expect(yield* h.outputs).toHaveLength(1)
        expect(yield* h.requests).toBe(1)
      })
    )
  }

  it.scoped("asks once if one of several tools is not silent", () =>
    Effect.gen(function* () {
      const silent = Tool.make("silent", { description: "", reply: "silent", handler: () => Effect.sleep("2 seconds") })
      const { tool } = counted()
      const h = yield* open(agentOf(silent, tool), [
        [call("silent", {}, { callId: "c1" }), call("tool", {}, { callId: "c2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      yield* h.first("ResponseDone")
      expect(yield* h.requests).toBe(1)
      yield* TestClock.adjust("2 seconds")
      yield* h.nth("ResponseDone", 2)
      yield* later
      expect(yield* h.requests).toBe(2)
    })
  )
})

describe("§1 Closure", () => {
  it.scoped("interrupts each call that is open, in whatever state, and publishes each once", () =>
    Effect.gen(function* () {
      const interrupted = yield* Deferred.make<void>()
      const runs = Tool.make("runs", {
        description: "",
        handler: () => Effect.never.pipe(Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined)))
      })
      const asks = Tool.make("asks", { description: "", approval: true, handler: () => Effect.void })
      const { tool } = counted()
      const h = yield* open(agentOf(runs, asks, tool), [
        [call("runs", {}, { callId: "c1" }), call("asks", {}, { callId: "c2" }), call("tool", {}, { callId: "c3" })]
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolApprovalRequested")
      yield* h.first("ToolSucceeded")
      yield* h.session.close
      yield* Deferred.await(interrupted)
      yield* h.first("SessionEnded")
      const failed = h.all("ToolFailed")
      expect(failed.map(({ call }) => call.callId).sort()).toEqual(["c1", "c2"])
      expect(failed.every(({ error, output }) => error._tag === "ToolInterrupted" && output === undefined)).toBe(true)
      expect(yield* h.outputs).toEqual([outputFrame("c3", "run 1")])
      expect(h.events.at(-1)?._tag).toBe("SessionEnded")
    })
  )
})
