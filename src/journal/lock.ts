/**
 * At most one writer in a directory, even across processes, using only files that are not shared: each writer creates a
 * file with its own name, and then checks whether there is another. If two writers come at once, the second one to
 * check sees the first one's file, so they never both go on. The file of a dead process is deleted by whoever finds it,
 * and cannot be mistaken for another.
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { LEASE_MS, renewalOf } from "./lease.js"
import { isNotFound } from "./notFound.js"
import * as ProcessIdentity from "./ProcessIdentity.js"
import { monotonic, type SignsOfLife } from "./signsOfLife.js"
import { makeToken } from "./token.js"

const SUFFIX = ".lock"

const Content = Schema.parseJson(
  Schema.Struct({
    process: Schema.NullOr(ProcessIdentity.ProcessIdentity),
    /** How long the lock holds without a sign of life. Absent in files of earlier versions. */
    leaseMs: Schema.optional(Schema.Number)
  })
)
const encodeContent = Schema.encodeSync(Content)
const decodeContent = Schema.decodeUnknownOption(Content)

/** Another writer holds the lock. */
export interface Held {
  readonly _tag: "Held"
  /** When to ask again, in milliseconds, if the holder may be dead. */
  readonly retryAfterMs: number | undefined
}

/** Another writer has taken over the lock. */
export interface Taken {
  readonly _tag: "Taken"
}

export interface Lock {
  /**
   * Fails if another writer may have taken over the lock. Only reads the disk after a pause without renewals: before
   * that, nobody can have taken it.
   */
  readonly check: Effect.Effect<void, Taken | PlatformError>
  /** Like `check`, but always reads the disk. */
  readonly verify: Effect.Effect<void, Taken | PlatformError>
  /** Whether it was taken over from a writer that is not known to be dead, and may wake up. */
  readonly isTakenOver: boolean
}

export interface Environment {
  readonly fs: FileSystem.FileSystem
  readonly path: Path.Path
  /** Absent if the platform does not tell. */
  readonly process: ProcessIdentity.ProcessIdentity | undefined
  readonly signs: SignsOfLife
  readonly leaseMs: number
}

/** Holds the lock of an existing directory until the scope closes. */
export const acquire = (
  environment: Environment,
  directory: string
): Effect.Effect<Lock, Held | PlatformError, Scope.Scope> =>
  Effect.gen(function* () {
    const { fs, leaseMs, path, process } = environment
    const name = `${yield* makeToken}${SUFFIX}`
    const file = path.join(directory, name)
    // A file that cannot be deleted expires, or belongs to a process that has ended.
    const release = Effect.ignore(fs.remove(file, { force: true }))
    yield* Effect.acquireRelease(
      // On a full disk, the file may exist without content.
      Effect.onError(
        fs.writeFileString(file, encodeContent({ process: process ?? null, leaseMs }), { flag: "wx" }),
        () => release
      ),
      () => release
    )
    let renewedAt = 0
    const renew = Effect.gen(function* () {
      const before = yield* monotonic
      const now = yield* Clock.currentTimeMillis
      yield* fs.utimes(file, new Date(now), new Date(now))
      renewedAt = before
    })
    yield* renew

    const names = (yield* fs.readDirectory(directory)).filter((other) => other.endsWith(SUFFIX))
    // The directory may have been removed in the meantime, with this lock, by whoever held the other one.
    if (!names.includes(name)) return yield* Effect.fail(removed)
    let isTakenOver = false
    for (const other of names) {
      if (other === name) continue
      const rival = path.join(directory, other)
      const state = yield* stateOf(environment, rival)
      if (state._tag === "Held") return yield* Effect.fail(state)
      if (state._tag === "Silent") isTakenOver = true
      yield* fs.remove(rival, { force: true })
    }

    // A failed renewal is retried. Before it matters, `check` asks whether the lock still exists.
    yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignore(renew), renewalOf(leaseMs))))
    const verify = Effect.catchIf(renew, isNotFound, () => Effect.fail<Taken>({ _tag: "Taken" }))
    const check = Effect.flatMap(monotonic, (now) => (now - renewedAt <= leaseMs / 2 ? Effect.void : verify))
    return { check, verify, isTakenOver }
  }).pipe(Effect.catchIf(isNotFound, () => Effect.fail(removed)))

/**
 * Removes the lock, whoever holds it. A holder that may be alive notices within half of its lease, and writes nothing
 * after that: so long it takes.
 */
export const evict = (environment: Environment, directory: string): Effect.Effect<void, PlatformError> =>
  Effect.gen(function* () {
    const { fs, path } = environment
    let noticedAfterMs = 0
    for (const name of (yield* fs.readDirectory(directory)).filter((name) => name.endsWith(SUFFIX))) {
      const file = path.join(directory, name)
      const content = Option.getOrUndefined(
        decodeContent(yield* Effect.orElseSucceed(fs.readFileString(file), () => ""))
      )
      const state = yield* stateOf(environment, file)
      if (state._tag !== "Dead") noticedAfterMs = Math.max(noticedAfterMs, (content?.leaseMs ?? LEASE_MS) / 2 + 1)
      yield* fs.remove(file, { force: true })
    }
    yield* Effect.sleep(noticedAfterMs)
  })

/** The directory may be created again at once. */
const removed: Held = { _tag: "Held", retryAfterMs: 0 }

type State = Held | { readonly _tag: "Dead" } | { readonly _tag: "Silent" }

/** A lock that cannot be read is about to be written, or was partly written by a process that died: its age decides. */
const stateOf = ({ fs, process, signs }: Environment, file: string): Effect.Effect<State, PlatformError> =>
  Effect.gen(function* () {
    const content = Option.getOrUndefined(decodeContent(yield* fs.readFileString(file)))
    const holder = content?.process ?? null
    if (holder !== null && holder.host === process?.host) {
      const isRunning = yield* ProcessIdentity.isRunning(fs, holder)
      return isRunning ? { _tag: "Held" as const, retryAfterMs: undefined } : { _tag: "Dead" as const }
    }
    const { mtime } = yield* fs.stat(file)
    const at = Option.match(mtime, { onNone: () => Number.NaN, onSome: (time) => time.getTime() })
    const retryAfterMs = yield* signs.remaining(file, { mark: String(at), at, leaseMs: content?.leaseMs ?? LEASE_MS })
    return retryAfterMs === 0 ? { _tag: "Silent" as const } : { _tag: "Held" as const, retryAfterMs }
  }).pipe(Effect.catchIf(isNotFound, () => Effect.succeed({ _tag: "Dead" as const })))
