import { existsSync } from "node:fs"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Postgres from "./postgres.js"

describe.skipIf(!Postgres.isHere)(`PostgreSQL for tests${Postgres.where}`, () => {
  it.scopedLive("starts, keeps its data over a stop, and forgets what came after its backup", () =>
    Effect.gen(function* () {
      const postgres = yield* Postgres.make
      yield* postgres.query("CREATE TABLE kept (n INTEGER)")
      if (postgres.own === undefined) return
      yield* postgres.query("INSERT INTO kept VALUES (1)")
      yield* postgres.own.backUp
      yield* postgres.query("INSERT INTO kept VALUES (2)")
      yield* postgres.own.stop
      yield* postgres.own.start
      expect(yield* postgres.query("SELECT n FROM kept ORDER BY n")).toEqual([{ n: 1 }, { n: 2 }])
      yield* postgres.own.restore
      expect(yield* postgres.query("SELECT n FROM kept WHERE n > $1", [0])).toEqual([{ n: 1 }])
    })
  )

  it.live("leaves nothing behind", () =>
    Effect.gen(function* () {
      const [directory] = yield* Postgres.make.pipe(
        Effect.flatMap(({ query }) => query("SHOW data_directory")),
        Effect.scoped
      )
      expect(existsSync(String(directory?.["data_directory"]))).toBe(process.env["DATABASE_URL"] !== undefined)
    })
  )
})
