import { spawnSync } from "node:child_process"
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Lock from "../../src/journal/lock.js"
import * as ProcessIdentity from "../../src/journal/ProcessIdentity.js"
import * as SignsOfLife from "../../src/journal/signsOfLife.js"
import { temporaryDirectory } from "./storages.js"

const held = { _tag: "Held", retryAfterMs: 0 }

const environmentOf = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const signs = yield* SignsOfLife.make
  return { fs, path, signs, process: yield* ProcessIdentity.current(fs), leaseMs: 15_000 }
}).pipe(Effect.provide(NodeContext.layer))

/** Whether the lock of a directory can be had, without keeping it. */
const isFree = (environment: Lock.Environment, directory: string) =>
  Effect.scoped(Lock.acquire(environment, directory)).pipe(
    Effect.as(true),
    Effect.catchTag("Held", () => Effect.succeed(false))
  )

const lockOf = (process: ProcessIdentity.ProcessIdentity | null): string => JSON.stringify({ process })

/** A lock that another process holds, which gave a sign of life this many seconds ago. */
const leave = (directory: string, content: string, ageSeconds = 0) => {
  const file = join(directory, "other.lock")
  writeFileSync(file, content)
  utimesSync(file, -ageSeconds, -ageSeconds)
  return file
}

describe("The lock of a journal", () => {
  it.scoped("is held by one at a time, and leaves nothing behind", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const environment = yield* environmentOf
      const scope = yield* Scope.make()
      const lock = yield* Scope.extend(Lock.acquire(environment, directory), scope)
      yield* lock.check
      expect(yield* isFree(environment, directory)).toBe(false)
      expect(readdirSync(directory)).toHaveLength(1)
      yield* Scope.close(scope, Exit.void)
      expect(readdirSync(directory)).toEqual([])
      expect(yield* isFree(environment, directory)).toBe(true)
    })
  )

  it.scoped("is held by at most one of many that come at once", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const environment = yield* environmentOf
      for (let round = 0; round < 20; round += 1) {
        const scope = yield* Scope.make()
        const exits = yield* Effect.forEach(
          Array.from({ length: 5 }),
          () => Effect.exit(Scope.extend(Lock.acquire(environment, directory), scope)),
          { concurrency: "unbounded" }
        )
        expect(exits.filter(Exit.isSuccess).length).toBeLessThanOrEqual(1)
        yield* Scope.close(scope, Exit.void)
        expect(yield* isFree(environment, directory)).toBe(true)
      }
    })
  )

  it.scoped("is taken over at once from a process that has ended, and not from one that runs", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const environment = yield* environmentOf
      const self = environment.process
      // Only Linux reports its processes.
      expect(self !== undefined).toBe(existsSync("/proc/self/stat"))
      if (self === undefined) return
      const ended = spawnSync(process.execPath, ["--eval", ""]).pid
      const file = leave(directory, lockOf({ ...self, pid: String(ended) }))
      expect(yield* isFree(environment, directory)).toBe(true)
      expect(existsSync(file)).toBe(false)
      // The id of this process, as another one had it before.
      leave(directory, lockOf({ ...self, started: "1" }))
      expect(yield* isFree(environment, directory)).toBe(true)
      // However long a process that runs was silent: it may only be slow.
      leave(directory, lockOf(self), 3600)
      expect(yield* isFree(environment, directory)).toBe(false)
    })
  )

  it.scoped.each([
    ["of another machine", lockOf({ host: "elsewhere", pid: "1", started: "1" })],
    ["of a platform that tells nothing", lockOf(null)],
    ["that is half written", '{"proc'],
    ["that is empty", ""]
  ])("%s is taken over when it has expired", ([, content = ""]) =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const environment = yield* environmentOf
      leave(directory, content)
      yield* TestClock.adjust("15 seconds")
      expect(yield* isFree(environment, directory)).toBe(false)
      yield* TestClock.adjust("1 millis")
      expect(yield* isFree(environment, directory)).toBe(true)
      expect(readdirSync(directory)).toEqual([])
    })
  )

  it.scoped("of a writer that lives does not expire", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const environment = { ...(yield* environmentOf), process: undefined }
      const lock = yield* Lock.acquire(environment, directory)
      const [name = ""] = readdirSync(directory)
      for (let seconds = 5; seconds <= 60; seconds += 5) {
        yield* TestClock.adjust("5 seconds")
        yield* renewedAt(join(directory, name), seconds * 1000)
        expect(yield* isFree(environment, directory)).toBe(false)
      }
      yield* lock.check
    })
  )

  it.scoped("is missed by its holder before it writes, if another one took it over meanwhile", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const lock = yield* Lock.acquire(yield* environmentOf, directory)
      const [name = ""] = readdirSync(directory)
      rmSync(join(directory, name))
      yield* TestClock.adjust("8 seconds")
      const lost = yield* Effect.flip(lock.check)
      expect(lost).toEqual({ _tag: "Taken" })
    })
  )

  it.scoped("cannot be acquired in a directory that is being removed", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryDirectory, "removed")
      expect(yield* Effect.flip(Effect.scoped(Lock.acquire(yield* environmentOf, directory)))).toEqual(held)
    })
  )

  it.scoped("is not had if the directory it was in is removed, and made again, before the look around", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const environment = yield* environmentOf
      const readDirectory = (path: string) => {
        for (const name of readdirSync(path)) rmSync(join(path, name))
        return environment.fs.readDirectory(path)
      }
      const removed = { ...environment, fs: { ...environment.fs, readDirectory } }
      expect(yield* Effect.flip(Effect.scoped(Lock.acquire(removed, directory)))).toEqual(held)
    })
  )

  it.scoped("says who holds it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const environment = yield* environmentOf
      yield* Lock.acquire(environment, directory)
      const [name = ""] = readdirSync(directory)
      expect(JSON.parse(readFileSync(join(directory, name), "utf8"))).toEqual({
        process: environment.process ?? null,
        leaseMs: 15_000
      })
      if (environment.process !== undefined) expect(environment.process.pid).toBe(String(process.pid))
    })
  )
})

/** The disk does not follow the test's clock: a renewal that is due happens a little later. */
const renewedAt = (file: string, ms: number): Effect.Effect<void> =>
  Effect.suspend(() => (statSync(file).mtimeMs >= ms ? Effect.void : Effect.zipRight(yieldToDisk, renewedAt(file, ms))))

const yieldToDisk = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})
