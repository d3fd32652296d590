/** What every storage of journals offers, and what all of them do alike. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { JournalBusy, JournalCorrupt, JournalFailed, type JournalNotFound } from "./JournalError.js"
import * as Record from "./Record.js"
import * as sessionKey from "./sessionKey.js"

/**
 * The one that may write the journal of a session, as long as its scope is open.
 *
 * @since 0.1.0
 * @category models
 */
export interface Writer {
  readonly sessionId: string
  /**
   * Writes records behind those that are there. They are durable when it returns; what is appended at the same time
   * comes one after the other. If it fails, some of the records may be there, the first ones first.
   */
  readonly append: (records: ReadonlyArray<Record.JournalRecord>) => Effect.Effect<void, JournalFailed>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Opens the journal of a session for writing; a session has one writer at a time. What a writer that died left
   * unfinished is taken away.
   */
  readonly open: (sessionId: string) => Effect.Effect<Writer, JournalBusy | JournalCorrupt | JournalFailed, Scope.Scope>
  /** All records of a session in their order, also while somebody writes. */
  readonly read: (
    sessionId: string
  ) => Effect.Effect<ReadonlyArray<Record.JournalRecord>, JournalNotFound | JournalCorrupt | JournalFailed>
  /** The ids of the sessions that have records, sorted. */
  readonly sessions: Effect.Effect<ReadonlyArray<string>, JournalFailed>
  /** Forgets a session that nobody writes; none that does not exist. */
  readonly remove: (sessionId: string) => Effect.Effect<void, JournalBusy | JournalFailed>
}

export type Operation = JournalFailed["operation"]

/** The name under which a session is stored. */
export const keyOf = (sessionId: string, operation: Operation): Effect.Effect<string, JournalFailed> =>
  Either.mapLeft(sessionKey.encode(sessionId), (reason) => new JournalFailed({ sessionId, operation, reason }))

/** A writer over what stores encoded records: one `append` at a time, nothing after the scope has closed. */
export const makeWriter = (
  sessionId: string,
  store: (texts: ReadonlyArray<string>) => Effect.Effect<void, JournalFailed>
): Effect.Effect<Writer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = (reason: string) => new JournalFailed({ sessionId, operation: "append", reason })
    const semaphore = yield* Effect.makeSemaphore(1)
    let append = (records: ReadonlyArray<Record.JournalRecord>): Effect.Effect<void, JournalFailed> =>
      Either.all(records.map(Record.encode)).pipe(
        Either.mapLeft((reason) => failed(`Nothing was written: ${reason}.`)),
        Effect.flatMap((texts) => (texts.length === 0 ? Effect.void : store(texts)))
      )
    // What is being appended ends before the storage is closed under it.
    yield* Effect.addFinalizer(() =>
      semaphore.withPermits(1)(
        Effect.sync(() => {
          append = () => Effect.fail(failed("Its writer is closed. Open the journal again."))
        })
      )
    )
    return { sessionId, append: (records) => semaphore.withPermits(1)(Effect.suspend(() => append(records))) }
  })

/** The records of what was stored, or which of it is damaged. */
export const decodeAll = (
  sessionId: string,
  stored: ReadonlyArray<{ readonly text: string; readonly offset: number | undefined }>
): Effect.Effect<ReadonlyArray<Record.JournalRecord>, JournalCorrupt> =>
  Effect.forEach(stored, ({ offset, text }, index) =>
    Either.mapLeft(Record.decode(text), (reason) => new JournalCorrupt({ sessionId, line: index + 1, offset, reason }))
  )

/** Which sessions are open for writing in this process. */
export type Claims = (sessionId: string) => Effect.Effect<void, JournalBusy, Scope.Scope>

export const makeClaims = (): Claims => {
  const open = new Set<string>()
  return (sessionId) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        if (open.has(sessionId)) return Effect.fail(new JournalBusy({ sessionId }))
        open.add(sessionId)
        return Effect.void
      }),
      () => Effect.sync(() => open.delete(sessionId))
    )
}

/** What was acquired before a failure is released at once: the scope may stay open for long. */
export const releaseOnFailure = <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      const outer = yield* Effect.scope
      const inner = yield* Scope.fork(outer, ExecutionStrategy.sequential)
      const exit = yield* Effect.exit(restore(Scope.extend(self, inner)))
      if (Exit.isFailure(exit)) yield* Scope.close(inner, exit)
      return yield* exit
    })
  )
