/**
 * Journals of sessions in a database. It has its own entry point, `effect-realtime/SessionJournalSql`. It needs
 * `@effect/sql` and a client such as `@effect/sql-libsql` or `@effect/sql-pg`.
 *
 * @example
 * ```ts
 * import * as SessionJournalSql from "effect-realtime/SessionJournalSql"
 * import { LibsqlClient } from "@effect/sql-libsql"
 * import { Layer } from "effect"
 *
 * const Journals = SessionJournalSql.layer.pipe(Layer.provide(LibsqlClient.layer({ url: "file:journals.db" })))
 * ```
 *
 * @since 0.1.0
 * @module
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isParseError, type ParseError } from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { storageReason } from "./common/storageReason.js"
import { JournalBusy, JournalCorrupt, JournalFailed, JournalNotFound, JournalTaken } from "./journal/JournalError.js"
import { LEASE_MS } from "./journal/lease.js"
import {
  decodeAll,
  keyOf,
  makeClaims,
  makeWriter,
  type Operation,
  releaseOnFailure,
  type Service
} from "./journal/Service.js"
import * as sessionKey from "./journal/sessionKey.js"
import * as SignsOfLife from "./journal/signsOfLife.js"
import * as SqlLease from "./journal/sqlLease.js"
import type { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import { compile } from "./protocol/Validator.js"
import { SessionJournal } from "./SessionJournal.js"

/** Rows per statement. Each has three parameters; SQLite takes 32,766 and PostgreSQL 65,535 per statement. */
const CHUNK_ROWS = 1000

/** Characters per statement. Servers refuse statements that are too long: MySQL by default from 64 MiB on. */
const CHUNK_WEIGHT = 1_048_576

/** Drivers give integers as numbers, as big integers, or as text. */
const Rows = Schema.Array(Schema.Struct({ sequence: Schema.Unknown, record: Schema.String }))
const areRows = compile(Rows)
const decodeRows = (rows: unknown) => (areRows(rows) ? Effect.succeed(rows) : Schema.decodeUnknown(Rows)(rows))
const decodeLast = Schema.decodeUnknown(Schema.Array(Schema.Struct({ last_sequence: Schema.Unknown })))
const decodeKeys = Schema.decodeUnknown(Schema.Array(Schema.Struct({ session_id: Schema.String })))

const make = (leaseMs: number) =>
  Effect.gen(function* () {
    // Column names are used as written here, even if the application transforms its own.
    const sql = (yield* SqlClient.SqlClient).withoutTransforms()
    const claims = makeClaims()
    const signs = yield* SignsOfLife.make
    const text = sql.onDialectOrElse({ mysql: () => sql.literal("LONGTEXT"), orElse: () => sql.literal("TEXT") })

    const createTables = Effect.zipRight(
      SqlLease.createTable(sql),
      sql`
      CREATE TABLE IF NOT EXISTS effect_realtime_journal (
        session_id VARCHAR(255) NOT NULL,
        sequence INTEGER NOT NULL,
        record ${text} NOT NULL,
        PRIMARY KEY (session_id, sequence)
      )`
    )
    // If two processes create a table at once, PostgreSQL lets one of them fail.
    yield* createTables.pipe(Effect.retry({ times: 3 }), Effect.mapError(failedBy(undefined, "make")))

    /** While the scope is open, nobody else can write or remove the session. */
    const acquire = (sessionId: string, key: string) =>
      claims.claim(sessionId).pipe(
        Effect.zipRight(SqlLease.acquire(sql, key, { leaseMs, signs })),
        Effect.catchTag("Taken", ({ retryAfterMs }) => Effect.fail(new JournalBusy({ sessionId, retryAfterMs })))
      )

    const lastSequence = (key: string) =>
      sql`SELECT MAX(sequence) AS last_sequence FROM effect_realtime_journal WHERE session_id = ${key}`.pipe(
        Effect.flatMap(decodeLast),
        Effect.map((rows) => Number(rows[0]?.last_sequence ?? 0))
      )

    const insert = (key: string, texts: ReadonlyArray<string>, last: number) =>
      Effect.gen(function* () {
        let chunk: Array<{ readonly session_id: string; readonly sequence: number; readonly record: string }> = []
        let weight = 0
        for (const [index, record] of texts.entries()) {
          chunk.push({ session_id: key, sequence: last + 1 + index, record })
          weight += record.length
          const isFull = chunk.length === CHUNK_ROWS || weight >= CHUNK_WEIGHT || index === texts.length - 1
          if (!isFull) continue
          yield* sql`INSERT INTO effect_realtime_journal ${sql.insert(chunk)}`
          chunk = []
          weight = 0
        }
      })

    const open: Service["open"] = (sessionId) =>
      Effect.gen(function* () {
        const key = yield* keyOf(sessionId, "open")
        const lease = yield* acquire(sessionId, key)
        /** Runs all statements or none, and only while this writer holds the journal. */
        const write = (statements: Effect.Effect<unknown, SqlError | ParseError>) =>
          sql.withTransaction(Effect.zipRight(lease.hold, statements)).pipe(
            Effect.asVoid,
            Effect.catchTag("Taken", () => Effect.fail(new JournalTaken({ sessionId }))),
            failing(sessionId, "append")
          )
        return yield* makeWriter(sessionId, {
          isNew: (yield* lastSequence(key)) === 0,
          append: (texts) => write(Effect.flatMap(lastSequence(key), (last) => insert(key, texts, last))),
          replace: (texts) =>
            write(
              Effect.zipRight(
                sql`DELETE FROM effect_realtime_journal WHERE session_id = ${key}`,
                // Numbers start at 0 again, so that missing records are noticed.
                insert(key, texts, 0)
              )
            )
        })
      }).pipe(releaseOnFailure, failing(sessionId, "open"))

    const evict: Service["evict"] = (sessionId) =>
      keyOf(sessionId, "evict").pipe(
        Effect.flatMap((key) => SqlLease.evict(sql, key)),
        Effect.map(() => claims.evict(sessionId)),
        failing(sessionId, "evict")
      )

    const read: Service["read"] = (sessionId) =>
      Effect.gen(function* () {
        const key = yield* keyOf(sessionId, "read")
        const rows = yield* Effect.flatMap(
          sql`SELECT sequence, record FROM effect_realtime_journal WHERE session_id = ${key} ORDER BY sequence`,
          decodeRows
        )
        if (rows.length === 0) return yield* new JournalNotFound({ sessionId })
        const gap = rows.findIndex(({ sequence }, index) => Number(sequence) !== index + 1)
        if (gap >= 0) {
          const reason = "it is not there, and later ones are"
          return yield* new JournalCorrupt({ sessionId, line: gap + 1, offset: undefined, reason })
        }
        return yield* decodeAll(
          sessionId,
          rows.map(({ record }, index) => ({ text: record, line: index + 1, offset: undefined }))
        )
      }).pipe(failing(sessionId, "read"))

    const sessions: Service["sessions"] = sql`SELECT DISTINCT session_id FROM effect_realtime_journal`.pipe(
      Effect.flatMap(decodeKeys),
      Effect.map((rows) => rows.flatMap(({ session_id }) => sessionKey.decode(session_id) ?? []).sort()),
      Effect.mapError(failedBy(undefined, "sessions"))
    )

    const remove: Service["remove"] = (sessionId) =>
      Effect.gen(function* () {
        const key = yield* keyOf(sessionId, "remove")
        yield* acquire(sessionId, key)
        yield* sql`DELETE FROM effect_realtime_journal WHERE session_id = ${key}`
      }).pipe(Effect.scoped, failing(sessionId, "remove"))

    return { open, evict, read, sessions, remove }
  })

/** Turns a failure of the database into a failure of the journal. */
const failedBy = (sessionId: string | undefined, operation: Operation) => (error: unknown) =>
  new JournalFailed({ sessionId, operation, reason: storageReason(error) })

/** In `@effect/sql`, a transaction whose end fails dies. Here it is a failure like the others. */
const failing =
  (sessionId: string, operation: Operation) =>
  <A, E, R>(self: Effect.Effect<A, E | SqlError | ParseError, R>): Effect.Effect<A, E | JournalFailed, R> => {
    const failed = failedBy(sessionId, operation)
    return self.pipe(
      Effect.mapError((error) => (isStorageError(error) ? failed(error) : error)),
      Effect.catchAllDefect((defect) => Effect.fail(failed(defect)))
    )
  }

const isStorageError = (error: unknown): error is SqlError | ParseError =>
  Predicate.isTagged(error, "SqlError") || isParseError(error)

/**
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** As in `SessionJournal.layerFile`. Default: 15 seconds. */
  readonly lease?: Duration.DurationInput | undefined
}

/**
 * Journals in the tables `effect_realtime_journal` and `effect_realtime_journal_writer`, which are created if they do
 * not exist. Each `append` is a transaction: do not call it inside another one.
 *
 * It is tested with SQLite, and with PostgreSQL in the tests of the cluster. It is written for MySQL too, but has not
 * been tested with it. After a writer's process dies, another writer can take over when the lease ends: by default 15
 * seconds after the last sign of life.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerWith = (
  options: Options
): Layer.Layer<SessionJournal, JournalFailed | OptionsInvalid, SqlClient.SqlClient> =>
  Layer.effect(
    SessionJournal,
    Effect.zipRight(
      Rule.validate("SessionJournalSql.layerWith", rules.journal, options),
      Effect.suspend(() => make(Duration.toMillis(options.lease ?? LEASE_MS)))
    )
  )

/**
 * `layerWith` with default options.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<SessionJournal, JournalFailed, SqlClient.SqlClient> = Layer.effect(
  SessionJournal,
  make(LEASE_MS)
)
