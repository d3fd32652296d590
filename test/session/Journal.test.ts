import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as TestClock from "effect/TestClock"
import { textOf } from "../../src/Conversation.js"
import { encode } from "../../src/journal/Record.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Session from "../../src/Session.js"
import * as SessionJournal from "../../src/SessionJournal.js"
import { holdMs } from "../../src/session/RecordWriter.js"
import * as Tool from "../../src/Tool.js"
import { agentOf, crashed, desk, journals, left, processOf, said, settings } from "./processes.js"

const { call, say } = ScriptedModel

type Weather = "fine" | "down" | "hangs" | "taken"

/** A storage that is unavailable for a while, and records what it was asked to write. */
const storage = Effect.gen(function* () {
  const journal = yield* SessionJournal.SessionJournal
  const weather = { open: "fine" as "fine" | "down", now: "fine" as Weather, attempts: 0 }
  const writing = (
    write: Effect.Effect<void, SessionJournal.JournalFailed | SessionJournal.JournalTaken>,
    id: string
  ) =>
    Effect.suspend(() => {
      weather.attempts += 1
      switch (weather.now) {
        case "fine":
          return write
        case "down":
          return new SessionJournal.JournalFailed({ sessionId: id, operation: "append", reason: "No connection." })
        case "hangs":
          return Effect.never
        case "taken":
          return new SessionJournal.JournalTaken({ sessionId: id })
      }
    })
  const service: SessionJournal.Service = {
    ...journal,
    open: (id) =>
      weather.open === "down"
        ? new SessionJournal.JournalFailed({ sessionId: id, operation: "open", reason: "No space left on device." })
        : Effect.map(journal.open(id), (writer) => ({
            ...writer,
            append: (records) => writing(writer.append(records), id),
            replace: (records) => writing(writer.replace(records), id)
          }))
  }
  const using = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect, SessionJournal.SessionJournal, service)
  return { journal, weather, using }
})

const pays = () => {
  const runs = { count: 0 }
  const pay = Tool.make("pay", {
    description: "Pays.",
    handler: () =>
      Effect.sync(() => {
        runs.count += 1
        return "paid"
      })
  })
  return { runs, agent: agentOf(pay) }
}

const paying = [[call("pay", {}, { callId: "c1" })], [say("Paid.")]]

const wordsOf = (items: ReadonlyArray<SessionJournal.Recovered["items"][number]>) =>
  items.flatMap((item) => (item._tag === "Message" ? [textOf(item)] : []))

const message = (id: string) => ({ type: "message", id, role: "assistant", status: "completed", content: [] }) as const

/** A session that the server tells of items, in any order, and what its journal has of them. */
const told = Effect.gen(function* () {
  const h = yield* processOf(Session.make(desk, { settings }), [])
  yield* Effect.addFinalizer(() => h.end)
  const journal = yield* SessionJournal.SessionJournal
  const done = (id: string, previous_item_id: string) =>
    h.model.push({ type: "conversation.item.done", item: message(id), previous_item_id })
  const kept = Effect.map(journal.read(h.session.id), (records) =>
    SessionJournal.recover(records).items.map(({ id }) => id)
  )
  return { done, h, kept }
})

describe("The journal of a session", () => {
  it.scoped("has an item that is heard of late where the session has it: before the one behind it", () =>
    Effect.gen(function* () {
      const { done, h, kept } = yield* told
      // The journal has what is final.
      const begun = { ...message("a"), status: "in_progress" } as const
      yield* h.model.push({ type: "conversation.item.added", item: begun, previous_item_id: "root" })
      yield* done("c", "b")
      yield* h.model.push({ type: "response.output_item.done", response_id: "r1", output_index: 0, item: message("b") })
      yield* done("d", "c")
      yield* h.until("ItemCompleted", 2)
      const { items } = yield* h.session.conversation
      expect(items.map(({ id }) => id)).toEqual(["a", "b", "c", "d"])
      expect(yield* kept).toEqual(["b", "c", "d"])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("leaves what followed an item where it is when the server moves that item", () =>
    Effect.gen(function* () {
      const { done, h, kept } = yield* told
      const places = [
        ["t", "root"],
        ["l", "t"],
        ["u", "l"],
        ["f", "root"],
        ["l", "f"],
        ["t", "u"],
        ["f", "l"]
      ] as const
      for (const [id, previous] of places) yield* done(id, previous)
      yield* h.until("ItemCompleted", places.length)
      const { items } = yield* h.session.conversation
      expect(items.map(({ id }) => id)).toEqual(["l", "f", "u", "t"])
      expect(yield* kept).toEqual(["l", "f", "u", "t"])
    }).pipe(Effect.provide(journals))
  )

  it.scoped(
    "has a call that only the end of its response tells where the model said it, and not behind its output",
    () =>
      Effect.gen(function* () {
        const { done, h, kept } = yield* told
        const call = {
          type: "function_call",
          id: "a",
          call_id: "c1",
          name: "pay",
          arguments: "{}",
          status: "completed"
        } as const
        // What came before `c` was lost with a connection.
        yield* done("c", "b")
        yield* done("d", "c")
        const output = [call, message("b"), message("c")]
        yield* h.model.push({ type: "response.done", response: { id: "r1", status: "completed", output } })
        yield* h.until("ResponseDone")
        const { items } = yield* h.session.conversation
        expect(items.map(({ id }) => id).slice(0, 3)).toEqual(["a", "c", "d"])
        expect((yield* kept).slice(0, 3)).toEqual(["a", "c", "d"])
      }).pipe(Effect.provide(journals))
  )

  it.scoped("has what follows an item that is still being said where the session has it, and then that item", () =>
    Effect.gen(function* () {
      const { done, h, kept } = yield* told
      yield* done("a", "root")
      yield* done("d", "a")
      const begun = { ...message("b"), status: "in_progress" } as const
      yield* h.model.push({ type: "conversation.item.added", item: begun, previous_item_id: "a" })
      yield* done("c", "b")
      yield* h.until("ItemCompleted", 3)
      expect(yield* kept).toEqual(["a", "c", "d"])
      yield* done("b", "a")
      yield* h.until("ItemCompleted", 4)
      expect(yield* kept).toEqual(["a", "b", "c", "d"])
    }).pipe(Effect.provide(journals))
  )
})

describe("A session whose journal cannot be opened", () => {
  it.scoped("begins without it, and says so to the application", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      weather.open = "down"
      const one = yield* using(processOf(Session.make(desk, { settings }), [[say("Hi.")]]))
      expect(yield* one.until("JournalFailed")).toMatchObject({
        message: expect.stringContaining("No space left on device.")
      })
      yield* one.session.sendText("Hello.")
      yield* one.until("ResponseDone")
      yield* one.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("does not begin where the journal is required", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      weather.open = "down"
      const { model } = yield* ScriptedModel.make([])
      const made = using(Session.make(desk, { settings, journal: "required" }))
      expect(yield* Effect.flip(Effect.provideService(made, RealtimeModel, model))).toMatchObject({
        _tag: "JournalFailed",
        operation: "open"
      })
    }).pipe(Effect.provide(journals))
  )
})

describe("A session whose storage is away for a while", () => {
  it.scoped("writes everything in order when it is back, and says when it began and stopped lagging", () =>
    Effect.gen(function* () {
      const { journal, using, weather } = yield* storage
      const one = yield* using(processOf(Session.make(desk, { settings }), [[say("Hi.")], [say("I am.")]]))
      yield* one.session.sendText("Hello.")
      yield* one.until("ResponseDone")
      weather.now = "down"
      yield* one.session.sendText("Are you there?")
      yield* one.until("ResponseDone", 2)
      yield* TestClock.adjust("2 seconds")
      expect(yield* one.until("JournalLagged")).toMatchObject({ message: expect.stringContaining("No connection.") })
      expect(wordsOf(SessionJournal.recover(yield* journal.read(one.session.id)).items)).toEqual(["Hello.", "Hi."])
      weather.now = "fine"
      yield* TestClock.adjust("2 seconds")
      const caughtUp = yield* one.until("JournalCaughtUp")
      expect(caughtUp?.records).toBeGreaterThan(1)
      expect(caughtUp?.afterMs).toBeGreaterThanOrEqual(2000)
      expect(wordsOf(SessionJournal.recover(yield* journal.read(one.session.id)).items)).toEqual([
        "Hello.",
        "Hi.",
        "Are you there?",
        "I am."
      ])
      yield* TestClock.adjust("1 minute")
      expect(one.events.flatMap(({ _tag }) => (_tag.startsWith("Journal") ? _tag : []))).toEqual([
        "JournalLagged",
        "JournalCaughtUp"
      ])
      yield* one.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("runs no handler whose start is not written down, and runs it when it is", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      const { agent, runs } = pays()
      const one = yield* using(processOf(Session.make(agent, { settings }), paying))
      weather.now = "down"
      yield* one.session.sendText("Pay.")
      yield* one.until("JournalLagged")
      yield* one.until("ItemCompleted", 2)
      yield* TestClock.adjust("10 seconds")
      expect([runs.count, one.events.some(({ _tag }) => _tag === "ToolStarted")]).toEqual([0, false])
      weather.now = "fine"
      yield* TestClock.adjust("2 seconds")
      yield* one.until("ToolSucceeded")
      expect(runs.count).toBe(1)
      yield* one.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is not blocked by storage that never answers", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      const one = yield* using(processOf(Session.make(desk, { settings }), [[say("Hi.")]]))
      weather.now = "hangs"
      yield* one.session.sendText("Hello.")
      yield* Effect.yieldNow()
      yield* TestClock.adjust(holdMs)
      yield* one.until("JournalLagged")
      yield* one.until("ResponseDone")
      yield* TestClock.adjust("30 seconds")
      expect(yield* one.until("JournalFailed")).toMatchObject({ message: expect.stringContaining("30000 ms") })
      yield* one.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("lets its process end within ten seconds, though the storage never answers", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      const one = yield* using(processOf(Session.make(desk, { settings }), [[say("Hi.")]]))
      weather.now = "hangs"
      yield* one.session.sendText("Hello.")
      yield* Effect.yieldNow()
      yield* TestClock.adjust(holdMs)
      yield* one.until("JournalLagged")
      const end = yield* Effect.fork(one.end)
      yield* Effect.repeatN(TestClock.adjust("1 second"), 9)
      const ended = end.unsafePoll()
      yield* TestClock.adjust("1 minute")
      expect(ended?._tag).toBe("Success")
    }).pipe(Effect.provide(journals))
  )

  it.scoped("does not run a handler that waited for the journal if the user has stopped it meanwhile", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      let count = 0
      const pay = Tool.make("pay", {
        description: "Pays.",
        onInterrupt: "cancel",
        handler: () =>
          Effect.sync(() => {
            count += 1
          })
      })
      const one = yield* using(processOf(Session.make(agentOf(pay), { settings }), paying))
      weather.now = "down"
      yield* one.session.sendText("Pay.")
      yield* one.until("JournalLagged")
      yield* one.until("ItemCompleted", 2)
      yield* one.session.interrupt
      expect(yield* one.until("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted" } })
      weather.now = "fine"
      yield* TestClock.adjust("10 seconds")
      yield* one.until("JournalCaughtUp")
      yield* one.end
      expect(count).toBe(0)
    }).pipe(Effect.provide(journals))
  )

  it.scoped("gives the journal up after 30 seconds, says so once, and runs what had to wait", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      const { agent, runs } = pays()
      const one = yield* using(processOf(Session.make(agent, { settings }), paying))
      weather.now = "down"
      yield* one.session.sendText("Pay.")
      yield* one.until("JournalLagged")
      yield* one.until("ItemCompleted", 2)
      yield* TestClock.adjust("29 seconds")
      expect(runs.count).toBe(0)
      yield* TestClock.adjust("1 seconds")
      yield* one.until("ToolSucceeded")
      yield* one.until("ResponseDone", 2)
      const { attempts } = weather
      yield* TestClock.adjust("10 minutes")
      expect(weather.attempts).toBe(attempts)
      expect(one.events.filter(({ _tag }) => _tag === "JournalFailed")).toHaveLength(1)
      yield* one.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped.each([
    ["records", { maxRecords: 3 }],
    ["characters", { maxCharacters: 1000 }]
  ] as const)("gives the journal up when too many %s wait for it", ([, journalLag]) =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      const one = yield* using(processOf(Session.make(desk, { settings, journalLag }), [[say("Hi.")], [say("Yes.")]]))
      weather.now = "down"
      yield* one.session.sendText("Hello.")
      yield* one.until("ResponseDone")
      yield* one.session.sendText("Are you there?")
      yield* one.until("ResponseDone", 2)
      expect(yield* one.until("JournalFailed")).toMatchObject({ message: expect.stringContaining("wait for it") })
      yield* one.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("ends where the journal is required: the handler that waits is not run, and its call is answered", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      const { agent, runs } = pays()
      const one = yield* using(processOf(Session.make(agent, { settings, journal: "required" }), paying))
      weather.now = "down"
      yield* one.session.sendText("Pay.")
      yield* one.until("JournalLagged")
      yield* one.until("ItemCompleted", 2)
      yield* TestClock.adjust("30 seconds")
      expect(yield* Effect.flip(one.session.await)).toMatchObject({ _tag: "JournalFailed", operation: "append" })
      expect(yield* one.until("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted", by: "journal" } })
      expect(yield* one.model.outputs).toMatchObject([
        { callId: "c1", output: expect.stringContaining("pay was not run: its start could not be written down.") }
      ])
      expect(runs.count).toBe(0)
      yield* one.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("ends where another process took it up, whatever was asked for, so that no tool is run by both", () =>
    Effect.gen(function* () {
      const { using, weather } = yield* storage
      const { agent, runs } = pays()
      const one = yield* using(processOf(Session.make(agent, { settings, journal: "preferred" }), paying))
      weather.now = "taken"
      yield* one.session.sendText("Pay.")
      expect(yield* Effect.flip(one.session.await)).toMatchObject({ _tag: "JournalTaken" })
      expect(runs.count).toBe(0)
      yield* one.end
    }).pipe(Effect.provide(journals))
  )
})

describe("Session.Options.sessionId", () => {
  it.scoped("names the session and its journal, for one at a time", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      const named = (sessionId: string) => Session.make(desk, { settings, sessionId })
      const { model } = yield* ScriptedModel.make([])
      const failing = (sessionId: string) => Effect.flip(Effect.provideService(named(sessionId), RealtimeModel, model))
      const one = yield* processOf(named("+49 151 1234567"), [])
      expect(one.session.id).toBe("+49 151 1234567")
      expect(yield* one.until("SessionStarted")).toMatchObject({ sessionId: one.session.id })
      expect(yield* journal.sessions).toEqual([one.session.id])
      expect(yield* failing(one.session.id)).toMatchObject({ _tag: "JournalBusy", sessionId: one.session.id })
      yield* one.end
      const exists = yield* failing(one.session.id)
      expect(exists).toMatchObject({ _tag: "JournalExists", sessionId: one.session.id })
      expect(exists.message).toContain("Session.resume")
      yield* journal.remove(one.session.id)
      yield* Effect.flatMap(processOf(named(one.session.id), []), ({ end }) => end)
    }).pipe(Effect.provide(journals))
  )

  it.scoped("gives each caller a conversation of its own, also where the process died: as the README has it", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      let busy = 1
      /** Somebody died with it a moment ago. */
      const leased: SessionJournal.Service = {
        ...journal,
        open: (sessionId) => {
          busy -= 1
          return busy < 0 ? journal.open(sessionId) : new SessionJournal.JournalBusy({ sessionId, retryAfterMs: 4000 })
        }
      }
      const sessionOf = (caller: string) =>
        Session.resume(desk, caller, { settings }).pipe(
          Effect.retry({
            times: 3,
            while: (error) =>
              error._tag === "JournalBusy" && error.retryAfterMs !== undefined
                ? Effect.as(Effect.sleep(error.retryAfterMs), true)
                : Effect.succeed(false)
          }),
          Effect.catchTag("JournalNotFound", () => Session.make(desk, { settings, sessionId: caller })),
          Effect.provideService(SessionJournal.SessionJournal, leased)
        )
      const ada = yield* Effect.fork(processOf(sessionOf("ada"), [[say("Hi, Ada.")]]))
      yield* TestClock.adjust("3999 millis")
      expect(yield* journal.sessions).toEqual([])
      yield* TestClock.adjust("1 millis")
      const one = yield* ada
      yield* one.session.sendText("It is me, Ada.")
      yield* one.until("ResponseDone")
      const two = yield* processOf(sessionOf("bob"), [])
      expect([two.session.id, (yield* two.session.conversation).items]).toEqual(["bob", []])
      yield* one.end
      const again = yield* processOf(sessionOf("ada"), [])
      expect(wordsOf((yield* again.session.conversation).items)).toEqual(["It is me, Ada.", "Hi, Ada."])
      yield* Effect.zipRight(two.end, again.end)
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is refused if no storage could hold it", () =>
    Effect.gen(function* () {
      const { model } = yield* ScriptedModel.make([])
      for (const sessionId of ["", "é".repeat(41), "x".repeat(201)]) {
        const made = Effect.provideService(Session.make(desk, { settings, sessionId }), RealtimeModel, model)
        expect(yield* Effect.flip(made)).toMatchObject({
          _tag: "OptionsInvalid",
          problems: [{ option: "sessionId" }]
        })
      }
    })
  )
})

describe("A journal that has grown", () => {
  it.scoped("has what its records come to in their place, and the session is taken up from that", () =>
    Effect.gen(function* () {
      const { agent } = pays()
      const options = { settings, journalCompactAfter: 1000 }
      const one = yield* processOf(Session.make(agent, options), [
        ...paying,
        ...Array.from({ length: 20 }, (_, index) => [say(`Answer ${index}.`)])
      ])
      yield* one.session.sendText("Pay.")
      yield* one.until("ResponseDone", 2)
      for (let index = 0; index < 20; index += 1) {
        yield* one.session.sendText(`Question ${index}.`)
        yield* one.until("ResponseDone", index + 3)
      }
      const { items } = yield* one.session.conversation
      yield* one.end
      const journal = yield* SessionJournal.SessionJournal
      const records = yield* journal.read(one.session.id)
      expect(records[0]?._tag).toBe("Snapshot")
      expect(SessionJournal.recover(records).items).toEqual(items)
      const texts = records.map((record) => Either.getOrThrow(encode(record)))
      const snapshot = texts.filter((text) => text.includes('"_tag":"Snapshot"')).join("").length
      // The records after a snapshot are no longer than they were, or than the requested size.
      expect(texts.join("").length).toBeLessThan(3 * snapshot + 3000)

      const two = yield* processOf(Session.resume(agent, one.session.id, options), [[say("Yes.")]])
      yield* two.session.sendText("Still there?")
      yield* two.until("ResponseDone")
      expect((yield* two.session.conversation).items.slice(0, items.length)).toEqual(items)
      expect(yield* two.model.outputs).toEqual([{ callId: "c1", output: "paid" }])
      yield* two.end
    }).pipe(Effect.provide(journals))
  )

  it.scoped("stays as it is if it cannot be made shorter, and goes on", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      let attempts = 0
      const full: SessionJournal.Service = {
        ...journal,
        open: (id) =>
          Effect.map(journal.open(id), (writer) => ({
            ...writer,
            replace: () => {
              attempts += 1
              return new SessionJournal.JournalFailed({ sessionId: id, operation: "append", reason: "Full." })
            }
          }))
      }
      const one = yield* Effect.provideService(
        processOf(Session.make(desk, { settings, journalCompactAfter: 1000 }), [
          [say("Hi.")],
          [say("Hm.")],
          [say("Yes.")]
        ]),
        SessionJournal.SessionJournal,
        full
      )
      for (const [index, text] of ["Hello.", "So?", "Really?"].entries()) {
        yield* one.session.sendText(text)
        yield* one.until("ResponseDone", index + 1)
      }
      yield* one.end
      expect(attempts).toBeGreaterThan(0)
      expect(one.events.filter(({ _tag }) => _tag.startsWith("Journal"))).toEqual([])
      const { ended, items } = SessionJournal.recover(yield* journal.read(one.session.id))
      expect([items.length, ended?.reason]).toEqual([6, "Closed"])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is made shorter also by the process that takes the session up", () =>
    Effect.gen(function* () {
      yield* left(Array.from({ length: 300 }, (_, index) => said("i1", `Hello ${index}.`)))
      const one = yield* processOf(Session.resume(desk, "s1", { settings, journalCompactAfter: 1000 }), [[say("Hi.")]])
      yield* one.until("ResponseDone")
      yield* one.end
      const journal = yield* SessionJournal.SessionJournal
      const records = yield* journal.read("s1")
      expect(records[0]).toMatchObject({ _tag: "Snapshot", places: [{ itemId: "i1" }] })
      expect(records.length).toBeLessThan(20)
    }).pipe(Effect.provide(journals))
  )

  it.scoped("has a call open that was open in it", () =>
    Effect.gen(function* () {
      const pay = Tool.make("pay", { description: "Pays.", handler: () => Effect.never })
      const { second } = yield* crashed(
        agentOf(pay),
        [[call("pay", {}, { callId: "c1" })]],
        ({ session, until }) => Effect.zipRight(session.sendText("Pay."), until("ToolStarted")),
        [[say("I do not know.")]],
        undefined,
        { journalCompactAfter: 1 }
      )
      expect(yield* second.until("ToolFailed")).toMatchObject({ error: { _tag: "ToolInterrupted", by: "restart" } })
    }).pipe(Effect.provide(journals))
  )
})
