/**
 * At most one writer of a session in a database: it has the session's row in a table of writers, and renews it. One that
 * gives no sign of life loses the row to the next. Each `append` looks at the row in its own transaction, so that a
 * writer that was only slow writes nothing once another has taken over.
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { EXPIRY_MS, RENEWAL_MS } from "./lease.js"
import { makeToken } from "./token.js"

/** Another writer has the row. */
export interface Taken {
  readonly _tag: "Taken"
}

const taken: Taken = { _tag: "Taken" }

export interface Lease {
  /** To be run in the transaction that writes: until it ends, nobody can take over. */
  readonly hold: Effect.Effect<void, Taken | SqlError>
}

/** The clocks of all writers have to agree to within some seconds. */
export const createTable = (sql: SqlClient): Effect.Effect<unknown, SqlError> => sql`
  CREATE TABLE IF NOT EXISTS effect_realtime_journal_writer (
    session_id VARCHAR(255) NOT NULL PRIMARY KEY,
    writer VARCHAR(255) NOT NULL,
    expires_at DOUBLE PRECISION NOT NULL
  )`

export const acquire = (sql: SqlClient, key: string): Effect.Effect<Lease, Taken | SqlError, Scope.Scope> =>
  Effect.gen(function* () {
    const writer = yield* makeToken
    const mine = sql`session_id = ${key} AND writer = ${writer}`

    const holders = sql`SELECT writer FROM effect_realtime_journal_writer WHERE session_id = ${key}`

    const take = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* sql`DELETE FROM effect_realtime_journal_writer WHERE session_id = ${key} AND expires_at < ${now}`
      if ((yield* holders).length > 0) return yield* Effect.fail(taken)
      yield* sql`INSERT INTO effect_realtime_journal_writer
        ${sql.insert({ session_id: key, writer, expires_at: now + EXPIRY_MS })}`
    })
    // Of two that come at once, one may fail at the other's row. Databases say so in words of their own: look again.
    const taking = Effect.catchTag(sql.withTransaction(take), "SqlError", (error) =>
      Effect.flatMap(holders, (rows) => Effect.fail(rows.length === 0 ? error : taken))
    )
    const release = sql`DELETE FROM effect_realtime_journal_writer WHERE ${mine}`
    // What can not be deleted expires.
    yield* Effect.acquireRelease(taking, () => Effect.ignore(release))

    const renew = Effect.flatMap(
      Clock.currentTimeMillis,
      (now) => sql`UPDATE effect_realtime_journal_writer SET expires_at = ${now + EXPIRY_MS} WHERE ${mine}`
    )
    yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignore(renew), RENEWAL_MS)))

    // The update locks the row, if it is still this writer's.
    const hold = renew.pipe(
      Effect.zipRight(sql`SELECT writer FROM effect_realtime_journal_writer WHERE ${mine}`),
      Effect.flatMap((rows) => (rows.length === 0 ? Effect.fail(taken) : Effect.void))
    )
    return { hold }
  })
