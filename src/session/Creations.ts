import type { ClientEvent } from "../protocol/ClientEvent.js"

/** An item that is put into the conversation. */
export type Creation = Extract<ClientEvent, { readonly type: "conversation.item.create" }>

/**
 * Items of ours that the server has not acknowledged: what another connection has to be told besides the conversation.
 * In the order in which they were meant. Outputs of calls are not among them, for the calls see to those.
 */
export interface Creations {
  /** `false`: no more may wait. */
  readonly add: (event: Creation) => boolean
  /** The server has the item, or refused it. */
  readonly settled: (itemId: string) => void
  readonly pending: () => ReadonlyArray<Creation>
  readonly isEmpty: () => boolean
}

/**
 * @param capacity how many may wait while there is no connection
 * @param isConnected on a connection the oldest give way to new ones: not every server acknowledges
 */
export const make = (capacity: number, isConnected: () => boolean): Creations => {
  const waiting = new Map<string, Creation>()
  return {
    add: (event) => {
      const id = event.item.id ?? event.event_id
      if (id === undefined) return true
      if (waiting.size >= capacity) {
        if (!isConnected()) return false
        for (const oldest of waiting.keys()) {
          waiting.delete(oldest)
          break
        }
      }
      waiting.set(id, event)
      return true
    },
    settled: (itemId) => waiting.delete(itemId),
    pending: () => Array.from(waiting.values()),
    isEmpty: () => waiting.size === 0
  }
}
