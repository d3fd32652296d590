/**
 * The journal of a session: an append-only log of the conversation, the tool calls, and how far each call came. With
 * it, another process can resume the session after a crash.
 *
 * @example
 * ```ts
 * import { SessionJournal } from "effect-realtime"
 * import { NodeContext } from "@effect/platform-node"
 * import { Effect, Layer } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const journal = yield* SessionJournal.SessionJournal
 *   const writer = yield* journal.open("session-1")
 *   yield* writer.append([{ _tag: "SessionOpened", sessionId: "session-1", agent: "Concierge", at: Date.now() }])
 *   const { agent, openCalls } = SessionJournal.recover(yield* journal.read("session-1"))
 *   yield* Effect.log(agent, openCalls.length)
 * })
 *
 * const Journals = SessionJournal.layerFile({ directory: "journals" }).pipe(Layer.provide(NodeContext.layer))
 * Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(Journals)))
 * ```
 *
 * @since 0.1.0
 * @module
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as file from "./journal/file.js"
import type { JournalFailed } from "./journal/JournalError.js"
import { LEASE_MS } from "./journal/lease.js"
import * as memory from "./journal/memory.js"
import type { Service } from "./journal/Service.js"
import type { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"

export type { OpenCall, OpenCallState, Recovered } from "./journal/Fold.js"
export {
  JournalBusy,
  JournalCorrupt,
  JournalExists,
  JournalFailed,
  JournalNotFound,
  JournalTaken
} from "./journal/JournalError.js"
export {
  CallStage,
  CallTransition,
  HeardPart,
  ItemFinal,
  ItemHeard,
  ItemRemoved,
  JournalRecord,
  SessionEnded,
  SessionOpened,
  Settings,
  SettingsConfirmed,
  Snapshot,
  TurnAudioDropped,
  TurnAudioKept
} from "./journal/Record.js"
export { recover } from "./journal/recover.js"
export type { Service, Writer } from "./journal/Service.js"

/**
 * Where sessions keep their journals.
 *
 * @since 0.1.0
 * @category tags
 */
export class SessionJournal extends Context.Tag("effect-realtime/SessionJournal")<SessionJournal, Service>() {}

/**
 * Journals in memory, which end with the process: for tests, and to resume sessions within one process.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<SessionJournal> = Layer.sync(SessionJournal, memory.make)

/**
 * @since 0.1.0
 * @category models
 */
export interface FileOptions {
  /** Created if it does not exist. Each session has a directory in it, with its records in one file. */
  readonly directory: string
  /**
   * `"always"` (default): appended records survive a power failure. `"never"`: they survive the end of the process, and
   * an `append` only takes the time that the operating system needs to copy it.
   */
  readonly fsync?: "always" | "never" | undefined
  /**
   * How long a writer counts as alive after its last sign of life, if nothing better is known about it. Another process
   * waits this long before it resumes the session. A writer renews its lease three times per period. At least one
   * second, and longer than the longest pause of the process: a longer pause loses the lease. Default: 15 seconds.
   */
  readonly lease?: Duration.DurationInput | undefined
}

/**
 * Journals on disk. Uses the platform's file system, such as that of `NodeContext.layer` or `BunContext.layer`.
 *
 * A record that was being written when the process died is dropped; a damaged one is `JournalCorrupt`. A writer holds a
 * lock file. On Linux, the lock of a dead process on the same machine is taken over at once. Elsewhere, or if the
 * directory is shared over a network, it is taken over when its lease ends. The clocks of all machines must agree to
 * within a few seconds. A clock that is set forward or back does not cost a writer its lease, provided that the
 * observer was running before the change.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFile = (
  options: FileOptions
): Layer.Layer<SessionJournal, JournalFailed | OptionsInvalid, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    SessionJournal,
    Effect.zipRight(
      Rule.validate("SessionJournal.layerFile", rules.journal, options),
      Effect.suspend(() =>
        file.make({
          directory: options.directory,
          fsync: options.fsync ?? "always",
          leaseMs: Duration.toMillis(options.lease ?? LEASE_MS)
        })
      )
    )
  )
