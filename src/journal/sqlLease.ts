/**
 * At most one writer of a session in a database: it has the session's row in a table of writers, and renews it. One that
 * gives no sign of life loses the row to the next. Each write looks at the row in its own transaction, so that a writer
 * that was only slow writes nothing once another has taken over.
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
  /** When it may be asked for again. */
  readonly retryAfterMs: number
}

export interface Lease {
  /** To be run in the transaction that writes: until it ends, nobody can take over. */
  readonly hold: Effect.Effect<void, Taken | SqlError>
}

export interface Options {
  readonly leaseMs: number
  readonly signs: SignsOfLife
}

/** The clocks of all writers have to agree to within some seconds. */
export const createTable = (sql: SqlClient): Effect.Effect<unknown, SqlError> => sql`
  CREATE TABLE IF NOT EXISTS effect_realtime_journal_writer (
    session_id VARCHAR(255) NOT NULL PRIMARY KEY,
    writer VARCHAR(255) NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL
  )`

/** A writer's name tells how long it holds without a sign of life; those of earlier versions do not. */
const nameOf = (token: string, leaseMs: number): string => `${token}/${leaseMs}`
const leaseOf = (writer: string): number => Number(/\/(\d+)$/.exec(writer)?.[1] ?? LEASE_MS)

/** Drivers give numbers as numbers, as big integers, or as text. */
const decodeHolders = Schema.decodeUnknown(
  Schema.Array(Schema.Struct({ writer: Schema.String, expires_at: Schema.Unknown }))
)

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
        // One that gives a sign of life in this moment keeps its row.
        yield* sql`DELETE FROM effect_realtime_journal_writer
          WHERE session_id = ${key} AND writer = ${holder.writer} AND expires_at = ${expiresAt}`
      }
      const now = yield* Clock.currentTimeMillis
      yield* sql`INSERT INTO effect_realtime_journal_writer
        ${sql.insert({ session_id: key, writer, expires_at: now + leaseMs })}`
    })
    // Of two that come at once, one may fail at the other's row. Databases say so in words of their own: look again.
    const taking = Effect.catchTag(sql.withTransaction(take), "SqlError", (error) =>
      Effect.flatMap(holders, (rows) => Effect.fail(rows.length === 0 ? error : taken(leaseMs)))
    )
    const release = sql`DELETE FROM effect_realtime_journal_writer WHERE ${mine}`
    // What can not be deleted expires.
    yield* Effect.acquireRelease(taking, () => Effect.ignore(release))

    const renew = Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => sql`UPDATE effect_realtime_journal_writer SET expires_at = ${now + leaseMs} WHERE ${mine}`
    )
    yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignore(renew), renewalOf(leaseMs))))

    // The update locks the row, if it is still this writer's.
    const hold = renew.pipe(
      Effect.zipRight(sql`SELECT writer FROM effect_realtime_journal_writer WHERE ${mine}`),
      Effect.flatMap((rows) => (rows.length === 0 ? Effect.fail(taken(leaseMs)) : Effect.void))
    )
    return { hold }
  })
