import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { Parts } from "../Parts.js"
import { type Creation, isCreation } from "./Creation.js"

interface Waiting {
  readonly event: Creation | Extract<ClientEvent, { readonly type: "conversation.item.delete" }>
  readonly since: number
}

/**
 * Changes of the conversation that the server has not acknowledged. Another connection must be sent them in addition to
 * the conversation, in order. For outputs of calls, only the waiting time is tracked here, because the calls handle the
 * rest.
 */
export class Edits {
  readonly #session: Parts

  /** In order of their deadlines. Those whose deadline has passed are older than all others. */
  readonly #waiting = new Map<string, Waiting>()
  readonly #overdue = new Map<string, Waiting>()

  constructor(session: Parts) {
    this.#session = session
  }

  /** An event is about to be sent. Returns `false` if it changes the conversation and no more changes may wait. */
  sent(event: ClientEvent): boolean {
    if (!isCreation(event) && event.type !== "conversation.item.delete") return true
    const itemId = isCreation(event) ? event.item.id : event.item_id
    if (itemId === undefined) return true
    if (this.#waiting.size + this.#overdue.size >= this.#session.options.controlCapacity) {
      if (!this.#session.isOnline()) return false
      this.#giveWay()
    }
    this.acknowledged(itemId)
    this.#waiting.set(itemId, { event, since: this.#session.now() })
    return true
  }

  /** Whether an item of this id is on its way to the server. */
  has(itemId: string): boolean {
    const waiting = this.#waiting.get(itemId) ?? this.#overdue.get(itemId)
    return waiting !== undefined && isCreation(waiting.event)
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

  /** Items of the session that no server has yet, and that another connection must be given. */
  creations(): ReadonlyArray<Creation> {
    return this.#all().flatMap((event) => (isCreation(event) && outlivesConversation(event) ? event : []))
  }

  /** Everything unacknowledged, except outputs of calls: for a server that may already have it. */
  unacknowledged(): ReadonlyArray<Waiting["event"]> {
    return this.#all().filter((event) => !isOutput(event))
  }

  /** Outputs of calls that the server has not acknowledged. */
  outputs(): ReadonlyArray<Creation> {
    return this.#all().flatMap((event) => (isCreation(event) && isOutput(event) ? event : []))
  }

  /** The items to delete. */
  deletions(): ReadonlyArray<string> {
    return this.#all().flatMap((event) => (event.type === "conversation.item.delete" ? event.item_id : []))
  }

  /**
   * A new conversation has nothing to delete, gets the outputs of calls under other ids, and does not know what waited
   * for approval. Only new items are created there.
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

  /** On a connection, the oldest changes give way to new ones: not every server acknowledges. */
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
  isCreation(event) && (event.item.type === "function_call_output" || event.item.type === "mcp_approval_response")

const isOutput = (event: Waiting["event"]): boolean => isCreation(event) && event.item.type === "function_call_output"

const outlivesConversation = (event: Waiting["event"]): boolean => isCreation(event) && !isAnswer(event)

/** Whether the event is meant for the conversation, on any connection. */
export const outlives = (event: ClientEvent): boolean =>
  event.type === "conversation.item.delete" || (isCreation(event) && !isAnswer(event))
