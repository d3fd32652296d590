/** Journals on disk: a directory for each session, with its records in one file. */
import { isPlatformError, type PlatformError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as generations from "./generations.js"
import { JournalBusy, JournalFailed, JournalNotFound, JournalTaken } from "./JournalError.js"
import * as Lock from "./lock.js"
import { isNotFound } from "./notFound.js"
import * as ProcessIdentity from "./ProcessIdentity.js"
import * as Records from "./records.js"
import { decodeAll, keyOf, makeClaims, makeWriter, type Operation, releaseOnFailure, type Service } from "./Service.js"
import * as sessionKey from "./sessionKey.js"
import * as SignsOfLife from "./signsOfLife.js"
import { makeToken } from "./token.js"

export interface Options {
  readonly directory: string
  readonly fsync: "always" | "never"
  readonly leaseMs: number
}

const PREFIX = "session-"
const REMOVED = "removed-"

export const make = (options: Options): Effect.Effect<Service, JournalFailed, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const environment: Lock.Environment = {
      fs,
      path,
      process: yield* ProcessIdentity.current(fs),
      signs: yield* SignsOfLife.make,
      leaseMs: options.leaseMs
    }
    const claims = makeClaims()

    yield* fs.makeDirectory(options.directory, { recursive: true }).pipe(Effect.mapError(failedBy(undefined, "make")))
    // Directories that a process was removing when it died.
    const leftOver = Effect.map(fs.readDirectory(options.directory), (names) =>
      names.filter((name) => name.startsWith(REMOVED))
    )
    for (const name of yield* Effect.orElseSucceed(leftOver, () => [])) {
      yield* Effect.ignore(fs.remove(path.join(options.directory, name), { recursive: true }))
    }

    const directoryOf = (sessionId: string, operation: Operation) =>
      Effect.map(keyOf(sessionId, operation), (key) => path.join(options.directory, `${PREFIX}${key}`))

    /** For all others, this is one step: whoever opens the session now creates a new one. */
    const discard = (directory: string) =>
      Effect.gen(function* () {
        const removed = path.join(options.directory, `${REMOVED}${yield* makeToken}`)
        yield* fs.rename(directory, removed)
        yield* fs.remove(removed, { recursive: true })
      })

    const isWritten = (directory: string) =>
      Effect.gen(function* () {
        const found = generations.generationsOf(yield* fs.readDirectory(directory))
        const sizes = yield* Effect.forEach(found, (generation) =>
          Effect.map(fs.stat(path.join(directory, generations.nameOf(generation))), ({ size }) => size)
        )
        return sizes.some((size) => size > 0n)
      }).pipe(Effect.catchIf(isNotFound, () => Effect.succeed(false)))

    /** An empty directory is removed. */
    const discardEmpty = (directory: string, held: "Held" | "Free") =>
      Effect.gen(function* () {
        if (held === "Free" && (yield* fs.readDirectory(directory)).length > 0) return
        if (!(yield* isWritten(directory))) yield* discard(directory)
      }).pipe(Effect.ignore)

    /** While the scope is open, nobody else can write or remove the session. */
    const acquire = (sessionId: string, directory: string) =>
      Effect.gen(function* () {
        const { hold } = yield* claims.claim(sessionId)
        const isThere = yield* fs.exists(directory)
        yield* fs.makeDirectory(directory, { recursive: true })
        const lock = yield* Effect.onError(Lock.acquire(environment, directory), () =>
          isThere ? Effect.void : discardEmpty(directory, "Free")
        )
        return { hold, lock }
      }).pipe(Effect.catchTag("Held", ({ retryAfterMs }) => Effect.fail(new JournalBusy({ sessionId, retryAfterMs }))))

    const open: Service["open"] = (sessionId) =>
      Effect.gen(function* () {
        const directory = yield* directoryOf(sessionId, "open")
        const { hold, lock } = yield* acquire(sessionId, directory)
        yield* Effect.addFinalizer(() => Effect.ignore(Effect.zipRight(lock.verify, discardEmpty(directory, "Held"))))
        const storage = yield* Records.open({ fs, path, lock, sessionId, directory, fsync: options.fsync }).pipe(
          Effect.catchTag("Taken", () => Effect.fail(new JournalBusy({ sessionId, retryAfterMs: options.leaseMs })))
        )
        const failed = failedBy(sessionId, "append")
        const settled = <A>(write: Effect.Effect<A, PlatformError | Lock.Taken>) =>
          // A partial line before other lines would be damage.
          Effect.uninterruptible(write).pipe(
            Effect.catchTag("Taken", () => Effect.fail(new JournalTaken({ sessionId }))),
            Effect.mapError((error) => (isPlatformError(error) ? failed(error) : error))
          )
        return yield* makeWriter(sessionId, {
          isNew: storage.isNew,
          append: (texts) => Effect.zipRight(hold, settled(storage.append(texts))),
          replace: (texts) => Effect.zipRight(hold, settled(storage.replace(texts)))
        })
      }).pipe(releaseOnFailure, failing(sessionId, "open"))

    const evict: Service["evict"] = (sessionId) =>
      Effect.gen(function* () {
        const directory = yield* directoryOf(sessionId, "evict")
        claims.evict(sessionId)
        yield* Lock.evict(environment, directory)
      }).pipe(
        Effect.catchIf(isNotFound, () => Effect.void),
        failing(sessionId, "evict")
      )

    const read: Service["read"] = (sessionId) =>
      Effect.gen(function* () {
        const directory = yield* directoryOf(sessionId, "read")
        const found = yield* Records.read({ fs, path, sessionId, directory })
        if (found.lines.length === 0) return yield* new JournalNotFound({ sessionId })
        return yield* decodeAll(sessionId, found.lines)
      }).pipe(
        Effect.catchIf(isNotFound, () => new JournalNotFound({ sessionId })),
        failing(sessionId, "read")
      )

    const sessions = Effect.gen(function* () {
      const found = (yield* fs.readDirectory(options.directory)).flatMap((name) => {
        const sessionId = name.startsWith(PREFIX) ? sessionKey.decode(name.slice(PREFIX.length)) : undefined
        return sessionId === undefined ? [] : [{ name, sessionId }]
      })
      const written = yield* Effect.filter(found, ({ name }) => isWritten(path.join(options.directory, name)), {
        concurrency: 16
      })
      return written.map(({ sessionId }) => sessionId).sort()
    }).pipe(Effect.mapError(failedBy(undefined, "sessions")))

    const remove: Service["remove"] = (sessionId) =>
      Effect.gen(function* () {
        const directory = yield* directoryOf(sessionId, "remove")
        if (!(yield* fs.exists(directory))) return
        yield* acquire(sessionId, directory)
        yield* discard(directory)
      }).pipe(Effect.scoped, failing(sessionId, "remove"))

    return { open, evict, read, sessions, remove }
  })

/** Turns a failure of the platform into a failure of the journal. */
const failedBy = (sessionId: string | undefined, operation: Operation) => (error: PlatformError) =>
  new JournalFailed({
    sessionId,
    operation,
    reason: `${error.message}.${operation === "append" ? " Is the disk full?" : ""}`
  })

const failing =
  (sessionId: string, operation: Operation) =>
  <A, E, R>(self: Effect.Effect<A, E | PlatformError, R>): Effect.Effect<A, E | JournalFailed, R> =>
    Effect.mapError(self, (error) => (isPlatformError(error) ? failedBy(sessionId, operation)(error) : error))
