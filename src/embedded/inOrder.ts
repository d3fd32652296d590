/** The conversation in the order in which it was understood. */
import type { Request } from "./Mind.js"
import type { CallItem, MessageItem, ServerItem } from "./ServerItem.js"

/**
 * Items that arrived during a response come before the items of that response. Here they are moved after them, so that
 * they do not count as answered. The same applies to the items that a failed response had read. Items that answer nothing
 * are left out: commentary, and a last item that is incomplete, because its response is requested again.
 */
export const inOrder = ({ conversation, hasSeen }: Pick<Request, "conversation" | "hasSeen">): Array<ServerItem> => {
  const ordered: Array<ServerItem> = []
  for (const item of conversation) {
    if (isCommentary(item)) continue
    let at = ordered.length
    if (isMade(item)) {
      for (let before = at - 1; before >= 0; before -= 1) {
        const other = ordered[before]
        if (other === undefined || !isRead(other)) continue
        if (hasSeen(item, other)) break
        at = before
      }
    }
    ordered.splice(at, 0, item)
  }
  const last = ordered.at(-1)
  if (last !== undefined && isMade(last) && last.status === "incomplete") ordered.pop()
  return ordered
}

const isCommentary = (item: ServerItem): boolean => item.type === "message" && item.phase === "commentary"

const isMade = (item: ServerItem): item is CallItem | MessageItem =>
  item.type === "function_call" || (item.type === "message" && item.role === "assistant")

/** Items from a client, which the model reads. */
const isRead = (item: ServerItem): boolean =>
  item.type === "function_call_output" || (item.type === "message" && item.role !== "assistant")
