import type { Parts } from "../Parts.js"

/**
 * The item is no longer in the conversation, whoever removed it. This takes effect here at once, but not on a server
 * that still has it.
 */
export const removeItem = ({ conversation, outbox, recorder, turnAudio }: Parts, itemId: string): void => {
  turnAudio.forget(itemId)
  if (!conversation.remove(itemId)) return
  recorder.removed(itemId)
  outbox.publish({ _tag: "ItemDeleted", itemId })
}

/** The item keeps its place, under an id that a client may choose. */
export const renameItem = (
  { conversation, hearing, outbox, turnAudio }: Parts,
  { from, to }: { readonly from: string; readonly to: string }
): void => {
  const item = conversation.rename(from, to)
  if (item === undefined) return
  turnAudio.rename(from, to)
  hearing.renamed(from, to)
  outbox.publish({ _tag: "ItemDeleted", itemId: from })
  outbox.publish({ _tag: "ItemAdded", item })
}
