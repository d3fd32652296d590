import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { Parts } from "../Parts.js"

/** An item that is put into the conversation. */
export type Creation = Extract<ClientEvent, { readonly type: "conversation.item.create" }>

interface Waiting {
  readonly event: Creation | Extract<ClientEvent, { readonly type: "conversation.item.delete" }>
  readonly since: number
}

/**
 * What was done to the conversation and the server has not acknowledged: what another connection has to be told besides
 * the conversation, in the order in which it was meant. Of outputs of calls, only how long they wait is of interest
 * here, for the calls see to the rest.
 */
export class Edits {
  readonly #session: Parts

  /** In the order of their times; those whose time is over are older than all others. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #overdue = new Map<string, Waiting>()

  constructor(session: Parts) {
    this.#session = session
  }

  /** An event is on its way to the server. `false`: it changes the conversation, and no more may wait. */
  sent(event: ClientEvent): boolean {
    if (event.type !== "conversation.item.create" && event.type !== "conversation.item.delete") return true
    const itemId = event.type === "conversation.item.create" ? event.item.id : event.item_id
    if (itemId === undefined) return true
    if (this.#waiting.size + this.#overdue.size >= this.#session.options.controlCapacity) {
      if (!this.#session.isOnline()) return false
      this.#giveWay()
    }
    this.acknowledged(itemId)
    this.#waiting.set(itemId, { event, since: this.#session.now() })
    return true
  }

  /** The server has the item, or has deleted it. */
  acknowledged(itemId: string): void {
    this.#waiting.delete(itemId)
    this.#overdue.delete(itemId)
  }

  /** The server refused the event. */
  refused(eventId: string | undefined): void {
    if (eventId === undefined) return
    this.#forget((event) => event.event_id === eventId)
  }

  /** Items of ours that no server has yet, and another connection has to be given. */
  creations(): ReadonlyArray<Creation> {
    return this.#all().flatMap((event) =>
      event.type === "conversation.item.create" && outlivesConversation(event) ? event : []
    )
  }

  /** All that the server has not acknowledged, but for outputs of calls: for a server that may have it. */
  unacknowledged(): ReadonlyArray<Waiting["event"]> {
    return this.#all().filter((event) => !isOutput(event))
  }

  /** Outputs of calls that the server has not acknowledged. */
  outputs(): ReadonlyArray<Creation> {
    return this.#all().flatMap((event) => (event.type === "conversation.item.create" && isOutput(event) ? event : []))
  }

  /** The items that are to be deleted. */
  deletions(): ReadonlyArray<string> {
    return this.#all().flatMap((event) => (event.type === "conversation.item.delete" ? event.item_id : []))
  }

  /**
   * Another conversation has nothing to delete, is given the outputs of calls under other ids, and knows nothing of what
   * waited for approval: only items are created there.
   */
  begunAnew(): void {
    this.#forget((event) => !outlivesConversation(event))
  }

  isEmpty(): boolean {
    return this.#waiting.size === 0
  }

  deadline(): number | undefined {
    if (this.#waiting.size === 0 || !this.#session.isOnline()) return undefined
    for (const { since } of this.#waiting.values()) return since + this.#session.options.acknowledgedWithin
    return undefined
  }

  timePassed(): void {
    if (!this.#session.isOnline()) return
    for (const [itemId, edit] of this.#waiting) {
      const afterMs = this.#session.now() - edit.since
      if (afterMs < this.#session.options.acknowledgedWithin) return
      this.#waiting.delete(itemId)
      this.#overdue.set(itemId, edit)
      this.#session.outbox.publish({ _tag: "ItemUnacknowledged", itemId, afterMs })
    }
  }

  #all(): ReadonlyArray<Waiting["event"]> {
    return [...this.#overdue.values(), ...this.#waiting.values()].map(({ event }) => event)
  }

  /** On a connection, the oldest give way to new ones: not every server acknowledges. */
  #giveWay(): void {
    for (const itemId of this.#overdue.size > 0 ? this.#overdue.keys() : this.#waiting.keys()) {
      this.acknowledged(itemId)
      return
    }
  }

  #forget(isMeant: (event: Waiting["event"]) => boolean): void {
    for (const map of [this.#overdue, this.#waiting]) {
      for (const [itemId, { event }] of map) if (isMeant(event)) map.delete(itemId)
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
