/** What a session was when its journal was last written. */
import type { Item } from "../Conversation.js"
import { itemOrder } from "./itemOrder.js"
import type { CallStage, JournalRecord, SessionEnded, Settings } from "./Record.js"

/**
 * A call that arrived and was not acknowledged.
 *
 * @since 0.1.0
 * @category models
 */
export interface OpenCall extends Omit<Extract<CallStage, { readonly _tag: "Arrived" }>, "_tag"> {
  readonly callId: string
  readonly state: OpenCallState
}

/**
 * How far a call came. `Arrived`: its tool was not run, and may be. `Started`: it was, and may have done its work.
 * `Settled`: the model has to read the output, or has read it without a word of the server.
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
  /** Absent where the records do not say it. */
  readonly sessionId: string | undefined
  /** The agent that has the conversation. */
  readonly agent: string | undefined
  /** The newest that the server confirmed. */
  readonly settings: Settings | undefined
  /** In the server's order. */
  readonly items: ReadonlyArray<Item>
  /** In the order of their arrival. */
  readonly openCalls: ReadonlyArray<OpenCall>
  /**
   * The ids of the items that the model is to go on after: what the user said, and what calls brought, but for those of
   * tools that want no answer.
   */
  readonly toAnswer: ReadonlySet<string>
  /** How the session ended; absent while it runs, or after its process died. */
  readonly ended: Omit<SessionEnded, "_tag"> | undefined
}

/**
 * Folds the records of a session, in their order. It never fails: a record that does not fit what came before, such as
 * the settlement of a call that is not known, changes nothing.
 *
 * @since 0.1.0
 * @category folds
 */
export const recover = (records: Iterable<JournalRecord>): Recovered => {
  let sessionId: string | undefined
  let agent: string | undefined
  let settings: Settings | undefined
  let ended: Recovered["ended"]
  const items = new Map<string, Item>()
  /** Also of items that were removed: others stand where they stood. */
  const previous = new Map<string, string | undefined>()
  const calls = new Map<string, OpenCall>()
  /** A call id is answered once: its call is not open again. */
  const closed = new Set<string>()
  /** Calls whose output wants no answer. */
  const silent = new Set<string>()
  /** Results of deferred calls, which are items of their own. */
  const results = new Set<string>()

  const reached = (callId: string, stage: CallStage): void => {
    const call = calls.get(callId)
    switch (stage._tag) {
      case "Arrived": {
        const { _tag, ...rest } = stage
        if (call === undefined && !closed.has(callId)) calls.set(callId, { callId, ...rest, state: { _tag } })
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
      case "Acknowledged":
        if (stage.outputItemId !== undefined && !silent.has(callId)) results.add(stage.outputItemId)
        calls.delete(callId)
        closed.add(callId)
        break
    }
  }

  for (const record of records) {
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
        items.set(id, record.item)
        if (record.previousItemId !== undefined || !previous.has(id)) previous.set(id, record.previousItemId)
        break
      }
      case "ItemRemoved":
        items.delete(record.itemId)
        break
      case "CallTransition":
        reached(record.callId, record.to)
        break
      case "SessionEnded":
        ended = { at: record.at, reason: record.reason }
        break
    }
  }

  const isToAnswer = (item: Item): boolean =>
    (item._tag === "Message" && item.role === "user") ||
    (item._tag === "FunctionCallOutput" && !silent.has(item.callId)) ||
    results.has(item.id)
  const ordered = itemOrder(previous).flatMap((id) => items.get(id) ?? [])

  return {
    sessionId,
    agent,
    settings,
    items: ordered,
    toAnswer: new Set(ordered.flatMap((item) => (isToAnswer(item) ? item.id : []))),
    openCalls: Array.from(calls.values()),
    ended
  }
}
