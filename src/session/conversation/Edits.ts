import type { ClientEvent } from "../../protocol/ClientEvent.js"

/** An item that is put into the conversation. */
export type Creation = Extract<ClientEvent, { readonly type: "conversation.item.create" }>

/**
 * What was done to the conversation and the server has not acknowledged: what another connection has to be told besides
 * the conversation, in the order in which it was meant. Of outputs of calls, only how long they wait is of interest
 * here, for the calls see to the rest.
 */
export interface Edits {
  /** An event is on its way to the server. `false`: it changes the conversation, and no more may wait. */
  readonly sent: (event: ClientEvent) => boolean
  /** The server has the item, or has deleted it. */
  readonly acknowledged: (itemId: string) => void
  /** The server refused the event. */
  readonly refused: (eventId: string | undefined) => void
  /** Items of ours that no server has yet, and another connection has to be given. */
  readonly creations: () => ReadonlyArray<Creation>
  /** All that the server has not acknowledged, but for outputs of calls: for a server that may have it. */
  readonly unacknowledged: () => ReadonlyArray<Waiting["event"]>
  /** Outputs of calls that the server has not acknowledged. */
  readonly outputs: () => ReadonlyArray<Creation>
  /** The items that are to be deleted. */
  readonly deletions: () => ReadonlyArray<string>
  /**
   * Another conversation has nothing to delete, is given the outputs of calls under other ids, and knows nothing of what
   * waited for approval: only items are created there.
   */
  readonly begunAnew: () => void
  readonly isEmpty: () => boolean
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

export interface Environment {
  readonly now: () => number
  /** On a connection, the oldest give way to new ones: not every server acknowledges. */
  readonly isOnline: () => boolean
  /** How many may wait. */
  readonly capacity: number
  /** How long the server may take, in milliseconds. */
  readonly within: number
  readonly overdue: (itemId: string, afterMs: number) => void
}

interface Waiting {
  readonly event: Creation | Extract<ClientEvent, { readonly type: "conversation.item.delete" }>
  readonly since: number
}

export const make = (env: Environment): Edits => {
  /** In the order of their times; those whose time is over are older than all others. */
  const waiting = new Map<string, Waiting>()
  const overdue = new Map<string, Waiting>()

  const forget = (itemId: string): void => {
    waiting.delete(itemId)
    overdue.delete(itemId)
  }

  const all = (): ReadonlyArray<Waiting["event"]> =>
    [...overdue.values(), ...waiting.values()].map(({ event }) => event)

  const giveWay = (): void => {
    for (const itemId of overdue.size > 0 ? overdue.keys() : waiting.keys()) {
      forget(itemId)
      return
    }
  }

  return {
    sent: (event) => {
      if (event.type !== "conversation.item.create" && event.type !== "conversation.item.delete") return true
      const itemId = event.type === "conversation.item.create" ? event.item.id : event.item_id
      if (itemId === undefined) return true
      if (waiting.size + overdue.size >= env.capacity) {
        if (!env.isOnline()) return false
        giveWay()
      }
      forget(itemId)
      waiting.set(itemId, { event, since: env.now() })
      return true
    },
    acknowledged: forget,
    refused: (eventId) => {
      if (eventId === undefined) return
      for (const map of [overdue, waiting]) {
        for (const [itemId, { event }] of map) if (event.event_id === eventId) map.delete(itemId)
      }
    },
    creations: () =>
      all().flatMap((event) => (event.type === "conversation.item.create" && outlivesConversation(event) ? event : [])),
    unacknowledged: () => all().filter((event) => !isOutput(event)),
    outputs: () =>
      all().flatMap((event) => (event.type === "conversation.item.create" && isOutput(event) ? event : [])),
    deletions: () => all().flatMap((event) => (event.type === "conversation.item.delete" ? event.item_id : [])),
    begunAnew: () => {
      for (const map of [overdue, waiting])
        for (const [itemId, { event }] of map) if (!outlivesConversation(event)) map.delete(itemId)
    },
    isEmpty: () => waiting.size === 0,
    deadline: () => {
      if (!env.isOnline()) return undefined
      for (const { since } of waiting.values()) return since + env.within
      return undefined
    },
    timePassed: () => {
      if (!env.isOnline()) return
      for (const [itemId, edit] of waiting) {
        const age = env.now() - edit.since
        if (age < env.within) return
        waiting.delete(itemId)
        overdue.set(itemId, edit)
        env.overdue(itemId, age)
      }
    }
  }
}

/** It answers an item that only the server on this connection has. */
const isAnswer = (event: Waiting["event"]): boolean =>
  event.type === "conversation.item.create" &&
  (event.item.type === "function_call_output" || event.item.type === "mcp_approval_response")

const isOutput = (event: Waiting["event"]): boolean =>
  event.type === "conversation.item.create" && event.item.type === "function_call_output"

const outlivesConversation = (event: Waiting["event"]): boolean =>
  event.type === "conversation.item.create" && !isAnswer(event)

/** What is meant for the conversation, whichever connection it is on. */
export const outlives = (event: ClientEvent): boolean =>
  event.type === "conversation.item.delete" || (event.type === "conversation.item.create" && !isAnswer(event))
