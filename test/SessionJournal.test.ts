import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Scope from "effect/Scope"
import * as SessionJournal from "../src/SessionJournal.js"
import * as arbitraries from "./journal/arbitraries.js"
import { database, files, serviceOf, temporaryDirectory } from "./journal/storages.js"
import { numRuns } from "./runs.js"

const numbered = (at: number): SessionJournal.JournalRecord => ({ _tag: "SessionEnded", at, reason: "again" })
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => numbered(from + index))

const makeJournals: Record<string, Effect.Effect<SessionJournal.Service, unknown, Scope.Scope>> = {
  memory: serviceOf(SessionJournal.layerMemory),
  file: Effect.flatMap(temporaryDirectory, (directory) => serviceOf(files(directory, "1 second"))),
  sql: Effect.flatMap(temporaryDirectory, (directory) => serviceOf(database(directory)))
}

/** Writes as a session would that has the journal for this moment only. */
const append = (
  journal: SessionJournal.Service,
  sessionId: string,
  ...records: ReadonlyArray<SessionJournal.JournalRecord>
) => Effect.scoped(Effect.flatMap(journal.open(sessionId), (writer) => writer.append(records)))

describe.each(Object.entries(makeJournals))("SessionJournal: %s", (_, make) => {
  it.scoped("reads what was appended in its order, over several writers", () =>
    Effect.gen(function* () {
      const journal = yield* make
      yield* append(journal, "s", ...range(0, 3))
      expect(yield* journal.read("s")).toEqual(range(0, 3))
      yield* append(journal, "s", ...range(3, 5))
      yield* append(journal, "other", numbered(9))
      expect(yield* journal.read("s")).toEqual(range(0, 5))
    })
  )

  it.scoped("reads while another process writes", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const writer = yield* journal.open("s")
      expect(writer.sessionId).toBe("s")
      yield* writer.append(range(0, 1))
      expect(yield* journal.read("s")).toEqual(range(0, 1))
      yield* writer.append([])
      yield* writer.append(range(1, 3))
      expect(yield* journal.read("s")).toEqual(range(0, 3))
    })
  )

  it.scoped("replaces all records with others, and appends after them", () =>
    Effect.gen(function* () {
      const journal = yield* make
      yield* append(journal, "s", ...range(0, 5))
      yield* append(journal, "other", numbered(9))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const writer = yield* journal.open("s")
          yield* writer.replace(range(10, 1500))
          expect(yield* journal.read("s")).toEqual(range(10, 1500))
          yield* writer.append(range(1500, 1501))
          yield* writer.replace(range(20, 22))
          yield* writer.append(range(22, 24))
        })
      )
      yield* append(journal, "s", numbered(24))
      expect(yield* journal.read("s")).toEqual(range(20, 25))
      expect(yield* journal.read("other")).toEqual([numbered(9)])
      expect(yield* journal.sessions).toEqual(["other", "s"])
      yield* journal.remove("s")
      expect(yield* journal.sessions).toEqual(["other"])
    })
  )

  it.scoped("replaces nothing if the new records cannot be written", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const item = { _tag: "Other", id: "a", type: "mcp_call", item: 1n } as const
      const writer = yield* journal.open("s")
      yield* writer.append(range(0, 2))
      expect(yield* Effect.flip(writer.replace([numbered(7), { _tag: "ItemFinal", item }]))).toMatchObject({
        _tag: "JournalFailed"
      })
      expect(yield* journal.read("s")).toEqual(range(0, 2))
    })
  )

  it.scoped("says whether it had records before it was opened", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const isNew = Effect.scoped(Effect.map(journal.open("s"), (writer) => writer.isNew))
      expect(yield* isNew).toBe(true)
      yield* append(journal, "s", numbered(0))
      expect(yield* isNew).toBe(false)
      yield* journal.remove("s")
      expect(yield* isNew).toBe(true)
    })
  )

  it.scoped("does not block the process while it reads and writes many records", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const turns = { count: 0 }
      const counting = setInterval(() => {
        turns.count += 1
      }, 0)
      yield* Effect.addFinalizer(() => Effect.sync(() => clearInterval(counting)))
      const writer = yield* journal.open("s")
      yield* writer.replace(range(0, 15_000))
      const written = turns.count
      yield* journal.read("s")
      // Of 512 KiB, where each record counts as no less than 256 characters: about ten steps.
      expect(written).toBeGreaterThanOrEqual(8)
      expect(turns.count - written).toBeGreaterThanOrEqual(8)
    })
  )

  it.scoped("reads every record as it was written", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const records = fc.sample(arbitraries.record, { numRuns: numRuns(300), seed: 7 })
      yield* append(journal, "s", ...records)
      expect(yield* journal.read("s")).toEqual(records)
    })
  )

  it.scoped("says that a session has no journal if nothing was written for it", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const notFound = new SessionJournal.JournalNotFound({ sessionId: "s" })
      expect(yield* Effect.flip(journal.read("s"))).toEqual(notFound)
      yield* append(journal, "s")
      expect(yield* Effect.flip(journal.read("s"))).toEqual(notFound)
      expect(yield* journal.sessions).toEqual([])
    })
  )

  it.scoped("refuses a second writer until the first is closed", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const scope = yield* Scope.make()
      const writer = yield* Scope.extend(journal.open("s"), scope)
      const refused = yield* Effect.flip(journal.open("s"))
      expect(refused).toEqual(new SessionJournal.JournalBusy({ sessionId: "s", retryAfterMs: undefined }))
      yield* writer.append(range(0, 1))
      yield* Scope.close(scope, Exit.void)
      yield* Effect.flatMap(journal.open("s"), (second) => second.append(range(1, 2)))
      expect(yield* journal.read("s")).toEqual(range(0, 2))
    })
  )

  it.scopedLive(
    "is taken from a writer that is evicted, which writes nothing more and takes nothing from the next",
    () =>
      Effect.gen(function* () {
        const journal = yield* make
        yield* journal.evict("s")
        const scope = yield* Scope.make()
        const ghost = yield* Scope.extend(journal.open("s"), scope)
        yield* ghost.append(range(0, 2))
        yield* journal.evict("s")
        const writer = yield* journal.open("s")
        expect(writer.isNew).toBe(false)
        yield* writer.append(range(2, 3))
        for (const write of [ghost.append, ghost.replace]) {
          expect(yield* Effect.flip(write(range(8, 9)))).toMatchObject({ _tag: "JournalTaken", sessionId: "s" })
        }
        yield* Scope.close(scope, Exit.void)
        yield* writer.append(range(3, 4))
        expect(yield* Effect.flip(journal.open("s"))).toMatchObject({ _tag: "JournalBusy" })
        expect(yield* journal.read("s")).toEqual(range(0, 4))
      })
  )

  it.scoped("gives a session to only one of many simultaneous writers", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const exits = yield* Effect.forEach(range(0, 20), () => Effect.exit(journal.open("s")), {
        concurrency: "unbounded"
      })
      expect(exits.filter(Exit.isSuccess)).toHaveLength(1)
    })
  )

  it.scoped("keeps the records of one append together when many append at once", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const writer = yield* journal.open("s")
      const batches = Array.from({ length: 30 }, (_, index) => range(index * 10, index * 10 + 10))
      yield* Effect.forEach(batches, (batch) => writer.append(batch), { concurrency: "unbounded", discard: true })
      expect(yield* journal.read("s")).toEqual(batches.flat())
    })
  )

  it.scoped("writes nothing after the writer's scope has closed", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const writer = yield* Effect.scoped(Effect.tap(journal.open("s"), (writer) => writer.append(range(0, 1))))
      const failure = yield* Effect.flip(writer.append(range(1, 2)))
      expect(failure).toMatchObject({ _tag: "JournalFailed", operation: "append" })
      expect(failure.message).toContain("Open the journal again.")
      expect(yield* journal.read("s")).toEqual(range(0, 1))
    })
  )

  it.scoped("writes none of several records if one of them cannot be written", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const item = { _tag: "Other", id: "a", type: "mcp_call", item: 1n } as const
      const failure = yield* Effect.flip(append(journal, "s", numbered(0), { _tag: "ItemFinal", item }))
      expect(failure).toMatchObject({ _tag: "JournalFailed", operation: "append" })
      expect(yield* journal.sessions).toEqual([])
    })
  )

  it.scoped("keeps sessions apart, whatever their names", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const strange = [
        "../../x",
        "..",
        ".",
        "/",
        "C:\\nul",
        "con",
        "a",
        "A",
        "é",
        "e\u0301",
        "\ud800",
        "\udc00",
        "\u0000",
        "",
        "%2e",
        "~002e"
      ]
      const random = fc.sample(arbitraries.text, { numRuns: 40, seed: 11 }).filter((text) => text.length < 20)
      const ids = Array.from(new Set([...strange, ...random]))
      for (const [index, id] of ids.entries()) yield* append(journal, id, numbered(index))
      expect(yield* journal.sessions).toEqual(ids.toSorted())
      for (const [index, id] of ids.entries()) expect(yield* journal.read(id)).toEqual([numbered(index)])
    })
  )

  it.scoped("says when an id is too long to be stored", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const id = "../".repeat(100)
      for (const operation of ["open", "read", "remove", "evict"] as const) {
        const failure = yield* Effect.flip(Effect.scoped<unknown, unknown, Scope.Scope>(journal[operation](id)))
        expect(failure).toMatchObject({ _tag: "JournalFailed", operation, sessionId: id })
      }
    })
  )

  it.scoped("removes a session that has no writer, and accepts one that does not exist", () =>
    Effect.gen(function* () {
      const journal = yield* make
      yield* journal.remove("s")
      yield* append(journal, "other", numbered(0))
      yield* Effect.scoped(
        Effect.gen(function* () {
          const writer = yield* journal.open("s")
          yield* writer.append(range(0, 2))
          expect(yield* Effect.flip(journal.remove("s"))).toEqual(
            new SessionJournal.JournalBusy({ sessionId: "s", retryAfterMs: undefined })
          )
        })
      )
      yield* journal.remove("s")
      expect(yield* journal.sessions).toEqual(["other"])
      expect(yield* Effect.flip(journal.read("s"))).toMatchObject({ _tag: "JournalNotFound" })
      yield* append(journal, "s", numbered(7))
      expect(yield* journal.read("s")).toEqual([numbered(7)])
    })
  )

  it.scoped("holds 10,000 records", () =>
    Effect.gen(function* () {
      const journal = yield* make
      const writer = yield* journal.open("s")
      yield* writer.append(range(0, 9000))
      for (let from = 9000; from < 10_000; from += 50) yield* writer.append(range(from, from + 50))
      expect(yield* journal.read("s")).toEqual(range(0, 10_000))
    })
  )
})

describe.each(Object.entries({ file: files, sql: database }))("SessionJournal: %s, of two processes", (_, layer) => {
  const twice = Effect.flatMap(temporaryDirectory, (directory) =>
    Effect.all([serviceOf(layer(directory)), serviceOf(layer(directory))])
  )

  it.scoped("has one writer for both", () =>
    Effect.gen(function* () {
      const [one, other] = yield* twice
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* Effect.flatMap(one.open("s"), (writer) => writer.append(range(0, 1)))
          expect(yield* Effect.flip(other.open("s"))).toMatchObject({ _tag: "JournalBusy" })
          expect(yield* Effect.flip(other.remove("s"))).toMatchObject({ _tag: "JournalBusy" })
          expect(yield* other.read("s")).toEqual(range(0, 1))
        })
      )
      yield* append(other, "s", numbered(1))
      expect(yield* one.read("s")).toEqual(range(0, 2))
    })
  )

  it.scoped("keeps nothing of an attempt that was refused", () =>
    Effect.gen(function* () {
      const [one, other] = yield* twice
      const scope = yield* Scope.make()
      yield* Scope.extend(one.open("s"), scope)
      // In a scope that stays open, as that of a session that tries again.
      yield* Effect.flip(other.open("s"))
      yield* Scope.close(scope, Exit.void)
      yield* append(one, "s", numbered(0))
      yield* Effect.flatMap(other.open("s"), (writer) => writer.append([numbered(1)]))
      expect(yield* one.read("s")).toEqual(range(0, 2))
    })
  )
})
