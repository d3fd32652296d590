/**
 * Writes a session's records in their order, whatever the storage does meanwhile: what can not be written waits, within a
 * bound, and is tried again. What was written is made shorter when it has grown.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import type { Fold } from "../journal/Fold.js"
import { JournalFailed, type JournalTaken } from "../journal/JournalError.js"
import type { JournalRecord } from "../journal/Record.js"
import type { Writer } from "../journal/Service.js"
import { count, weightOf } from "../journal/weight.js"
import { quietly } from "../tool/quietly.js"

/** How much may wait while nothing can be written. */
export interface Lag {
  readonly maxRecords: number
  /** Of these records, about. */
  readonly maxCharacters: number
  /** Milliseconds. */
  readonly maxDuration: number
}

/** What becomes of the journal: it begins to lag; it has what it lacked; nothing more is written. */
export type Change =
  | { readonly _tag: "Lagged"; readonly message: string }
  | { readonly _tag: "CaughtUp"; readonly records: number; readonly afterMs: number }
  | { readonly _tag: "GivenUp"; readonly error: JournalFailed | JournalTaken }

export type GivenUp = Extract<Change, { readonly _tag: "GivenUp" }>

export type Outcome = { readonly _tag: "Written" } | GivenUp

export interface Environment {
  readonly writer: Writer
  /** What the records come to that are there. */
  readonly fold: Fold
  /** Characters of the snapshot that the journal begins with, and of what is behind it. */
  readonly written: { readonly snapshot: number; readonly behind: number }
  readonly lag: Lag
  /** Characters behind the snapshot from which on it is worth another, if it is not longer itself. */
  readonly compactAfter: number
  /** Milliseconds, by a clock that never goes back. */
  readonly now: () => number
  readonly changed: (change: Change) => void
}

export interface RecordWriter {
  readonly isOn: () => boolean
  readonly push: (record: JournalRecord) => void
  /** Waits until all that was pushed is written; for a moment only, and not while it lags. */
  readonly written: Effect.Effect<void>
  /** Calls back, perhaps at once, when all that was pushed is written, or never will be. */
  readonly whenWritten: (act: (outcome: Outcome) => void) => void
  /** Writes what is left, for so long at most, and nothing after that. */
  readonly close: (withinMs: number) => Effect.Effect<void>
}

interface Waiter {
  /** The number of the record that it waits for. */
  readonly record: number
  /** One that does not wait while the journal lags. */
  readonly isHasty: boolean
  readonly act: (outcome: Outcome | { readonly _tag: "Lagged" }) => void
}

type State =
  | { readonly _tag: "Writing" }
  | { readonly _tag: "Lagging"; readonly since: number; readonly alarm: Fiber.RuntimeFiber<void> | undefined }
  | GivenUp

/** A journal that takes longer than this for a record lags: what happens next does not wait for it. Milliseconds. */
export const holdMs = 1000

/** Before a write is tried again: from the first, twice as long each time, up to the last. Milliseconds. */
const backoff = { first: 100, last: 2000 }

/** Of one write: a storage that was away is not given all at once. */
const maxBatch = { records: 256, characters: 1_048_576 }

const firstOf = (queue: ReadonlyArray<JournalRecord>): ReadonlyArray<JournalRecord> => {
  let characters = 0
  const end = queue.findIndex((record, index) => {
    characters += weightOf(record)
    return index > 0 && (index >= maxBatch.records || characters > maxBatch.characters)
  })
  return end < 0 ? queue.slice() : queue.slice(0, end)
}

export const make = (env: Environment): Effect.Effect<RecordWriter> =>
  Effect.gen(function* () {
    const { changed, compactAfter, fold, lag, now, writer } = env
    let state: State = { _tag: "Writing" }
    const queue: Array<JournalRecord> = []
    let queuedCharacters = 0
    let pushed = 0
    let written = 0
    /** How many had to wait. */
    let late = 0
    const size = { ...env.written }
    let waiters: Array<Waiter> = []
    let wake: (() => void) | undefined

    const release = (outcome: Parameters<Waiter["act"]>[0], isDone: (waiter: Waiter) => boolean): void => {
      const done = waiters.filter(isDone)
      if (done.length === 0) return
      waiters = waiters.filter((waiter) => !isDone(waiter))
      for (const waiter of done) waiter.act(outcome)
    }

    const giveUp = (error: JournalFailed | JournalTaken): void => {
      if (state._tag === "GivenUp") return
      const givenUp: GivenUp = { _tag: "GivenUp", error }
      state = givenUp
      queue.length = 0
      // Those that wait are answered before the end that this may be.
      release(givenUp, () => true)
      changed(givenUp)
      wake?.()
    }

    const failed = (reason: string) => new JournalFailed({ sessionId: writer.sessionId, operation: "append", reason })

    /** Nothing waits for it any more, but for what must be written before it may happen. */
    const fallBehind = (message: string): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (state._tag !== "Writing") return Effect.void
        const since = now()
        state = { _tag: "Lagging", since, alarm: undefined }
        late = queue.length
        changed({ _tag: "Lagged", message })
        release({ _tag: "Lagged" }, ({ isHasty }) => isHasty)
        const alarm = Effect.delay(
          Effect.sync(() => giveUp(failed(`Nothing could be written for ${lag.maxDuration} ms: ${message}`))),
          lag.maxDuration
        )
        return Effect.map(Effect.forkDaemon(alarm), (fiber) => {
          if (state._tag === "Lagging") state = { ...state, alarm: fiber }
        })
      })

    const catchUp = Effect.suspend(() => {
      if (state._tag !== "Lagging") return Effect.void
      const { alarm, since } = state
      state = { _tag: "Writing" }
      changed({ _tag: "CaughtUp", records: late, afterMs: now() - since })
      return alarm === undefined ? Effect.void : Fiber.interruptFork(alarm)
    })

    /** Whatever a storage does, it ends, and says nothing of what it was to write. */
    const attempt = (write: Effect.Effect<void, JournalFailed | JournalTaken>) =>
      quietly((theirs) => theirs(Effect.suspend(() => write))).pipe(
        Effect.catchAllDefect(() =>
          Effect.fail(
            new JournalFailed({
              sessionId: writer.sessionId,
              operation: "append",
              reason: "The journal failed for an internal reason.",
              isFinal: true
            })
          )
        ),
        Effect.either
      )

    const took = (batch: ReadonlyArray<JournalRecord>): void => {
      queue.splice(0, batch.length)
      written += batch.length
      for (const record of batch) {
        queuedCharacters -= count(size, record, fold.apply(record))
      }
      release({ _tag: "Written" }, ({ record }) => record <= written)
    }

    const append = Effect.gen(function* () {
      for (let pause = backoff.first; queue.length > 0; ) {
        const batch = firstOf(queue)
        const outcome = yield* attempt(writer.append(batch))
        if (state._tag === "GivenUp") return
        if (Either.isRight(outcome)) {
          took(batch)
          pause = backoff.first
          continue
        }
        const error = outcome.left
        if (error._tag === "JournalTaken" || error.isFinal === true) return giveUp(error)
        yield* fallBehind(error.message)
        yield* Effect.sleep(pause)
        pause = Math.min(pause * 2, backoff.last)
      }
      yield* catchUp
    })

    const compact = Effect.gen(function* () {
      let weight = 0
      // As they are asked for: a storage takes them in steps.
      function* pieces() {
        for (const piece of fold.snapshot()) {
          weight += weightOf(piece)
          yield piece
        }
      }
      const outcome = yield* attempt(writer.replace(pieces()))
      if (Either.isRight(outcome)) size.snapshot = weight
      else if (outcome.left._tag === "JournalTaken") return giveUp(outcome.left)
      // What could not be made shorter is as good as it was: tried again when it has grown as much again.
      size.behind = 0
    })

    const awake = Effect.async<void>((resume) => {
      wake = () => {
        wake = undefined
        resume(Effect.void)
      }
    })

    const write: Effect.Effect<void> = Effect.gen(function* () {
      while (state._tag !== "GivenUp") {
        if (queue.length > 0) yield* append
        else if (size.behind > Math.max(compactAfter, size.snapshot)) yield* compact
        else yield* awake
      }
    })
    const fiber = yield* Effect.forkDaemon(Effect.interruptible(write))

    const wait = (waiter: Omit<Waiter, "record">): void => {
      if (state._tag === "GivenUp") waiter.act(state)
      else if (written >= pushed) waiter.act({ _tag: "Written" })
      else if (state._tag === "Lagging" && waiter.isHasty) waiter.act({ _tag: "Lagged" })
      else waiters.push({ record: pushed, ...waiter })
    }

    const allWritten = (isHasty: boolean): Effect.Effect<void> =>
      Effect.suspend(() =>
        state._tag === "GivenUp" || written >= pushed
          ? Effect.void
          : Effect.async<void>((resume) => wait({ isHasty, act: () => resume(Effect.void) }))
      )

    return {
      isOn: () => state._tag !== "GivenUp",
      push: (record) => {
        if (state._tag === "GivenUp") return
        queue.push(record)
        queuedCharacters += weightOf(record)
        pushed += 1
        if (state._tag === "Lagging") late += 1
        // One record alone is never too much.
        if (queue.length > lag.maxRecords || (queue.length > 1 && queuedCharacters > lag.maxCharacters)) {
          giveUp(failed(`${queue.length} records wait for it already.`))
        }
        wake?.()
      },
      written: Effect.suspend(() =>
        state._tag !== "Writing" || written >= pushed
          ? Effect.void
          : Effect.timeoutTo(allWritten(true), {
              duration: holdMs,
              onSuccess: () => Effect.void,
              onTimeout: () => fallBehind(`A record took longer than ${holdMs} ms.`)
            }).pipe(Effect.flatten)
      ),
      whenWritten: (act) =>
        wait({
          isHasty: false,
          act: (outcome) => {
            if (outcome._tag !== "Lagged") act(outcome)
          }
        }),
      close: (withinMs) =>
        Effect.timeoutOption(allWritten(false), withinMs).pipe(
          Effect.zipRight(
            Effect.suspend(() => {
              const alarm = state._tag === "Lagging" ? state.alarm : undefined
              if (state._tag !== "GivenUp") state = { _tag: "GivenUp", error: failed("The session has ended.") }
              return alarm === undefined ? Effect.void : Fiber.interruptFork(alarm)
            })
          ),
          Effect.zipRight(Fiber.interruptFork(fiber))
        )
    }
  })
