/**
 * The conversation in the order in which it was understood.
 */
import type { Request } from "../Mind.js"
import type { CallItem, MessageItem, ServerItem } from "../ServerItem.js"

/**
 * What came while a response was under way stands before what that response made. Here it stands behind it, so that it
 * is not taken for answered. So does what a response had read that failed. Left out is what answers nothing: commentary,
 * and a last item that was not completed, for its response is asked for again.
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

/** What a client brings, for the model to read. */
const isRead = (item: ServerItem): boolean =>
  item.type === "function_call_output" || (item.type === "message" && item.role !== "assistant")
