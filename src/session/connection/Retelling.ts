import type { Item } from "../../Conversation.js"
import type { ServerError } from "../../protocol/ServerEvent.js"
import { mayPass } from "../../protocol/Severity.js"
import { isEmpty, paramOf } from "../conversation/itemParam.js"
import { removeItem, renameItem } from "../conversation/items.js"
import type { Parts } from "../Parts.js"

/** How often an item is told to one server that lacks what it is to follow. */
const timesToldAtMost = 4

/** Refused for its place, and not for what it is. */
const lacksPrevious = ({ message, param }: ServerError): boolean =>
  param?.endsWith("previous_item_id") === true || /previous item/i.test(message)

/** What the server was told again, as another one had it, or this one may have it: and what it made of that. */
export class Retelling {
  readonly #session: Parts
  #replayed = new Set<string>()
  /** How often items were told to this server that it refused. */
  readonly #timesTold = new Map<string, number>()
  /** What it did not take, and another server may. */
  readonly #untaken = new Set<string>()
  #resent: ReadonlySet<string> = new Set()

  constructor(session: Parts) {
    this.#session = session
  }

  /** Another server is told these items, and has refused none. */
  begin(itemIds: ReadonlyArray<string>): void {
    this.#replayed = new Set(itemIds)
    this.#resent = new Set()
    this.#timesTold.clear()
    this.#untaken.clear()
  }

  /** These events are sent again to a server that may have carried them out already. */
  resends(eventIds: ReadonlyArray<string>): void {
    this.#resent = new Set(eventIds)
  }

  /** Whether this item was told to the server again: its announcement is no news. */
  isReplayed(itemId: string): boolean {
    return this.#replayed.has(itemId)
  }

  /** Whether this event was sent again to a server that may have carried it out already. */
  isResent(eventId: string): boolean {
    return this.#resent.has(eventId)
  }

  /** Whether the server did not take this call at first, and was told it once more. */
  isToldAgain(callId: string): boolean {
    return Array.from(this.#timesTold.keys()).some((itemId) => {
      const item = this.#session.conversation.get(itemId)
      return item?._tag === "FunctionCall" && item.callId === callId
    })
  }

  /**
   * The server did not take this item. Whether it is told it once more, in its place; one that only lacked what it was to
   * follow is told until that is there, within a bound. What the server refuses for good leaves the conversation. What it
   * may take another time stays, for the next connection.
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
    this.#session.outbox.sendOn(connection, {
      type: "conversation.item.create",
      event_id: itemId,
      previous_item_id,
      item: param
    })
    return true
  }

  /** This is what is left of an item. A server that was told more of it has it replaced. */
  correct(item: Item): void {
    const { connections, conversation, newId, outbox } = this.#session
    const connection = connections.current
    if (connection === undefined || !this.#replayed.has(item.id)) return
    const previous_item_id = conversation.previousOf(item.id)
    outbox.sendOn(connection, { type: "conversation.item.delete", event_id: newId("del"), item_id: item.id })
    // A deleted id may not be used again at once.
    const id = newId("itm")
    const param = this.#paramOf(item, id)
    if (previous_item_id === undefined || param === undefined || isEmpty(param)) {
      removeItem(this.#session, item.id)
      return
    }
    outbox.sendOn(connection, { type: "conversation.item.create", event_id: id, previous_item_id, item: param })
    this.#replayed.add(id)
    renameItem(this.#session, { from: item.id, to: id })
  }

  #paramOf(item: Item, id: string) {
    return paramOf(item, id, this.#session.turnAudio)
  }

  /** The item that it follows, of those that the server has or is told again. */
  #placeOf(itemId: string): string {
    const { conversation } = this.#session
    let previous = conversation.previousOf(itemId) ?? "root"
    while (previous !== "root" && this.#untaken.has(previous)) previous = conversation.previousOf(previous) ?? "root"
    return previous
  }
}
