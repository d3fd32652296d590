import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import * as ScriptedModel from "../../../src/ScriptedModel.js"
import * as Session from "../../../src/Session.js"
import * as SessionJournal from "../../../src/SessionJournal.js"
import * as Tool from "../../../src/Tool.js"
import { agentOf, answered, called, crashed, journals, left, processOf, said, settings } from "../processes.js"

const { call, say } = ScriptedModel

const acknowledgement = "Working on it."
const book = Tool.deferred(Tool.make("book", { description: "Books.", handler: () => Effect.never }), acknowledgement)
const pay = Tool.make("pay", { description: "Pays.", handler: () => Effect.succeed("paid") })

const resumed = <E>(agent: Agent.Agent<E, never>, turns: ReadonlyArray<ScriptedModel.Turn>) =>
  Effect.tap(processOf(Session.resume(agent, "s1", { settings }), turns), ({ end }) => Effect.addFinalizer(() => end))

describe("a call that another process left", () => {
  it.scoped("is run with the tool of its own agent, also where another agent has a tool of that name by now", () =>
    Effect.gen(function* () {
      const ran: Array<string> = []
      const agent = <const Name extends string>(name: Name) =>
        Agent.make(name, {
          instructions: name,
          tools: [Tool.make("pay", { description: "", handler: () => Effect.sync(() => ran.push(name)) })],
          handoffs: ["Desk", "Billing"]
        })
      const team = Agent.wire([agent("Desk"), agent("Billing")])
      yield* left([
        said("i1", "Pay, and let me speak to billing."),
        ...called("c1", "pay"),
        { _tag: "SettingsConfirmed", agent: "Billing", settings: {} }
      ])
      const { session, until } = yield* resumed(team, [[say("Done.")]])
      expect(yield* session.agent).toBe("Billing")
      expect(yield* until("ToolSucceeded")).toMatchObject({ call: { callId: "c1", agent: "Desk" } })
      expect(ran).toEqual(["Desk"])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has its result where it was deferred and the process died before the server had the acknowledgement", () =>
    Effect.gen(function* () {
      yield* left([
        said("i1", "Book."),
        ...called(
          "c1",
          "book",
          { _tag: "Started" },
          { _tag: "Settled", output: acknowledgement, reply: true, deferred: true }
        )
      ])
      const { model, until } = yield* resumed(agentOf(book), [[say("One moment.")], [say("It did not work out.")]])
      expect(yield* until("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted", by: "restart" } })
      yield* until("TextCompleted")
      expect(yield* model.outputs).toEqual([{ callId: "c1", output: acknowledgement }])
      const created = (yield* model.sent).flatMap((event) =>
        event.type === "conversation.item.create" ? [event.item] : []
      )
      expect(created.at(-1)).toMatchObject({ role: "system", content: [{ text: expect.stringContaining("restart") }] })
      expect(yield* model.refused).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has its result where it was deferred and the connection was lost with the acknowledgement", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      let drops = 1
      const first = yield* processOf(
        Session.make(agentOf(book), { settings }),
        [[call("book", {}, { callId: "c1" })], [say("One moment.")]],
        {
          faults: [
            EmbeddedRealtime.Faults.onClientEvent("conversation.item.create", (event) => {
              if (!JSON.stringify(event).includes(acknowledgement) || drops === 0) return undefined
              drops -= 1
              return [EmbeddedRealtime.Faults.drop]
            })
          ]
        }
      )
      yield* first.session.sendText("Book.")
      yield* first.until("ConnectionLost")
      yield* TestClock.adjust("10 seconds")
      yield* first.until("ResponseDone", 2)
      const { openCalls } = SessionJournal.recover(yield* journal.read(first.session.id))
      expect(openCalls).toMatchObject([{ callId: "c1", state: { _tag: "Settled", deferred: true } }])
      yield* first.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has no second answer where a deferred tool had refused it", () =>
    Effect.gen(function* () {
      yield* left([
        said("i1", "Book."),
        ...called("c1", "book", { _tag: "Settled", output: "No such date.", reply: true }),
        answered("c1", "No such date.")
      ])
      const { events, model, until } = yield* resumed(agentOf(book), [[say("There is no such date.")]])
      yield* until("ResponseDone")
      expect(events.filter(({ _tag }) => _tag === "ToolFailed")).toEqual([])
      expect(yield* model.outputs).toEqual([{ callId: "c1", output: "No such date." }])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has no other call under its id: that is refused as it was before", () =>
    Effect.gen(function* () {
      const ran = yield* Deferred.make<void>()
      const once = Tool.make("pay", { description: "", handler: () => Deferred.succeed(ran, undefined) })
      const { second } = yield* crashed(
        agentOf(once),
        [[call("pay", {}, { callId: "c1" })], [say("Paid.")]],
        ({ session, until }) => Effect.zipRight(session.sendText("Pay."), until("ResponseDone", 2)),
        [[call("pay", {}, { callId: "c1" })], [say("I can not.")]]
      )
      yield* second.session.sendText("Pay again.")
      expect(yield* second.until("ToolFailed")).toMatchObject({ error: { _tag: "DuplicateCall" } })
      expect(second.events.filter(({ _tag }) => _tag === "ToolStarted")).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("does not count among those of the turn, however many were left", () =>
    Effect.gen(function* () {
      const ids = Array.from({ length: 30 }, (_, index) => `c${index}`)
      yield* left([
        said("i1", "Pay them all."),
        ...ids.flatMap((id) => called(id, "pay", { _tag: "Settled", output: "paid", reply: true }))
      ])
      const { events, until } = yield* resumed(agentOf(pay), [[call("pay", {}, { callId: "d1" })], [say("Done.")]])
      yield* until("ResponseDone", 2)
      expect(events.filter(({ _tag }) => _tag === "ToolSucceeded")).toMatchObject([{ call: { callId: "d1" } }])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is given up once where the server does not know it, and not again by each process", () =>
    Effect.gen(function* () {
      yield* left([
        said("i1", "Pay."),
        ...called("c1", "pay", { _tag: "Started" }).filter(({ _tag }) => _tag !== "ItemFinal")
      ])
      const second = yield* processOf(Session.resume(agentOf(pay), "s1", { settings }), [[say("What was it?")]])
      expect(yield* second.until("OutputRefused")).toMatchObject({ code: "invalid_tool_call_id" })
      yield* second.until("ResponseDone")
      yield* second.end
      const third = yield* resumed(agentOf(pay), [])
      expect(yield* third.until("SessionResumed")).toMatchObject({ openCalls: [] })
    }).pipe(Effect.provide(journals))
  )
})
