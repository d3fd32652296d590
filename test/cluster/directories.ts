/** The storages of a directory, for tests that hold for each. */
import * as PgClient from "@effect/sql-pg/PgClient"
import { afterAll, beforeAll } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { CallDirectory } from "../../src/cluster.js"
import * as Postgres from "./postgres.js"

const serviceOf = <E, R>(layer: Layer.Layer<CallDirectory.CallDirectory, E, R>) =>
  Effect.map(Layer.build(Layer.fresh(layer)), Context.get(CallDirectory.CallDirectory))

export const memory = serviceOf(CallDirectory.layerMemory)

/** As another process would have it: only the database is shared. */
export const overSql = (url: string) =>
  serviceOf(Layer.provide(CallDirectory.layerSql, PgClient.layer({ url: Redacted.make(url), maxConnections: 4 })))

/** One server for all tests of a file, each of which finds it empty. */
export const sharedServer = () => {
  const scope = Effect.runSync(Scope.make())
  let server: Postgres.Postgres | undefined
  beforeAll(async () => {
    if (Postgres.isHere) server = await Effect.runPromise(Scope.extend(Postgres.make, scope))
  }, 60_000)
  afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
  return Effect.gen(function* () {
    if (server === undefined) return yield* Effect.dieMessage("There is no server.")
    yield* server.query("DROP TABLE IF EXISTS effect_realtime_node, effect_realtime_call")
    return server
  })
}
