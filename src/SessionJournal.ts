/**
 * The journal of a session: an append-only log of what was said, which tools were called and how far each call came, so
 * that another process can take the session up where its own died.
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
 * Journals that end with the process: for tests, and to take up sessions within one process.
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
  /** Made if it does not exist. Each session has a directory in it, with its records in one file. */
  readonly directory: string
  /**
   * `"always"` (default): what was appended survives a power failure. `"never"`: it survives the end of the process, and
   * an `append` takes no longer than the operating system needs to copy it.
   */
  readonly fsync?: "always" | "never" | undefined
  /**
   * How long a writer counts as alive after its last sign of life, where nothing better is known of it: so long another
   * process waits before it takes the session up. A writer shows that it lives three times as often. At least a second;
   * shorter than the longest pause of the process, it is lost in one. Default: 15 seconds.
   */
  readonly lease?: Duration.DurationInput | undefined
}

/**
 * Journals on a disk, by the platform's file system, such as that of `NodeContext.layer` or `BunContext.layer`.
 *
 * A record that was being written when the process died is dropped; a damaged one is `JournalCorrupt`. A writer holds a
 * lock file. That of a dead process of this machine is taken over at once on Linux; elsewhere, and where the directory
 * is shared over a network, when its lease is over. The clocks of all machines have to agree to within some seconds; one
 * that is put forward or back costs no writer its lease while whoever looks was there before.
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
