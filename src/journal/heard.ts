/** What of the model's speech was heard, as the records of a session have it. */
import type { Item } from "../Conversation.js"
import { cutPart } from "../machine/cuts.js"
import type { HeardPart, ItemHeard } from "./Record.js"

export interface Heard {
  /** These parts of the item were not heard to their end, if any, and all others were. */
  readonly heard: (itemId: string, unheard?: ReadonlyArray<HeardPart>) => void
  /** What is left of the item, had nothing more of it been heard: itself, where it was heard to its end. */
  readonly cut: (item: Item) => Item
  /** What stands for the records so far. */
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
