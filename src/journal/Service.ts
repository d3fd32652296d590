/** What every storage of journals offers, and what all of them do alike. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { JournalBusy, JournalCorrupt, JournalFailed, type JournalNotFound, type JournalTaken } from "./JournalError.js"
import * as Record from "./Record.js"
import * as sessionKey from "./sessionKey.js"
import { PER_THING, STEP_WEIGHT, untilDone } from "./steps.js"

/**
 * The one that may write the journal of a session, as long as its scope is open.
 *
 * @since 0.1.0
 * @category models
 */
export interface Writer {
  readonly sessionId: string
  /** Whether nothing was written for this session before it was opened. */
  readonly isNew: boolean
  /**
   * Writes records behind those that are there. They are durable when it returns; what is appended at the same time
   * comes one after the other. If it fails, some of the records may be there, the first ones first: the same records may
   * be appended again.
   */
  readonly append: (records: ReadonlyArray<Record.JournalRecord>) => Effect.Effect<void, JournalFailed | JournalTaken>
  /**
   * Writes records in the place of all that are there, in one step: whenever the process dies, and whoever reads
   * meanwhile, either all the old ones are there or all the new ones. If it fails, the old ones are.
   */
  readonly replace: (records: Iterable<Record.JournalRecord>) => Effect.Effect<void, JournalFailed | JournalTaken>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Opens the journal of a session for writing; a session has one writer at a time. What a writer that died left
   * unfinished is taken away. Where nothing is written until the scope closes, nothing is left behind.
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

/** Where a writer keeps encoded records. */
export interface Storage {
  readonly isNew: boolean
  readonly append: (texts: ReadonlyArray<string>) => Effect.Effect<void, JournalFailed | JournalTaken>
  readonly replace: (texts: ReadonlyArray<string>) => Effect.Effect<void, JournalFailed | JournalTaken>
}

/** A writer over what stores encoded records: one thing at a time, nothing after the scope has closed. */
export const makeWriter = (sessionId: string, storage: Storage): Effect.Effect<Writer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = (reason: string) => new JournalFailed({ sessionId, operation: "append", reason, isFinal: true })
    const semaphore = yield* Effect.makeSemaphore(1)
    let isClosed = false
    // What is being written ends before the storage is closed under it.
    yield* Effect.addFinalizer(() =>
      semaphore.withPermits(1)(
        Effect.sync(() => {
          isClosed = true
        })
      )
    )
    const write = (records: Iterable<Record.JournalRecord>, store: Storage["append"]) =>
      semaphore.withPermits(1)(
        Effect.suspend(() =>
          isClosed
            ? Effect.fail(failed("Its writer is closed. Open the journal again."))
            : encodeAll(records).pipe(
                Effect.mapError((reason) => failed(`Nothing was written: ${reason}.`)),
                Effect.flatMap(store)
              )
        )
      )
    return {
      sessionId,
      isNew: storage.isNew,
      append: (records) => write(records, (texts) => (texts.length === 0 ? Effect.void : storage.append(texts))),
      replace: (records) => write(records, storage.replace)
    }
  })

/** In steps: nobody waits for a long list to be written as text. */
const encodeAll = (records: Iterable<Record.JournalRecord>): Effect.Effect<ReadonlyArray<string>, string> =>
  Effect.suspend(() => {
    const texts: Array<string> = []
    const iterator = records[Symbol.iterator]()
    const step = Effect.suspend((): Effect.Effect<"More" | "Done", string> => {
      for (let weight = 0; weight < STEP_WEIGHT; ) {
        const next = iterator.next()
        if (next.done === true) return Effect.succeed("Done")
        const text = Record.encode(next.value)
        if (Either.isLeft(text)) return Effect.fail(text.left)
        texts.push(text.right)
        weight += PER_THING + text.right.length
      }
      return Effect.succeed("More")
    })
    return Effect.as(
      untilDone(() => step),
      texts
    )
  })

/** One record as it is stored. */
export interface Stored {
  readonly text: string
  /** Which it is, from 1. */
  readonly line: number
  /** Where its line begins, in bytes; absent where records are rows. */
  readonly offset: number | undefined
}

/** The records of what was stored, or which of it is damaged. In steps. */
export const decodeAll = (
  sessionId: string,
  stored: ReadonlyArray<Stored>
): Effect.Effect<ReadonlyArray<Record.JournalRecord>, JournalCorrupt> =>
  Effect.suspend(() => {
    const records: Array<Record.JournalRecord> = []
    const step = Effect.suspend((): Effect.Effect<"More" | "Done", JournalCorrupt> => {
      for (let weight = 0; weight < STEP_WEIGHT; ) {
        const next = stored[records.length]
        if (next === undefined) return Effect.succeed("Done")
        const { line, offset, text } = next
        const record = Record.decode(text)
        if (Either.isLeft(record)) return new JournalCorrupt({ sessionId, line, offset, reason: record.left })
        records.push(record.right)
        weight += PER_THING + text.length
      }
      return Effect.succeed("More")
    })
    return Effect.as(
      untilDone(() => step),
      records
    )
  })

/** Which sessions are open for writing in this process. */
export type Claims = (sessionId: string) => Effect.Effect<void, JournalBusy, Scope.Scope>

export const makeClaims = (): Claims => {
  const open = new Set<string>()
  return (sessionId) =>
    Effect.acquireRelease(
      Effect.suspend(() => {
        // It is free when it is closed, and not before.
        if (open.has(sessionId)) return Effect.fail(new JournalBusy({ sessionId, retryAfterMs: undefined }))
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
