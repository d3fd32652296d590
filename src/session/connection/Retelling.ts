import type { Item } from "../../Conversation.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import { mayPass } from "../../protocol/Severity.js"
import { creationOf } from "../conversation/Creation.js"
import { isEmpty, paramOf } from "../conversation/itemParam.js"
import { removeItem, renameItem } from "../conversation/items.js"
import type { Parts } from "../Parts.js"

/** How often an item is sent to a server that does not have its previous item. */
const timesToldAtMost = 4

/** Whether the item was refused for its position, and not for its content. */
const lacksPrevious = ({ message, param }: ServerError): boolean =>
  param?.endsWith("previous_item_id") === true || /previous item/i.test(message)

/**
 * The items that the server was sent again, because another server had them or this one may have them, and the server's
 * reaction.
 */
export class Retelling {
  readonly #session: Parts
  #replayed = new Set<string>()
  /** How often each item that this server refused was sent to it. */
  readonly #timesTold = new Map<string, number>()
  /** Items that this server refused, but another one may take. */
  readonly #untaken = new Set<string>()
  #resent: ReadonlySet<string> = new Set()

  constructor(session: Parts) {
    this.#session = session
  }

  /** Another server is sent these items. It has not refused any yet. */
  begin(itemIds: ReadonlyArray<string>): void {
    this.#replayed = new Set(itemIds)
    this.#resent = new Set()
    this.#timesTold.clear()
    this.#untaken.clear()
  }

  /** These events are sent again to a server that may already have carried them out. */
  resends(eventIds: ReadonlyArray<string>): void {
    this.#resent = new Set(eventIds)
  }

  /** Whether this item was sent to the server again: its announcement is not news. */
  isReplayed(itemId: string): boolean {
    return this.#replayed.has(itemId)
  }

  /** Whether this event was sent again to a server that may already have carried it out. */
  isResent(eventId: string): boolean {
    return this.#resent.has(eventId)
  }

  /** Whether the server first refused this call, and was sent it again. */
  isToldAgain(callId: string): boolean {
    return Array.from(this.#timesTold.keys()).some((itemId) => {
      const item = this.#session.conversation.get(itemId)
      return item?._tag === "FunctionCall" && item.callId === callId
    })
  }

  /**
   * The server refused this item. Returns whether it is sent once more, in its place. An item that only lacked its
   * previous item is sent until that is there, up to a limit. Items that the server refuses for good leave the
   * conversation. Items that it may take another time stay for the next connection.
   */
  refused(itemId: string, error: ServerError): boolean {
    const item = this.#session.conversation.get(itemId)
    if (item === undefined || !this.#replayed.has(itemId)) return false
    const connection = this.#session.connections.current
    const param = this.#paramOf(item, itemId)
    const times = this.#timesTold.get(itemId) ?? 1
    const isSpent = times >= (lacksPrevious(error) ? timesToldAtMost : 2)
    if (connection === undefined || param === undefined || isSpent) {
      this.#replayed.delete(itemId)
      if (mayPass(error) || lacksPrevious(error)) this.#untaken.add(itemId)
      else removeItem(this.#session, itemId)
      return false
    }
    this.#timesTold.set(itemId, times + 1)
    const previous_item_id = this.#placeOf(itemId)
    this.#session.outbox.sendOn(connection, creationOf(itemId, param, previous_item_id))
    return true
  }

  /** This is what is left of an item. A server that was sent more of it, and can be told so, gets a replacement. */
  correct(item: Item): void {
    const { connections, conversation, newId, outbox } = this.#session
    const connection = connections.current
    if (connection === undefined || !this.#replayed.has(item.id)) return
    if (connections.traits.truncation === "server") return
    const previous_item_id = conversation.previousOf(item.id)
    outbox.sendOn(connection, { type: "conversation.item.delete", event_id: newId("del"), item_id: item.id })
    // A deleted id must not be used again at once.
    const id = newId("itm")
    const param = this.#paramOf(item, id)
    if (previous_item_id === undefined || param === undefined || isEmpty(param)) {
      removeItem(this.#session, item.id)
      return
    }
    outbox.sendOn(connection, creationOf(id, param, previous_item_id))
    this.#replayed.add(id)
    renameItem(this.#session, { from: item.id, to: id })
  }

  #paramOf(item: Item, id: string) {
    return paramOf(item, id, this.#session.turnAudio)
  }

  /** The previous item, among those that the server has or is sent again. */
  #placeOf(itemId: string): string {
    const { conversation } = this.#session
    let previous = conversation.previousOf(itemId) ?? "root"
    while (previous !== "root" && this.#untaken.has(previous)) previous = conversation.previousOf(previous) ?? "root"
    return previous
  }
}
