import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../../src/Agent.js"
import * as EmbeddedRealtime from "../../../src/EmbeddedRealtime.js"
import type { RealtimeModel } from "../../../src/RealtimeModel.js"
import { say, stall, type Turn } from "../../../src/ScriptedModel.js"
import * as Session from "../../../src/Session.js"
import * as SessionJournal from "../../../src/SessionJournal.js"
import { journals, mortal, processOf } from "../processes.js"
import { begin, beginItem, sound, soundDone, words } from "../speaking.js"

const desk = Agent.make("Desk", { instructions: "" })
const aloud = { settings: { output_modalities: ["audio"] } } satisfies Session.Options
/** A character takes 60 ms. */
const server = { voice: EmbeddedRealtime.silentVoice() }
const code = "Of course. Your code is 7429, and it is valid for a week."

const opening = Session.make(desk, aloud)
type Process = Effect.Effect.Success<ReturnType<typeof processOf<never, never>>>

/** Runs a process until `crash`, where it is killed; returns the id of its session. */
const killed = <R>(
  session: Effect.Effect<Session.Session, unknown, R | RealtimeModel | Scope.Scope>,
  turns: ReadonlyArray<Turn>,
  crash: (process: Process) => Effect.Effect<unknown, unknown>
) =>
  Effect.gen(function* () {
    const { kill, service } = yield* mortal
    const one = yield* Effect.provideService(processOf(session, turns, server), SessionJournal.SessionJournal, service)
    yield* crash(one)
    yield* kill
    yield* one.end
    return one.session.id
  })

const resumed = (sessionId: string, turns: ReadonlyArray<Turn>) =>
  Effect.gen(function* () {
    const then = yield* processOf(Session.resume(desk, sessionId, aloud), turns, server)
    yield* Effect.addFinalizer(() => then.end)
    yield* then.until("SessionResumed")
    return then
  })

const seconds = (count: number) => Effect.replicateEffect(TestClock.adjust("1 second"), count)
const recordsOf = (sessionId: string) =>
  Effect.flatMap(SessionJournal.SessionJournal, (journal) => journal.read(sessionId))

describe("An answer that a process died over", () => {
  it.scoped("is asked for by the third process, where the second died before it had it", () =>
    Effect.gen(function* () {
      const id = yield* killed(opening, [[say(code)]], ({ session, until }) =>
        session.sendText("My code?").pipe(Effect.zipRight(until("ResponseDone")), Effect.zipRight(seconds(1)))
      )
      const again = Session.resume(desk, id, aloud)
      yield* killed(again, [[stall]], ({ until }) => until("ResponseStarted"))
      const third = yield* resumed(id, [[say("As I said.")]])
      expect(yield* third.until("TextCompleted")).toMatchObject({ text: "As I said." })
      // It was cut once.
      expect(third.events.filter(({ _tag }) => _tag === "ItemCut")).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is not asked for, where the first process was closed and the second died", () =>
    Effect.gen(function* () {
      const first = yield* processOf(opening, [[say(code)]], server)
      yield* first.session.sendText("My code?")
      yield* first.until("ResponseDone")
      yield* seconds(1)
      yield* first.end
      const { id } = first.session
      yield* killed(Session.resume(desk, id, aloud), [], ({ until }) => until("SessionResumed"))
      const third = yield* resumed(id, [])
      yield* seconds(30)
      expect(third.events.filter(({ _tag }) => _tag === "ResponseStarted")).toEqual([])
    }).pipe(Effect.provide(journals))
  )

  /** The connection is lost in the middle of the answer, and what came of it is heard to its end. */
  const lostMidway = (process: Process) =>
    Effect.gen(function* () {
      yield* process.session.sendText("My code?")
      const responseId = (yield* process.until("ResponseStarted"))?.responseId ?? ""
      const at = { response_id: responseId }
      yield* beginItem(process, at)
      yield* words(process, "Audio", "Your code is", at)
      yield* sound(process, at)
      yield* process.until("TextDelta")
      yield* process.model.drop()
      yield* process.until("Reconnecting")
    })
  const offline = Session.make(desk, { ...aloud, reconnect: Schedule.spaced("1 hour") })

  it.scoped("is asked for where all that came of it was heard, and its connection was lost", () =>
    Effect.gen(function* () {
      const id = yield* killed(offline, [[stall]], (first) => Effect.zipRight(lostMidway(first), seconds(5)))
      const then = yield* resumed(id, [[say("As I said.")]])
      expect(yield* then.until("TextCompleted")).toMatchObject({ text: "As I said." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is asked for where all that came of it was heard, and more was to come", () =>
    Effect.gen(function* () {
      const id = yield* killed(opening, [], (first) =>
        Effect.gen(function* () {
          yield* begin(first)
          yield* beginItem(first)
          yield* words(first, "Audio", "Your code is")
          yield* sound(first)
          yield* first.until("TextDelta")
          yield* seconds(5)
        })
      )
      const then = yield* resumed(id, [[say("As I said.")]])
      expect(yield* then.until("TextCompleted")).toMatchObject({ text: "As I said." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is asked for where it failed and was to be asked for again", () =>
    Effect.gen(function* () {
      const id = yield* killed(opening, [[stall]], (first) =>
        Effect.gen(function* () {
          yield* first.session.sendText("My code?")
          const started = yield* first.until("ResponseStarted")
          const at = { response_id: started?.responseId ?? "" }
          yield* beginItem(first, at)
          yield* words(first, "Audio", "Your code is", at)
          yield* sound(first, at)
          yield* first.until("TextDelta")
          yield* first.model.push({
            type: "response.done",
            response: {
              id: at.response_id,
              status: "failed",
              status_details: { error: { type: "server_error" } },
              output: []
            }
          })
          yield* first.until("ResponseDone")
          yield* TestClock.adjust("400 millis")
        })
      )
      const then = yield* resumed(id, [[say("As I said.")]])
      expect(yield* then.until("TextCompleted")).toMatchObject({ text: "As I said." })
    }).pipe(Effect.provide(journals))
  )

  it.scoped("is not asked for, where the user interrupted it while there was no connection", () =>
    Effect.gen(function* () {
      const id = yield* killed(offline, [[stall]], (first) =>
        Effect.gen(function* () {
          yield* lostMidway(first)
          yield* seconds(5)
          yield* first.session.interrupt
          yield* seconds(1)
        })
      )
      const then = yield* resumed(id, [])
      yield* seconds(30)
      expect(then.events.filter(({ _tag }) => _tag === "ResponseStarted")).toEqual([])
    }).pipe(Effect.provide(journals))
  )
})

describe("What the journal has of an answer that is being said", () => {
  it.scoped(
    "says of each part what was heard of it: nothing of one whose sound is to come, all of one that is over",
    () =>
      Effect.gen(function* () {
        const one = yield* processOf(opening, [], server)
        yield* Effect.addFinalizer(() => one.end)
        const part = (content_index: number) => ({ content_index })
        yield* begin(one)
        yield* beginItem(one)
        for (const [index, text] of ["First.", "Second.", "Third."].entries()) {
          yield* words(one, "Audio", text, part(index))
          yield* one.until("TextDelta", index + 1)
        }
        yield* sound(one, part(0))
        yield* soundDone(one, part(0))
        yield* sound(one, part(1))
        yield* sound(one, part(1))
        yield* one.until("AudioCompleted")
        yield* TestClock.adjust("1 second")
        yield* TestClock.adjust("1 second")
        const records = yield* recordsOf(one.session.id)
        const { items } = SessionJournal.recover(records)
        expect(items).toMatchObject([
          {
            status: "incomplete",
            content: [{ transcript: "First." }, { cut: { heardMs: 1000 } }, { transcript: "", cut: { heardMs: 0 } }]
          }
        ])
        expect(
          records
            .flatMap((record) =>
              record._tag === "ItemHeard" ? [record.unheard.map(({ contentIndex }) => contentIndex).sort()] : []
            )
            .at(-1)
        ).toEqual([1, 2])
      }).pipe(Effect.provide(journals))
  )

  it.scoped("holds up nothing, where the storage takes its time", () =>
    Effect.gen(function* () {
      const journal = yield* SessionJournal.SessionJournal
      let isSlow = false
      const slow: SessionJournal.Service = {
        ...journal,
        open: (id) =>
          Effect.map(journal.open(id), (writer) => ({
            ...writer,
            append: (records) => (isSlow ? Effect.never : writer.append(records))
          }))
      }
      const one = yield* Effect.provideService(processOf(opening, [], server), SessionJournal.SessionJournal, slow)
      yield* Effect.addFinalizer(() => Effect.zipRight(TestClock.adjust("1 minute"), Effect.forkDaemon(one.end)))
      yield* begin(one)
      yield* beginItem(one)
      yield* words(one, "Audio", "Your code is")
      yield* sound(one)
      yield* sound(one)
      yield* one.until("TextDelta")
      isSlow = true
      yield* TestClock.adjust("1 second")
      yield* words(one, "Audio", " 7429.")
      yield* Effect.repeatN(Effect.yieldNow(), 100)
      expect(one.events.filter(({ _tag }) => _tag === "TextDelta")).toHaveLength(2)
    }).pipe(Effect.provide(journals))
  )
})
