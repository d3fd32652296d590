import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import type { Item } from "../Conversation.js"
import * as Fold from "../journal/Fold.js"
import { type JournalBusy, type JournalCorrupt, JournalFailed } from "../journal/JournalError.js"
import type { CallStage, HeardPart, JournalRecord, Settings, TurnAudioKept } from "../journal/Record.js"
import type { Service, Writer } from "../journal/Service.js"
import { PER_THING, STEP_WEIGHT, untilDone } from "../journal/steps.js"
import { count } from "../journal/weight.js"
import { forgetOldest } from "../machine/forgetOldest.js"
import * as RecordWriter from "./RecordWriter.js"

/**
 * Writes what becomes of a session into its journal, before anybody hears of it: a call is there before its handler runs,
 * its output before the model reads it, an item before the application is told. While the journal lags, only handlers wait
 * for it. Without a journal, it does nothing.
 */
export interface Recorder {
  /** Whether what happens has to be written first. */
  readonly isOn: () => boolean
  readonly opened: (agent: string, at: number) => void
  readonly settings: (agent: string, settings: Settings) => void
  /** The item is final, for now. `previousItemId`: the one before it, or `"root"`. */
  readonly item: (item: Item, previousItemId: string | undefined, state?: ItemState) => void
  /** The item is final, and stands behind another one now. Nothing else of it changed. */
  readonly moved: (item: Item, previousItemId: string) => void
  /** There is more to come of the item: this is it, if nothing does. Nothing waits for that to be written. */
  readonly begun: (item: Item, previousItemId: string | undefined, unheard: ReadonlyArray<HeardPart>) => void
  /** These parts of the item are not heard to their end, and all others are. Nothing waits for that to be written. */
  readonly heard: (itemId: string, unheard: ReadonlyArray<HeardPart>) => void
  readonly removed: (itemId: string) => void
  /** The sound of what the user said in a part of an item that has no words yet. */
  readonly turnAudio: (kept: Omit<TurnAudioKept, "_tag">) => void
  /** It is kept no longer; without an index, none of the item is. */
  readonly turnAudioDropped: (itemId: string, contentIndex?: number) => void
  readonly call: (callId: string, to: CallStage) => void
  /**
   * Calls back in the loop when all of this is written, or the journal was given up: `Refused` where the session must not
   * go on without it.
   */
  readonly whenWritten: (act: (outcome: "Written" | "Refused") => void) => void
  /** The last record, past the outbox: nothing is written behind it, and others may open the journal. */
  readonly ended: (reason: string, at: number) => Effect.Effect<void>
}

/** What of an item is not over. */
export interface ItemState {
  /** Its parts that were not heard to their end. */
  readonly unheard?: ReadonlyArray<HeardPart> | undefined
  /** Whether the model is to go on after it, while it is the last. */
  readonly isOwed?: boolean
}

/** A session's hold of its journal. */
export interface Writing {
  readonly writer: Writer
  /** What is there already. */
  readonly fold: Fold.Fold
  readonly written: RecordWriter.Environment["written"]
  readonly release: Effect.Effect<void>
}

/** How long what is left when a session ends may take to be written. */
const withinMs = 5000

/** How long a storage may take to open a journal: a new one, for which a caller waits, or one that has to be read. */
export const openWithinMs = { new: 5000, known: 60_000 }

/** Until it is released, or the scope closes: a session may end long before its scope does. */
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

/** With what another process wrote. In steps: a long conversation holds up no other session. */
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
        // The pieces of a snapshot come behind what else is in it.
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

export interface Options extends Pick<RecordWriter.Environment, "compactAfter" | "lag"> {
  /** Whether the session ends with its journal. */
  readonly mode: "required" | "preferred"
}

export interface Environment {
  readonly writing: Writing | undefined
  readonly options: Options
  readonly sessionId: string
  /** Milliseconds, by a clock that never goes back. */
  readonly now: () => number
  readonly run: (effect: Effect.Effect<unknown>) => void
  /** Runs this in the loop. */
  readonly tell: (act: () => void) => void
  readonly changed: (change: RecordWriter.Change) => void
}

/** Items whose last record is remembered, so that an item that is announced twice is written once. */
const maxRemembered = 64

export const make = (env: Environment): Effect.Effect<Recorder> =>
  Effect.gen(function* () {
    const { options, run, sessionId, tell, writing } = env
    if (writing === undefined) return none
    const last = new Map<string, string>()
    /** The session is about to end: nothing may happen any more that had to be written first. */
    let isRefused = false
    const { fold, release, writer, written } = writing
    const records = yield* RecordWriter.make({
      writer,
      fold,
      written,
      lag: options.lag,
      compactAfter: options.compactAfter,
      now: env.now,
      changed: (change) => {
        isRefused ||= change._tag === "GivenUp" && endsWith(change, options.mode)
        tell(() => env.changed(change))
      }
    })

    // A record that takes for ever holds its storage as long, and must not hold the session too.
    const released = Effect.interruptible(Effect.disconnect(release))

    /** Unless it is there already. */
    const itemFinal = (
      item: Item,
      previousItemId: string | undefined,
      { isOwed = false, unheard }: ItemState
    ): JournalRecord | undefined => {
      if (!records.isOn()) return undefined
      const text = textOf([item, previousItemId, isOwed])
      // What nests too deeply to be written could be told to no server either.
      if (text === undefined || last.get(item.id) === text) return undefined
      last.delete(item.id)
      last.set(item.id, text)
      forgetOldest(last, maxRemembered)
      return {
        _tag: "ItemFinal",
        item,
        ...(previousItemId === undefined ? {} : { previousItemId }),
        ...(unheard === undefined ? {} : { unheard }),
        ...(isOwed ? { owed: true } : {})
      }
    }

    const write = (record: JournalRecord): void => {
      if (!records.isOn()) return
      records.push(record)
      run(records.written)
    }

    const writeItem = (item: Item, previousItemId: string | undefined, state: ItemState = {}): void => {
      const record = itemFinal(item, previousItemId, state)
      if (record !== undefined) write(record)
    }

    return {
      isOn: () => records.isOn() || isRefused,
      opened: (agent, at) => write({ _tag: "SessionOpened", sessionId, agent, at }),
      settings: (agent, settings) => write({ _tag: "SettingsConfirmed", agent, settings }),
      item: writeItem,
      moved: writeItem,
      begun: (item, previousItemId, unheard) => {
        const record = itemFinal(item, previousItemId, { unheard, isOwed: true })
        if (record !== undefined) records.push(record)
      },
      heard: (itemId, unheard) => {
        if (records.isOn()) records.push({ _tag: "ItemHeard", itemId, unheard })
      },
      removed: (itemId) => {
        // An item that is made again, as it was, is another one.
        last.delete(itemId)
        write({ _tag: "ItemRemoved", itemId })
      },
      turnAudio: (kept) => write({ _tag: "TurnAudioKept", ...kept }),
      turnAudioDropped: (itemId, contentIndex) =>
        write({ _tag: "TurnAudioDropped", itemId, ...(contentIndex === undefined ? {} : { contentIndex }) }),
      call: (callId, to) => write({ _tag: "CallTransition", callId, to }),
      whenWritten: (act) => {
        let isNow = true
        records.whenWritten((outcome) => {
          const isRefused = outcome._tag === "GivenUp" && endsWith(outcome, options.mode)
          const heard = (): void => act(isRefused ? "Refused" : "Written")
          if (isNow) heard()
          else tell(heard)
        })
        isNow = false
      },
      ended: (reason, at) =>
        Effect.suspend(() => {
          if (records.isOn()) records.push({ _tag: "SessionEnded", reason, at })
          return Effect.zipRight(records.close(withinMs), Effect.timeoutOption(released, withinMs))
        })
    }
  })

/** Somebody else has the session now, or it may not go on without a journal. */
export const endsWith = ({ error }: RecordWriter.GivenUp, mode: Options["mode"]): boolean =>
  error._tag === "JournalTaken" || mode === "required"

const none: Recorder = {
  isOn: () => false,
  opened: () => undefined,
  settings: () => undefined,
  item: () => undefined,
  moved: () => undefined,
  begun: () => undefined,
  heard: () => undefined,
  removed: () => undefined,
  turnAudio: () => undefined,
  turnAudioDropped: () => undefined,
  call: () => undefined,
  whenWritten: (act) => act("Written"),
  ended: () => Effect.void
}

const textOf = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
