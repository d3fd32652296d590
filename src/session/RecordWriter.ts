/**
 * Writes a session's records in order, whatever the storage does. Records that cannot be written wait, within a limit,
 * and are retried. The journal is compacted when it has grown.
 */
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import { quietly } from "../common/quietly.js"
import type { Fold } from "../journal/Fold.js"
import { JournalFailed, type JournalTaken } from "../journal/JournalError.js"
import type { JournalRecord } from "../journal/Record.js"
import type { Writer } from "../journal/Service.js"
import { count, weightOf } from "../journal/weight.js"

/** The limits of what may wait while nothing can be written. */
export interface Lag {
  readonly maxRecords: number
  /** The approximate size of the waiting records. */
  readonly maxCharacters: number
  /** Milliseconds. */
  readonly maxDuration: number
}

/** A change of the journal's state: it lags, it has caught up, or it was given up. */
export type Change =
  | { readonly _tag: "Lagged"; readonly message: string }
  | { readonly _tag: "CaughtUp"; readonly records: number; readonly afterMs: number }
  | { readonly _tag: "GivenUp"; readonly error: JournalFailed | JournalTaken }

export type GivenUp = Extract<Change, { readonly _tag: "GivenUp" }>

export type Outcome = { readonly _tag: "Written" } | GivenUp

export interface Options {
  readonly writer: Writer
  /** The state that the records add up to. */
  readonly fold: Fold
  /** The characters of the snapshot at the start of the journal, and of the records behind it. */
  readonly written: { readonly snapshot: number; readonly behind: number }
  readonly lag: Lag
  /** Compact when the records behind the snapshot have more characters than this, and more than the snapshot. */
  readonly compactAfter: number
  /** Milliseconds, on a clock that never goes back. */
  readonly now: () => number
  readonly changed: (change: Change) => void
}

interface Waiter {
  /** The number of the record that it waits for. */
  readonly record: number
  /** Whether it stops waiting when the journal lags. */
  readonly isHasty: boolean
  readonly act: (outcome: Outcome | { readonly _tag: "Lagged" }) => void
}

type State =
  | { readonly _tag: "Writing" }
  | { readonly _tag: "Lagging"; readonly since: number; readonly alarm: Fiber.RuntimeFiber<void> | undefined }
  | GivenUp

/** A journal that takes longer than this for a record lags: the session then no longer waits for it. Milliseconds. */
export const holdMs = 1000

/** The delay before a write is retried: it doubles each time, from `first` to `last`. Milliseconds. */
const backoff = { first: 100, last: 2000 }

/** The limits of one write: a storage that was away does not get everything at once. */
const maxBatch = { records: 256, characters: 1_048_576 }

const firstOf = (queue: ReadonlyArray<JournalRecord>): ReadonlyArray<JournalRecord> => {
  let characters = 0
  const end = queue.findIndex((record, index) => {
    characters += weightOf(record)
    return index > 0 && (index >= maxBatch.records || characters > maxBatch.characters)
  })
  return end < 0 ? queue.slice() : queue.slice(0, end)
}

/** Writes to a session's journal while the session holds it. */
export class RecordWriter {
  #state: State = { _tag: "Writing" }
  readonly #queue: Array<JournalRecord> = []
  #queuedCharacters = 0
  #pushed = 0
  #written = 0
  /** How many records had to wait. */
  #late = 0
  readonly #size: { snapshot: number; behind: number }
  #waiters: Array<Waiter> = []
  #wake: (() => void) | undefined
  #fiber: Fiber.RuntimeFiber<void> | undefined

  private constructor(private readonly options: Options) {
    this.#size = { ...options.written }
  }

  static make(options: Options): Effect.Effect<RecordWriter> {
    return Effect.suspend(() => {
      const records = new RecordWriter(options)
      return Effect.map(Effect.forkDaemon(Effect.interruptible(records.#write())), (fiber) => {
        records.#fiber = fiber
        return records
      })
    })
  }

  isOn(): boolean {
    return this.#state._tag !== "GivenUp"
  }

  push(record: JournalRecord): void {
    if (this.#state._tag === "GivenUp") return
    this.#queue.push(record)
    this.#queuedCharacters += weightOf(record)
    this.#pushed += 1
    if (this.#state._tag === "Lagging") this.#late += 1
    const { maxCharacters, maxRecords } = this.options.lag
    const { length } = this.#queue
    // A single record is never too much.
    if (length > maxRecords || (length > 1 && this.#queuedCharacters > maxCharacters)) {
      this.#giveUp(this.#failed(`${length} records wait for it already.`))
    }
    this.#wake?.()
  }

  /** Waits until everything that was pushed is written: at most `holdMs`, and not while the journal lags. */
  get written(): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.#state._tag !== "Writing" || this.#written >= this.#pushed
        ? Effect.void
        : Effect.timeoutTo(this.#allWritten(true), {
            duration: holdMs,
            onSuccess: () => Effect.void,
            onTimeout: () => this.#fallBehind(`A record took longer than ${holdMs} ms.`)
          }).pipe(Effect.flatten)
    )
  }

  /** Calls back, maybe at once, when everything that was pushed is written, or never will be. */
  whenWritten(act: (outcome: Outcome) => void): void {
    this.#wait({
      isHasty: false,
      act: (outcome) => {
        if (outcome._tag !== "Lagged") act(outcome)
      }
    })
  }

  /** Writes the remaining records for at most this long, and nothing after that. */
  close(withinMs: number): Effect.Effect<void> {
    // A scope that closes does not interrupt anything by itself, and its process waits for it.
    return Effect.timeoutOption(Effect.interruptible(this.#allWritten(false)), withinMs).pipe(
      Effect.zipRight(
        Effect.suspend(() => {
          const alarm = this.#state._tag === "Lagging" ? this.#state.alarm : undefined
          if (this.#state._tag !== "GivenUp") {
            this.#state = { _tag: "GivenUp", error: this.#failed("The session has ended.") }
          }
          return alarm === undefined ? Effect.void : Fiber.interruptFork(alarm)
        })
      ),
      Effect.zipRight(
        Effect.suspend(() => (this.#fiber === undefined ? Effect.void : Fiber.interruptFork(this.#fiber)))
      )
    )
  }

  #wait(waiter: Omit<Waiter, "record">): void {
    const state = this.#state
    if (state._tag === "GivenUp") waiter.act(state)
    else if (this.#written >= this.#pushed) waiter.act({ _tag: "Written" })
    else if (state._tag === "Lagging" && waiter.isHasty) waiter.act({ _tag: "Lagged" })
    else this.#waiters.push({ record: this.#pushed, ...waiter })
  }

  #allWritten(isHasty: boolean): Effect.Effect<void> {
    return Effect.suspend(() =>
      this.#state._tag === "GivenUp" || this.#written >= this.#pushed
        ? Effect.void
        : Effect.async<void>((resume) => this.#wait({ isHasty, act: () => resume(Effect.void) }))
    )
  }

  #release(outcome: Parameters<Waiter["act"]>[0], isDone: (waiter: Waiter) => boolean): void {
    const done = this.#waiters.filter(isDone)
    if (done.length === 0) return
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter))
    for (const waiter of done) waiter.act(outcome)
  }

  #failed(reason: string): JournalFailed {
    return new JournalFailed({ sessionId: this.options.writer.sessionId, operation: "append", reason })
  }

  #giveUp(error: JournalFailed | JournalTaken): void {
    if (this.#state._tag === "GivenUp") return
    const givenUp: GivenUp = { _tag: "GivenUp", error }
    this.#state = givenUp
    this.#queue.length = 0
    // Waiters are answered before the session ends, if this ends it.
    this.#release(givenUp, () => true)
    this.options.changed(givenUp)
    this.#wake?.()
  }

  /** From now on, nothing waits for the journal, except for what must be written first. */
  #fallBehind(message: string): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#state._tag !== "Writing") return Effect.void
      const { changed, lag, now } = this.options
      this.#state = { _tag: "Lagging", since: now(), alarm: undefined }
      this.#late = this.#queue.length
      changed({ _tag: "Lagged", message })
      this.#release({ _tag: "Lagged" }, ({ isHasty }) => isHasty)
      const alarm = Effect.delay(
        Effect.sync(() => this.#giveUp(this.#failed(`Nothing could be written for ${lag.maxDuration} ms: ${message}`))),
        lag.maxDuration
      )
      return Effect.map(Effect.forkDaemon(alarm), (fiber) => {
        if (this.#state._tag === "Lagging") this.#state = { ...this.#state, alarm: fiber }
      })
    })
  }

  #catchUp(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.#state._tag !== "Lagging") return Effect.void
      const { alarm, since } = this.#state
      const { changed, now } = this.options
      this.#state = { _tag: "Writing" }
      changed({ _tag: "CaughtUp", records: this.#late, afterMs: now() - since })
      return alarm === undefined ? Effect.void : Fiber.interruptFork(alarm)
    })
  }

  #write(): Effect.Effect<void> {
    const records = this
    const { compactAfter } = this.options
    const size = this.#size
    return Effect.gen(function* () {
      while (records.#state._tag !== "GivenUp") {
        if (records.#queue.length > 0) yield* records.#append()
        else if (size.behind > Math.max(compactAfter, size.snapshot)) yield* records.#compact()
        else yield* records.#awake()
      }
    })
  }

  #awake(): Effect.Effect<void> {
    return Effect.async<void>((resume) => {
      this.#wake = () => {
        this.#wake = undefined
        resume(Effect.void)
      }
    })
  }

  #append(): Effect.Effect<void> {
    const records = this
    return Effect.gen(function* () {
      for (let pause = backoff.first; records.#queue.length > 0; ) {
        const batch = firstOf(records.#queue)
        const outcome = yield* records.#attempt(records.options.writer.append(batch))
        if (records.#state._tag === "GivenUp") return
        if (Either.isRight(outcome)) {
          records.#took(batch)
          pause = backoff.first
          continue
        }
        const error = outcome.left
        if (error._tag === "JournalTaken" || error.isFinal === true) return records.#giveUp(error)
        yield* records.#fallBehind(error.message)
        yield* Effect.sleep(pause)
        pause = Math.min(pause * 2, backoff.last)
      }
      yield* records.#catchUp()
    })
  }

  #took(batch: ReadonlyArray<JournalRecord>): void {
    this.#queue.splice(0, batch.length)
    this.#written += batch.length
    for (const record of batch) {
      this.#queuedCharacters -= count(this.#size, record, this.options.fold.apply(record))
    }
    this.#release({ _tag: "Written" }, ({ record }) => record <= this.#written)
  }

  #compact(): Effect.Effect<void> {
    const records = this
    const { fold, writer } = this.options
    return Effect.gen(function* () {
      let weight = 0
      // Made on demand: a storage takes them in steps.
      function* pieces() {
        for (const piece of fold.snapshot()) {
          weight += weightOf(piece)
          yield piece
        }
      }
      const outcome = yield* records.#attempt(writer.replace(pieces()))
      if (Either.isRight(outcome)) records.#size.snapshot = weight
      else if (outcome.left._tag === "JournalTaken") return records.#giveUp(outcome.left)
      // A failed compaction does no harm: it is tried again after the same amount of growth.
      records.#size.behind = 0
    })
  }

  /** Runs a write so that it always ends, whatever the storage does, and its error does not contain the records. */
  #attempt(write: Effect.Effect<void, JournalFailed | JournalTaken>) {
    const { sessionId } = this.options.writer
    return quietly((theirs) => theirs(Effect.suspend(() => write))).pipe(
      Effect.catchAllDefect(() =>
        Effect.fail(
          new JournalFailed({
            sessionId,
            operation: "append",
            reason: "The journal failed for an internal reason.",
            isFinal: true
          })
        )
      ),
      Effect.either
    )
  }
}
