/**
 * Makes what several processes must not make at once.
 *
 * @since 0.1.0
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

/**
 * Builds a layer while no other process does, which a lock of PostgreSQL sees to. Around the layer of
 * `@effect/cluster`, which makes its tables: if two nodes start at once with a new database, one of them fails without
 * this.
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
        const connection = yield* sql.reserve
        const lock = "hashtextextended('effect-realtime starts', 0)"
        yield* Effect.acquireRelease(connection.executeRaw(`SELECT pg_advisory_lock(${lock})`, []), () =>
          Effect.ignore(connection.executeRaw(`SELECT pg_advisory_unlock(${lock})`, []))
        )
        return yield* Layer.buildWithScope(layer, scope)
      }).pipe(Effect.scoped)
    })
  )
