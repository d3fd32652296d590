import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { ItemParam } from "../../protocol/ItemParam.js"

/** An item is added to the conversation. */
export type Creation = Extract<ClientEvent, { readonly type: "conversation.item.create" }>

export const isCreation = (event: ClientEvent): event is Creation => event.type === "conversation.item.create"

/** The event has the id of its item, which the server names if it refuses it. `previousItemId`: default, the last. */
export const creationOf = (id: string, item: ItemParam, previousItemId?: string): Creation => ({
  type: "conversation.item.create",
  event_id: id,
  ...(previousItemId === undefined ? {} : { previous_item_id: previousItemId }),
  item
})
