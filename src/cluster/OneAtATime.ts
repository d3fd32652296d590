/**
 * Makes what several processes must not make at once.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"

/** After this time the log says what is waited for: whatever it is, it gives no error. */
const patience = "15 seconds"

const waitingFor =
  (what: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Effect.fork(Effect.delay(Effect.logWarning(what), patience)), (warning) =>
      Effect.ensuring(self, Fiber.interrupt(warning))
    )

const theLock =
  "Another process has been starting for 15 seconds, and this one waits for it. If there is none, find what holds the advisory lock in pg_locks, and give PgClient more connections (maxConnections)."
const theLayer =
  "A layer of OneAtATime.build is not built after 15 seconds. A node needs 3 connections to its database or more (maxConnections of PgClient)."

/**
 * Builds a layer while no other process does, which a lock of PostgreSQL sees to. Around the layer of
 * `@effect/cluster`, which makes its tables: if two nodes start at once with a new database, one of them fails without
 * this. While it waits, it needs a connection of its own: a node needs three or more in all. The log says if it takes
 * longer than 15 seconds.
 *
 * @since 0.1.0
 * @category layers
 */
export const build = <A, E, R>(layer: Layer.Layer<A, E, R>): Layer.Layer<A, E | SqlError, R | SqlClient.SqlClient> =>
  Layer.scopedContext(
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const scope = yield* Effect.scope
      return yield* Effect.gen(function* () {
        const lock = "hashtextextended('effect-realtime starts', 0)"
        yield* Effect.gen(function* () {
          const connection = yield* sql.reserve
          // Before the lock is there: a process that is told to stop does not wait for it.
          yield* Effect.addFinalizer(() =>
            Effect.interruptible(
              Effect.disconnect(connection.executeRaw(`SELECT pg_advisory_unlock(${lock})`, []))
            ).pipe(Effect.timeout("1 second"), Effect.ignore)
          )
          yield* connection.executeRaw(`SELECT pg_advisory_lock(${lock})`, [])
        }).pipe(waitingFor(theLock))
        return yield* Layer.buildWithScope(layer, scope).pipe(waitingFor(theLayer))
      }).pipe(Effect.scoped)
    })
  )
