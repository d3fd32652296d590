/** Computes the state of a session from its records, one after another. */
import type { Item } from "../Conversation.js"
import * as Heard from "./heard.js"
import { itemOrder } from "./itemOrder.js"
import type { CallStage, JournalRecord, SessionEnded, Settings, Snapshot, TurnAudioKept } from "./Record.js"
import { lastOf } from "./steps.js"
import * as TurnAudio from "./turnAudio.js"
import { weightOfPlace } from "./weight.js"

/**
 * A call that arrived and was not acknowledged.
 *
 * @since 0.1.0
 * @category models
 */
export interface OpenCall extends Omit<Extract<CallStage, { readonly _tag: "Arrived" }>, "_tag"> {
  readonly callId: string
  readonly state: OpenCallState
  /** A guardrail took back the answer that made it: the model does not go on after its output. */
  readonly isWithdrawn: boolean
}

/**
 * The state of a call. `Arrived`: its tool has not run, and may run. `Started`: its tool was started, and may have done
 * its work. `Settled`: the model must read the output, or has read it but the server has not confirmed it.
 *
 * @since 0.1.0
 * @category models
 */
export type OpenCallState =
  | { readonly _tag: "Arrived" }
  | { readonly _tag: "Started" }
  | Extract<CallStage, { readonly _tag: "Settled" }>

/**
 * @since 0.1.0
 * @category models
 */
export interface Recovered {
  /** Absent if the records do not say it. */
  readonly sessionId: string | undefined
  /** The agent that has the conversation. */
  readonly agent: string | undefined
  /** The latest settings that the server confirmed. */
  readonly settings: Settings | undefined
  /** In the server's order. */
  readonly items: ReadonlyArray<Item>
  /** In order of arrival. */
  readonly openCalls: ReadonlyArray<OpenCall>
  /**
   * The ids of the items that the model must go on after: the user's messages and the outputs of calls, except those of
   * tools that need no answer.
   */
  readonly toAnswer: ReadonlySet<string>
  /**
   * The ids of the messages that were being played when the last record was written. They only keep the words that were
   * heard by then, and are marked as cut.
   */
  readonly cutShort: ReadonlySet<string>
  /**
   * The ids of the messages that the model must go on after, unless somebody has spoken since: its answer was
   * incomplete.
   */
  readonly owed: ReadonlySet<string>
  /** The recorded audio of the user's turns without a transcript, in the order of their items. */
  readonly turnAudio: ReadonlyArray<TurnAudioKept>
  /** How the session ended; absent while it runs, or if its process died. */
  readonly ended: Omit<SessionEnded, "_tag"> | undefined
}

export interface Fold {
  /**
   * Never fails: a record that does not fit the earlier ones, such as the settlement of an unknown call, changes
   * nothing. Records that are applied a second time, in order, change nothing either. Returns how many characters of
   * audio in earlier records are no longer needed.
   */
  readonly apply: (record: JournalRecord) => number
  /** Whether the records so far have this item, or had it. */
  readonly has: (itemId: string) => boolean
  readonly recovered: () => Recovered
  /** The same, in steps of a few milliseconds. Apply no records until it is done. */
  readonly recovering: () => Generator<undefined, Recovered>
  /**
   * The state as records that replace all records so far, with the pieces of a snapshot last. Apply no records until
   * all are taken.
   */
  readonly snapshot: () => Iterable<JournalRecord>
}

/** How many ended calls are remembered: as many as in the session's own ledger. */
const maxClosed = 1024

/** How many items are ordered in one step. */
const itemsOfStep = 4096

type Place = Snapshot["places"][number]

/** The maximum size of a piece of a snapshot, so that it is written and read quickly. */
const maxPieceWeight = 65_536

export const make = (): Fold => {
  let sessionId: string | undefined
  let agent: string | undefined
  let settings: Settings | undefined
  let ended: Recovered["ended"]
  /** Includes items that were removed, because others refer to their places. */
  const places = new Map<string, Place>()
  const calls = new Map<string, OpenCall>()
  /** A call id is answered once: its call is not opened again. */
  const closed = new Set<string>()
  let closing: IterableIterator<string> | undefined
  /** Calls whose output needs no answer. */
  const silent = new Set<string>()
  /** Results of deferred calls, which are items. */
  const results = new Set<string>()
  const turnAudio = TurnAudio.make((itemId) => places.get(itemId)?.item)
  const hearing = Heard.make()
  /** Items that the model must go on after. */
  const owed = new Set<string>()

  const removed = (itemId: string): void => {
    const place = places.get(itemId)
    if (place !== undefined) places.set(itemId, placeOf(undefined, itemId, place.previousItemId))
  }

  const close = (callId: string): void => {
    calls.delete(callId)
    closed.add(callId)
    if (closed.size <= maxClosed) return
    // The iterator is kept: searching for the oldest from the front would take longer each time, the more were
    // forgotten.
    closing ??= closed.values()
    const oldest = closing.next()
    if (oldest.done !== true) closed.delete(oldest.value)
  }

  const reached = (callId: string, stage: CallStage): void => {
    const call = calls.get(callId)
    switch (stage._tag) {
      case "Arrived": {
        const { _tag, ...rest } = stage
        if (call === undefined && !closed.has(callId)) {
          calls.set(callId, { callId, ...rest, state: { _tag }, isWithdrawn: false })
        }
        break
      }
      case "Started":
        if (call?.state._tag === "Arrived") calls.set(callId, { ...call, state: stage })
        break
      case "Settled":
        if (!stage.reply) silent.add(callId)
        // The output that was sent first is the one that the model may have read.
        if (call !== undefined && call.state._tag !== "Settled") calls.set(callId, { ...call, state: stage })
        break
      case "Withdrawn":
        silent.add(callId)
        if (call !== undefined) calls.set(callId, { ...call, isWithdrawn: true })
        break
      case "Acknowledged":
        if (stage.outputItemId !== undefined && !silent.has(callId)) results.add(stage.outputItemId)
        close(callId)
        break
    }
  }

  const take = (snapshot: Snapshot): void => {
    sessionId = snapshot.sessionId ?? sessionId
    agent = snapshot.agent ?? agent
    settings = snapshot.settings ?? settings
    ended = snapshot.ended ?? ended
    for (const place of snapshot.places) places.set(place.itemId, place)
    for (const itemId of snapshot.owed ?? []) owed.add(itemId)
    for (const callId of snapshot.silent) silent.add(callId)
    for (const itemId of snapshot.results) results.add(itemId)
    for (const callId of snapshot.closed) close(callId)
    for (const { callId, stages } of snapshot.calls) for (const stage of stages) reached(callId, stage)
  }

  function* recovering(): Generator<undefined, Recovered> {
    const ordered: Array<Item> = []
    const toAnswer = new Set<string>()
    const cutShort = new Set<string>()
    const heard: Array<TurnAudioKept> = []
    const ids = itemOrder(places, ({ previousItemId }) => previousItemId)
    for (const [at, id] of ids.entries()) {
      if (at > 0 && at % itemsOfStep === 0) yield
      const known = places.get(id)?.item
      if (known === undefined) continue
      const item = hearing.cut(known)
      if (item !== known) cutShort.add(id)
      ordered.push(item)
      turnAudio.addTo(heard, id)
      if (isToAnswer(item)) toAnswer.add(id)
    }
    return {
      sessionId,
      agent,
      settings,
      items: ordered,
      toAnswer,
      cutShort,
      owed: new Set(owed),
      turnAudio: heard,
      openCalls: Array.from(calls.values()),
      ended
    }
  }

  const isToAnswer = (item: Item): boolean =>
    (item._tag === "Message" && item.role === "user") ||
    (item._tag === "FunctionCallOutput" && !silent.has(item.callId)) ||
    results.has(item.id)

  return {
    apply: (record) => {
      let needless = 0
      switch (record._tag) {
        case "SessionOpened":
          sessionId = record.sessionId
          agent = record.agent
          ended = undefined
          break
        case "SettingsConfirmed":
          agent = record.agent
          settings = record.settings
          break
        case "ItemFinal": {
          const { id } = record.item
          places.set(id, placeOf(record.item, id, record.previousItemId ?? places.get(id)?.previousItemId))
          needless = turnAudio.changed(id)
          hearing.heard(id, record.unheard)
          if (record.owed === true) owed.add(id)
          else owed.delete(id)
          break
        }
        case "ItemRemoved":
          removed(record.itemId)
          needless = turnAudio.drop(record.itemId)
          hearing.heard(record.itemId)
          owed.delete(record.itemId)
          break
        case "ItemHeard":
          hearing.heard(record.itemId, record.unheard)
          break
        case "TurnAudioKept":
          turnAudio.keep(record)
          break
        case "TurnAudioDropped":
          needless = turnAudio.drop(record.itemId, record.contentIndex)
          break
        case "CallTransition":
          reached(record.callId, record.to)
          break
        case "SessionEnded":
          ended = { at: record.at, reason: record.reason }
          break
        case "Snapshot":
          take(record)
          break
      }
      return needless
    },
    has: (itemId) => places.has(itemId),
    recovered: () => lastOf(recovering()),
    recovering,
    *snapshot() {
      yield* turnAudio.records()
      yield* hearing.records()
      yield* piecesOf(places.values(), {
        ...(sessionId === undefined ? {} : { sessionId }),
        ...(agent === undefined ? {} : { agent }),
        ...(settings === undefined ? {} : { settings }),
        ...(ended === undefined ? {} : { ended }),
        calls: Array.from(calls.values(), ({ callId, isWithdrawn, state, ...arrived }) => ({
          callId,
          stages: [
            { _tag: "Arrived", ...arrived },
            ...(isWithdrawn ? [{ _tag: "Withdrawn" } as const] : []),
            ...(state._tag === "Arrived" ? [] : [state])
          ]
        })),
        closed: Array.from(closed),
        silent: Array.from(silent),
        results: Array.from(results),
        ...(owed.size === 0 ? {} : { owed: Array.from(owed) })
      })
    }
  }
}

const placeOf = (item: Item | undefined, itemId: string, previousItemId: string | undefined): Place => ({
  itemId,
  ...(previousItemId === undefined ? {} : { previousItemId }),
  ...(item === undefined ? {} : { item })
})

/** The last piece has everything except the items, so that short snapshots stay in one piece. */
function* piecesOf(places: Iterable<Place>, rest: Omit<Snapshot, "_tag" | "places">): Generator<Snapshot> {
  let piece: Array<Place> = []
  let weight = 0
  for (const place of places) {
    piece.push(place)
    weight += weightOfPlace(place)
    if (weight < maxPieceWeight) continue
    yield { _tag: "Snapshot", places: piece, calls: [], closed: [], silent: [], results: [] }
    piece = []
    weight = 0
  }
  yield { _tag: "Snapshot", places: piece, ...rest }
}
