import type { Parts } from "../Parts.js"

/** The item is in the conversation no more, whoever took it away: here at once, and not on a server that still has it. */
export const removeItem = ({ conversation, outbox, recorder, turnAudio }: Parts, itemId: string): void => {
  turnAudio.forget(itemId)
  if (!conversation.remove(itemId)) return
  recorder.removed(itemId)
  outbox.publish({ _tag: "ItemDeleted", itemId })
}

/** The item stays where it is, under an id that a client may give. */
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
