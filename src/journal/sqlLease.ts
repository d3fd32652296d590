/**
 * At most one writer per session in a database: it holds the session's row in a table of writers, and renews it. A
 * writer without a sign of life loses the row to the next one. Each write checks the row in its own transaction, so
 * that a slow writer writes nothing after another one has taken over.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { ParseError } from "effect/ParseResult"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { LEASE_MS, renewalOf } from "./lease.js"
import type { SignsOfLife } from "./signsOfLife.js"
import { makeToken } from "./token.js"

/** Another writer has the row. */
export interface Taken {
  readonly _tag: "Taken"
  /** When to ask again, in milliseconds. */
  readonly retryAfterMs: number
}

export interface Lease {
  /** Run it in the transaction that writes: until the transaction ends, nobody can take over. */
  readonly hold: Effect.Effect<void, Taken | SqlError>
}

export interface Options {
  readonly leaseMs: number
  readonly signs: SignsOfLife
}

/** The clocks of all writers must agree to within a few seconds. */
export const createTable = (sql: SqlClient): Effect.Effect<unknown, SqlError> => sql`
  CREATE TABLE IF NOT EXISTS effect_realtime_journal_writer (
    session_id VARCHAR(255) NOT NULL PRIMARY KEY,
    writer VARCHAR(255) NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL
  )`

/** The name of a writer contains its lease. Names of earlier versions do not. */
const nameOf = (token: string, leaseMs: number): string => `${token}/${leaseMs}`
const leaseOf = (writer: string): number => Number(/\/(\d+)$/.exec(writer)?.[1] ?? LEASE_MS)

/** Drivers give numbers as numbers, as big integers, or as text. */
const decodeHolders = Schema.decodeUnknown(
  Schema.Array(Schema.Struct({ writer: Schema.String, expires_at: Schema.Unknown }))
)

/** The writer, whoever it is, has lost the row. In a transaction of the caller, it has lost it when that ends. */
export const evict = (sql: SqlClient, key: string): Effect.Effect<void, SqlError> =>
  Effect.asVoid(sql`DELETE FROM effect_realtime_journal_writer WHERE session_id = ${key}`)

export const acquire = (
  sql: SqlClient,
  key: string,
  { leaseMs, signs }: Options
): Effect.Effect<Lease, Taken | SqlError | ParseError, Scope.Scope> =>
  Effect.gen(function* () {
    const writer = nameOf(yield* makeToken, leaseMs)
    const mine = sql`session_id = ${key} AND writer = ${writer}`
    const taken = (retryAfterMs: number): Taken => ({ _tag: "Taken", retryAfterMs })

    const holders = Effect.flatMap(
      sql`SELECT writer, expires_at FROM effect_realtime_journal_writer WHERE session_id = ${key}`,
      decodeHolders
    )

    const take = Effect.gen(function* () {
      for (const holder of yield* holders) {
        const held = leaseOf(holder.writer)
        const expiresAt = Number(holder.expires_at)
        const sign = { mark: `${holder.writer} ${expiresAt}`, at: expiresAt - held, leaseMs: held }
        const retryAfterMs = yield* signs.remaining(key, sign)
        if (retryAfterMs > 0) return yield* Effect.fail(taken(retryAfterMs))
        // A writer that gives a sign of life at this moment keeps its row.
        yield* sql`DELETE FROM effect_realtime_journal_writer
          WHERE session_id = ${key} AND writer = ${holder.writer} AND expires_at = ${expiresAt}`
      }
      const now = yield* Clock.currentTimeMillis
      yield* sql`INSERT INTO effect_realtime_journal_writer
        ${sql.insert({ session_id: key, writer, expires_at: now + leaseMs })}`
    })
    // If two writers come at once, one may fail at the other's row. Databases report that in different ways, so try
    // again.
    const taking = Effect.catchTag(sql.withTransaction(take), "SqlError", (error) =>
      Effect.flatMap(holders, (rows) => Effect.fail(rows.length === 0 ? error : taken(leaseMs)))
    )
    const release = sql`DELETE FROM effect_realtime_journal_writer WHERE ${mine}`
    // A row that cannot be deleted expires.
    yield* Effect.acquireRelease(taking, () => Effect.ignore(release))

    const renew = Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => sql`UPDATE effect_realtime_journal_writer SET expires_at = ${now + leaseMs} WHERE ${mine}`
    )
    yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignore(renew), renewalOf(leaseMs))))

    // The update locks the row, if it still belongs to this writer.
    const hold = renew.pipe(
      Effect.zipRight(sql`SELECT writer FROM effect_realtime_journal_writer WHERE ${mine}`),
      Effect.flatMap((rows) => (rows.length === 0 ? Effect.fail(taken(leaseMs)) : Effect.void))
    )
    return { hold }
  })
