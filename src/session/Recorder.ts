import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Item } from "../Conversation.js"
import { forgetOldest } from "../common/forgetOldest.js"
import { written } from "../common/written.js"
import * as Fold from "../journal/Fold.js"
import { type JournalBusy, type JournalCorrupt, JournalFailed } from "../journal/JournalError.js"
import type { CallStage, HeardPart, JournalRecord, Settings, TurnAudioKept } from "../journal/Record.js"
import type { Service, Writer } from "../journal/Service.js"
import { PER_THING, STEP_WEIGHT, untilDone } from "../journal/steps.js"
import { count } from "../journal/weight.js"
import type { Parts } from "./Parts.js"
import * as RecordWriter from "./RecordWriter.js"

/** A session's access to its journal. */
export interface Writing {
  readonly writer: Writer
  /** The state from the records that are already in the journal. */
  readonly fold: Fold.Fold
  readonly written: RecordWriter.Options["written"]
  readonly release: Effect.Effect<void>
}

/** How long writing the remaining records may take when a session ends. */
const withinMs = 5000

/**
 * How long a storage may take to open a journal: a new one, for which a caller waits, or a known one, which has to be
 * read.
 */
export const openWithinMs = { new: 5000, known: 60_000 }

/** Opens the journal until it is released or the scope closes: a session may end long before its scope does. */
export const open = (
  journal: Service,
  sessionId: string,
  openWithin: number
): Effect.Effect<Writing, JournalBusy | JournalCorrupt | JournalFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const scope = yield* Scope.fork(yield* Effect.scope, ExecutionStrategy.sequential)
    const writer = yield* Scope.extend(journal.open(sessionId), scope).pipe(
      Effect.disconnect,
      Effect.timeoutFail({
        duration: openWithin,
        onTimeout: () =>
          new JournalFailed({ sessionId, operation: "open", reason: `It took longer than ${openWithin} ms.` })
      })
    )
    return {
      writer,
      fold: Fold.make(),
      written: { snapshot: 0, behind: 0 },
      release: Scope.close(scope, Exit.void)
    }
  })

/** Adds what another process wrote. It works in steps, so that a long conversation does not delay other sessions. */
export const load = (writing: Writing, records: ReadonlyArray<JournalRecord>): Effect.Effect<Writing> =>
  Effect.suspend(() => {
    const { fold } = writing
    const written = { snapshot: 0, behind: 0 }
    let at = 0
    const step = Effect.sync((): "More" | "Done" => {
      for (let weight = 0; weight < STEP_WEIGHT; at += 1) {
        const record = records[at]
        if (record === undefined) return "Done"
        weight += PER_THING + count(written, record, fold.apply(record))
        // The pieces of a snapshot follow the rest of it.
        if (record._tag === "Snapshot") {
          written.snapshot += written.behind
          written.behind = 0
        }
      }
      return "More"
    })
    return Effect.as(
      untilDone(() => step),
      { ...writing, written }
    )
  })

export interface Options extends Pick<RecordWriter.Options, "compactAfter" | "lag"> {
  /** Whether the session ends if its journal fails. */
  readonly mode: "required" | "preferred"
}

/** How many items have their last record remembered, so that an item that is announced twice is written once. */
const maxRemembered = 64

/**
 * Writes a session's changes to its journal before anyone else learns of them: a call before its handler runs, an
 * output before the model reads it, an item before the application gets it. While the journal lags, only handlers wait
 * for it. Without a journal, it does nothing.
 */
export class Recorder {
  readonly #session: Parts
  #records: RecordWriter.RecordWriter | undefined
  /** The last record of each of the items that were written last. */
  readonly #last = new Map<string, string>()
  /** The items that this process has recorded. */
  readonly #items = new Set<string>()
  /** The session is about to end: nothing that must be written first may still happen. */
  #isRefused = false

  constructor(session: Parts) {
    this.#session = session
  }

  /** Starts to use the journal, if there is one. */
  get begin(): Effect.Effect<void> {
    const { beginning, clock, options } = this.#session
    const { writing } = beginning
    if (writing === undefined) return Effect.void
    const { fold, writer, written } = writing
    const { compactAfter, lag, mode } = options.recording
    return Effect.map(
      RecordWriter.RecordWriter.make({
        writer,
        fold,
        written,
        lag,
        compactAfter,
        now: () => clock.unsafeCurrentTimeMillis(),
        changed: (change) => {
          this.#isRefused ||= change._tag === "GivenUp" && endsWith(change, mode)
          this.#tell(() => this.#changed(change))
        }
      }),
      (records) => {
        this.#records = records
      }
    )
  }

  /** Whether changes must be written first. */
  isOn(): boolean {
    return this.#records?.isOn() === true || this.#isRefused
  }

  opened(agent: string, at: number): void {
    this.#write({ _tag: "SessionOpened", sessionId: this.#session.id, agent, at })
  }

  settings(agent: string, settings: Settings): void {
    this.#write({ _tag: "SettingsConfirmed", agent, settings })
  }

  /**
   * The item is final, for now, and where the conversation has it. `isOwed`: the model must go on after it, as long as it
   * is the last item.
   */
  item(item: Item, isOwed = false): void {
    if (this.#records === undefined) return
    const unheard = this.#session.hearing.written(item.id, isOwed)
    const record = this.#itemFinal(item, unheard, isOwed)
    if (record !== undefined) this.#write(record)
  }

  /** The item is not complete yet. If nothing more comes, this is all of it. Nothing waits for this record. */
  begun(item: Item, unheard: ReadonlyArray<HeardPart>): void {
    const record = this.#itemFinal(item, unheard, true)
    if (record !== undefined) this.#records?.push(record)
  }

  /** These parts of the item are not heard to their end, and all others are. Nothing waits for this record. */
  heard(itemId: string, unheard: ReadonlyArray<HeardPart>): void {
    this.#records?.push({ _tag: "ItemHeard", itemId, unheard })
  }

  removed(itemId: string): void {
    if (this.#records === undefined) return
    this.#session.hearing.removed(itemId)
    // If the same item is created again, it is a new one.
    this.#last.delete(itemId)
    this.#items.delete(itemId)
    this.#write({ _tag: "ItemRemoved", itemId })
  }

  /** The audio of what the user said, in a part of an item that has no transcript yet. */
  turnAudio(kept: Omit<TurnAudioKept, "_tag">): void {
    this.#write({ _tag: "TurnAudioKept", ...kept })
  }

  /** The audio is no longer kept. Without an index: none of the item's audio. */
  turnAudioDropped(itemId: string, contentIndex?: number): void {
    this.#write({ _tag: "TurnAudioDropped", itemId, ...(contentIndex === undefined ? {} : { contentIndex }) })
  }

  call(callId: string, to: CallStage): void {
    this.#write({ _tag: "CallTransition", callId, to })
  }

  /**
   * Calls back in the loop when everything is written, or the journal was given up. `Refused`: the session must not go
   * on without the journal.
   */
  whenWritten(act: (outcome: "Written" | "Refused") => void): void {
    if (this.#records === undefined) {
      act("Written")
      return
    }
    let isNow = true
    this.#records.whenWritten((outcome) => {
      const isRefused = outcome._tag === "GivenUp" && endsWith(outcome, this.#session.options.recording.mode)
      const heard = (): void => act(isRefused ? "Refused" : "Written")
      if (isNow) heard()
      else this.#tell(heard)
    })
    isNow = false
  }

  /** Writes the last record, without the outbox. Nothing is written after it, and others may then open the journal. */
  ended(reason: string, at: number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { writing } = this.#session.beginning
      const records = this.#records
      if (records === undefined || writing === undefined) return Effect.void
      records.push({ _tag: "SessionEnded", reason, at })
      // A release that never ends blocks its storage, but must not block the session.
      const released = Effect.interruptible(Effect.disconnect(writing.release))
      return Effect.zipRight(records.close(withinMs), Effect.timeoutOption(released, withinMs))
    })
  }

  /** Runs the command in the loop. */
  #tell(command: () => void): void {
    this.#session.inbox.offer({ _tag: "Commanded", command })
  }

  #changed(change: RecordWriter.Change): void {
    const { options, outbox } = this.#session
    switch (change._tag) {
      case "Lagged":
        outbox.publish({ _tag: "JournalLagged", message: change.message })
        break
      case "CaughtUp":
        outbox.publish({ _tag: "JournalCaughtUp", records: change.records, afterMs: change.afterMs })
        break
      case "GivenUp":
        outbox.publish({ _tag: "JournalFailed", message: change.error.message })
        if (endsWith(change, options.recording.mode)) outbox.end(Exit.fail(change.error))
        break
    }
  }

  #write(record: JournalRecord): void {
    const records = this.#records
    if (records?.isOn() !== true) return
    records.push(record)
    this.#session.outbox.run(records.written)
  }

  /**
   * The nearest item before it that is recorded. What is recorded later, behind the same item, comes before what was
   * recorded earlier.
   */
  #recordedBefore(itemId: string): string | undefined {
    const { beginning, conversation } = this.#session
    let id = conversation.previousOf(itemId)
    while (id !== undefined && id !== "root" && !this.#items.has(id) && beginning.writing?.fold.has(id) !== true) {
      id = conversation.previousOf(id)
    }
    return id
  }

  /** Returns `undefined` if the record is already in the journal. */
  #itemFinal(item: Item, unheard: ReadonlyArray<HeardPart> | undefined, isOwed: boolean): JournalRecord | undefined {
    if (this.#records?.isOn() !== true) return undefined
    const previous = this.#recordedBefore(item.id)
    const text = written([item, previous, isOwed])
    // An item nested too deeply to be written could not be sent to a server either.
    if (text === undefined || this.#last.get(item.id) === text) return undefined
    this.#last.delete(item.id)
    this.#last.set(item.id, text)
    forgetOldest(this.#last, maxRemembered)
    this.#items.add(item.id)
    return {
      _tag: "ItemFinal",
      item,
      ...(previous === undefined ? {} : { previousItemId: previous }),
      ...(unheard === undefined ? {} : { unheard }),
      ...(isOwed ? { owed: true } : {})
    }
  }
}

/** Another process has the session now, or it must not go on without a journal. */
const endsWith = ({ error }: RecordWriter.GivenUp, mode: Options["mode"]): boolean =>
  error._tag === "JournalTaken" || mode === "required"
