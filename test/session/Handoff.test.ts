import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { expectTypeOf } from "vitest"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Handoff from "../../src/Handoff.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import { call, pause, say } from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as Tool from "../../src/Tool.js"
import { errorText, type Harness, open, outputFrame } from "./harness.js"

const { Faults } = EmbeddedRealtime

class Locked extends Schema.TaggedError<Locked>()("Locked", { until: Schema.String }) {
  override get message() {
    return `Locked until ${this.until}.`
  }
}
class Ledger extends Context.Tag("test/Ledger")<Ledger, { readonly open: Effect.Effect<void, Locked> }>() {}

const invoice = Tool.make("invoice", { description: "Reads an invoice", handler: () => Effect.succeed("12 euros") })
const hours = Tool.make("hours", { description: "Opening hours", handler: () => Effect.succeed("9 to 5") })
const billing = Agent.make("Billing", { instructions: "Explain invoices.", tools: [invoice] })

const transfer = [call("transfer_to_Billing", {}, { callId: "h1" })]
const then = [say("Hello from there.")]

const voice = (name: string) => ({ audio: { output: { voice: name } } })
const audioOut = { settings: { output_modalities: ["audio"] } } as const

const settingsSent = <E>({ model }: Harness<E>) =>
  Effect.map(model.sent, (sent) => sent.flatMap((event) => (event.type === "session.update" ? [event.session] : [])))

describe("§2 Handoffs", () => {
  it.scoped(
    "gives the new agent's settings to the server, and only when it has them switches, says so, and answers",
    () =>
      Effect.gen(function* () {
        const desk = Agent.make("Desk", {
          instructions: "Greet.",
          tools: [hours],
          handoffs: [billing],
          settings: { tool_choice: "required" }
        })
        const h = yield* open(desk, [transfer, [call("invoice", {}, { callId: "c1" })], then])
        expect(yield* h.session.agent).toBe("Desk")
        expect((yield* settingsSent(h))[0]).toMatchObject({
          tools: [
            { name: "hours" },
            { name: "transfer_to_Billing", parameters: { type: "object", properties: {}, additionalProperties: false } }
          ]
        })
        yield* h.session.sendText("My invoice?")
        yield* h.nth("ResponseDone", 3)
        expect(h.all("HandedOff")).toEqual([{ _tag: "HandedOff", from: "Desk", to: "Billing" }])
        expect(yield* h.session.agent).toBe("Billing")
        const [, update] = yield* settingsSent(h)
        // What the first agent wanted and the second does not mention is back to the server's default.
        expect(update).toMatchObject({
          instructions: "Explain invoices.",
          tools: [{ name: "invoice" }],
          tool_choice: "auto"
        })
        expect(yield* h.outputs).toEqual([outputFrame("h1", '{"assistant":"Billing"}'), outputFrame("c1", "12 euros")])
        const order = h.events.map(({ _tag }) => _tag)
        expect(order.indexOf("HandedOff")).toBeLessThan(order.indexOf("ToolSucceeded"))
        expect(h.all("ToolSucceeded")).toMatchObject([
          { call: { agent: "Desk" } },
          { call: { agent: "Billing", tool: "invoice" } }
        ])
        expect(yield* h.model.refused).toEqual([])
      })
  )

  it.scoped("detects the user's turns again if the previous agent used push-to-talk", () =>
    Effect.gen(function* () {
      const detects = Agent.make("Detects", { instructions: "Listen." })
      const pushes = Agent.make("Pushes", {
        instructions: "",
        handoffs: [detects],
        settings: { audio: { input: { turn_detection: null } } }
      })
      const h = yield* open(pushes, [[call("transfer_to_Detects", {}, { callId: "h1" })], then, [say("I hear you.")]])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      yield* h.model.userSays("Hello?")
      expect(yield* h.nth("TextCompleted", 2)).toMatchObject({ text: "I hear you." })
    })
  )

  for (const [what, isChanged, expected] of [
    ["leaves the push-to-talk that the application has set since", true, null],
    ["undoes the voice detection of the agent that leaves", false, { type: "server_vad" }]
  ] as const) {
    it.scoped(`${what}, if the next agent names none`, () =>
      Effect.gen(function* () {
        const next = Agent.make("Next", { instructions: "Next." })
        const settings = { audio: { input: { turn_detection: { type: "semantic_vad" } } } } as const
        const h = yield* open(Agent.make("Desk", { instructions: "", settings, handoffs: [next] }), [])
        if (isChanged) yield* h.session.updateConfig({ audio: { input: { turn_detection: null } } })
        yield* h.session.updateAgent("Next")
        const { session } = h.all("SessionUpdated").at(-1) ?? {}
        if (expected === null) expect(session).toHaveProperty("audio.input.turn_detection", null)
        else expect(session).toMatchObject({ audio: { input: { turn_detection: expected } } })
      })
    )
  }

  it.scoped("keeps what an update of the application does not name, on this connection and on the next", () =>
    Effect.gen(function* () {
      const turn_detection = { type: "server_vad", silence_duration_ms: 900 } as const
      const h = yield* open(
        Agent.make("Desk", { instructions: "", settings: { audio: { input: { turn_detection } } } }),
        []
      )
      yield* h.session.updateConfig({ audio: { input: { turn_detection: { type: "server_vad", threshold: 0.3 } } } })
      yield* h.model.drop()
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust("1 second")
      yield* h.first("Reconnected")
      const wanted = { audio: { input: { turn_detection: { ...turn_detection, threshold: 0.3 } } } }
      expect((yield* settingsSent(h)).slice(1)).toMatchObject([wanted, wanted])
    })
  )

  it.scoped("sends the tools of an agent that has none, so that the server does not keep the old ones", () =>
    Effect.gen(function* () {
      const quiet = Agent.make("Quiet", { instructions: "Listen." })
      const h = yield* open(Agent.make("Desk", { instructions: "", tools: [hours], handoffs: [quiet] }), [
        [call("transfer_to_Quiet", {}, { callId: "h1" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect((yield* settingsSent(h))[1]).toMatchObject({ tools: [] })
    })
  )

  it.scoped(
    "looks up a call in the agent whose response contained it: [handoff, tool] and [tool, handoff] both work",
    () =>
      Effect.gen(function* () {
        for (const order of [0, 1]) {
          const calls = [call("transfer_to_Billing", {}, { callId: "h1" }), call("hours", {}, { callId: "c1" })]
          const h = yield* open(Agent.make("Desk", { instructions: "", tools: [hours], handoffs: [billing] }), [
            order === 0 ? calls : calls.reverse(),
            then
          ])
          yield* h.session.sendText("Go.")
          yield* h.nth("ResponseDone", 2)
          expect(h.all("ToolFailed")).toEqual([])
          expect(yield* h.outputs).toEqual(
            expect.arrayContaining([outputFrame("c1", "9 to 5"), outputFrame("h1", '{"assistant":"Billing"}')])
          )
          expect(yield* h.requests).toBe(2)
        }
      })
  )

  it.scoped("hands over once if the model asks for two handoffs at a time, and tells it so", () =>
    Effect.gen(function* () {
      const sales = Agent.make("Sales", { instructions: "Sell." })
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [billing, sales] }), [
        [call("transfer_to_Billing", {}, { callId: "h1" }), call("transfer_to_Sales", {}, { callId: "h2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("HandedOff")).toMatchObject([{ to: "Billing" }])
      expect(h.all("ToolFailed")).toMatchObject([
        { call: { callId: "h2" }, error: { _tag: "HandoffFailed", step: "superseded" } }
      ])
      expect(yield* h.session.agent).toBe("Billing")
    })
  )

  const twoAtATime = [
    call("transfer_to_Billing", {}, { callId: "h1" }),
    call("transfer_to_Sales", {}, { callId: "h2" })
  ]
  const sales = Agent.make("Sales", { instructions: "Sell." })

  it.scoped("tells no agent to expect a caller who went to another, and tells the model who has the caller", () =>
    Effect.gen(function* () {
      const called: Array<string> = []
      const onHandoff = (name: string) => () =>
        Effect.zipRight(
          Effect.sleep("1 second"),
          Effect.sync(() => called.push(name))
        )
      const h = yield* open(
        Agent.make("Desk", {
          instructions: "",
          handoffs: [
            Handoff.to(billing, { onHandoff: onHandoff("Billing") }),
            Handoff.to(sales, { onHandoff: onHandoff("Sales") })
          ]
        }),
        [twoAtATime, then]
      )
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolStarted", 2)
      yield* TestClock.adjust("1 second")
      yield* h.nth("ResponseDone", 2)
      expect(called).toEqual(["Billing"])
      expect(yield* h.outputs).toEqual([
        outputFrame("h1", '{"assistant":"Billing"}'),
        outputFrame(
          "h2",
          errorText("HandoffFailed", "The conversation was not handed to Sales: Billing has it already.", {
            target: "Sales"
          })
        )
      ])
    })
  )

  it.scoped("hands over to the second of two where the first cannot take the caller", () =>
    Effect.gen(function* () {
      const locked = Handoff.to(billing, {
        onHandoff: () => Effect.zipRight(Effect.sleep("1 second"), new Locked({ until: "noon" }))
      })
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [locked, sales] }), [twoAtATime, then])
      yield* h.session.sendText("Go.")
      yield* h.nth("ToolStarted", 2)
      yield* TestClock.adjust("1 second")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([{ call: { callId: "h1" }, error: { step: "callback" } }])
      expect(h.all("HandedOff")).toMatchObject([{ from: "Desk", to: "Sales" }])
    })
  )

  it.scoped("does not hang if a callback changes the agent itself", () =>
    Effect.gen(function* () {
      let change: Effect.Effect<unknown> = Effect.void
      const own = Handoff.to(billing, { onHandoff: () => Effect.suspend(() => change) })
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [own] }), [transfer, then])
      const errors: Array<unknown> = []
      change = Effect.catchAll(h.session.updateAgent("Billing"), (error) => Effect.sync(() => errors.push(error)))
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(errors).toMatchObject([{ _tag: "HandoffSuperseded", by: "Billing" }])
      expect(yield* h.session.agent).toBe("Billing")
    })
  )

  it.scoped("leaves the conversation where it is when the agent that had it asks for another transfer", () =>
    Effect.gen(function* () {
      const sales = Agent.make("Sales", { instructions: "Sell." })
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [billing, sales] }), [
        [...transfer, pause("5 seconds"), call("transfer_to_Sales", {}, { callId: "h2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("HandedOff")
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([
        { call: { callId: "h2", agent: "Desk" }, error: { _tag: "HandoffFailed", step: "superseded" } }
      ])
      expect([yield* h.session.agent, h.all("HandedOff").length]).toEqual(["Billing", 1])
    })
  )

  it.scoped("runs the callback on the decoded input, before anything changes", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const desk = Agent.make("Desk", {
        instructions: "",
        handoffs: [
          Handoff.to(billing, {
            name: "to_billing",
            description: "When money is the matter",
            input: { invoice: Schema.NumberFromString },
            onHandoff: ({ invoice }, { agent }) => Effect.sync(() => seen.push([invoice, agent]))
          })
        ]
      })
      const h = yield* open(desk, [[call("to_billing", { invoice: "7" }, { callId: "h1" })], then])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect(seen).toEqual([[7, "Desk"]])
      expect((yield* settingsSent(h))[0]).toMatchObject({
        tools: [{ name: "to_billing", description: "When money is the matter", parameters: { required: ["invoice"] } }]
      })
    })
  )

  it.scoped("does one step after the other: the callback, the settings, their confirmation, and then the switch", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const desk = Agent.make("Desk", {
        instructions: "Greet.",
        tools: [hours],
        handoffs: [Handoff.to(billing, { onHandoff: () => Deferred.await(gate) })]
      })
      const faults = [Faults.delay("session.updated", "3 seconds", { nth: 2 })]
      const h = yield* open(desk, [transfer, then], {}, { faults })
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("5 seconds")
      expect(yield* settingsSent(h)).toHaveLength(1)

      yield* Deferred.succeed(gate, undefined)
      yield* h.model.next("session.update")
      expect(yield* h.model.next("session.update")).toMatchObject({
        session: { instructions: "Explain invoices.", tools: [{ name: "invoice" }] }
      })
      yield* TestClock.adjust("2999 millis")
      expect([yield* h.session.agent, h.all("HandedOff"), yield* h.outputs]).toEqual(["Desk", [], []])

      yield* TestClock.adjust("1 millis")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.session.agent).toBe("Billing")
      expect(yield* h.outputs).toEqual([outputFrame("h1", '{"assistant":"Billing"}')])
      expect((yield* h.model.sent).map(({ type }) => type).slice(-3)).toEqual([
        "session.update",
        "conversation.item.create",
        "response.create"
      ])
      const order = h.events.map(({ _tag }) => _tag)
      expect(order.indexOf("HandedOff")).toBeLessThan(order.indexOf("ToolSucceeded"))
    })
  )

  it.scoped("is offered under a name that the API accepts, whatever the agent is called", () =>
    Effect.gen(function* () {
      const agent = Agent.make("Billing & more (new)", { instructions: "" })
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [agent] }), [
        [call("transfer_to_Billing_more_new_", {}, { callId: "h1" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.first("HandedOff")
      expect((yield* settingsSent(h))[0]).toMatchObject({
        tools: [{ name: "transfer_to_Billing_more_new_", description: expect.stringContaining("Billing & more (new)") }]
      })
    })
  )

  const failing: ReadonlyArray<readonly [string, Agent.Agent<Locked, never>, string, object, object]> = [
    [
      "the input does not fit",
      Agent.make("Desk", { instructions: "", handoffs: [Handoff.to(billing, { input: { invoice: Schema.Int } })] }),
      "The conversation was not handed to Billing: invoice: is missing",
      { step: "input" },
      {}
    ],
    [
      "the callback fails",
      Agent.make("Desk", {
        instructions: "",
        handoffs: [Handoff.to(billing, { onHandoff: () => new Locked({ until: "noon" }) })]
      }),
      "The conversation was not handed to Billing: Locked until noon.",
      { step: "callback", failure: { _tag: "Locked" } },
      {}
    ],
    [
      "the callback dies",
      Agent.make("Desk", {
        instructions: "",
        handoffs: [Handoff.to(billing, { onHandoff: () => Effect.die("hunter2") })]
      }),
      "The conversation was not handed to Billing: it could not be prepared.",
      { step: "callback" },
      {}
    ],
    [
      "the server refuses the settings",
      Agent.make("Desk", { instructions: "", handoffs: [billing] }),
      "The conversation was not handed to Billing: the server did not accept its settings.",
      { step: "settings", defect: { _tag: "SettingsRejected", reason: "Not now." } },
      { faults: [Faults.refuseSessionUpdate("invalid_value", "Not now.", { nth: 2 })] }
    ]
  ]
  for (const [what, desk, message, error, server] of failing) {
    it.scoped(`stays with the old agent, on both sides, where ${what}: answered and published`, () =>
      Effect.gen(function* () {
        const h = yield* open(desk, [transfer, then], {}, server)
        yield* h.session.sendText("Go.")
        yield* h.nth("ResponseDone", 2)
        expect(yield* h.outputs).toEqual([
          outputFrame("h1", errorText("HandoffFailed", message, { target: "Billing" }))
        ])
        expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "HandoffFailed", target: "Billing", ...error } }])
        expect(h.all("HandedOff")).toEqual([])
        expect(yield* h.session.agent).toBe("Desk")
        expect(JSON.stringify(yield* h.model.sent)).not.toContain("hunter2")
        expect(yield* Effect.flatMap(h.model.connection, ({ session }) => session)).toMatchObject({
          tools: [{ name: "transfer_to_Billing" }]
        })
      })
    )
  }

  it.scoped("stays with the old agent if the server never confirms, and sends the server its settings again", () =>
    Effect.gen(function* () {
      const h = yield* open(
        Agent.make("Desk", { instructions: "", handoffs: [billing] }),
        [transfer, then],
        {},
        {
          faults: [Faults.withholdSessionUpdated({ nth: 2 })]
        }
      )
      yield* h.session.sendText("Go.")
      yield* h.model.next("session.update")
      yield* h.model.next("session.update")
      yield* TestClock.adjust("10 seconds")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([
        { error: { _tag: "HandoffFailed", step: "settings", defect: { _tag: "SettingsTimedOut" } } }
      ])
      expect(yield* h.session.agent).toBe("Desk")
      expect((yield* settingsSent(h)).at(-1)).toMatchObject({
        instructions: "",
        tools: [{ name: "transfer_to_Billing" }]
      })
    })
  )

  it.scoped("stays with the old agent if the input is not JSON", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [billing] }), [
        [call("transfer_to_Billing", '{"why": ', { callId: "h1" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      const [failed] = h.all("ToolFailed")
      expect(failed).toMatchObject({ error: { _tag: "HandoffFailed", step: "input", target: "Billing" } })
      expect(yield* h.outputs).toEqual([outputFrame("h1", failed?.output)])
      expect([yield* h.session.agent, (yield* settingsSent(h)).length]).toEqual(["Desk", 1])
    })
  )

  it.scoped("stays with the old agent if the callback does not end within 20 seconds", () =>
    Effect.gen(function* () {
      const stuck = Handoff.to(billing, { onHandoff: () => Effect.uninterruptible(Effect.never) })
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [stuck] }), [transfer, then])
      yield* h.session.sendText("Go.")
      yield* h.first("ToolStarted")
      yield* TestClock.adjust("19999 millis")
      expect(yield* h.outputs).toEqual([])
      yield* TestClock.adjust("1 millis")
      yield* h.nth("ResponseDone", 2)
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "HandoffFailed", step: "callback" } }])
      expect([yield* h.session.agent, (yield* settingsSent(h)).length]).toEqual(["Desk", 1])
    })
  )

  it.scoped("waits for the server's confirmation as long as the session says", () =>
    Effect.gen(function* () {
      const h = yield* open(
        Agent.make("Desk", { instructions: "", handoffs: [billing] }),
        [transfer, then],
        { settingsTimeout: "4 seconds" },
        { faults: [Faults.withholdSessionUpdated({ nth: 2 })] }
      )
      yield* h.session.sendText("Go.")
      yield* h.model.next("session.update")
      yield* h.model.next("session.update")
      yield* TestClock.adjust("3999 millis")
      expect(yield* h.outputs).toEqual([])
      yield* TestClock.adjust("1 millis")
      expect(yield* h.first("ToolFailed")).toMatchObject({
        error: { defect: { _tag: "SettingsTimedOut", afterMs: 4000 } }
      })
    })
  )

  it.scoped("can be asked for again after it failed, and works then", () =>
    Effect.gen(function* () {
      const h = yield* open(
        Agent.make("Desk", { instructions: "", tools: [hours], handoffs: [billing] }),
        [
          transfer,
          [call("hours", {}, { callId: "c1" })],
          [call("transfer_to_Billing", {}, { callId: "h2" })],
          [call("invoice", {}, { callId: "c2" })],
          then
        ],
        {},
        { faults: [Faults.refuseSessionUpdate("invalid_value", "Not now.", { nth: 2 })] }
      )
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 5)
      expect(h.all("ToolFailed")).toMatchObject([{ call: { callId: "h1" } }])
      expect(h.all("ToolSucceeded").map(({ call, output }) => [call.callId, call.agent, output])).toEqual([
        ["c1", "Desk", "9 to 5"],
        ["h2", "Desk", '{"assistant":"Billing"}'],
        ["c2", "Billing", "12 euros"]
      ])
    })
  )

  it.scoped("refuses another voice with a typed error, once the model has spoken, and hands over all the same", () =>
    Effect.gen(function* () {
      const desk = Agent.make("Desk", { instructions: "", handoffs: [billing], settings: voice("marin") })
      const h = yield* open(desk, [[say("Hello.")], transfer, then], audioOut)
      yield* h.session.updateConfig(voice("ash"))
      yield* h.session.sendText("Hi.")
      yield* h.first("ResponseDone")
      expect(yield* Effect.flip(h.session.updateConfig(voice("echo")))).toMatchObject({
        _tag: "SettingsInvalid",
        problems: [{ param: "session.audio.output.voice" }]
      })
      yield* h.session.updateConfig(voice("ash"))
      yield* h.session.sendText("Billing, please.")
      yield* h.nth("ResponseDone", 3)
      expect(yield* h.session.agent).toBe("Billing")
      expect(yield* Effect.flatMap(h.model.connection, ({ session }) => session)).toMatchObject(voice("ash"))
    })
  )

  const voiced = (name: string, as: string, settings = {}) =>
    Agent.make(name, { instructions: name, settings: { ...voice(as), ...settings } })

  it.scoped("cannot be made if agents ask for different voices, which would fail in the middle of a call", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([])
      const desk = Agent.make("Desk", {
        instructions: "",
        handoffs: [voiced("One", "marin"), voiced("Two", "cedar")]
      })
      const error = yield* Effect.flip(Effect.provideService(Session.make(desk), RealtimeModel, model.model))
      expect(error).toMatchObject({
        _tag: "SettingsInvalid",
        problems: [{ param: "session.audio.output.voice", message: expect.stringContaining('Two asks for "cedar"') }]
      })
      expect(yield* model.connections).toEqual([])
      const traced = Agent.make("Desk", {
        instructions: "",
        settings: { tracing: "auto" },
        handoffs: [Agent.make("Two", { instructions: "", settings: { tracing: { workflow_name: "two" } } })]
      })
      expect(yield* Effect.flip(Effect.provideService(Session.make(traced), RealtimeModel, model.model))).toMatchObject(
        {
          _tag: "SettingsInvalid",
          problems: [{ param: "session.tracing" }]
        }
      )
    })
  )

  it.scoped("speaks with the first voice for every agent where the application chose that, from the beginning", () =>
    Effect.gen(function* () {
      const desk = Agent.make("Desk", { instructions: "", handoffs: [voiced("One", "marin"), voiced("Two", "cedar")] })
      const h = yield* open(desk, [[say("Hello.")], [call("transfer_to_Two", {}, { callId: "h1" })], then], {
        ...audioOut,
        onDifferentVoices: "keepFirst"
      })
      expect((yield* settingsSent(h))[0]).toMatchObject(voice("marin"))
      yield* h.session.sendText("Hi.")
      yield* h.first("ResponseDone")
      yield* h.session.sendText("Two, please.")
      yield* h.nth("ResponseDone", 3)
      expect([yield* h.session.agent, h.all("ToolFailed")]).toEqual(["Two", []])
      expect(yield* Effect.flatMap(h.model.connection, ({ session }) => session)).toMatchObject(voice("marin"))
    })
  )

  it.scoped("has the voice that the session names for every agent, and none of an agent that only writes", () =>
    Effect.gen(function* () {
      const writer = voiced("Writer", "ash", { output_modalities: ["text"] })
      const desk = Agent.make("Desk", { instructions: "", handoffs: [writer, voiced("Two", "cedar")], settings: {} })
      const quiet = yield* open(desk, [], { settings: {} })
      expect((yield* settingsSent(quiet))[0]).toMatchObject(voice("cedar"))
      const team = Agent.make("Desk", { instructions: "", handoffs: [voiced("One", "marin"), voiced("Two", "cedar")] })
      const named = yield* open(team, [], { settings: voice("sage") })
      expect((yield* settingsSent(named))[0]).toMatchObject(voice("sage"))
    })
  )

  it.scoped("keeps an agent's voice and turn detection where the session names only a format", () =>
    Effect.gen(function* () {
      const input = { turn_detection: { type: "server_vad", threshold: 0.8 } } as const
      const other = Agent.make("Other", {
        instructions: "Other.",
        settings: { audio: { input, ...voice("marin").audio } }
      })
      const desk = Agent.make("Desk", {
        instructions: "Desk.",
        handoffs: [other],
        settings: { audio: { input, ...voice("marin").audio } }
      })
      const settings = {
        audio: {
          input: { format: { type: "audio/pcmu" }, turn_detection: { type: "server_vad", silence_duration_ms: 700 } },
          output: { format: { type: "audio/pcmu" } }
        }
      } as const
      const h = yield* open(desk, [], { settings })
      yield* h.session.updateAgent("Other")
      const merged = {
        audio: {
          input: {
            format: { type: "audio/pcmu" },
            turn_detection: { type: "server_vad", threshold: 0.8, silence_duration_ms: 700 }
          },
          output: { format: { type: "audio/pcmu" }, voice: "marin" }
        }
      }
      expect(yield* settingsSent(h)).toMatchObject([merged, merged])
    })
  )

  it.scoped("refuses another model with a typed error, and sends nothing", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "" }), [])
      // The types do not allow it, but data that is read from a file may contain it.
      const settings = { max_output_tokens: 7, model: "gpt-realtime-2" }
      const error = yield* Effect.flip(h.session.updateConfig(settings))
      expect(error).toMatchObject({ _tag: "SettingsInvalid", problems: [{ param: "session.model" }] })
      expect(yield* settingsSent(h)).toHaveLength(1)
    })
  )

  for (const [what, agent, name] of [
    [
      "a tool and a handoff",
      {
        tools: [invoice, Tool.make("transfer_to_Billing", { description: "", handler: () => Effect.void })],
        handoffs: [billing]
      },
      "transfer_to_Billing"
    ],
    ["two handoffs", { handoffs: [billing, Handoff.to(billing, { description: "Again" })] }, "transfer_to_Billing"],
    ["two tools", { tools: [hours, hours] }, "hours"]
  ] as const) {
    it.scoped(`cannot be made if ${what} have the same name: a typed error says which`, () =>
      Effect.gen(function* () {
        const model = yield* ScriptedModel.make([])
        const made = Session.make(Agent.make("Desk", { instructions: "", ...agent }))
        expect(yield* Effect.flip(Effect.provideService(made, RealtimeModel, model.model))).toMatchObject({
          _tag: "AgentInvalid",
          problems: [expect.stringContaining(`"${name}"`)]
        })
        expect(yield* model.connections).toEqual([])
      })
    )
  }

  it.scoped("hands over in a circle between agents that know each other by name", () =>
    Effect.gen(function* () {
      const sales = Agent.make("Sales", { instructions: "Sell.", handoffs: ["Support"] })
      const support = Agent.make("Support", {
        instructions: "Help.",
        handoffs: [Handoff.to("Sales", { description: "Back" })]
      })
      const h = yield* open(Agent.wire([sales, support]), [
        [call("transfer_to_Support", {}, { callId: "h1" })],
        [call("transfer_to_Sales", {}, { callId: "h2" })],
        then
      ])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 3)
      expect(h.all("HandedOff")).toMatchObject([{ to: "Support" }, { from: "Support", to: "Sales" }])
    })
  )

  it.scoped("offers a handoff only where it is enabled, and not where that cannot be decided", () =>
    Effect.gen(function* () {
      const sales = Agent.make("Sales", { instructions: "Sell." })
      const desk = Agent.make("Desk", {
        instructions: "",
        handoffs: [
          Handoff.to(billing, { isEnabled: Effect.succeed(false) }),
          Handoff.to(sales, { isEnabled: Effect.die("unreachable") })
        ]
      })
      const h = yield* open(desk, [transfer, then])
      yield* h.session.sendText("Go.")
      yield* h.nth("ResponseDone", 2)
      expect((yield* settingsSent(h))[0]).toMatchObject({ tools: [] })
      expect(h.all("HandoffCheckFailed")).toEqual([{ _tag: "HandoffCheckFailed", agent: "Desk", target: "Sales" }])
      expect(h.all("ToolFailed")).toMatchObject([{ error: { _tag: "ToolNotFound" } }])
    })
  )

  it.scoped("lets the application change the agent too", () =>
    Effect.gen(function* () {
      const h = yield* open(Agent.make("Desk", { instructions: "", handoffs: [billing] }), [])
      yield* h.session.updateAgent("Billing")
      expect(yield* h.session.agent).toBe("Billing")
      expect(yield* Effect.flip(h.session.updateAgent("Nobody"))).toMatchObject({
        _tag: "AgentUnknown",
        available: ["Desk", "Billing"]
      })
      const both = yield* Effect.fork(Effect.exit(h.session.updateAgent("Desk")))
      yield* Effect.yieldNow()
      expect(yield* Effect.flip(h.session.updateAgent("Billing"))).toMatchObject({ _tag: "HandoffSuperseded" })
      yield* Fiber.join(both)
      expect(yield* h.session.agent).toBe("Desk")
    })
  )

  it("reports at once all names that clash, among tools and handoffs, and agents that cannot be told apart", () => {
    const clash = Agent.make("Desk", {
      instructions: "",
      tools: [Tool.make("transfer_to_Billing", { description: "", handler: () => Effect.void })],
      handoffs: [billing, Agent.make("Desk", { instructions: "Another." })]
    })
    const problems = Either.getOrThrow(Either.flip(Agent.validate(clash))).problems.join(" ")
    expect(problems).toContain('Two functions are named "transfer_to_Billing"')
    expect(problems).toContain("Another agent has the same name")
    const lost = Agent.make("Desk", { instructions: "", handoffs: ["Nobody"] })
    expect(Either.getOrThrow(Either.flip(Agent.validate(lost))).message).toContain('"Nobody"')
  })

  it("infers what every agent requires and fails with, and refuses names that no agent has", () => {
    const locked = Tool.make("locked", { description: "", handler: () => Effect.flatMap(Ledger, ({ open }) => open) })
    const sales = Agent.make("Sales", { instructions: "", tools: [locked], handoffs: ["Support"] })
    const support = Agent.make("Support", { instructions: "", handoffs: ["Sales"] })
    const team = Agent.wire([support, sales])
    expectTypeOf(team).toEqualTypeOf<Agent.Agent<Locked, Ledger, never, "Support">>()
    const desk = Agent.make("Desk", {
      instructions: "",
      handoffs: [Handoff.to(team, { onHandoff: () => Effect.fail("no" as const) })]
    })
    expectTypeOf(desk).toEqualTypeOf<Agent.Agent<Locked | "no", Ledger, never, "Desk">>()
    // @ts-expect-error no agent is named Support
    Agent.wire([sales])
    const make = (_: Parameters<typeof Session.make>[0]) => undefined
    // @ts-expect-error not wired yet
    make(sales)
    make(team)
  })
})
