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
 */
import type * as FileSystem from "@effect/platform/FileSystem"
import type * as Path from "@effect/platform/Path"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as file from "./journal/file.js"
import type { JournalFailed } from "./journal/JournalError.js"
import * as memory from "./journal/memory.js"
import type { Service } from "./journal/Service.js"

export { JournalBusy, JournalCorrupt, JournalFailed, JournalNotFound } from "./journal/JournalError.js"
export {
  CallStage,
  CallTransition,
  ItemFinal,
  ItemRemoved,
  JournalRecord,
  SessionEnded,
  SessionOpened,
  Settings,
  SettingsConfirmed
} from "./journal/Record.js"
export { type OpenCall, type OpenCallState, type Recovered, recover } from "./journal/recover.js"
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
}

/**
 * Journals on a disk, by the platform's file system, such as that of `NodeContext.layer` or `BunContext.layer`.
 *
 * A record that was being written when the process died is dropped; a damaged one is `JournalCorrupt`. A writer holds a
 * lock file. That of a dead process of this machine is taken over at once on Linux; elsewhere, and where the directory
 * is shared over a network, 15 seconds after its last sign of life.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerFile = (
  options: FileOptions
): Layer.Layer<SessionJournal, JournalFailed, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(SessionJournal, file.make({ directory: options.directory, fsync: options.fsync ?? "always" }))
