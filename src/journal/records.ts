/** The file of a session's records, its predecessors and its replacements. */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as generations from "./generations.js"
import { JournalCorrupt } from "./JournalError.js"
import * as lines from "./lines.js"
import type * as Lock from "./lock.js"
import { isNotFound } from "./notFound.js"
import { STEP_BYTES, untilDone } from "./steps.js"

export interface Place {
  readonly fs: FileSystem.FileSystem
  readonly path: Path.Path
  readonly sessionId: string
  readonly directory: string
}

export interface Environment extends Place {
  readonly lock: Lock.Lock
  readonly fsync: "always" | "never"
}

/** Line numbers are those in the file, not counting a header. */
interface Found extends lines.Lines {
  readonly generation: number
  readonly bytes: Uint8Array
  /** The position where the records begin. */
  readonly start: number
  /** All existing files, including this one. */
  readonly all: ReadonlyArray<number>
}

/** A writer may replace the file while it is read: then there is a newer one. */
const maxTries = 10

/** Reads the newest complete file. Fails as not found if there is none. */
export const read = (
  place: Place,
  want: "Texts" | "Places" = "Texts",
  tries = 1
): Effect.Effect<Found, PlatformError | JournalCorrupt> =>
  Effect.gen(function* () {
    const { directory, fs, path } = place
    const all = generations.generationsOf(yield* fs.readDirectory(directory))
    for (const generation of all) {
      const bytes = yield* fs.readFile(path.join(directory, generations.nameOf(generation)))
      const beginning = yield* corrupt(place, generations.beginningOf(generation, bytes))
      if (beginning._tag === "Whole")
        return yield* readLines(place, { generation, all, bytes, start: beginning.records }, want)
    }
    if (all.length > 0)
      return yield* new JournalCorrupt({ ...identity(place), reason: "none of its files is complete" })
    const none = { lines: [], end: 0, lineBreak: "Written" } as const
    return { generation: 0, all, bytes: new Uint8Array(), start: 0, ...none }
  }).pipe(
    Effect.catchIf(
      (error) => isNotFound(error) && tries < maxTries,
      (error) =>
        // The directory itself may be missing.
        Effect.flatMap(place.fs.exists(place.directory), (isThere) =>
          isThere ? read(place, want, tries + 1) : Effect.fail(error)
        )
    )
  )

const identity = ({ sessionId }: Place) => ({ sessionId, line: 1, offset: 0 })

const corrupt = <A>({ sessionId }: Place, read: Either.Either<A, lines.Damage>): Either.Either<A, JournalCorrupt> =>
  Either.mapLeft(read, (damage) => new JournalCorrupt({ sessionId, ...damage }))

const readLines = (
  place: Place,
  found: Pick<Found, "all" | "bytes" | "generation" | "start">,
  want: "Texts" | "Places"
) =>
  Effect.suspend(() => {
    const reader = lines.reader(found.bytes, want)
    return Effect.map(
      untilDone(() => corrupt(place, reader.step(STEP_BYTES))),
      (): Found => {
        const read = reader.read()
        return { ...found, ...read, lines: read.lines.filter(({ offset }) => offset >= found.start) }
      }
    )
  })

export interface Records {
  readonly isNew: boolean
  readonly append: (texts: ReadonlyArray<string>) => Effect.Effect<void, PlatformError | Lock.Taken>
  readonly replace: (texts: ReadonlyArray<string>) => Effect.Effect<void, PlatformError | Lock.Taken>
}

/** An open file, and the end of what was appended to it. */
interface Current {
  readonly generation: number
  readonly file: FileSystem.File
  readonly close: Effect.Effect<void>
  end: number
  /** Whether there are no bytes behind the end that do not belong there. */
  isClean: boolean
}

/** Keeps the file open until the scope closes. Removes what a dead writer left unfinished. */
export const open = (
  env: Environment
): Effect.Effect<Records, PlatformError | JournalCorrupt | Lock.Taken, Scope.Scope> =>
  Effect.gen(function* () {
    const { directory, fs, fsync, lock, path } = env
    const fileOf = (generation: number): string => path.join(directory, generations.nameOf(generation))
    const syncIfAsked = (file: FileSystem.File) => (fsync === "always" ? file.sync : Effect.void)

    /**
     * The name of a new file is durable when its directory is synced. Platforms that cannot do this do it by
     * themselves.
     */
    const syncDirectory = (directory: string) =>
      Effect.ignore(Effect.scoped(Effect.flatMap(fs.open(directory), (file) => file.sync)))

    /** Until it is closed or replaced. */
    const openFile = (generation: number, flag: "a+" | "ax", end: number): Effect.Effect<Current, PlatformError> =>
      Effect.gen(function* () {
        const scope = yield* Scope.make()
        const close = Scope.close(scope, Exit.void)
        // On a shared machine, other users must not read conversations.
        const file = yield* fs.open(fileOf(generation), { flag, mode: 0o600 }).pipe(
          Scope.extend(scope),
          Effect.onError(() => close)
        )
        return { generation, file, close, end, isClean: true }
      })

    const remove = (generation: number) => Effect.ignore(fs.remove(fileOf(generation), { force: true }))

    const found = yield* read(env, "Places")
    let newest = Math.max(0, ...found.all)
    let current: Current = yield* openFile(found.generation, "a+", found.end)
    yield* Effect.addFinalizer(() => Effect.suspend(() => current.close))

    /** Replaces the current file once the new one is complete and this is still the writer. */
    const replaceWith = (records: Uint8Array) =>
      Effect.gen(function* () {
        newest += 1
        const bytes = generations.encode(records)
        const next = yield* openFile(newest, "ax", bytes.length)
        yield* next.file.writeAll(bytes).pipe(
          // All of it or none: this is always synced, whatever the options say.
          Effect.zipRight(next.file.sync),
          Effect.zipRight(syncDirectory(directory)),
          Effect.zipRight(lock.verify),
          Effect.onError(() => Effect.zipRight(next.close, remove(next.generation)))
        )
        const before = current
        current = next
        yield* before.close
        yield* remove(before.generation)
      })

    if (found.end < found.bytes.length) yield* current.file.truncate(found.end)
    if (found.lineBreak === "Missing") {
      yield* current.file.writeAll(new Uint8Array([lines.LINE_FEED]))
      current.end += 1
    }
    if (found.all.length === 0 && fsync === "always") {
      yield* Effect.zipRight(syncDirectory(directory), syncDirectory(path.dirname(directory)))
    }
    // The previous writer may wake up and go on writing, but to a file that is no longer used.
    if (lock.isTakenOver && found.end > found.start) {
      const end = found.lineBreak === "Missing" ? new Uint8Array([lines.LINE_FEED]) : new Uint8Array()
      const whole = new Uint8Array(found.end - found.start + end.length)
      whole.set(found.bytes.subarray(found.start, found.end))
      whole.set(end, found.end - found.start)
      yield* replaceWith(whole)
    }
    for (const generation of found.all) if (generation !== current.generation) yield* remove(generation)

    const cutToEnd = (file: Current) =>
      Effect.suspend(() => {
        if (file.isClean) return Effect.void
        return Effect.map(Effect.zipRight(file.file.truncate(file.end), syncIfAsked(file.file)), () => {
          file.isClean = true
        })
      })

    const write = (bytes: Uint8Array) =>
      Effect.suspend(() => {
        const file = current
        file.isClean = false
        return Effect.zipRight(file.file.writeAll(bytes), syncIfAsked(file.file)).pipe(
          // A pause in which another writer may have taken over: then these records do not count.
          Effect.zipRight(lock.check),
          Effect.tap(() => {
            file.end += bytes.length
            file.isClean = true
          }),
          Effect.tapError(() => Effect.ignore(cutToEnd(file)))
        )
      })

    return {
      isNew: found.end <= found.start,
      append: (texts) =>
        lock.check.pipe(
          Effect.zipRight(Effect.suspend(() => cutToEnd(current))),
          Effect.zipRight(Effect.suspend(() => write(lines.encode(texts))))
        ),
      replace: (texts) => lock.verify.pipe(Effect.zipRight(Effect.suspend(() => replaceWith(lines.encode(texts)))))
    }
  })
