import * as SqlClient from "@effect/sql/SqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/TestClock"
import { OneAtATime } from "../../src/cluster.js"

/** A client whose only connection gives the lock this way. */
const client = (lock: Effect.Effect<unknown>) => {
  const executeRaw = (statement: string) => (statement.includes("unlock") ? Effect.void : lock)
  return Layer.succeed(SqlClient.SqlClient, { reserve: Effect.succeed({ executeRaw }) } as never)
}

/** What the log has after this many seconds of building the layer. */
const logged = (layer: Layer.Layer<never>, answer: Effect.Effect<unknown>, seconds: number) =>
  Effect.gen(function* () {
    const lines: Array<unknown> = []
    const logger = Logger.replace(
      Logger.defaultLogger,
      Logger.make(({ message }) => lines.push(message))
    )
    const built = Layer.build(OneAtATime.build(layer)).pipe(Effect.provide(client(answer)), Effect.provide(logger))
    yield* Effect.forkScoped(built)
    yield* TestClock.adjust(`${seconds} seconds`)
    return String(lines)
  })

const slow = (seconds: number) => Layer.effectDiscard(Effect.sleep(`${seconds} seconds`))

describe("OneAtATime.build", () => {
  it.scoped("says what a start waits for that hangs", () =>
    Effect.gen(function* () {
      expect(yield* logged(Layer.empty, Effect.never, 14)).toBe("")
      expect(yield* logged(Layer.empty, Effect.never, 15)).toMatch(/^Another process has been starting .* pg_locks/)
      expect(yield* logged(slow(16), Effect.void, 15)).toMatch(/needs 3 connections/)
    })
  )

  it.scoped("does not keep a process that is told to stop", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.fork(Effect.scoped(Layer.build(OneAtATime.build(Layer.empty))))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(client(Effect.never)))
  )

  it.scoped("says nothing of a start that does not", () =>
    Effect.gen(function* () {
      expect(yield* logged(slow(14), Effect.void, 60)).toBe("")
    })
  )
})
