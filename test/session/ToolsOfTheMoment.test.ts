import { describe, expect, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { expectTypeOf } from "vitest"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Handoff from "../../src/Handoff.js"
import * as JsonSchemaTool from "../../src/JsonSchemaTool.js"
import type { RealtimeModel } from "../../src/RealtimeModel.js"
import * as Session from "../../src/Session.js"
import type { SessionError } from "../../src/SessionError.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"

const { call, Faults, pause, say } = EmbeddedRealtime

class Shop extends Context.Tag("test/Shop")<Shop, { readonly isOpen: boolean }>() {}
class Stock extends Context.Tag("test/Stock")<Stock, number>() {}
class SoldOut extends Schema.TaggedError<SoldOut>()("SoldOut", {}) {}
class Closed extends Schema.TaggedError<Closed>()("Closed", {}) {}

/** Everything that could still arrive has arrived. */
const later = Effect.zipRight(
  TestClock.adjust("1 millis"),
  Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow())
)

const named = (name: string, isEnabled?: Effect.Effect<boolean, unknown>) =>
  Tool.make(name, { description: "", isEnabled, handler: () => Effect.succeed(`${name} ran`) })

/** The functions of each update of the tools. */
const updates = <E>(h: Harness<E>) =>
  Effect.map(h.model.sent, (sent) =>
    sent.flatMap((event) =>
      event.type === "session.update" && event.session.type === "realtime" && event.session.tools !== undefined
        ? [event.session.tools.flatMap((tool) => (tool.type === "function" ? [tool.name] : []))]
        : []
    )
  )

describe("Types", () => {
  it("infer what a check requires, and what a list of the moment requires and fails with", () => {
    const order = Tool.make("order", {
      description: "",
      isEnabled: Effect.map(Shop, ({ isOpen }) => isOpen),
      handler: () => Effect.zipRight(Stock, new SoldOut())
    })
    expectTypeOf<Tool.Failure<typeof order>>().toEqualTypeOf<SoldOut>()
    expectTypeOf<Tool.Requirements<typeof order>>().toEqualTypeOf<Shop | Stock>()
    const ask = JsonSchemaTool.make("ask", {
      description: "",
      parameters: { type: "object" },
      isEnabled: Effect.as(Shop, true),
      handler: () => Effect.fail(new Closed())
    })
    expectTypeOf<Tool.Requirements<typeof ask>>().toEqualTypeOf<Shop>()
    const list = Effect.as(Stock, [ask, named("ok")])
    const agent = Agent.make("Desk", { instructions: "", tools: list })
    expectTypeOf<typeof agent>().toEqualTypeOf<Agent.Agent<Closed, Shop | Stock, never, "Desk">>()
    const session = Session.make(agent)
    expectTypeOf<typeof session>().toEqualTypeOf<
      Effect.Effect<Session.Session<Closed>, SessionError, Scope.Scope | RealtimeModel | Shop | Stock>
    >()
    // A check that fails is published, and adds nothing to what the tool fails with.
    const unsure = Tool.make("unsure", { description: "", isEnabled: new Closed(), handler: () => Effect.void })
    expectTypeOf<Tool.Failure<typeof unsure>>().toEqualTypeOf<never>()
  })
})

describe("A tool that is not enabled", () => {
  it.scoped("is not offered, and is offered when the application says that something changed", () =>
    Effect.gen(function* () {
      const isOpen = yield* Ref.make(false)
      const agent = Agent.make("Desk", { instructions: "", tools: [named("order", Ref.get(isOpen)), named("ok")] })
      const h = yield* open(agent, [[call("order")], [say("Ordered.")]])
      yield* Ref.set(isOpen, true)
      yield* h.session.updateTools
      expect(yield* updates(h)).toEqual([["ok"], ["order", "ok"]])
      expect(h.all("ToolsUpdated")).toEqual([{ _tag: "ToolsUpdated", agent: "Desk", functions: ["order", "ok"] }])
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolSucceeded")).toMatchObject({ output: "order ran" })
    })
  )

  it.scoped("sends nothing where nothing has changed", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [named("ok")] }), [])
      yield* h.session.updateTools
      expect(yield* updates(h)).toEqual([["ok"]])
      expect(h.all("ToolsUpdated")).toEqual([])
    })
  )

  for (const [how, check] of [
    ["fails", Effect.fail("a secret")],
    ["dies", Effect.die(new Error("a secret"))],
    ["does not end", Effect.never]
  ] as const) {
    it.scoped(`or whose check ${how}, is not there: that is published, and the others are`, () =>
      Effect.gen(function* () {
        const agent = Agent.make("Desk", { instructions: "", tools: [named("unsure", check), named("ok")] })
        const opening = yield* Effect.fork(open(agent, []))
        yield* later
        yield* TestClock.adjust("5 seconds")
        const h = yield* Fiber.join(opening)
        const failed = yield* h.first("ToolCheckFailed")
        expect(failed).toMatchObject({ agent: "Desk", tool: "unsure" })
        expect(Redacted.isRedacted(failed.failure)).toBe(true)
        expect(JSON.stringify(failed)).not.toContain("a secret")
        expect(yield* updates(h)).toEqual([["ok"]])
      })
    )
  }

  it.scoped("is not run where it was disabled after the model was offered it, and nothing was said of it", () =>
    Effect.gen(function* () {
      const isOpen = yield* Ref.make(true)
      let ran = 0
      const order = Tool.make("order", {
        description: "",
        // Its options are those of a tool that is there.
        onFailure: "terminate",
        isEnabled: Ref.get(isOpen),
        handler: () =>
          Effect.sync(() => {
            ran += 1
          })
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [order, named("ok")] }), [
        [call("order")],
        [say("It is gone.")]
      ])
      yield* Ref.set(isOpen, false)
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolFailed")).toMatchObject({
        error: { _tag: "ToolNotFound", tool: "order", available: ["ok"] },
        output: expect.stringContaining('There is no tool named \\"order\\"')
      })
      yield* h.first("TextCompleted")
      expect(ran).toBe(0)
    })
  )

  it.scoped(
    "is not run where an update took it from the agent while its response went on; a handoff takes it from nobody",
    () =>
      Effect.gen(function* () {
        const isOpen = yield* Ref.make(true)
        const second = Agent.make("Second", { instructions: "" })
        const first = Agent.make("First", {
          instructions: "",
          tools: Effect.map(Ref.get(isOpen), (isThere) => (isThere ? [named("order"), named("ok")] : [named("ok")])),
          handoffs: [Handoff.to(second)]
        })
        const h = yield* open(first, [
          [pause("2 seconds"), call("order"), call("ok")],
          [pause("2 seconds"), call("ok")],
          [say("Done.")]
        ])
        yield* h.session.sendText("Go.")
        yield* h.first("ResponseStarted")
        yield* Ref.set(isOpen, false)
        yield* h.session.updateTools
        yield* TestClock.adjust("2 seconds")
        expect(yield* h.first("ToolFailed")).toMatchObject({
          call: { tool: "order", agent: "First" },
          error: { _tag: "ToolNotFound", available: ["ok", "transfer_to_Second"] }
        })
        yield* h.first("ToolSucceeded")
        yield* h.nth("ResponseStarted", 2)
        yield* h.session.updateAgent("Second")
        yield* TestClock.adjust("2 seconds")
        expect(yield* h.nth("ToolSucceeded", 2)).toMatchObject({ call: { tool: "ok", agent: "First" } })
      })
  )
})

describe("A list of the moment", () => {
  it.scoped("is asked when its agent takes over, and when something changed", () =>
    Effect.gen(function* () {
      const list = yield* Ref.make([named("a")])
      const agent = Agent.make("Desk", { instructions: "", tools: Ref.get(list), handoffs: ["Other"] })
      const team = Agent.wire([agent, Agent.make("Other", { instructions: "", handoffs: ["Desk"] })])
      const h = yield* open(team, [[call("b")], [say("Done.")]])
      yield* Ref.set(list, [named("a"), named("b")])
      yield* h.session.updateAgent("Other")
      yield* h.session.updateAgent("Desk")
      yield* Ref.set(list, [named("b")])
      yield* h.session.updateTools
      expect(yield* updates(h)).toEqual([
        ["a", "transfer_to_Other"],
        ["transfer_to_Desk"],
        ["a", "b", "transfer_to_Other"],
        ["b", "transfer_to_Other"]
      ])
      yield* h.session.sendText("Go.")
      expect(yield* h.first("ToolSucceeded")).toMatchObject({ output: "b ran" })
    })
  )

  it.scoped("that is not valid is a typed error, and the old one stays", () =>
    Effect.gen(function* () {
      const list = yield* Ref.make([named("a")])
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: Ref.get(list) }), [[call("a")], [say("!")]])
      yield* Ref.set(list, [named("b"), named("b"), named("not a name")])
      const error = yield* Effect.flip(h.session.updateTools)
      expect(error).toMatchObject({
        _tag: "SettingsInvalid",
        problems: [1, 2].map(() => ({ param: "session.tools", message: expect.any(String) }))
      })
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      expect(yield* updates(h)).toEqual([["a"]])
    })
  )

  it.scoped("that the server refuses is a typed error, and the old one stays, on both sides", () =>
    Effect.gen(function* () {
      const list = yield* Ref.make([named("a")])
      const h = yield* open(
        Agent.make("Desk", { instructions: "", tools: Ref.get(list) }),
        [[call("a")], [say("!")]],
        {},
        { faults: [Faults.onClientEvent("session.update", [Faults.refuse("invalid_value", "No.")], { nth: 2 })] }
      )
      yield* Ref.set(list, [named("b")])
      expect(yield* Effect.flip(h.session.updateTools)).toMatchObject({ _tag: "SettingsRejected", reason: "No." })
      yield* h.session.sendText("Go.")
      yield* h.first("ToolSucceeded")
      expect((yield* Effect.flatMap(h.model.connection, (one) => one.session))["tools"]).toMatchObject([{ name: "a" }])
    })
  )

  it.scoped("that the server does not confirm in time is taken back", () =>
    Effect.gen(function* () {
      const list = yield* Ref.make([named("a")])
      const h = yield* open(
        Agent.make("Desk", { instructions: "", tools: Ref.get(list) }),
        [],
        { settingsTimeout: "3 seconds" },
        { faults: [Faults.onServerEvent("session.updated", [], { nth: 2 })] }
      )
      yield* Ref.set(list, [named("b")])
      const updating = yield* Effect.fork(Effect.flip(h.session.updateTools))
      yield* later
      yield* TestClock.adjust("3 seconds")
      expect(yield* Fiber.join(updating)).toMatchObject({ _tag: "SettingsTimedOut", afterMs: 3_000 })
      yield* later
      expect(yield* updates(h)).toEqual([["a"], ["b"], ["a"]])
    })
  )

  const endless = ["Its `tools` did not end within 10 seconds: give it a time limit."]

  it.scoped("that does not end is an error of Session.make, which names the agent and its tools", () =>
    Effect.gen(function* () {
      const agent = Agent.make("Desk", { instructions: "", tools: Effect.uninterruptible(Effect.never) })
      const opening = yield* Effect.fork(Effect.flip(open(agent, [])))
      yield* later
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(opening)).toMatchObject({ _tag: "AgentInvalid", agent: "Desk", problems: endless })
    })
  )

  it.scoped("that does not end is an error of the update, and of the handoff, and the old one stays", () =>
    Effect.gen(function* () {
      const list = yield* Ref.make<Effect.Effect<ReadonlyArray<Tool.Tool<string, never, never>>>>(
        Effect.succeed([named("a")])
      )
      const second = Agent.make("Second", { instructions: "", tools: Effect.never })
      const third = Agent.make("Third", { instructions: Effect.never })
      const tools = Effect.flatten(Ref.get(list))
      const h = yield* open(Agent.make("Desk", { instructions: "", tools, handoffs: [second, third] }), [
        [call("transfer_to_Second")],
        [say("Still here.")]
      ])
      yield* Ref.set(list, Effect.never)
      const updating = yield* Effect.fork(Effect.flip(h.session.updateTools))
      yield* later
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(updating)
      expect(error).toMatchObject({
        _tag: "SettingsInvalid",
        problems: [{ param: "session.tools", message: `The agent "Desk": ${endless[0]}` }]
      })
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.first("ToolFailed")).toMatchObject({
        error: {
          _tag: "HandoffFailed",
          step: "settings",
          defect: { _tag: "SettingsInvalid", problems: [{ message: `The agent "Second": ${endless[0]}` }] }
        }
      })
      const handing = yield* Effect.fork(Effect.flip(h.session.updateAgent("Third")))
      yield* later
      yield* TestClock.adjust("10 seconds")
      expect(yield* Fiber.join(handing)).toMatchObject({
        _tag: "SettingsInvalid",
        problems: [
          {
            param: "session.instructions",
            message: 'The agent "Third": Its `instructions` did not end within 10 seconds: give it a time limit.'
          }
        ]
      })
      expect(yield* h.session.agent).toBe("Desk")
      expect(yield* updates(h)).toEqual([["a", "transfer_to_Second", "transfer_to_Third"]])
    })
  )

  it.scoped("that is no list, in a program without types, is a typed error", () =>
    Effect.gen(function* () {
      const problem = "Its `tools` should give a list."
      const list = yield* Ref.make<unknown>([named("a")])
      const tools = Ref.get(list) as Effect.Effect<ReadonlyArray<Tool.Tool<string, never, never>>>
      const agent = Agent.make("Desk", { instructions: "", tools })
      const h = yield* open(agent, [])
      yield* Ref.set(list, "x")
      expect(yield* Effect.flip(h.session.updateTools)).toMatchObject({
        _tag: "SettingsInvalid",
        problems: [{ param: "session.tools", message: `The agent "Desk": ${problem}` }]
      })
      expect(yield* Effect.flip(open(agent, []))).toMatchObject({ _tag: "AgentInvalid", problems: [problem] })
    })
  )

  for (const [how, failing] of [
    ["dies", Effect.die("a secret")],
    ["fails", Effect.fail("a secret") as Effect.Effect<never>]
  ] as const) {
    it.scoped(`that ${how} is a defect, which says whose list it is`, () =>
      Effect.gen(function* () {
        const list = yield* Ref.make<Effect.Effect<ReadonlyArray<Tool.Tool<string, never, never>>>>(
          Effect.succeed([named("a")])
        )
        const agent = Agent.make("Desk", { instructions: "", tools: Effect.flatten(Ref.get(list)) })
        const h = yield* open(agent, [])
        yield* Ref.set(list, failing)
        const message = 'The `tools` of the agent "Desk" failed: see the cause.'
        for (const run of [h.session.updateTools, open(agent, [])]) {
          const exit = yield* Effect.exit<unknown, unknown, Scope.Scope>(run)
          const defects = Exit.isFailure(exit) ? [...Cause.defects(exit.cause)] : []
          expect(defects).toMatchObject([{ message, cause: "a secret" }])
        }
        expect(yield* updates(h)).toEqual([["a"]])
      })
    )
  }

  it.scoped("is not waited for where another agent takes over", () =>
    Effect.gen(function* () {
      const began = yield* Deferred.make<void>()
      const second = Agent.make("Second", { instructions: "" })
      const onHandoff = () => Effect.zipRight(Deferred.succeed(began, undefined), Effect.sleep("2 seconds"))
      const first = Agent.make("First", { instructions: "", handoffs: [Handoff.to(second, { onHandoff })] })
      const h = yield* open(first, [[call("transfer_to_Second")], [say("Here.")]])
      yield* h.session.sendText("Go.")
      yield* Deferred.await(began)
      expect(yield* Effect.flip(h.session.updateTools)).toMatchObject({ _tag: "HandoffSuperseded", by: "Second" })
      yield* TestClock.adjust("2 seconds")
      yield* h.first("HandedOff")
      yield* h.session.updateTools
    })
  )
})

describe("A contract whose handler is missing at run time", () => {
  it.scoped("is an error of Session.make, which says how to give one", () =>
    Effect.gen(function* () {
      const book = Tool.make("book", { description: "", success: Schema.String })
      const desk = Agent.make("Desk", { instructions: "", handoffs: ["Booking"] })
      const team = Agent.wire([
        desk,
        Agent.make("Booking", { instructions: "", tools: [Tool.deferred(book, "Wait.")] })
      ])
      // As in a program without types.
      const error = yield* Effect.flip(open(team as Agent.Agent<never, never>, []))
      expect(error).toMatchObject({
        _tag: "AgentInvalid",
        agent: "Booking",
        problems: ['The tool "book" has no handler: provide Tool.layer(book, handler).']
      })
      const h = yield* open(team, []).pipe(Effect.provide(Tool.layer(book, () => Effect.succeed("T-1"))))
      expect(h.session.id).not.toBe("")
    })
  )
})
