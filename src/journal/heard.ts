/** How much of the model's speech was heard, according to a session's records. */
import type { Item } from "../Conversation.js"
import { cutPart } from "../machine/cuts.js"
import type { HeardPart, ItemHeard } from "./Record.js"

export interface Heard {
  /** These parts of the item, if any, were not heard to the end, and all others were. */
  readonly heard: (itemId: string, unheard?: ReadonlyArray<HeardPart>) => void
  /** The item cut to what was heard. An item that was heard to the end stays unchanged. */
  readonly cut: (item: Item) => Item
  /** Records that replace the records so far. */
  readonly records: () => Iterable<ItemHeard>
}

export const make = (): Heard => {
  const items = new Map<string, ReadonlyArray<HeardPart>>()

  return {
    heard: (itemId, unheard) => {
      if (unheard === undefined || unheard.length === 0) items.delete(itemId)
      else items.set(itemId, unheard)
    },
    cut: (item) => {
      const unheard = items.get(item.id)
      if (unheard === undefined) return item
      let left = item
      for (const { contentIndex, heardMs, length } of unheard) {
        if (!Number.isInteger(contentIndex) || contentIndex < 0) continue
        left = cutPart(left, contentIndex, { heardMs, length: () => length, bytes: () => 0 }) ?? left
      }
      return left
    },
    *records() {
      for (const [itemId, unheard] of items) yield { _tag: "ItemHeard", itemId, unheard }
    }
  }
}
