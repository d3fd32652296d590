import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import type { Item } from "../../src/Conversation.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as Guardrail from "../../src/Guardrail.js"
import { call, pause, say } from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import * as Tool from "../../src/Tool.js"
import { type Harness, open } from "./harness.js"
import { journals, mortal, processOf } from "./processes.js"
import {
  begin,
  beginItem,
  end,
  handled,
  second,
  sentOf,
  sound,
  soundDone,
  speak,
  userBegins,
  words,
  wordsDone
} from "./speaking.js"

const desk = Agent.make("Desk", { instructions: "" })
const aloud = { settings: { output_modalities: ["audio"] } } satisfies Session.Options
/** A character takes 60 ms. */
const server = { voice: EmbeddedRealtime.silentVoice() }
const code = "Of course. Your code is 7429, and it is valid for a week."

/** The messages that were sent to a connection, and the texts that it has now. */
const toldTexts = <E>(h: Pick<Harness<E>, "model">) =>
  Effect.gen(function* () {
    const { received } = yield* h.model.connection
    return (yield* received).flatMap((event) =>
      event.type === "conversation.item.create" && event.item.type === "message"
        ? [event.item.content.map((part) => ("text" in part ? part.text : part.type)).join(" ")]
        : []
    )
  })
const onServer = <E>(h: Pick<Harness<E>, "model">) =>
  Effect.map(
    Effect.flatMap(h.model.connection, ({ conversation }) => conversation),
    (items) =>
      items.map((item) =>
        item.type === "message" ? item.content.map((part) => ("text" in part ? part.text : "?")).join(" ") : item.type
      )
  )

const contentOf = (item: Item | undefined) => (item?._tag === "Message" ? item.content : [])
const itemsOf = <E>(h: Harness<E>) =>
  Effect.zipRight(
    handled(h),
    Effect.map(h.session.conversation, ({ items }) => items)
  )

/** Loses the connection, and has another. */
const reconnect = <E>(h: Harness<E>) =>
  Effect.gen(function* () {
    yield* h.model.drop()
    yield* h.first("Reconnecting")
    yield* TestClock.adjust("301 millis")
    yield* h.first("Reconnected")
  })

/** The model says its code, and the caller hears a second of it. */
const heardASecond = <E>(h: Harness<E>) =>
  Effect.gen(function* () {
    yield* h.session.sendText("My code?")
    yield* h.first("ResponseDone")
    yield* TestClock.adjust("1 second")
  })

describe("§4 What was cut is gone", () => {
  it.scoped("from the conversation: what is left of an answer are the words that were heard, marked as cut", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], aloud, server)
      yield* heardASecond(h)
      yield* h.session.interrupt
      const item = (yield* itemsOf(h))[1]
      expect(item).toMatchObject({ status: "completed" })
      expect(contentOf(item)).toEqual([{ _tag: "Audio", transcript: "Of course. Your", cut: { heardMs: 1_000 } }])
      expect(h.all("ItemCut")).toEqual([{ _tag: "ItemCut", item }])
    })
  )

  it.scoped("from what another connection is told of an answer that was cut", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], aloud, server)
      yield* heardASecond(h)
      yield* userBegins(h)
      yield* h.first("ItemCut")
      yield* handled(h)
      yield* reconnect(h)
      expect(yield* toldTexts(h)).toEqual(["My code?", "Of course. Your"])
    })
  )

  it.scoped("from what a rollover tells", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], { ...aloud, rolloverAfter: "1 minute" }, server)
      yield* heardASecond(h)
      yield* h.session.interrupt
      yield* handled(h)
      yield* TestClock.adjust("2 minutes")
      yield* h.first("Reconnected")
      expect(yield* toldTexts(h)).toEqual(["My code?", "Of course. Your"])
    })
  )

  it.scoped("where the connection is lost while it is heard, and it is cut before there is another", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], aloud, server)
      yield* heardASecond(h)
      yield* h.model.drop()
      yield* h.first("Reconnecting")
      yield* h.session.interrupt
      yield* TestClock.adjust("301 millis")
      yield* h.first("Reconnected")
      expect(yield* toldTexts(h)).toEqual(["My code?", "Of course. Your"])
    })
  )

  it.scoped("from a server that was told all of it while it was still heard", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)], [say("Yes?")]], aloud, server)
      yield* h.session.sendText("My code?")
      yield* h.first("ResponseDone")
      yield* reconnect(h)
      expect(yield* toldTexts(h)).toEqual(["My code?", code])
      yield* TestClock.adjust("699 millis")
      yield* h.session.interrupt
      yield* h.first("ItemCut")
      yield* handled(h)
      expect(yield* onServer(h)).toEqual(["My code?", "Of course. Your"])
      expect((yield* h.session.conversation).items.map(contentOf)).toMatchObject([
        [{ text: "My code?" }],
        [{ transcript: "Of course. Your", cut: { heardMs: 1_000 } }]
      ])
      expect(yield* h.model.refused).toEqual([])
    })
  )

  it.scoped("from the words whose sound was lost with the connection", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], aloud)
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Audio", "Your code is")
      yield* sound(h)
      yield* words(h, "Audio", " 7429.")
      yield* handled(h)
      yield* reconnect(h)
      expect(yield* toldTexts(h)).toEqual(["Your code is"])
      expect(contentOf((yield* h.session.conversation).items[0])).toEqual([
        { _tag: "Audio", transcript: "Your code is", cut: { heardMs: 1_000 } }
      ])
    })
  )

  it.scoped("from what another process takes up", () =>
    Effect.gen(function* () {
      const { kill, service } = yield* mortal
      const first = yield* Effect.provideService(
        processOf(Session.make(desk, aloud), [[say(code)]], server),
        SessionJournal.SessionJournal,
        service
      )
      yield* first.session.sendText("My code?")
      yield* first.until("ResponseDone")
      yield* TestClock.adjust("1 second")
      yield* first.session.interrupt
      yield* first.until("ItemCut")
      yield* kill
      yield* first.end
      const then = yield* processOf(Session.resume(desk, first.session.id, aloud), [[say("So?")]], server)
      yield* Effect.addFinalizer(() => then.end)
      yield* then.until("SessionResumed")
      expect(yield* toldTexts(then)).toEqual(["My code?", "Of course. Your"])
      expect((yield* then.session.conversation).items.map(contentOf)[1]).toMatchObject([{ cut: { heardMs: 1_000 } }])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("from an item that an edit moves", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], aloud, server)
      yield* heardASecond(h)
      yield* h.session.interrupt
      yield* handled(h)
      yield* h.session.editConversation(({ items }) => ({ items: items.map((item) => ({ ...item })).reverse() }))
      yield* h.first("ItemDeleted")
      yield* handled(h)
      expect(yield* onServer(h)).toEqual(["Of course. Your", "My code?"])
    })
  )

  it.scoped("for good, whatever the server still says of the item", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], aloud)
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Audio", "Your code")
      yield* sound(h)
      yield* handled(h)
      yield* TestClock.adjust("531 millis")
      yield* userBegins(h)
      const whole = "Your code is 7429."
      const item = {
        type: "message",
        id: "i1",
        role: "assistant",
        status: "incomplete",
        content: [{ type: "output_audio", transcript: whole }]
      } as const
      yield* words(h, "Audio", " is 7429.")
      yield* soundDone(h)
      yield* wordsDone(h, "Audio", whole)
      yield* h.model.push({ type: "response.output_item.done", response_id: "r1", output_index: 0, item })
      yield* h.model.push({ type: "conversation.item.done", previous_item_id: null, item })
      yield* end(h, "r1", "cancelled")
      yield* h.model.push({ type: "conversation.item.retrieved", item })
      const [known] = yield* itemsOf(h)
      expect(known).toMatchObject({ status: "incomplete" })
      expect(contentOf(known)).toEqual([{ _tag: "Audio", transcript: "Your", cut: { heardMs: 531 } }])
      expect(h.all("TextCompleted")).toEqual([])
    })
  )

  it.scoped("of an answer that was stopped before its first sound: nothing of it was heard", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], aloud)
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Audio", "Your code is 7429.")
      yield* handled(h)
      yield* h.session.interrupt
      yield* h.first("ItemCut")
      yield* begin(h, "r2")
      yield* userBegins(h)
      yield* handled(h)
      const item = { type: "message", id: "i2", role: "assistant", status: "incomplete" } as const
      const content = [{ type: "output_audio", transcript: "7429." }] as const
      yield* h.model.push({
        type: "response.output_item.done",
        response_id: "r2",
        output_index: 0,
        item: { ...item, content }
      })
      expect((yield* itemsOf(h)).map(contentOf)).toEqual([[{ _tag: "Audio", transcript: "", cut: { heardMs: 0 } }], []])
      yield* reconnect(h)
      expect(yield* toldTexts(h)).toEqual([])
    })
  )

  it.scoped("also where the server cut it, and nobody here had asked for that", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [], aloud)
      yield* speak(h, 0)
      yield* words(h, "Audio", "You have")
      for (const word of [" table", " four", " at", " noon."]) {
        yield* sound(h)
        yield* words(h, "Audio", word)
      }
      yield* sound(h)
      yield* soundDone(h)
      yield* end(h)
      yield* h.model.push({ type: "conversation.item.truncated", item_id: "i1", content_index: 0, audio_end_ms: 2_000 })
      expect(contentOf((yield* itemsOf(h))[0])).toEqual([
        { _tag: "Audio", transcript: "You have", cut: { heardMs: 2_000 } }
      ])
      expect(h.all("AudioInterrupted"), "the player drops the rest").toMatchObject([{ itemId: "i1", heardMs: 2_000 }])
      expect(yield* sentOf(h, "conversation.item.truncate")).toEqual([])
      yield* h.session.interrupt
      yield* handled(h)
      expect(yield* sentOf(h, "conversation.item.truncate")).toEqual([])
    })
  )

  it.scoped("where a server cuts it that plays the audio itself, on both sides", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], aloud, server)
      yield* h.session.sendText("My code?")
      yield* h.first("ResponseDone")
      const connection = yield* h.model.connection
      yield* connection.truncates(0.3)
      expect(yield* h.first("AudioInterrupted")).toMatchObject({ itemId: "item_1_1", heardMs: 1_026 })
      expect(contentOf((yield* itemsOf(h))[1])).toEqual([
        { _tag: "Audio", transcript: "Of course. Your", cut: { heardMs: 1_026 } }
      ])
      expect((yield* connection.conversation)[1]).toMatchObject({
        content: [{ type: "output_audio", transcript: "" }]
      })
      yield* reconnect(h)
      expect(yield* toldTexts(h)).toEqual(["My code?", "Of course. Your"])
    })
  )

  it.scoped("of what an application had cut by an event of its own", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], aloud, server)
      yield* heardASecond(h)
      const item = (yield* itemsOf(h))[1]
      yield* h.session.send({
        type: "conversation.item.truncate",
        item_id: item?.id ?? "",
        content_index: 0,
        audio_end_ms: 1_000
      })
      expect(contentOf((yield* h.first("ItemCut")).item)).toMatchObject([{ transcript: "Of course. Your" }])
    })
  )

  it.scoped("of a written answer, what was not published when it was stopped", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* begin(h)
      yield* beginItem(h)
      yield* words(h, "Text", "Your code")
      yield* handled(h)
      yield* h.session.interrupt
      yield* words(h, "Text", " is 7429.")
      yield* wordsDone(h, "Text", "Your code is 7429.")
      yield* handled(h)
      yield* reconnect(h)
      expect(yield* toldTexts(h)).toEqual(["Your code"])
    })
  )

  it.scoped("and leaves alone what was heard to its end, and where it is words that nobody gave a sound", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say("Yes.")], [say(code)]], aloud, server)
      yield* h.session.sendText("Hello?")
      yield* h.first("ResponseDone")
      yield* TestClock.adjust("240 millis")
      yield* h.session.sendText("My code?")
      yield* h.nth("ResponseDone", 2)
      yield* h.session.interrupt
      expect((yield* itemsOf(h)).map(contentOf)).toEqual([
        [{ _tag: "Text", text: "Hello?" }],
        [{ _tag: "Audio", transcript: "Yes." }],
        [{ _tag: "Text", text: "My code?" }],
        [{ _tag: "Audio", transcript: "", cut: { heardMs: 0 } }]
      ])
      const mute = yield* open(desk, [[say(code)]], aloud, { voice: EmbeddedRealtime.silentVoice(0) })
      yield* heardASecond(mute)
      yield* mute.session.interrupt
      expect(contentOf((yield* itemsOf(mute))[1])).toEqual([{ _tag: "Audio", transcript: code }])
    })
  )

  it.scoped("from its recording as from its words", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], { ...aloud, keepAudio: true }, server)
      yield* heardASecond(h)
      yield* h.session.interrupt
      expect(contentOf((yield* itemsOf(h))[1])).toMatchObject([
        { transcript: "Of course. Your", cut: { heardMs: 1_000 }, recording: { bytes: second(0) } }
      ])
    })
  )
})

describe("§4 What a guardrail stopped", () => {
  const secrets = Guardrail.output("no_codes", {
    debounce: 5,
    check: (text) => Effect.succeed(text.includes("7429") ? Guardrail.trip("Give no codes.") : Guardrail.pass)
  })

  for (const modality of ["text", "audio"] as const) {
    it.scoped(`is not told again at all, in ${modality}, but the call that came with it is`, () =>
      Effect.gen(function* () {
        const tool = Tool.make("find", { description: "", handler: () => Effect.succeed("found") })
        const agent = Agent.make("Desk", { instructions: "", guardrails: [secrets], tools: [tool] })
        const h = yield* open(
          agent,
          [[call("find", {}), say(code), pause("1 hour"), say("And more.")], [say("I can not say.")]],
          { settings: { output_modalities: [modality] } },
          server
        )
        yield* h.session.sendText("My code?")
        yield* h.first("GuardrailTripped")
        yield* h.nth("ResponseDone", 2)
        yield* TestClock.adjust("1 minute")
        const blocked = (yield* itemsOf(h)).filter((item) => item._tag === "Message" && item.blockedBy !== undefined)
        expect(blocked).toMatchObject([{ blockedBy: "no_codes", role: "assistant" }])
        yield* reconnect(h)
        expect(yield* onServer(h)).toEqual([
          "My code?",
          "function_call",
          "function_call_output",
          "Give no codes.",
          "I can not say."
        ])
        expect(yield* h.model.refused).toEqual([])
      })
    )
  }
})

describe("§6 session.editConversation", () => {
  it.scoped("moves nothing of which nothing is left to tell, and says so", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [[say(code)]], aloud, server)
      yield* h.session.sendText("My code?")
      yield* h.first("ResponseDone")
      yield* h.session.interrupt
      const before = yield* itemsOf(h)
      const refused = yield* Effect.flip(
        h.session.editConversation(({ items }) => ({ items: items.map((item) => ({ ...item })).reverse() }))
      )
      expect(refused).toMatchObject({ problems: [{ itemId: before[1]?.id, message: "Nothing of it was heard." }] })
      expect(yield* itemsOf(h)).toEqual(before)
    })
  )
})

describe("§6 The conversation puts", () => {
  const text = (id: string) =>
    ({ type: "message", id, role: "user", status: "completed", content: [{ type: "input_text", text: id }] }) as const

  it.scoped("first what the server or the application puts at the root", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.session.sendMessage(text("a"))
      yield* handled(h)
      yield* h.model.push({ type: "conversation.item.added", previous_item_id: "root", item: text("b") })
      const ids = Effect.map(itemsOf(h), (items) => items.map(({ id }) => id))
      expect(yield* ids).toEqual(["b", "a"])
      yield* h.model.push({ type: "conversation.item.done", previous_item_id: "root", item: text("a") })
      expect(yield* ids).toEqual(["a", "b"])
      yield* h.session.send({ type: "conversation.item.create", previous_item_id: "root", item: text("c") })
      yield* h.nth("ItemAdded", 3)
      expect(yield* ids).toEqual(["c", "a", "b"])
    })
  )

  it.scoped("what the server was asked for into its place", () =>
    Effect.gen(function* () {
      const h = yield* open(desk, [])
      yield* h.model.push({
        type: "conversation.item.added",
        previous_item_id: null,
        item: { ...text("u1"), content: [{ type: "input_audio" }] }
      })
      yield* h.model.push({
        type: "conversation.item.retrieved",
        item: { ...text("u1"), content: [{ type: "input_audio", transcript: "Hello?" }] }
      })
      expect((yield* itemsOf(h)).map(contentOf)).toEqual([[{ _tag: "Audio", transcript: "Hello?" }]])
      expect(h.all("ServerEventReceived").map(({ type }) => type)).toContain("conversation.item.retrieved")
    })
  )
})

describe("§4 A process that dies while the model speaks", () => {
  /** Runs the first process until `crash`, where it is killed, or closes the session. */
  const taken = (
    crash: (
      first: Effect.Effect.Success<ReturnType<typeof processOf<never, never>>>
    ) => Effect.Effect<unknown, unknown>,
    how: "Killed" | "Closed" = "Killed"
  ) =>
    Effect.gen(function* () {
      const { kill, service } = yield* mortal
      const first = yield* Effect.provideService(
        processOf(Session.make(desk, aloud), [[say(code)]], server),
        SessionJournal.SessionJournal,
        service
      )
      yield* crash(first)
      if (how === "Killed") yield* kill
      yield* first.end
      const then = yield* processOf(Session.resume(desk, first.session.id, aloud), [[say("As I said.")]], server)
      yield* Effect.addFinalizer(() => then.end)
      yield* then.until("SessionResumed")
      return then
    })
  const seconds = (count: number) => Effect.replicateEffect(TestClock.adjust("1 second"), count)
  const answered = ({ session, until }: Effect.Effect.Success<ReturnType<typeof processOf<never, never>>>) =>
    Effect.zipRight(session.sendText("My code?"), until("ResponseDone"))

  it.scoped("leaves the words that were heard a second ago at most, marked as cut, and what is owed is asked for", () =>
    Effect.gen(function* () {
      const then = yield* taken((first) =>
        Effect.zipRight(answered(first), Effect.zipRight(seconds(1), TestClock.adjust("900 millis")))
      )
      expect(yield* toldTexts(then)).toEqual(["My code?", "Of course. Your"])
      expect(then.events.filter(({ _tag }) => _tag === "ItemCut")).toMatchObject([
        { item: { content: [{ transcript: "Of course. Your", cut: { heardMs: 1_000 } }] } }
      ])
      expect(yield* then.until("TextCompleted")).toMatchObject({ text: "As I said." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("leaves an answer that was heard to its end, and asks for no other", () =>
    Effect.gen(function* () {
      const then = yield* taken((first) => Effect.zipRight(answered(first), seconds(4)))
      expect(yield* toldTexts(then)).toEqual(["My code?", code])
      yield* seconds(30)
      expect(then.events.filter(({ _tag }) => _tag === "ItemCut" || _tag === "ResponseStarted")).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("leaves nothing of an answer of which nothing was heard for certain, and asks for it", () =>
    Effect.gen(function* () {
      const then = yield* taken(answered)
      expect(yield* toldTexts(then)).toEqual(["My code?"])
      expect(yield* then.until("TextCompleted")).toMatchObject({ text: "As I said." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("goes by what the application says was heard", () =>
    Effect.gen(function* () {
      const then = yield* taken((first) =>
        Effect.gen(function* () {
          yield* answered(first)
          const completed = yield* first.until("AudioCompleted")
          yield* first.session.reportPlayback(completed?.itemId ?? "", 0, 700)
          yield* seconds(3)
        })
      )
      expect(yield* toldTexts(then)).toEqual(["My code?", "Of course."])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("leaves what was heard of an answer that was still being made", () =>
    Effect.gen(function* () {
      const then = yield* taken((first) =>
        Effect.gen(function* () {
          yield* begin(first)
          yield* beginItem(first)
          yield* words(first, "Audio", "Your code is")
          yield* sound(first)
          yield* words(first, "Audio", " 7429.")
          yield* first.until("TextDelta", 2)
          yield* seconds(2)
        })
      )
      expect(yield* toldTexts(then)).toEqual(["Your code is"])
      expect((yield* then.session.conversation).items).toMatchObject([
        { status: "incomplete", content: [{ transcript: "Your code is", cut: { heardMs: 1_000 } }] }
      ])
      expect(yield* then.until("TextCompleted")).toMatchObject({ text: "As I said." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("leaves no word of it that a guardrail stopped before", () =>
    Effect.gen(function* () {
      const careful = Agent.make("Desk", {
        instructions: "",
        guardrails: [
          Guardrail.output("no-codes", {
            debounce: 1,
            check: (text) => Effect.succeed(text.includes("7429") ? Guardrail.trip("Say no codes.") : Guardrail.pass)
          })
        ]
      })
      const { kill, service } = yield* mortal
      const first = yield* Effect.provideService(
        processOf(Session.make(careful, aloud), []),
        SessionJournal.SessionJournal,
        service
      )
      yield* begin(first)
      yield* beginItem(first)
      yield* words(first, "Audio", "Your code is")
      yield* sound(first)
      yield* sound(first)
      yield* first.until("TextDelta")
      yield* seconds(1)
      yield* words(first, "Audio", " 7429.")
      yield* first.until("ItemCut")
      yield* kill
      yield* first.end
      const then = yield* processOf(Session.resume(careful, first.session.id, aloud), [[say("Sorry.")]])
      yield* Effect.addFinalizer(() => then.end)
      yield* then.until("SessionResumed")
      expect((yield* toldTexts(then)).join()).not.toContain("code is")
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is not what a session does that is closed: what was heard by then stays, and nothing is owed", () =>
    Effect.gen(function* () {
      const then = yield* taken((first) => Effect.zipRight(answered(first), TestClock.adjust("1900 millis")), "Closed")
      expect(yield* toldTexts(then)).toEqual(["My code?", "Of course. Your code is 7429,"])
      yield* seconds(30)
      expect(then.events.filter(({ _tag }) => _tag === "ResponseStarted")).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is known at a steady cost: a record in a second of speech, however many chunks it came in", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      const one = yield* processOf(Session.make(desk, aloud), [])
      yield* begin(one)
      yield* beginItem(one)
      for (let at = 0; at < 10; at += 1) {
        for (let chunk = 0; chunk < 10; chunk += 1) yield* sound(one)
        yield* TestClock.adjust("100 millis")
      }
      yield* seconds(9)
      const heard = (yield* journal.read(one.session.id)).filter(({ _tag }) => _tag === "ItemHeard")
      expect(heard.length).toBeGreaterThan(5)
      expect(heard.length).toBeLessThan(12)
      yield* one.end
    }).pipe(Effect.provide(journals))
  )
})
