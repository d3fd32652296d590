/**
 * At most one writer in a directory, also over processes, with nothing but files that nobody shares: each writer makes
 * one with a name of its own, and then looks whether there is another. Of two that come at once, the second to look sees
 * the first, so never both go on. A file of a dead process is deleted by whoever meets it, and can be mistaken for no
 * other.
 */
import type { PlatformError } from "@effect/platform/Error"
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { EXPIRY_MS, LOST, RENEWAL_MS } from "./lease.js"
import { isNotFound } from "./notFound.js"
import * as ProcessIdentity from "./ProcessIdentity.js"
import { makeToken } from "./token.js"

const SUFFIX = ".lock"

const Content = Schema.parseJson(Schema.Struct({ process: Schema.NullOr(ProcessIdentity.ProcessIdentity) }))
const encodeContent = Schema.encodeSync(Content)
const decodeContent = Schema.decodeUnknownOption(Content)

/** Somebody else holds it. */
export interface Held {
  readonly _tag: "Held"
}

/** The lock is no longer ours. */
export interface Lost {
  readonly _tag: "Lost"
  readonly reason: string
}

export interface Lock {
  /** Fails if the lock may be another's by now. Looks at the disk only after a pause in which it was not renewed. */
  readonly check: Effect.Effect<void, Lost>
}

export interface Environment {
  readonly fs: FileSystem.FileSystem
  readonly path: Path.Path
  /** Absent where the platform does not tell. */
  readonly process: ProcessIdentity.ProcessIdentity | undefined
}

/** Holds the lock of a directory, which has to exist, until the scope closes. */
export const acquire = (
  environment: Environment,
  directory: string
): Effect.Effect<Lock, Held | PlatformError, Scope.Scope> =>
  Effect.gen(function* () {
    const { fs, path, process } = environment
    const name = `${yield* makeToken}${SUFFIX}`
    const file = path.join(directory, name)
    yield* Effect.acquireRelease(
      fs.writeFileString(file, encodeContent({ process: process ?? null }), { flag: "wx" }),
      // What can not be deleted expires, or is that of a process that has ended.
      () => Effect.ignore(fs.remove(file, { force: true }))
    )
    let renewedAt = 0
    const renew = Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      yield* fs.utimes(file, new Date(now), new Date(now))
      renewedAt = now
    })
    yield* renew

    const names = (yield* fs.readDirectory(directory)).filter((other) => other.endsWith(SUFFIX))
    // The directory may be removed meanwhile, with this lock: who does that holds the other one.
    if (!names.includes(name)) return yield* Effect.fail<Held>({ _tag: "Held" })
    for (const other of names) {
      if (other === name) continue
      const rival = path.join(directory, other)
      if (yield* isHeld(environment, rival)) return yield* Effect.fail<Held>({ _tag: "Held" })
      yield* fs.remove(rival, { force: true })
    }

    // A renewal that fails is tried again; whether the lock is still there is asked before it matters.
    yield* Effect.forkScoped(Effect.forever(Effect.delay(Effect.ignore(renew), RENEWAL_MS)))
    const check = Effect.flatMap(Clock.currentTimeMillis, (now) =>
      now - renewedAt <= EXPIRY_MS / 2 ? Effect.void : Effect.mapError(renew, lost)
    )
    return { check }
  }).pipe(Effect.catchIf(isNotFound, () => Effect.fail<Held>({ _tag: "Held" })))

const lost = (error: PlatformError): Lost => ({
  _tag: "Lost",
  reason: isNotFound(error) ? LOST : `Its lock can not be renewed: ${error.message}.`
})

/** A lock that can not be read is about to be written, or half written by a process that died: its age tells. */
const isHeld = ({ fs, process }: Environment, file: string): Effect.Effect<boolean, PlatformError> =>
  Effect.gen(function* () {
    const content = decodeContent(yield* fs.readFileString(file))
    const holder = Option.isSome(content) ? content.value.process : null
    if (holder !== null && holder.host === process?.host) return yield* ProcessIdentity.isRunning(fs, holder)
    const { mtime } = yield* fs.stat(file)
    const now = yield* Clock.currentTimeMillis
    return Option.isNone(mtime) || now - mtime.value.getTime() <= EXPIRY_MS
  }).pipe(Effect.catchIf(isNotFound, () => Effect.succeed(false)))
