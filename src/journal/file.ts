/** Journals on a disk: a directory for each session, with its records in one file. */
import { isPlatformError, type PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Scope from "effect/Scope"
import { JournalBusy, JournalCorrupt, JournalFailed, JournalNotFound } from "./JournalError.js"
import * as lines from "./lines.js"
import * as Lock from "./lock.js"
import { isNotFound } from "./notFound.js"
import * as ProcessIdentity from "./ProcessIdentity.js"
import {
  decodeAll,
  keyOf,
  makeClaims,
  makeWriter,
  type Operation,
  releaseOnFailure,
  type Service,
  type Writer
} from "./Service.js"
import * as sessionKey from "./sessionKey.js"
import { makeToken } from "./token.js"

export interface Options {
  readonly directory: string
  readonly fsync: "always" | "never"
}

const PREFIX = "session-"
const REMOVED = "removed-"
const RECORDS = "records.journal"

export const make = (options: Options): Effect.Effect<Service, JournalFailed, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const environment = { fs, path, process: yield* ProcessIdentity.current(fs) }
    const claim = makeClaims()

    yield* fs.makeDirectory(options.directory, { recursive: true }).pipe(Effect.mapError(failedBy(undefined, "make")))
    // What a process was removing when it died.
    const leftOver = Effect.map(fs.readDirectory(options.directory), (names) =>
      names.filter((name) => name.startsWith(REMOVED))
    )
    for (const name of yield* Effect.orElseSucceed(leftOver, () => [])) {
      yield* Effect.ignore(fs.remove(path.join(options.directory, name), { recursive: true }))
    }

    const directoryOf = (sessionId: string, operation: Operation) =>
      Effect.map(keyOf(sessionId, operation), (key) => path.join(options.directory, `${PREFIX}${key}`))

    /** Nobody else writes or removes the session while the scope is open. */
    const acquire = (sessionId: string, directory: string) =>
      Effect.gen(function* () {
        yield* claim(sessionId)
        yield* fs.makeDirectory(directory, { recursive: true })
        return yield* Lock.acquire(environment, directory)
      }).pipe(Effect.catchTag("Held", () => Effect.fail(new JournalBusy({ sessionId }))))

    /** Names of new files are durable when their directory is. Not every platform can do that: then it does so itself. */
    const syncDirectory = (directory: string) =>
      options.fsync === "never"
        ? Effect.void
        : Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(directory), (file) => file.sync)))

    const open = (sessionId: string) =>
      Effect.gen(function* () {
        const directory = yield* directoryOf(sessionId, "open")
        const lock = yield* acquire(sessionId, directory)
        const name = path.join(directory, RECORDS)
        // Conversations are nobody else's business on a shared machine.
        const file = yield* fs.open(name, { flag: "a+", mode: 0o600 })
        const bytes = yield* fs.readFile(name)
        const found = yield* scan(sessionId, bytes)
        if (found.end < bytes.length) yield* file.truncate(found.end)
        if (found.lineBreak === "Missing") yield* file.writeAll(new Uint8Array([lines.LINE_FEED]))
        if (found.end === 0) yield* Effect.zipRight(syncDirectory(directory), syncDirectory(options.directory))
        return yield* appending(sessionId, file, lock, found.lineBreak === "Missing" ? found.end + 1 : found.end)
      }).pipe(releaseOnFailure, failing(sessionId, "open"))

    /** @param size where the file ends: what a failed `append` left behind that is taken away again */
    const appending = (
      sessionId: string,
      file: FileSystem.File,
      lock: Lock.Lock,
      size: number
    ): Effect.Effect<Writer, never, Scope.Scope> => {
      const failed = (reason: string) => new JournalFailed({ sessionId, operation: "append", reason })
      const sync = options.fsync === "always" ? file.sync : Effect.void
      let end = size
      let broken: JournalFailed | undefined

      const write = (bytes: Uint8Array) =>
        Effect.zipRight(file.writeAll(bytes), sync).pipe(
          Effect.tap(() => {
            end += bytes.length
          }),
          Effect.tapError(() =>
            Effect.zipRight(file.truncate(end), sync).pipe(
              Effect.catchAll((error) => {
                broken = failed(`Its end is unknown since a failure: ${error.message}. Open it again.`)
                return Effect.void
              })
            )
          ),
          Effect.mapError((error) => failed(`${error.message}. Is the disk full?`))
        )

      return makeWriter(sessionId, (texts) =>
        Effect.suspend(() => broken ?? Effect.mapError(lock.check, ({ reason }) => failed(reason))).pipe(
          Effect.zipRight(Effect.suspend(() => write(lines.encode(texts)))),
          // Half a line before other lines would be damage.
          Effect.uninterruptible
        )
      )
    }

    const read = (sessionId: string) =>
      Effect.gen(function* () {
        const directory = yield* directoryOf(sessionId, "read")
        const found = yield* scan(sessionId, yield* fs.readFile(path.join(directory, RECORDS)))
        if (found.lines.length === 0) return yield* new JournalNotFound({ sessionId })
        return yield* decodeAll(sessionId, found.lines)
      }).pipe(
        Effect.catchIf(isNotFound, () => new JournalNotFound({ sessionId })),
        failing(sessionId, "read")
      )

    const isWritten = (name: string) =>
      fs.stat(path.join(options.directory, name, RECORDS)).pipe(
        Effect.map(({ size }) => size > 0n),
        Effect.catchIf(isNotFound, () => Effect.succeed(false))
      )

    const sessions = Effect.gen(function* () {
      const found = (yield* fs.readDirectory(options.directory)).flatMap((name) => {
        const sessionId = name.startsWith(PREFIX) ? sessionKey.decode(name.slice(PREFIX.length)) : undefined
        return sessionId === undefined ? [] : [{ name, sessionId }]
      })
      const written = yield* Effect.filter(found, ({ name }) => isWritten(name), { concurrency: 16 })
      return written.map(({ sessionId }) => sessionId).sort()
    }).pipe(Effect.mapError(failedBy(undefined, "sessions")))

    const remove = (sessionId: string) =>
      Effect.gen(function* () {
        const directory = yield* directoryOf(sessionId, "remove")
        if (!(yield* fs.exists(directory))) return
        yield* acquire(sessionId, directory)
        // One step for everybody else: who opens the session now makes a new one.
        const removed = path.join(options.directory, `${REMOVED}${yield* makeToken}`)
        yield* fs.rename(directory, removed)
        yield* fs.remove(removed, { recursive: true })
      }).pipe(Effect.scoped, failing(sessionId, "remove"))

    return { open, read, sessions, remove }
  })

const scan = (sessionId: string, bytes: Uint8Array) =>
  Either.mapLeft(lines.decode(bytes), (damage) => new JournalCorrupt({ sessionId, ...damage }))

/** What the platform's failures are to somebody who knows journals only. */
const failedBy = (sessionId: string | undefined, operation: Operation) => (error: PlatformError) =>
  new JournalFailed({ sessionId, operation, reason: `${error.message}.` })

const failing =
  (sessionId: string, operation: Operation) =>
  <A, E, R>(self: Effect.Effect<A, E | PlatformError, R>): Effect.Effect<A, E | JournalFailed, R> =>
    Effect.mapError(self, (error) => (isPlatformError(error) ? failedBy(sessionId, operation)(error) : error))
