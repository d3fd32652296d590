/** The interface of a storage for journals, and what all storages have in common. */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { JournalBusy, JournalCorrupt, JournalFailed, type JournalNotFound, JournalTaken } from "./JournalError.js"
import * as Record from "./Record.js"
import * as sessionKey from "./sessionKey.js"
import { PER_THING, STEP_WEIGHT, untilDone } from "./steps.js"

/**
 * The single writer of a session's journal, while its scope is open.
 *
 * @since 0.1.0
 * @category models
 */
export interface Writer {
  readonly sessionId: string
  /** Whether the session had no records before it was opened. */
  readonly isNew: boolean
  /**
   * Appends records. They are durable when it returns. Concurrent calls run one after another. If it fails, some of the
   * first records may be stored: append the same records again.
   */
  readonly append: (records: ReadonlyArray<Record.JournalRecord>) => Effect.Effect<void, JournalFailed | JournalTaken>
  /**
   * Replaces all records in one step: even if the process dies, and for any reader in the meantime, there are either
   * all the old records or all the new ones. If it fails, the old ones remain.
   */
  readonly replace: (records: Iterable<Record.JournalRecord>) => Effect.Effect<void, JournalFailed | JournalTaken>
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /**
   * Opens the journal of a session for writing. A session has one writer at a time. Unfinished writes of a dead writer
   * are removed. If nothing is written before the scope closes, nothing is left behind.
   */
  readonly open: (sessionId: string) => Effect.Effect<Writer, JournalBusy | JournalCorrupt | JournalFailed, Scope.Scope>
  /**
   * Takes the journal from its writer, even if that one looks alive, so that it can be opened at once. Once this
   * returns, the writer writes nothing more: its next `append` fails with `JournalTaken`, which ends its session. Use it
   * if you know better than a lease which process has the session. Does nothing if nobody is writing.
   */
  readonly evict: (sessionId: string) => Effect.Effect<void, JournalFailed>
  /** All records of a session in order, even while a writer has the journal open. */
  readonly read: (
    sessionId: string
  ) => Effect.Effect<ReadonlyArray<Record.JournalRecord>, JournalNotFound | JournalCorrupt | JournalFailed>
  /** The ids of the sessions that have records, sorted. */
  readonly sessions: Effect.Effect<ReadonlyArray<string>, JournalFailed>
  /** Removes the journal of a session that nobody is writing. Does nothing if there is none. */
  readonly remove: (sessionId: string) => Effect.Effect<void, JournalBusy | JournalFailed>
}

export type Operation = JournalFailed["operation"]

/** The key under which a session is stored. */
export const keyOf = (sessionId: string, operation: Operation): Effect.Effect<string, JournalFailed> =>
  Either.mapLeft(sessionKey.encode(sessionId), (reason) => new JournalFailed({ sessionId, operation, reason }))

/** A writer's storage for encoded records. */
export interface Storage {
  readonly isNew: boolean
  readonly append: (texts: ReadonlyArray<string>) => Effect.Effect<void, JournalFailed | JournalTaken>
  readonly replace: (texts: ReadonlyArray<string>) => Effect.Effect<void, JournalFailed | JournalTaken>
}

/** Makes a writer from a storage for encoded records: one operation at a time, and none after the scope has closed. */
export const makeWriter = (sessionId: string, storage: Storage): Effect.Effect<Writer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const failed = (reason: string) => new JournalFailed({ sessionId, operation: "append", reason, isFinal: true })
    const semaphore = yield* Effect.makeSemaphore(1)
    let isClosed = false
    // The current write ends before the storage closes.
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
            ? Effect.fail(failed("The writer is closed. Open the journal again."))
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

/** In steps, so that a long list does not block the process. */
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

/** A record as it is stored. */
export interface Stored {
  readonly text: string
  /** The number of the record, from 1. */
  readonly line: number
  /** The position of its line, in bytes; absent if records are rows. */
  readonly offset: number | undefined
}

/** Decodes stored records, or says which one is damaged. In steps. */
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

/** Tracks the sessions that are open for writing in this process. */
export interface Claims {
  readonly claim: (sessionId: string) => Effect.Effect<Claimed, JournalBusy, Scope.Scope>
  readonly evict: (sessionId: string) => void
}

export interface Claimed {
  /** Fails once the writer is evicted. */
  readonly hold: Effect.Effect<void, JournalTaken>
}

export const makeClaims = (): Claims => {
  const open = new Map<string, Claimed>()
  return {
    claim: (sessionId) => {
      const claimed: Claimed = {
        hold: Effect.suspend(() =>
          open.get(sessionId) === claimed ? Effect.void : Effect.fail(new JournalTaken({ sessionId }))
        )
      }
      return Effect.acquireRelease(
        Effect.suspend(() => {
          // It is free when it is closed or evicted, and not before.
          if (open.has(sessionId)) return Effect.fail(new JournalBusy({ sessionId, retryAfterMs: undefined }))
          open.set(sessionId, claimed)
          return Effect.succeed(claimed)
        }),
        () =>
          Effect.sync(() => {
            if (open.get(sessionId) === claimed) open.delete(sessionId)
          })
      )
    },
    evict: (sessionId) => void open.delete(sessionId)
  }
}

/** Releases at once what was acquired before a failure, because the scope may stay open for a long time. */
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
