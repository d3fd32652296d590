import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../../src/Guardrail.js"
import type { ClientEvent } from "../../../src/protocol/ClientEvent.js"
import type { ServerEvent } from "../../../src/protocol/ServerEvent.js"
import { RealtimeModel } from "../../../src/RealtimeModel.js"
import * as Session from "../../../src/Session.js"
import * as SessionJournal from "../../../src/SessionJournal.js"
import * as Tool from "../../../src/Tool.js"
import { recording } from "../harness.js"
import { left, mortal, said } from "../processes.js"

const { call, Faults, pause, say, stall } = EmbeddedRealtime

const soon = "301 millis"
const long = say("One, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve.")
const wipe = {
  type: "function",
  name: "wipe",
  description: "Wipes.",
  parameters: { type: "object", properties: {} }
} as const
const desk = Agent.make("Desk", {
  instructions: "Be brief.",
  settings: { audio: { output: { voice: "cedar" } } }
})

/** A session beside a call in memory. */
const beside = <E, R>(
  agent: Agent.Agent<E, R>,
  turns: ReadonlyArray<EmbeddedRealtime.Turn>,
  options: Session.Options = {},
  given: Omit<EmbeddedRealtime.Options, "mind"> = {}
) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make({ ...given, mind: EmbeddedRealtime.script(turns) })
    const carried = yield* server.beginCall({ instructions: "Wait." })
    const session = yield* Session.make(agent, options).pipe(Effect.provideService(RealtimeModel, carried.model))
    const connection = yield* server.connection
    const sent = Effect.map(connection.received, (events) => events.map(nameOf))
    return { ...(yield* recording(session)), session, server, carried, connection, sent }
  })

/** The connection drops in the midst of an answer, and there is another one. */
const losesAnswer = <E>(h: Effect.Effect.Success<ReturnType<typeof beside<E, never>>>) =>
  Effect.gen(function* () {
    yield* h.session.sendText("Count.")
    yield* h.first("ResponseStarted")
    yield* h.connection.drop
    yield* TestClock.adjust(soon)
    yield* h.first("Reconnected")
  })

const nameOf = (event: ClientEvent) => (event.type === "conversation.item.create" ? event.item.type : event.type)

/** A browser on the same call, with what it sees. */
const browser = (carried: EmbeddedRealtime.CarriedCall) =>
  Effect.gen(function* () {
    const connection = yield* carried.model.connect({})
    const seen: Array<ServerEvent> = []
    connection.frames.listen(() => {
      for (const frame of connection.frames.takeNow().messages) {
        if (frame._tag === "Known") seen.push(frame.event)
      }
    })
    return { send: connection.send, seen }
  })

describe("A session beside a call", () => {
  it.scoped("begins without session.created, and sends no voice", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [])
      const page = yield* browser(h.carried)
      expect(yield* h.sent).toEqual(["session.update"])
      expect(JSON.stringify(yield* h.connection.received)).not.toContain("cedar")
      expect(yield* h.carried.session).toMatchObject({ instructions: "Be brief." })
      expect(page.seen).toEqual([])
      expect(h.all("SessionStarted")).toHaveLength(1)
    })
  )

  it.scoped("knows what is heard from the server that plays it", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [[long]])
      yield* h.session.sendText("Count.")
      yield* h.first("ResponseDone")
      expect(h.all("ServerEventReceived").map(({ type }) => type)).toEqual(["output_audio_buffer.started"])
      yield* TestClock.adjust("1 minute")
      const [, stopped] = h.all("ServerEventReceived")
      expect(stopped?.type).toBe("output_audio_buffer.stopped")
      yield* h.session.interrupt
      expect(yield* h.sent).toEqual(["session.update", "message", "response.create"])
    })
  )

  it.scoped("asks again as soon as an answer that it had lost is no longer in the way", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [[pause("2 seconds")], [say("Two.")]])
      yield* losesAnswer(h)
      yield* h.session.sendText("Go on.")
      yield* TestClock.adjust("2 seconds")
      const { text } = yield* h.first("TextCompleted")
      expect(text).toBe("Two.")
    })
  )

  it.scoped("has a call that was made while nobody listened behind what was answered by then", () =>
    Effect.gen(function* () {
      const first = [call("a", {}, { callId: "call_1" }), pause("100 millis")]
      const h = yield* beside(desk, [
        [...first, call("b", {}, { callId: "call_2" }), pause("1 second")],
        [say("Done.")]
      ])
      yield* h.session.sendText("Look it up.")
      yield* h.nth("ItemCompleted", 3)
      yield* h.connection.drop
      yield* TestClock.adjust("3 seconds")
      yield* h.first("TextCompleted")
      const { items } = yield* h.session.conversation
      const there = yield* (yield* h.server.connection).conversation
      expect(items.map(({ id }) => id)).toEqual(there.map(({ id }) => id))
      const calls = items.flatMap((item) => ("callId" in item ? `${item._tag} ${item.callId}` : []))
      const made = (id: string) => [`FunctionCall ${id}`, `FunctionCallOutput ${id}`]
      expect(calls).toEqual([...made("call_1"), ...made("call_2")])
    })
  )

  it.scoped("leaves the answer to what the user says alone, where an unknown one before was interrupted", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [[pause("1 hour")], [say("Yes?")]])
      yield* losesAnswer(h)
      yield* h.session.sendText("Go on.")
      yield* h.nth("ItemCompleted", 2)
      yield* h.session.interrupt
      const connection = yield* h.server.connection
      yield* connection.userSays("Hello?")
      yield* TestClock.adjust("2 seconds")
      const { text } = yield* h.first("TextCompleted")
      expect(text).toBe("Yes?")
    })
  )

  it.scoped("stops with cancel, then clear, and cuts nothing itself", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [[long, stall]])
      yield* h.session.sendText("Count.")
      yield* h.first("TextDelta")
      yield* TestClock.adjust("1 second")
      yield* h.session.interrupt
      const interrupted = yield* h.first("AudioInterrupted")
      expect(interrupted).toMatchObject({ heardMs: 1000 })
      expect((yield* h.sent).slice(3)).toEqual(["response.cancel", "output_audio_buffer.clear"])
      yield* h.first("ResponseDone")
      const { items } = yield* h.session.conversation
      expect(items[1]).toMatchObject({ content: [{ _tag: "Audio", cut: { heardMs: 1000 } }] })
      expect(yield* h.connection.refused).toEqual([])
    })
  )

  it.scoped("clears what is still played when the response is over", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [[long]])
      yield* h.session.sendText("Count.")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("500 millis")
      yield* h.session.interrupt
      yield* h.first("AudioInterrupted")
      expect((yield* h.sent).slice(3)).toEqual(["output_audio_buffer.clear"])
      expect(yield* h.connection.refused).toEqual([])
    })
  )

  it.scoped("leaves it to the server to stop when the user speaks", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [[long], [say("Yes?")]])
      yield* h.session.sendText("Count.")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("700 millis")
      yield* h.carried.userSays("Stop!")
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ heardMs: 700 })
      yield* h.nth("ResponseDone", 2)
      expect((yield* h.sent).slice(3)).toEqual([])
    })
  )

  it.scoped("clears what a guardrail does not let stand", () =>
    Effect.gen(function* () {
      const agent = Agent.make("Desk", {
        instructions: "Be brief.",
        guardrails: [
          Guardrail.output("No seven", {
            check: (text) => Effect.succeed(text.includes("seven") ? Guardrail.trip("Not that.") : Guardrail.pass)
          })
        ]
      })
      const h = yield* beside(agent, [[long], [say("Sorry.")]])
      yield* h.session.sendText("Count.")
      yield* h.first("GuardrailTripped")
      yield* h.nth("ResponseDone", 2)
      expect((yield* h.sent).filter((name) => name.startsWith("output_audio_buffer"))).toEqual([
        "output_audio_buffer.clear"
      ])
      expect(yield* h.connection.refused).toEqual([])
    })
  )

  it.scoped("sends no audio, and the caller's keys arrive", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [])
      expect(yield* Effect.flip(h.session.sendAudio(new Uint8Array(4800)))).toMatchObject({ reason: "Elsewhere" })
      yield* h.carried.pressKey("7")
      expect(yield* h.first("DtmfReceived")).toMatchObject({ key: "7" })
    })
  )

  it.scoped("comes back to the same call, and tells it only what it missed", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<string>()
      const lookup = Tool.make("lookup", { description: "Looks up.", handler: () => Deferred.await(gate) })
      const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [lookup] })
      const h = yield* beside(agent, [[call("lookup", {}, { callId: "c1" })], [say("Found.")]])
      yield* h.session.sendText("Look it up.")
      yield* h.first("ResponseDone")
      yield* h.connection.drop
      yield* h.first("ConnectionLost")
      yield* Deferred.succeed(gate, "42")
      yield* h.first("ToolSucceeded")
      yield* TestClock.adjust(soon)
      expect(yield* h.first("Reconnected")).toMatchObject({ replayed: 0, deferred: 1 })
      yield* h.nth("ResponseDone", 2)
      const again = yield* h.server.connection
      expect((yield* again.received).map(nameOf)).toEqual(["session.update", "function_call_output", "response.create"])
      expect(yield* h.carried.outputs).toEqual([{ callId: "c1", output: "42" }])
    })
  )

  it.scoped(
    "resets what the settings of a next agent have changed, when the connection drops before it takes over",
    () =>
      Effect.gen(function* () {
        const next = Agent.make("Next", { instructions: "Be long.", settings: { max_output_tokens: 100 } })
        const agent = Agent.make("Desk", { instructions: "Be brief.", handoffs: [next] })
        // The server has taken the settings of the next agent, and the session does not learn of it.
        const faults = [Faults.onServerEvent("session.updated", [Faults.drop], { connection: 1, nth: 2 })]
        const h = yield* beside(agent, [], {}, { faults })
        yield* Effect.fork(h.session.updateAgent("Next"))
        yield* h.first("ConnectionLost")
        expect(yield* h.carried.session).toMatchObject({ max_output_tokens: 100 })
        yield* TestClock.adjust(soon)
        yield* h.first("HandedOff")
        const again = yield* h.server.connection
        const updates = (yield* again.received).flatMap((event) =>
          event.type === "session.update" ? [event.session] : []
        )
        expect(updates).toMatchObject([
          { instructions: "Be brief.", max_output_tokens: "inf" },
          { instructions: "Be long.", max_output_tokens: 100 }
        ])
      })
  )

  it.scoped("ends with CallGone when the user hangs up, and does not try for ever", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [])
      yield* h.carried.hangUp
      yield* h.first("ConnectionLost")
      yield* TestClock.adjust(soon)
      expect(yield* Effect.flip(h.session.await)).toMatchObject({ _tag: "CallGone", callId: "rtc_1" })
      expect(h.all("SessionEnded")).toMatchObject([{ error: { _tag: "CallGone" } }])
      expect(yield* h.server.connections).toHaveLength(1)
    })
  )

  it.scoped("does not move to another connection because of its age", () =>
    Effect.gen(function* () {
      const h = yield* beside(desk, [], { rolloverAfter: "1 minute" })
      yield* TestClock.adjust("50 minutes")
      expect(yield* h.server.connections).toHaveLength(1)
    })
  )

  it.scoped("answers calls of tools that a browser put into the session, without running anything", () =>
    Effect.gen(function* () {
      let runs = 0
      const lookup = Tool.make("lookup", { description: "Looks up.", handler: () => Effect.sync(() => String(++runs)) })
      const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [lookup] })
      const h = yield* beside(agent, [[call("wipe", { all: true }, { callId: "c1" })], [say("Sorry.")]])
      const page = yield* browser(h.carried)
      yield* page.send({
        type: "session.update",
        session: { type: "realtime", instructions: "Obey.", tools: [wipe] }
      })
      yield* h.nth("SessionUpdated", 2)
      yield* h.carried.userSays("Wipe it.")
      const failed = yield* h.first("ToolFailed")
      expect(failed.error._tag).toBe("ToolNotFound")
      yield* h.nth("ResponseDone", 2)
      expect(yield* h.carried.outputs).toHaveLength(1)
      expect(runs).toBe(0)
      // Both see every event of the call.
      const types = new Set(page.seen.map(({ type }) => type))
      expect(types).toContain("session.updated")
      expect(types).toContain("response.function_call_arguments.done")
      expect(types).toContain("output_audio_buffer.started")
    })
  )

  for (const [what, part, decide] of [
    [
      "",
      EmbeddedRealtime.mcpCall("docs", "search", {}, { output: "42" }, { runs: "after", takes: "2 seconds" }),
      false
    ],
    [
      " and was approved",
      EmbeddedRealtime.mcpApprovalRequest("shop", "pay", {}, { output: "42" }, { takes: "2 seconds" }),
      true
    ]
  ] as const) {
    it.scoped(`asks for a reply to a hosted call that ended while nobody was connected${what}`, () =>
      Effect.gen(function* () {
        const h = yield* beside(desk, [[part], [say("I found 42.")]])
        yield* h.session.sendText("Look it up.")
        if (decide) yield* h.session.approve((yield* h.first("ToolApprovalRequested")).call.callId)
        yield* h.first("ResponseDone")
        yield* TestClock.adjust("1900 millis")
        yield* h.connection.drop
        yield* h.first("ConnectionLost")
        yield* TestClock.adjust(soon)
        yield* h.first("Reconnected")
        yield* TestClock.adjust("1 second")
        expect(yield* h.first("TextCompleted")).toMatchObject({ text: "I found 42." })
        expect(h.all("ToolFailed")).toEqual([])
        expect(yield* (yield* h.server.connection).refused).toEqual([])
      })
    )
  }

  it.scoped("asks for a reply to a result that the answer under way cannot have seen, where that began unseen", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<string>()
      const lookup = Tool.make("lookup", { description: "Looks up.", handler: () => Deferred.await(gate) })
      const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [lookup] })
      const h = yield* beside(agent, [
        [call("lookup", {}, { callId: "c1" })],
        [say("Meanwhile,"), pause("5 seconds"), say("the weather.")],
        [say("I found 42.")]
      ])
      yield* h.session.sendText("Look it up.")
      yield* h.first("ToolStarted")
      yield* h.first("ResponseDone")
      yield* h.connection.drop
      yield* h.first("ConnectionLost")
      yield* h.carried.userSays("And the weather?")
      yield* TestClock.adjust(soon)
      yield* h.first("Reconnected")
      yield* Deferred.succeed(gate, "42")
      yield* h.first("ToolSucceeded")
      yield* TestClock.adjust("5 seconds")
      yield* h.nth("TextCompleted", 2)
      expect(
        h
          .all("TextCompleted")
          .map(({ text }) => text)
          .at(-1)
      ).toBe("I found 42.")
      expect(h.all("ResponseDone").at(-1)?.cause?.callIds).toEqual(["c1"])
    })
  )
})

describe("A process that takes up a session beside a call", () => {
  const polite = Guardrail.input("polite", {
    check: (text) =>
      text.includes("BAD")
        ? Effect.as(Effect.sleep("500 millis"), Guardrail.trip("Be good."))
        : Effect.succeed(Guardrail.pass)
  })
  const agent = Agent.make("Desk", { instructions: "Be brief.", guardrails: [polite] })

  /** A process dies while the model answers, and another one takes up its session, whose settings are confirmed late. */
  const takenUp = (turns: ReadonlyArray<EmbeddedRealtime.Turn>, confirmedAfter: `${number} millis`) =>
    Effect.gen(function* () {
      const faults = [Faults.delay("session.updated", confirmedAfter, { connection: 2 })]
      const server = yield* EmbeddedRealtime.make({ mind: EmbeddedRealtime.script(turns), faults })
      const carried = yield* server.beginCall({ instructions: "Wait." })
      const { kill, service } = yield* mortal
      const scope = yield* Scope.make()
      const first = yield* Session.make(agent).pipe(
        Effect.provideService(SessionJournal.SessionJournal, service),
        Effect.provideService(RealtimeModel, carried.model),
        Scope.extend(scope)
      )
      const heard = yield* recording(first)
      yield* first.sendText("You BAD thing.")
      yield* heard.first("TextDelta")
      yield* kill
      yield* Scope.close(scope, Exit.void)
      const resuming = yield* Effect.fork(
        Session.resume(agent, first.id).pipe(Effect.provideService(RealtimeModel, carried.model))
      )
      yield* TestClock.adjust(confirmedAfter)
      const session = yield* Fiber.join(resuming)
      const connection = yield* server.connection
      const sent = Effect.map(connection.received, (events) => events.map(nameOf))
      return { ...(yield* recording(session)), session, connection, sent }
    }).pipe(Effect.provide(SessionJournal.layerMemory))

  const answer = Array.from({ length: 20 }, (_, index) => [say(`Word ${index},`), pause("100 millis")]).flat()

  for (const [what, turn, confirmedAfter] of [
    ["is not heard of for a while", [say("One,"), pause("5 seconds"), ...answer], "0 millis"],
    ["goes on before the settings are confirmed", answer, "300 millis"]
  ] as const) {
    it.scoped(`stops an answer under way to a question that a guardrail stops, where it ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* takenUp([turn, [say("Please be polite.")]], confirmedAfter)
        yield* TestClock.adjust("500 millis")
        yield* h.first("GuardrailTripped")
        yield* TestClock.adjust("1 minute")
        const texts = h.all("TextCompleted").map(({ text }) => text)
        expect(texts.filter((text) => text.includes("Word 19"))).toEqual([])
        expect(texts.at(-1)).toBe("Please be polite.")
        expect(yield* h.sent).toContain("response.cancel")
      })
    )

    it.scoped(`stops an answer under way when the application interrupts, where it ${what}`, () =>
      Effect.gen(function* () {
        const h = yield* takenUp([turn], confirmedAfter)
        yield* h.session.interrupt
        yield* TestClock.adjust("1 minute")
        expect(h.all("TextDelta").map(({ delta }) => delta)).not.toContain(" 19,")
        expect(yield* h.sent).toContain("response.cancel")
      })
    )
  }

  type First = Effect.Effect.Success<ReturnType<typeof recording<never>>> & { readonly session: Session.Session }

  /** A process dies when this has happened, and another one takes up its session after a while. */
  const inherited = (
    part: EmbeddedRealtime.Part,
    happens: (first: First) => Effect.Effect<unknown, unknown>,
    after: `${number} millis`
  ) =>
    Effect.gen(function* () {
      const mind = EmbeddedRealtime.script([[part], [say("I found 42.")], [say("Nothing more.")]])
      const server = yield* EmbeddedRealtime.make({ mind })
      const carried = yield* server.beginCall({ instructions: "Wait." })
      const { kill, service } = yield* mortal
      const scope = yield* Scope.make()
      const first = yield* Session.make(desk).pipe(
        Effect.provideService(SessionJournal.SessionJournal, service),
        Effect.provideService(RealtimeModel, carried.model),
        Scope.extend(scope)
      )
      const heard = yield* recording(first)
      yield* first.sendText("Look it up.")
      yield* happens({ ...heard, session: first })
      yield* kill
      yield* Scope.close(scope, Exit.void)
      yield* TestClock.adjust(after)
      const session = yield* Session.resume(desk, first.id).pipe(Effect.provideService(RealtimeModel, carried.model))
      return { ...(yield* recording(session)), session, carried, connection: yield* server.connection }
    }).pipe(Effect.provide(SessionJournal.layerMemory))

  const pay = EmbeddedRealtime.mcpApprovalRequest("shop", "pay", {}, { output: "42" }, { takes: "2 seconds" })
  const asked = (first: First) => first.first("ToolApprovalRequested")

  it.scoped("asks again for the approval of a hosted call that nobody has given", () =>
    Effect.gen(function* () {
      const h = yield* inherited(pay, asked, "1000 millis")
      const { call } = yield* h.first("ToolApprovalRequested")
      expect(call).toMatchObject({ tool: "pay", server: "shop", agent: "Desk" })
      expect(yield* h.session.pendingApprovals).toHaveLength(1)
      yield* h.session.approve(call.callId)
      yield* TestClock.adjust("3 seconds")
      expect(yield* h.first("TextCompleted")).toMatchObject({ text: "I found 42." })
      yield* TestClock.adjust("1 minute")
      expect(h.all("TextCompleted")).toHaveLength(1)
      expect(yield* h.connection.refused).toEqual([])
    })
  )

  const request = { type: "mcp_approval_request", id: "q", server_label: "shop", name: "pay", arguments: "{}" }
  const ran = { type: "mcp_call", id: "m", server_label: "shop", name: "pay", arguments: "{}" }
  const no = { type: "mcp_approval_response", id: "no", approval_request_id: "q", approve: false, reason: null }
  for (const [what, asks, ...last] of [
    ["a hosted call that was rejected", true, request, no],
    ["a hosted call that is over", true, { ...ran, output: "42" }],
    ["a hosted call that failed, once approved", true, request, { ...ran, approval_request_id: "q", error: {} }],
    ["words behind which the tools of a hosted server were listed", true, { type: "mcp_list_tools", id: "l" }],
    ["a hosted call that waits for approval, before it has run", false, request]
  ] as const) {
    it.scoped(`${asks ? "asks" : "does not ask"} for a reply to ${what}, where the one before had not asked`, () =>
      Effect.gen(function* () {
        const items = last.map((item) => ({ _tag: "Other", id: item.id, type: item.type, item }) as const)
        yield* left([said("u1", "Pay."), ...items.map((item) => ({ _tag: "ItemFinal", item }) as const)])
        const server = yield* EmbeddedRealtime.make({ mind: EmbeddedRealtime.script([[say("Well.")]]) })
        const carried = yield* server.beginCall({ instructions: "Wait." })
        const h = yield* recording(
          yield* Session.resume(desk, "s1").pipe(Effect.provideService(RealtimeModel, carried.model))
        )
        yield* h.first("SessionResumed")
        yield* TestClock.adjust("1 second")
        const connection = yield* server.connection
        expect((yield* connection.received).map(nameOf).includes("response.create")).toBe(asks)
      }).pipe(Effect.provide(SessionJournal.layerMemory))
    )
  }
})
