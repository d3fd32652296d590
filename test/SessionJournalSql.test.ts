import * as SqlClient from "@effect/sql/SqlClient"
import * as LibsqlClient from "@effect/sql-libsql/LibsqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as SessionJournal from "../src/SessionJournal.js"
import * as SessionJournalSql from "../src/SessionJournalSql.js"
import { temporaryDirectory } from "./journal/storages.js"

const numbered = (at: number): SessionJournal.JournalRecord => ({ _tag: "SessionEnded", at, reason: "again" })
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => numbered(from + index))

/** A database, and two services over it that know nothing of each other, as in two processes. */
const make = (config: Partial<LibsqlClient.LibsqlClientConfig.Full> = {}) =>
  Effect.gen(function* () {
    const url = `file:${yield* temporaryDirectory}/journals.db`
    const client = yield* Layer.build(LibsqlClient.layer({ url, ...config }))
    const service = Layer.build(Layer.fresh(SessionJournalSql.layer)).pipe(
      Effect.map(Context.get(SessionJournal.SessionJournal)),
      Effect.provide(client)
    )
    const sql = Context.get(client, SqlClient.SqlClient)
    return { sql, journal: yield* service, other: yield* service }
  })

const append = (journal: SessionJournal.Service, ...records: ReadonlyArray<SessionJournal.JournalRecord>) =>
  Effect.scoped(Effect.flatMap(journal.open("s"), (writer) => writer.append(records)))

describe("A journal in a database", () => {
  it.scoped("has a row for each record, in the order of a sequence", () =>
    Effect.gen(function* () {
      const { journal, sql } = yield* make()
      yield* append(journal, ...range(0, 2))
      yield* append(journal, numbered(2))
      const rows = yield* sql<{ session_id: string; sequence: number; record: string }>`
        SELECT session_id, sequence, record FROM effect_realtime_journal ORDER BY sequence`
      expect(rows.map(({ sequence, session_id }) => [session_id, sequence])).toEqual([
        ["s", 1],
        ["s", 2],
        ["s", 3]
      ])
      expect(JSON.parse(rows[0]?.record ?? "")).toEqual({ version: 1, record: numbered(0) })
    })
  )

  it.scoped("takes an append as a whole or not at all, however many records it has", () =>
    Effect.gen(function* () {
      const { journal, sql } = yield* make()
      const writer = yield* journal.open("s")
      yield* writer.append(range(0, 2))
      yield* sql`
        CREATE TRIGGER full BEFORE INSERT ON effect_realtime_journal WHEN NEW.sequence = 1500
        BEGIN SELECT RAISE(ABORT, 'the disk is full'); END`
      const failure = yield* Effect.flip(writer.append(range(2, 3000)))
      expect(failure).toMatchObject({ _tag: "JournalFailed", operation: "append", sessionId: "s" })
      expect(failure.message).toContain("the disk is full")
      expect(yield* journal.read("s")).toEqual(range(0, 2))
      yield* sql`DROP TRIGGER full`
      yield* writer.append(range(2, 3000))
      expect(yield* journal.read("s")).toEqual(range(0, 3000))
    })
  )

  it.scoped("is corrupt if a record is missing or invalid", () =>
    Effect.gen(function* () {
      const { journal, sql } = yield* make()
      yield* append(journal, ...range(0, 4))
      yield* sql`UPDATE effect_realtime_journal SET record = '{}' WHERE sequence = 3`
      expect(yield* Effect.flip(journal.read("s"))).toMatchObject({
        _tag: "JournalCorrupt",
        line: 3,
        offset: undefined
      })
      yield* sql`DELETE FROM effect_realtime_journal WHERE sequence = 2`
      const corrupt = yield* Effect.flip(journal.read("s"))
      expect(corrupt.message).toMatch(/^Record 2 of session "s", is damaged: it is not there, and later ones are/)
    })
  )

  it.scoped("cannot be taken over while its writer gives signs of life", () =>
    Effect.gen(function* () {
      const { journal, other } = yield* make()
      yield* journal.open("s")
      for (let seconds = 0; seconds < 60; seconds += 3) {
        yield* TestClock.adjust("3 seconds")
        expect(yield* Effect.flip(other.open("s"))).toMatchObject({ _tag: "JournalBusy" })
      }
    })
  )

  it.scoped("is taken over from a writer that died, which writes nothing if it was only slow", () =>
    Effect.gen(function* () {
      const { journal, other, sql } = yield* make()
      const writer = yield* journal.open("s")
      yield* writer.append(range(0, 1))
      yield* sql`UPDATE effect_realtime_journal_writer SET expires_at = 0`
      yield* TestClock.adjust("1 millis")

      const next = yield* other.open("s")
      yield* next.append(range(1, 2))
      const failure = yield* Effect.flip(writer.append([numbered(50)]))
      expect(failure).toMatchObject({ _tag: "JournalTaken", sessionId: "s" })
      expect(yield* Effect.flip(writer.replace([numbered(51)]))).toMatchObject({ _tag: "JournalTaken" })
      yield* next.append(range(2, 3))
      expect(yield* other.read("s")).toEqual(range(0, 3))
    })
  )

  it.scoped("stays with the one that took it over when the slow one is closed", () =>
    Effect.gen(function* () {
      const { journal, other, sql } = yield* make()
      const scope = yield* Scope.make()
      yield* Scope.extend(journal.open("s"), scope)
      yield* sql`UPDATE effect_realtime_journal_writer SET expires_at = 0`
      yield* TestClock.adjust("1 millis")
      yield* other.open("s")
      yield* Scope.close(scope, Exit.void)
      expect(yield* Effect.flip(journal.open("s"))).toMatchObject({ _tag: "JournalBusy" })
    })
  )

  it.scoped("is the same for a client that names columns in its own way, and counts in big integers", () =>
    Effect.gen(function* () {
      const { journal } = yield* make({
        intMode: "bigint",
        transformQueryNames: (name) => name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
        transformResultNames: (name) => name.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase())
      })
      yield* append(journal, ...range(0, 2))
      yield* append(journal, numbered(2))
      expect(yield* journal.read("s")).toEqual(range(0, 3))
      expect(yield* journal.sessions).toEqual(["s"])
    })
  )

  it.scoped("fails with the database's error", () =>
    Effect.gen(function* () {
      const { journal, sql } = yield* make()
      const writer = yield* journal.open("s")
      yield* sql`DROP TABLE effect_realtime_journal`
      for (const operation of [writer.append(range(0, 1)), journal.read("s"), journal.sessions, journal.remove("x")]) {
        const failure = yield* Effect.flip<
          unknown,
          | SessionJournal.JournalFailed
          | SessionJournal.JournalBusy
          | SessionJournal.JournalCorrupt
          | SessionJournal.JournalNotFound
          | SessionJournal.JournalTaken,
          never
        >(operation)
        expect(failure._tag).toBe("JournalFailed")
        expect(failure.message).toContain("no such table: effect_realtime_journal")
      }
    })
  )
})
