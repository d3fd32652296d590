import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import * as Audio from "../../src/Audio.js"
import { type Item, textOf } from "../../src/Conversation.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import * as Tool from "../../src/Tool.js"
import { sound } from "../embedded/sound.js"
import {
  agentOf,
  answered,
  called,
  crashed,
  desk,
  journals,
  left,
  mortal,
  processOf,
  said,
  settings
} from "./processes.js"

const { call, say } = ScriptedModel

describe("Session.resume", () => {
  it.scoped("takes up the conversation where the process before left it, in its order", () =>
    Effect.gen(function* () {
      const { first, second } = yield* crashed(
        desk,
        [[say("Good day!")]],
        ({ session, until }) => Effect.zipRight(session.sendText("Hello."), until("ResponseDone")),
        [[say("I am.")]]
      )
      expect(second.session.id).toBe(first.session.id)
      expect(yield* second.until("SessionResumed")).toMatchObject({ replayed: 2, omitted: [], openCalls: [] })
      yield* second.session.sendText("Are you there?")
      yield* second.until("ResponseDone")
      const { items } = yield* second.session.conversation
      expect(items.map((item) => (item._tag === "Message" ? textOf(item) : item._tag))).toEqual([
        "Hello.",
        "Good day!",
        "Are you there?",
        "I am."
      ])
      expect(yield* second.model.refused).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("asks for the answer that the user was still waiting for", () =>
    Effect.gen(function* () {
      const { second } = yield* crashed(
        desk,
        [[ScriptedModel.stall]],
        ({ session, until }) => Effect.zipRight(session.sendText("Hello?"), until("ItemCompleted")),
        [[say("Sorry, here I am.")]]
      )
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "Sorry, here I am." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("asks for it once more where the process before had given it up: the user is waiting still", () =>
    Effect.gen(function* () {
      const { first, second } = yield* crashed(
        desk,
        Array.from({ length: 3 }, () => [ScriptedModel.stall]),
        ({ session, until }) =>
          Effect.zipRight(session.sendText("Hello?"), until("ItemCompleted")).pipe(
            Effect.zipRight(Effect.repeatN(TestClock.adjust("31 seconds"), 3)),
            Effect.zipRight(until("ResponseLost"))
          ),
        [[say("Sorry, here I am.")]]
      )
      expect(first.events.filter(({ _tag }) => _tag === "ResponseLost")).toMatchObject([{ interrupted: false }])
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "Sorry, here I am." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped(
    "asks for it also where the process died as it took the model's call, before it had written that down",
    () =>
      Effect.gen(function* () {
        const journal = yield* SessionJournal.SessionJournal
        const item = (id: string, text: string) =>
          ({ _tag: "Message", id, role: "user", status: "completed", content: [{ _tag: "Text", text }] }) as const
        yield* Effect.scoped(
          Effect.flatMap(journal.open("s1"), ({ append }) =>
            append([
              { _tag: "SessionOpened", sessionId: "s1", agent: "Desk", at: 0 },
              { _tag: "ItemFinal", item: item("i1", "Pay."), previousItemId: "root" },
              {
                _tag: "ItemFinal",
                item: {
                  _tag: "FunctionCall",
                  id: "i2",
                  callId: "c1",
                  name: "pay",
                  arguments: "{}",
                  status: "completed"
                },
                previousItemId: "i1"
              }
            ])
          )
        )
        const second = yield* processOf(Session.resume(desk, "s1", { settings }), [[say("Sorry, here I am.")]])
        yield* Effect.addFinalizer(() => second.end)
        expect(yield* second.until("SessionResumed")).toMatchObject({ replayed: 1, omitted: ["i2"] })
        expect(yield* second.until("TextCompleted")).toMatchObject({ text: "Sorry, here I am." })
      }).pipe(Effect.provide(journals))
  )

  it.scoped("asks again for the answer that a call of a hosted tool was for: the server made it, and is gone", () =>
    Effect.gen(function* () {
      const item = {
        type: "mcp_call",
        id: "mcp_1",
        server_label: "crm",
        name: "find",
        arguments: "{}",
        output: "Found."
      }
      yield* left([
        said("i1", "Who called?"),
        { _tag: "ItemFinal", item: { _tag: "Other", id: "mcp_1", type: "mcp_call", item } }
      ])
      const second = yield* processOf(Session.resume(desk, "s1", { settings }), [[say("Ada did.")]])
      yield* Effect.addFinalizer(() => second.end)
      expect(yield* second.until("SessionResumed")).toMatchObject({ replayed: 1, omitted: ["mcp_1"] })
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "Ada did." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("answers a call whose handler ran that its effect is not known, and says so to the application", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "Pays.", handler: () => Effect.never })
      const { second } = yield* crashed(
        agentOf(pay),
        [[call("pay", {}, { callId: "c1" })]],
        ({ session, until }) => Effect.zipRight(session.sendText("Pay."), until("ToolStarted")),
        [[say("I do not know whether it was paid.")]]
      )
      expect(yield* second.until("ToolFailed")).toMatchObject({
        call: { callId: "c1", agent: "Desk", tool: "pay" },
        error: { _tag: "ToolInterrupted", by: "restart" }
      })
      expect(yield* second.model.outputs).toMatchObject([
        { callId: "c1", output: expect.stringContaining("pay was interrupted by a restart; its effect is unknown.") }
      ])
      yield* second.until("ResponseDone")
      expect(yield* second.model.refused).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("runs an idempotent tool again, under the same idempotency key", () =>
    Effect.gen(function* () {
      const keys: Array<string> = []
      const tool = (handler: Effect.Effect<string>) =>
        Tool.make("pay", {
          description: "Pays.",
          idempotent: true,
          handler: (_, { idempotencyKey }) =>
            Effect.zipRight(
              Effect.sync(() => keys.push(idempotencyKey)),
              handler
            )
        })
      const { first, second } = yield* crashed(
        agentOf(tool(Effect.never)),
        [[call("pay", {}, { callId: "c1" })]],
        ({ session, until }) => Effect.zipRight(session.sendText("Pay."), until("ToolStarted")),
        [[say("Paid.")]],
        agentOf(tool(Effect.succeed("paid")))
      )
      yield* second.until("ToolSucceeded")
      expect(keys).toEqual([`${first.session.id}:c1`, `${first.session.id}:c1`])
      expect(yield* second.model.outputs).toEqual([{ callId: "c1", output: "paid" }])
    }).pipe(Effect.provide(journals))
  )

  it.scoped(
    "asks the model to go on when all calls have their outputs, not when some have: it would make them again",
    () =>
      Effect.gen(function* () {
        const gate = yield* Deferred.make<string>()
        const note = Tool.make("note", { description: "Notes.", handler: () => Effect.succeed("noted") })
        const look = (handler: Effect.Effect<string>) =>
          Tool.make("look", { description: "Looks.", idempotent: true, reply: "silent", handler: () => handler })
        const { second } = yield* crashed(
          agentOf(note, look(Effect.never)),
          [[call("look", {}, { callId: "c1" }), call("note", {}, { callId: "c2" })]],
          ({ session, until }) => Effect.zipRight(session.sendText("Both."), until("ItemAdded", 4)),
          [[say("Both done.")]],
          agentOf(note, look(Deferred.await(gate)))
        )
        yield* second.until("ToolStarted")
        yield* TestClock.adjust("1 second")
        const asked = Effect.gen(function* () {
          const { received } = yield* second.model.connection
          return (yield* received).filter(({ type }) => type === "response.create")
        })
        expect(yield* asked).toEqual([])
        yield* Deferred.succeed(gate, "found")
        expect(yield* second.until("TextCompleted")).toMatchObject({ text: "Both done." })
        yield* TestClock.adjust("1 minute")
        expect(yield* asked).toHaveLength(1)
        expect(yield* second.model.refused).toEqual([])
      }).pipe(Effect.provide(journals))
  )

  it.scoped("asks again for the approval of a call whose handler never ran, and runs it then", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "Pays.", approval: true, handler: () => Effect.succeed("paid") })
      const { second } = yield* crashed(
        agentOf(pay),
        [[call("pay", {}, { callId: "c1" })]],
        ({ session, until }) => Effect.zipRight(session.sendText("Pay."), until("ToolApprovalRequested")),
        [[say("Paid.")]]
      )
      yield* second.until("ToolApprovalRequested")
      yield* second.session.approve("c1")
      yield* second.until("ToolSucceeded")
      expect(yield* second.model.outputs).toEqual([{ callId: "c1", output: "paid" }])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("does not answer a call again that was answered", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "Pays.", handler: () => Effect.succeed("paid") })
      const { second } = yield* crashed(
        agentOf(pay),
        [[call("pay", {}, { callId: "c1" })], [say("Paid.")]],
        ({ session, until }) => Effect.zipRight(session.sendText("Pay."), until("ResponseDone", 2)),
        []
      )
      expect(yield* second.until("SessionResumed")).toMatchObject({ replayed: 4, openCalls: [] })
      yield* TestClock.adjust("1 minute")
      expect(second.events.flatMap(({ _tag }) => (_tag.startsWith("Tool") ? _tag : []))).toEqual([])
      expect(yield* second.model.outputs).toEqual([{ callId: "c1", output: "paid" }])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has a plainer output for a call of the process before, where the server refuses what that one left", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      const to = (stage: SessionJournal.CallStage) =>
        ({ _tag: "CallTransition", callId: "c1", to: stage }) satisfies SessionJournal.JournalRecord
      const one = { id: "item_1", callId: "c1", name: "pay", arguments: "{}", status: "completed" } as const
      yield* journal.open("ses_1").pipe(
        Effect.flatMap(({ append }) =>
          append([
            { _tag: "SessionOpened", sessionId: "ses_1", agent: "Desk", at: 0 },
            { _tag: "ItemFinal", item: { _tag: "FunctionCall", ...one } },
            to({
              _tag: "Arrived",
              itemId: "item_1",
              responseId: undefined,
              agent: "Desk",
              tool: "pay",
              arguments: "{}"
            }),
            to({ _tag: "Settled", output: "paid, and what the server will not read", reply: true })
          ])
        ),
        Effect.scoped
      )
      let refusals = 1
      const server = yield* EmbeddedRealtime.make({
        mind: EmbeddedRealtime.script([[EmbeddedRealtime.say("Something went wrong.")]]),
        faults: [
          EmbeddedRealtime.Faults.onClientEvent("conversation.item.create", (event) => {
            if (!JSON.stringify(event).includes("will not read") || refusals === 0) return undefined
            refusals -= 1
            return [EmbeddedRealtime.Faults.refuse("string_above_max_length", "Too long.")]
          })
        ]
      })
      const session = yield* Effect.provideService(
        Session.resume(desk, "ses_1", { settings }),
        RealtimeModel,
        server.model
      )
      const events = yield* session.events.pipe(
        Stream.takeUntil((event) => event._tag === "ResponseDone"),
        Stream.runCollect
      )
      expect(Array.from(events).find((event) => event._tag === "OutputRefused")).toMatchObject({
        call: { callId: "c1", tool: "pay" },
        code: "string_above_max_length"
      })
      const connection = yield* server.connection
      expect(yield* connection.outputs).toMatchObject([
        { callId: "c1", output: expect.stringContaining("OutputRefused") }
      ])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has everything in its order, also where a server took some of it at the second try", () =>
    Effect.gen(function* () {
      let refusals = 1
      const { Faults } = EmbeddedRealtime
      const refuses = Faults.onClientEvent(
        "conversation.item.create",
        (event) => {
          if (!JSON.stringify(event).includes("Good day!") || refusals === 0) return undefined
          refusals -= 1
          return [Faults.refuse("server_error", "The server had an error.")]
        },
        { connection: 2 }
      )
      const { kill, service } = yield* mortal
      const first = yield* Effect.provideService(
        processOf(Session.make(desk, { settings }), [[say("Good day!")], [say("I am here.")]], { faults: [refuses] }),
        SessionJournal.SessionJournal,
        service
      )
      yield* first.session.sendText("Hello.")
      yield* first.until("ResponseDone")
      yield* first.model.drop()
      yield* first.session.sendText("Are you there?")
      yield* TestClock.adjust("1 second")
      yield* first.until("ResponseDone", 2)
      const words = ["Hello.", "Good day!", "Are you there?", "I am here."]
      const wordsIn = ({ items }: { readonly items: ReadonlyArray<Item> }) =>
        items.map((item) => (item._tag === "Message" ? textOf(item) : item._tag))
      expect(wordsIn(yield* first.session.conversation)).toEqual(words)
      yield* Effect.zipRight(kill, first.end)
      const second = yield* processOf(Session.resume(desk, first.session.id, { settings }), [])
      expect(wordsIn(yield* second.session.conversation)).toEqual(words)
      yield* second.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has an output written down before the call counts as answered: a process may die between the two", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "Pays.", handler: () => Effect.succeed("paid") })
      const one = yield* processOf(Session.make(agentOf(pay), { settings }), [
        [call("pay", {}, { callId: "c1" })],
        [say("Paid.")]
      ])
      yield* one.session.sendText("Pay.")
      yield* one.until("ResponseDone", 2)
      yield* one.end
      const journal = yield* SessionJournal.SessionJournal
      const facts = (yield* journal.read(one.session.id)).map((record) => {
        if (record._tag === "ItemFinal") return record.item._tag
        return record._tag === "CallTransition" ? record.to._tag : record._tag
      })
      const order = ["FunctionCall", "Arrived", "Started", "Settled", "FunctionCallOutput", "Acknowledged"]
      expect(facts.filter((fact) => order.includes(fact))).toEqual(order)
    }).pipe(Effect.provide(journals))
  )

  it.scoped("brings the result of a deferred call that the process before did not live to deliver", () =>
    Effect.gen(function* () {
      const book = Tool.deferred(
        Tool.make("book", { description: "Books.", handler: () => Effect.never }),
        "Working on it."
      )
      const { second } = yield* crashed(
        agentOf(book),
        [[call("book", {}, { callId: "c1" })], [say("One moment.")]],
        ({ session, until }) => Effect.zipRight(session.sendText("Book."), until("ResponseDone", 2)),
        [[say("It did not work out.")]]
      )
      expect(yield* second.until("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted", by: "restart" } })
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "It did not work out." })
      expect(yield* second.model.outputs).toEqual([{ callId: "c1", output: "Working on it." }])
      expect(yield* second.model.refused).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("gives the conversation to the agent that had it, with the settings that were changed", () =>
    Effect.gen(function* () {
      const team = Agent.wire([
        Agent.make("Desk", { instructions: "Desk.", handoffs: ["Billing"] }),
        Agent.make("Billing", { instructions: "Billing.", handoffs: ["Desk"] })
      ])
      const { second } = yield* crashed(
        team,
        [],
        ({ session }) =>
          Effect.zipRight(session.updateAgent("Billing"), session.updateConfig({ max_output_tokens: 77 })),
        []
      )
      expect(yield* second.session.agent).toBe("Billing")
      const connection = yield* second.model.connection
      expect(yield* connection.session).toMatchObject({ instructions: "Billing.", max_output_tokens: 77 })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("refuses while the process before still writes, and where there is nothing to take up", () =>
    Effect.gen(function* () {
      const first = yield* processOf(Session.make(desk, { settings }), [])
      const again = Session.resume(desk, first.session.id, { settings })
      const model = yield* ScriptedModel.make([])
      const failing = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.flip(Effect.provideService(effect, RealtimeModel, model.model))
      expect(yield* failing(again)).toMatchObject({ _tag: "JournalBusy" })
      expect(yield* failing(Session.resume(desk, "nobody", { settings }))).toMatchObject({
        _tag: "JournalNotFound"
      })
      yield* first.end
      const other = Agent.make("Other", { instructions: "Other." })
      expect(yield* failing(Session.resume(other, first.session.id, { settings }))).toMatchObject({
        _tag: "AgentUnknown"
      })
    }).pipe(Effect.provide(journals))
  )

  /** Push-to-talk, without transcripts: a second of each of these loudnesses is said, and the model answers each. */
  const talked = (
    untranscribedAudio: NonNullable<Session.Options["untranscribedAudio"]>,
    peaks: ReadonlyArray<number>
  ) =>
    crashed(
      desk,
      peaks.map(() => [say("Yes.")]),
      ({ session, until }) =>
        Effect.forEach(peaks, (peak, index) =>
          session
            .sendAudio(new Uint8Array(sound(1000, peak)))
            .pipe(Effect.zipRight(session.commitAudio), Effect.zipRight(until("ResponseDone", index + 1)))
        ),
      [],
      desk,
      {
        settings: { output_modalities: ["text"], audio: { input: { turn_detection: null } } },
        untranscribedAudio
      }
    )
  const spoken = (peak: number) => [
    { type: "input_audio", audio: Audio.encodeBase64(new Uint8Array(sound(1000, peak))) }
  ]
  const toldByUser = ({ model }: { readonly model: ScriptedModel.ScriptedModel }) =>
    Effect.gen(function* () {
      const { received } = yield* model.connection
      return (yield* received).flatMap((event) =>
        event.type === "conversation.item.create" && event.item.type === "message" && event.item.role === "user"
          ? [event.item.content]
          : []
      )
    })

  it.scoped(
    "tells what the user said aloud and no transcript says, where the journal was to have it, as it was said",
    () =>
      Effect.gen(function* () {
        const { first, second } = yield* talked({ journal: true }, [8000, 4000])
        expect(yield* second.until("SessionResumed")).toMatchObject({ replayed: 4, omitted: [] })
        expect(yield* toldByUser(second)).toEqual([spoken(8000), spoken(4000)])
        expect(yield* second.model.refused).toEqual([])
        yield* second.end
        // As often as necessary, and from a journal that was compacted.
        const again = Session.resume(desk, first.session.id, { settings, journalCompactAfter: 1 })
        const third = yield* processOf(again, [[say("And?")]])
        yield* third.session.sendText("Go on.")
        yield* third.until("ResponseDone")
        yield* third.end
        const records = yield* Effect.flatMap(SessionJournal.SessionJournal, (journal) =>
          journal.read(first.session.id)
        )
        expect(records.some(({ _tag }) => _tag === "Snapshot")).toBe(true)
        const fourth = yield* processOf(Session.resume(desk, first.session.id, { settings }), [])
        yield* fourth.until("SessionResumed")
        expect((yield* toldByUser(fourth)).slice(0, 2)).toEqual([spoken(8000), spoken(4000)])
        yield* fourth.end
      }).pipe(Effect.provide(journals))
  )

  it.scoped("does not write down the user's voice unless that was chosen, and says which turns it cannot send", () =>
    Effect.gen(function* () {
      const { first, second } = yield* talked({}, [8000])
      expect(yield* second.until("SessionResumed")).toMatchObject({ replayed: 1, omitted: [expect.any(String)] })
      const records = yield* Effect.flatMap(SessionJournal.SessionJournal, (journal) => journal.read(first.session.id))
      expect(records.filter(({ _tag }) => _tag === "TurnAudioKept")).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("answers words whose audio was not written down, and says that the audio is missing", () =>
    Effect.gen(function* () {
      const words = { type: "input_text", text: "What is this sound?" } as const
      const sounding = { type: "input_audio", audio: Audio.encodeBase64(new Uint8Array(sound(500))) } as const
      const { second } = yield* crashed(
        desk,
        [[ScriptedModel.stall]],
        ({ session, until }) =>
          session
            .sendMessage({ type: "message", role: "user", content: [words, sounding] })
            .pipe(Effect.zipRight(until("ItemCompleted"))),
        [[say("I can not hear it.")]]
      )
      const resumed = yield* second.until("SessionResumed")
      const { items } = yield* second.session.conversation
      expect(resumed).toMatchObject({ replayed: 1, omitted: [items[0]?.id] })
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "I can not hear it." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has no more of it on the disk than may be kept: the oldest turns are not told", () =>
    Effect.gen(function* () {
      const { first, second } = yield* talked({ journal: true, maxBytes: 100_000 }, [8000, 6000, 4000])
      expect(yield* second.until("SessionResumed")).toMatchObject({ replayed: 5, omitted: [expect.any(String)] })
      expect(yield* toldByUser(second)).toEqual([spoken(6000), spoken(4000)])
      yield* second.end
      // A process that may keep less has no more from then on.
      const options = { settings, untranscribedAudio: { maxBytes: 50_000 } }
      const third = yield* processOf(Session.resume(desk, first.session.id, options), [])
      expect(yield* third.until("SessionResumed")).toMatchObject({ replayed: 4 })
      yield* third.end
      const journal = yield* SessionJournal.SessionJournal
      const { turnAudio } = SessionJournal.recover(yield* journal.read(first.session.id))
      expect(turnAudio.map(({ audio }) => audio)).toEqual(spoken(4000).map(({ audio }) => audio))
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has it under another name, where the item had one that no client may give", () =>
    Effect.gen(function* () {
      const id = "item_".padEnd(60, "x")
      const audio = Audio.encodeBase64(new Uint8Array(sound(100, 8000)))
      yield* left([
        { _tag: "TurnAudioKept", itemId: id, contentIndex: 0, format: { type: "audio/pcm", rate: 24_000 }, audio },
        {
          _tag: "ItemFinal",
          item: {
            _tag: "Message",
            id,
            role: "user",
            status: "completed",
            content: [{ _tag: "Audio", transcript: undefined }]
          }
        }
      ])
      const one = yield* processOf(Session.resume(desk, "s1", { settings }), [[say("Yes?")]])
      yield* one.until("ResponseDone")
      yield* one.end
      const two = yield* processOf(Session.resume(desk, "s1", { settings }), [])
      yield* Effect.addFinalizer(() => two.end)
      expect(yield* two.until("SessionResumed")).toMatchObject({ replayed: 2, omitted: [] })
      expect(yield* toldByUser(two)).toEqual([[{ type: "input_audio", audio }]])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("takes a session up in the scope in which it was closed, and which goes on", () =>
    Effect.gen(function* () {
      const model = yield* ScriptedModel.make([])
      const inOneScope = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
        Effect.provideService(effect, RealtimeModel, model.model)
      const first = yield* inOneScope(Session.make(desk, { settings }))
      yield* first.close
      const second = yield* inOneScope(Session.resume(desk, first.id, { settings }))
      expect(second.id).toBe(first.id)
    }).pipe(Effect.provide(journals))
  )

  it.scoped("can be tried again in the same scope after it failed: it leaves neither journal nor connection open", () =>
    Effect.gen(function* () {
      let refusals = 1
      const model = yield* ScriptedModel.make([], {
        faults: [
          EmbeddedRealtime.Faults.onClientEvent("session.update", () => {
            refusals -= 1
            return refusals < 0 ? undefined : [EmbeddedRealtime.Faults.refuse("invalid_value", "Not now.")]
          })
        ]
      })
      const other = Agent.make("Other", { instructions: "Other." })
      const first = yield* processOf(Session.make(desk, { settings }), [])
      yield* first.end
      const attempt = <E, R>(agent: Agent.Agent<E, R>) =>
        Effect.provideService(Session.resume(agent, first.session.id, { settings }), RealtimeModel, model.model)
      expect(yield* Effect.flip(attempt(other))).toMatchObject({ _tag: "AgentUnknown" })
      expect(yield* Effect.flip(attempt(desk))).toMatchObject({ _tag: "SettingsRejected" })
      const connection = yield* model.connection
      yield* connection.ended
      expect((yield* attempt(desk)).id).toBe(first.session.id)
    }).pipe(Effect.provide(journals))
  )

  it.scoped("keeps an item whose id is longer than a client's may be, in the conversation and in the journal", () =>
    Effect.gen(function* () {
      yield* left([said(`item_${"x".repeat(40)}`, "Hello.")])
      const { end, events, session, until } = yield* processOf(Session.resume(desk, "s1", { settings }), [[say("Hi.")]])
      yield* until("ResponseDone")
      const words = (items: ReadonlyArray<Item>) => items.map((item) => item._tag === "Message" && textOf(item))
      expect(words((yield* session.conversation).items)).toEqual(["Hello.", "Hi."])
      expect(events.filter(({ _tag }) => _tag === "ItemAdded").length).toBe(2)
      yield* end
      const journal = yield* SessionJournal.SessionJournal
      expect(words(SessionJournal.recover(yield* journal.read("s1")).items)).toEqual(["Hello.", "Hi."])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has an item written down before the application is told of it, though the journal is slow", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      const isWritten = yield* Deferred.make<void>()
      const slow: SessionJournal.Service = {
        ...journal,
        open: (id) =>
          Effect.map(journal.open(id), (writer) => ({
            ...writer,
            append: (records) =>
              records.some(({ _tag }) => _tag === "ItemFinal")
                ? Effect.zipRight(Deferred.await(isWritten), writer.append(records))
                : writer.append(records)
          }))
      }
      const { end, events, model, session, until } = yield* Effect.provideService(
        processOf(Session.make(desk, { settings }), []),
        SessionJournal.SessionJournal,
        slow
      )
      const shown: Array<number> = []
      yield* session.conversation.changes.pipe(
        Stream.runForEach(({ items }) => Effect.sync(() => shown.push(items.length))),
        Effect.forkScoped
      )
      yield* session.sendMessage({ type: "message", role: "user", content: [{ type: "input_text", text: "Hello." }] })
      yield* model.next("conversation.item.create")
      yield* TestClock.adjust("900 millis")
      expect([events.filter(({ _tag }) => _tag.startsWith("Item")), shown.filter((size) => size > 0)]).toEqual([[], []])
      yield* Deferred.succeed(isWritten, undefined)
      yield* until("ItemAdded")
      yield* end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has an item that was deleted and made again, as it was", () =>
    Effect.gen(function* () {
      const { end, session, until } = yield* processOf(Session.make(desk, { settings }), [])
      const note = {
        id: "note",
        type: "message",
        role: "user",
        content: [{ type: "input_text", text: "Hm." }]
      } as const
      yield* session.sendMessage(note)
      yield* until("ItemCompleted", 1)
      yield* session.send({ type: "conversation.item.delete", item_id: "note" })
      yield* until("ItemDeleted")
      yield* session.sendMessage(note)
      yield* until("ItemCompleted", 2)
      yield* end
      const journal = yield* SessionJournal.SessionJournal
      expect(SessionJournal.recover(yield* journal.read(session.id)).items).toMatchObject([{ id: "note" }])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("asks nothing of the model where the last call was of a tool that wants no answer", () =>
    Effect.gen(function* () {
      yield* left([
        said("i1", "Make a note."),
        ...called("c1", "note", { _tag: "Started" }, { _tag: "Settled", output: "ok", reply: false }),
        answered("c1", "ok"),
        { _tag: "CallTransition", callId: "c1", to: { _tag: "Acknowledged", outputItemId: "out_c1" } }
      ])
      const { end, model } = yield* processOf(Session.resume(desk, "s1", { settings }), [])
      yield* TestClock.adjust("1 minute")
      expect((yield* model.sent).filter(({ type }) => type === "response.create")).toEqual([])
      yield* end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has the result of a deferred call told that the process before had brought, and nobody had heard", () =>
    Effect.gen(function* () {
      const booked = yield* Deferred.make<string>()
      const book = Tool.deferred(
        Tool.make("book", { description: "Books.", handler: () => Deferred.await(booked) }),
        "Working on it."
      )
      const { second } = yield* crashed(
        agentOf(book),
        [[call("book", {}, { callId: "c1" })], [say("One moment.")], [ScriptedModel.stall]],
        ({ session, until }) =>
          Effect.gen(function* () {
            yield* session.sendText("Book.")
            yield* until("ResponseDone", 2)
            yield* Deferred.succeed(booked, "Table 4.")
            yield* until("ResponseStarted", 3)
          }),
        [[say("You have table 4.")]]
      )
      expect(yield* second.until("TextCompleted")).toMatchObject({ text: "You have table 4." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("goes on where the settings named a tool that the agent has no longer", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "Pays.", handler: () => Effect.succeed("paid") })
      const { second } = yield* crashed<never, never>(
        agentOf(pay),
        [],
        ({ session }) =>
          session.updateConfig({ tool_choice: { type: "function", name: "pay" }, max_output_tokens: 77 }),
        [],
        desk
      )
      const connection = yield* second.model.connection
      expect(yield* connection.session).toMatchObject({ tool_choice: "auto", max_output_tokens: 77 })
    }).pipe(Effect.provide(journals))
  )
})
