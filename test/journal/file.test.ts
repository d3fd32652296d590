import { spawn } from "node:child_process"
import { readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as SessionJournal from "../../src/SessionJournal.js"
import { root } from "../child.js"
import { isDeep, numRuns } from "../runs.js"
import { files, serviceOf, temporaryDirectory } from "./storages.js"

const numbered = (at: number): SessionJournal.JournalRecord => ({ _tag: "SessionEnded", at, reason: "…\n" })
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => numbered(from + index))

const fileOf = (directory: string, sessionId = "s") => join(directory, `session-${sessionId}`, "records.journal")

const append = (journal: SessionJournal.Service, ...records: ReadonlyArray<SessionJournal.JournalRecord>) =>
  Effect.scoped(Effect.flatMap(journal.open("s"), (writer) => writer.append(records)))

/** A journal of four records, and its file. */
const written = Effect.gen(function* () {
  const directory = yield* temporaryDirectory
  const journal = yield* serviceOf(files(directory))
  yield* append(journal, ...range(0, 4))
  const file = fileOf(directory)
  return { journal, directory, file, bytes: readFileSync(file) }
})

interface Fault {
  next: "write" | "sync" | "write and truncate" | "lock" | undefined
  /** How many writes succeed before. */
  skip?: number
}

/** Fails what `fault` says, once for each time that it says so. */
const faulty = (directory: string, fault: Fault) => {
  const full = (method: string) =>
    new SystemError({ module: "FileSystem", method, reason: "Unknown", description: "no space left on device" })
  const spoil = (file: FileSystem.File): FileSystem.File => {
    const writeAll: FileSystem.File["writeAll"] = (bytes) => {
      if (fault.next !== "write" && fault.next !== "write and truncate") return file.writeAll(bytes)
      fault.skip = (fault.skip ?? 0) - 1
      if (fault.skip >= 0) return file.writeAll(bytes)
      if (fault.next === "write") fault.next = undefined
      return Effect.zipRight(file.writeAll(bytes.subarray(0, bytes.length / 2)), full("write"))
    }
    const truncate: FileSystem.File["truncate"] = (length) => {
      if (fault.next !== "write and truncate") return file.truncate(length)
      fault.next = undefined
      return full("truncate")
    }
    const sync = Effect.suspend(() => {
      if (fault.next !== "sync") return file.sync
      fault.next = undefined
      return full("sync")
    })
    const { stat, fd } = file
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      fd,
      stat,
      sync,
      writeAll,
      truncate,
      seek: (offset, from) => file.seek(offset, from),
      read: (buffer) => file.read(buffer),
      readAlloc: (size) => file.readAlloc(size),
      write: (buffer) => file.write(buffer)
    }
  }
  const fileSystem = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      // A full disk has room for names, but not for the contents of files.
      writeFileString: (path: string, data: string, options?: FileSystem.WriteFileStringOptions) => {
        if (fault.next !== "lock") return fs.writeFileString(path, data, options)
        fault.next = undefined
        return Effect.zipRight(fs.writeFileString(path, "", options), full("writeFile"))
      },
      open: (path: string, options?: FileSystem.OpenFileOptions) => Effect.map(fs.open(path, options), spoil)
    }))
  )
  return SessionJournal.layerFile({ directory }).pipe(Layer.provide(Layer.provideMerge(fileSystem, NodeContext.layer)))
}

/** The platform does not report its processes. */
const unknownProcess = (directory: string) => {
  const fileSystem = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => ({
      ...fs,
      readLink: (path: string) =>
        path.startsWith("/proc")
          ? new SystemError({ module: "FileSystem", method: "readLink", reason: "NotFound", description: path })
          : fs.readLink(path)
    }))
  )
  return SessionJournal.layerFile({ directory, fsync: "never" }).pipe(
    Layer.provide(Layer.provideMerge(fileSystem, NodeContext.layer))
  )
}

/** Node reads a negative number of seconds as now. */
const longAgo = new Date(-3_600_000)

/** Its writer gave its last sign of life an hour ago. */
const asleep = (lock: string) => Effect.sync(() => utimesSync(lock, longAgo, longAgo))

describe("The journal's file", () => {
  it.scoped("may end at any byte of its last record: that is dropped, and written over", () =>
    Effect.gen(function* () {
      const { bytes, file, journal } = yield* written
      const last = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1
      for (let size = last; size < bytes.length; size += 1) {
        writeFileSync(file, bytes.subarray(0, size))
        // Everything except the line break was written, so nothing is lost.
        const kept = size === bytes.length - 1 ? 4 : 3
        expect(yield* journal.read("s")).toEqual(range(0, kept))
        yield* append(journal, numbered(8))
        expect(yield* journal.read("s")).toEqual([...range(0, kept), numbered(8)])
      }
    })
  )

  it.scoped("may be empty, or hold the beginning of its first record only", () =>
    Effect.gen(function* () {
      const { bytes, file, journal } = yield* written
      for (const size of [0, 1, 30]) {
        writeFileSync(file, bytes.subarray(0, size))
        expect(yield* Effect.flip(journal.read("s"))).toMatchObject({ _tag: "JournalNotFound" })
        yield* append(journal, numbered(8))
        expect(yield* journal.read("s")).toEqual([numbered(8)])
      }
    })
  )

  it.scoped("is left as it is when a byte of it has changed, and the record is named", () =>
    Effect.gen(function* () {
      const { bytes, file, journal } = yield* written
      const changes = fc.tuple(fc.nat(bytes.length - 2), fc.integer({ min: 1, max: 255 }))
      for (const [at, difference] of fc.sample(changes, { numRuns: numRuns(100), seed: 3 })) {
        const changed = Buffer.from(bytes)
        changed[at] = (bytes[at] ?? 0) ^ difference
        writeFileSync(file, changed)
        const before = bytes.subarray(0, at)
        const corrupt = {
          _tag: "JournalCorrupt",
          sessionId: "s",
          line: before.filter((byte) => byte === 0x0a).length + 1,
          offset: before.lastIndexOf(0x0a) + 1
        }
        expect(yield* Effect.flip(journal.read("s"))).toMatchObject(corrupt)
        expect(yield* Effect.flip(journal.open("s"))).toMatchObject(corrupt)
        expect(readFileSync(file).equals(changed)).toBe(true)
      }
    })
  )

  it.scoped("is corrupt where a whole record is not one that is known", () =>
    Effect.gen(function* () {
      const { file, journal } = yield* written
      writeFileSync(file, "00000002 a3b2c1d0 {}\n")
      expect((yield* Effect.flip(journal.read("s"))).message).toMatch(
        /^Record 1 of session "s", at byte 0, is damaged: its checksum does not match\. Restore/
      )
      writeFileSync(file, "00000002 a3a6bf43 {}\n")
      const corrupt = yield* Effect.flip(journal.read("s"))
      expect(corrupt).toMatchObject({ _tag: "JournalCorrupt", line: 1, offset: 0 })
      expect(corrupt.message).toContain("it does not have the shape of a record (at version)")
    })
  )

  it.scoped("is in the directory of its session, and nobody else may read it", () =>
    Effect.gen(function* () {
      const { directory, file } = yield* written
      expect(readdirSync(directory)).toEqual(["session-s"])
      expect(readdirSync(join(directory, "session-s"))).toEqual(["records.journal"])
      if (process.platform !== "win32") expect(statSync(file).mode & 0o077).toBe(0)
    })
  )

  it.scoped("is never outside the directory, whatever the session is called", () =>
    Effect.gen(function* () {
      const parent = yield* temporaryDirectory
      const journal = yield* serviceOf(files(join(parent, "journals")))
      for (const id of ["../../x", "..", "/etc/passwd", "a/b", "a\\b", "\u0000"]) {
        yield* Effect.scoped(Effect.flatMap(journal.open(id), (writer) => writer.append(range(0, 1))))
      }
      expect(readdirSync(parent)).toEqual(["journals"])
      expect(readdirSync(join(parent, "journals"))).toHaveLength(6)
      for (const name of readdirSync(join(parent, "journals"))) expect(name).toMatch(/^session-[a-z0-9+~-]+$/)
    })
  )

  it.scoped("is not among the sessions if it is another's", () =>
    Effect.gen(function* () {
      const { directory, journal } = yield* written
      writeFileSync(join(directory, "session-notes.txt"), "mine")
      writeFileSync(join(directory, "readme"), "mine")
      expect(yield* journal.sessions).toEqual(["s"])
    })
  )

  it.scoped("has nothing of an append that failed, and goes on when there is space again", () =>
    Effect.gen(function* () {
      const fault: Fault = { next: undefined }
      const journal = yield* Effect.flatMap(temporaryDirectory, (directory) => serviceOf(faulty(directory, fault)))
      const writer = yield* journal.open("s")
      yield* writer.append(range(0, 2))
      for (const next of ["write", "sync"] as const) {
        fault.next = next
        const failure = yield* Effect.flip(writer.append(range(50, 60)))
        expect(failure).toMatchObject({ _tag: "JournalFailed", operation: "append", sessionId: "s" })
        expect(failure.message).toContain("no space left on device")
        expect(yield* journal.read("s")).toEqual(range(0, 2))
      }
      yield* writer.append(range(2, 4))
      expect(yield* journal.read("s")).toEqual(range(0, 4))
    })
  )

  it.scoped("keeps what others append while one append fails", () =>
    Effect.gen(function* () {
      const fault: Fault = { next: undefined }
      const journal = yield* Effect.flatMap(temporaryDirectory, (directory) => serviceOf(faulty(directory, fault)))
      const writer = yield* journal.open("s")
      Object.assign(fault, { next: "write", skip: 5 })
      const exits = yield* Effect.forEach(range(0, 20), (record) => Effect.exit(writer.append([record])), {
        concurrency: "unbounded"
      })
      expect(exits.filter(Exit.isFailure)).toHaveLength(1)
      expect(yield* journal.read("s")).toEqual(
        range(0, 20).filter((_, index) => Exit.isSuccess(exits[index] ?? Exit.void))
      )
    })
  )

  it.scoped("is written no further while what a failure left behind cannot be taken away", () =>
    Effect.gen(function* () {
      const fault: Fault = { next: undefined }
      const journal = yield* Effect.flatMap(temporaryDirectory, (directory) => serviceOf(faulty(directory, fault)))
      const writer = yield* journal.open("s")
      yield* writer.append(range(0, 1))
      fault.next = "write and truncate"
      yield* Effect.flip(writer.append([numbered(50)]))
      expect(yield* journal.read("s")).toEqual(range(0, 1))
      yield* writer.append([numbered(1)])
      expect(yield* journal.read("s")).toEqual(range(0, 2))
    })
  )

  it.scoped("leaves no directory behind where nothing was written, or nothing could be", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const journal = yield* serviceOf(files(directory))
      yield* Effect.scoped(journal.open("s"))
      expect(readdirSync(directory)).toEqual([])

      const fault: Fault = { next: "lock" }
      const full = yield* serviceOf(faulty(directory, fault))
      expect(yield* Effect.flip(full.open("s"))).toMatchObject({ _tag: "JournalFailed", operation: "open" })
      expect(readdirSync(directory)).toEqual([])
      yield* full.open("s")
    })
  )

  it.scoped("leaves an existing session alone when it cannot be opened", () =>
    Effect.gen(function* () {
      const { directory } = yield* written
      const full = yield* serviceOf(faulty(directory, { next: "lock" }))
      expect(yield* Effect.flip(full.open("s"))).toMatchObject({ _tag: "JournalFailed", operation: "open" })
      expect(readdirSync(join(directory, "session-s"))).toEqual(["records.journal"])
      expect(yield* full.read("s")).toEqual(range(0, 4))
    })
  )

  it.scoped(
    "is replaced at no moment at which it is not whole: whatever byte of the new one was the last, one is",
    () =>
      Effect.gen(function* () {
        const { bytes, directory, file, journal } = yield* written
        yield* Effect.scoped(Effect.flatMap(journal.open("s"), (writer) => writer.replace(range(10, 12))))
        const next = fileOf(directory).replace("records", "records-1")
        expect(readdirSync(join(directory, "session-s"))).toEqual(["records-1.journal"])
        const whole = readFileSync(next)
        for (let size = 0; size <= whole.length; size += 1) {
          writeFileSync(file, bytes)
          writeFileSync(next, whole.subarray(0, size))
          const isWhole = size === whole.length
          expect(yield* journal.read("s")).toEqual(isWhole ? range(10, 12) : range(0, 4))
          // Some bytes that were never written are zero after a power failure.
          writeFileSync(next, Buffer.concat([whole.subarray(0, size), Buffer.alloc(whole.length - size)]))
          expect(yield* journal.read("s")).toEqual(isWhole ? range(10, 12) : range(0, 4))
          if (size % 20 !== 0 && !isWhole) continue
          yield* append(journal, numbered(20))
          expect(readdirSync(join(directory, "session-s"))).toEqual([isWhole ? "records-1.journal" : "records.journal"])
          expect(yield* journal.read("s")).toEqual([...(isWhole ? range(10, 12) : range(0, 4)), numbered(20)])
        }
      })
  )

  it.scoped("that replaced another may end at any byte of its last record, and is corrupt where it has changed", () =>
    Effect.gen(function* () {
      const { directory, journal } = yield* written
      yield* Effect.scoped(
        Effect.flatMap(journal.open("s"), (writer) =>
          Effect.zipRight(writer.replace(range(0, 2)), writer.append(range(2, 3)))
        )
      )
      const file = fileOf(directory).replace("records", "records-1")
      const bytes = readFileSync(file)
      const last = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1
      for (let size = last; size < bytes.length - 1; size += 1) {
        writeFileSync(file, bytes.subarray(0, size))
        expect(yield* journal.read("s")).toEqual(range(0, 2))
      }
      for (let at = 0; at < bytes.length - 1; at += 7) {
        const changed = Buffer.from(bytes)
        changed[at] = (bytes[at] ?? 0) ^ 0x11
        writeFileSync(file, changed)
        expect(yield* Effect.flip(journal.read("s"))).toMatchObject({ _tag: "JournalCorrupt" })
        expect(yield* Effect.flip(journal.open("s"))).toMatchObject({ _tag: "JournalCorrupt" })
        expect(readFileSync(file).equals(changed)).toBe(true)
      }
    })
  )

  it.scoped("keeps what it was when it cannot be replaced, and is replaced when there is space again", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const fault: Fault = { next: undefined }
      const journal = yield* serviceOf(faulty(directory, fault))
      const writer = yield* journal.open("s")
      yield* writer.append(range(0, 3))
      for (const next of ["write", "sync"] as const) {
        fault.next = next
        const names = readdirSync(join(directory, "session-s"))
        expect(yield* Effect.flip(writer.replace(range(0, 50)))).toMatchObject({ _tag: "JournalFailed" })
        expect(readdirSync(join(directory, "session-s"))).toEqual(names)
        yield* writer.append(range(3, 4))
        expect(yield* journal.read("s")).toEqual(range(0, 4))
        yield* writer.replace(range(0, 3))
      }
      expect(yield* journal.read("s")).toEqual(range(0, 3))
    })
  )

  it.scoped("is read whole while it is replaced over and over", () =>
    Effect.gen(function* () {
      const { journal } = yield* written
      const writer = yield* journal.open("s")
      const replacing = yield* Effect.forkScoped(
        Effect.forEach(range(0, 100), (_, index) => writer.replace(range(0, 1 + (index % 3))))
      )
      for (let round = 0; round < 100; round += 1) {
        const records = yield* journal.read("s")
        expect(records).toEqual(range(0, records.length))
      }
      yield* replacing.await
    })
  )

  it.scoped("is nothing to a writer whose journal was taken over while it slept: it neither adds nor replaces", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      // As on another machine: the process cannot be looked up.
      const elsewhere = yield* serviceOf(unknownProcess(directory))
      const other = yield* serviceOf(unknownProcess(directory))
      const ghost = yield* elsewhere.open("s")
      yield* ghost.append(range(0, 3))
      const session = join(directory, "session-s")
      const [lock = ""] = readdirSync(session).filter((name) => name.endsWith(".lock"))
      // Its timers did not run.
      yield* asleep(join(session, lock))
      const writer = yield* other.open("s")
      yield* writer.append(range(3, 4))
      expect(yield* Effect.flip(ghost.replace(range(60, 70)))).toMatchObject({ _tag: "JournalTaken" })
      expect(yield* other.read("s")).toEqual(range(0, 4))
      yield* TestClock.adjust("8 seconds")
      expect(yield* Effect.flip(ghost.append([numbered(50)]))).toMatchObject({ _tag: "JournalTaken" })
      yield* writer.append(range(4, 5))
      expect(yield* other.read("s")).toEqual(range(0, 5))
    })
  )

  it.scoped("is not harmed by what a writer still has to write that was taken over in the middle of it", () =>
    Effect.gen(function* () {
      const directory = yield* temporaryDirectory
      const elsewhere = yield* serviceOf(unknownProcess(directory))
      const other = yield* serviceOf(unknownProcess(directory))
      const ghost = yield* elsewhere.open("s")
      yield* ghost.append(range(0, 3))
      const session = join(directory, "session-s")
      const [lock = ""] = readdirSync(session).filter((name) => name.endsWith(".lock"))
      yield* asleep(join(session, lock))
      // It checked its lock a moment ago, and writes now: to a file that is no longer the journal.
      yield* other.open("s")
      yield* Effect.exit(ghost.append([numbered(50)]))
      expect(yield* other.read("s")).toEqual(range(0, 3))
    })
  )

  it.scoped("is removed also if the process that was removing it died", () =>
    Effect.gen(function* () {
      const { directory } = yield* written
      renameSync(join(directory, "session-s"), join(directory, "removed-x"))
      const journal = yield* serviceOf(files(directory))
      expect(yield* journal.sessions).toEqual([])
      expect(readdirSync(directory)).toEqual([])
    })
  )

  it.scoped("cannot be created if a file has its path, and says so", () =>
    Effect.gen(function* () {
      const directory = join(yield* temporaryDirectory, "taken")
      writeFileSync(directory, "")
      const failure = yield* Effect.flip(serviceOf(files(directory)))
      expect(failure).toMatchObject({ _tag: "JournalFailed", operation: "make", sessionId: undefined })
      expect(failure.message).toContain(directory)
    })
  )

  it.scoped(
    "has every completed append, in order, after its process was killed at any moment",
    () =>
      Effect.gen(function* () {
        const directory = yield* temporaryDirectory
        const journal = yield* serviceOf(files(directory))
        let from = 0
        for (const appends of isDeep ? [1, 7, 40, 150] : [7]) {
          const acknowledged = yield* Effect.promise(() => killAfter(appends, directory, from))
          expireLocks(directory)
          const kept = yield* journal.read("s")
          expect(kept.map((record) => (record._tag === "SessionEnded" ? record.at : -1))).toEqual(
            Array.from(kept, (_, index) => index)
          )
          expect(kept.length).toBeGreaterThanOrEqual(acknowledged)
          from = kept.length
          yield* append(journal, numbered(from))
          from += 1
        }
      }),
    120_000
  )
})

/** Starts a writer, and kills it after this many appends. Returns how many records it reported as durable. */
const killAfter = (appends: number, directory: string, from: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL("writer.ts", import.meta.url))
    const child = spawn(process.execPath, ["--import", "tsx", script, directory, "s", String(from)], { cwd: root })
    let acknowledged = from
    let count = 0
    let stderr = ""
    child.stderr.on("data", (data) => {
      stderr += data
    })
    createInterface(child.stdout).on("line", (line) => {
      acknowledged = Number(line)
      count += 1
      if (count === appends) child.kill("SIGKILL")
    })
    child.on("close", () => (count >= appends ? resolve(acknowledged) : reject(new Error(stderr))))
  })

/** The effect of time if the platform does not report which processes run. */
const expireLocks = (directory: string): void => {
  if (process.platform === "linux") return
  const session = join(directory, "session-s")
  for (const name of readdirSync(session)) if (name.endsWith(".lock")) utimesSync(join(session, name), longAgo, longAgo)
}
