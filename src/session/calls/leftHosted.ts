/** The calls of hosted tools in a conversation that another process left, and that the server goes on with. */
import * as Schema from "effect/Schema"
import type { Item } from "../../Conversation.js"
import { McpApprovalRequestItem, McpApprovalResponseItem, McpCallItem } from "../../protocol/Item.js"

export interface LeftHosted {
  /** Nobody has decided on them. */
  readonly asked: ReadonlyArray<McpApprovalRequestItem>
  /** The items that say that one is over: the model goes on after them. */
  readonly ended: ReadonlySet<string>
}

export const noneLeft: LeftHosted = { asked: [], ended: new Set() }

export const isOver = ({ error, output }: McpCallItem): boolean =>
  (output ?? undefined) !== undefined || (error ?? undefined) !== undefined

export const leftHosted = (items: ReadonlyArray<Item>): LeftHosted => {
  // The journal has them as they were on the wire.
  const isHosted = Schema.is(Schema.Union(McpCallItem, McpApprovalRequestItem, McpApprovalResponseItem))
  const asked = new Map<string, McpApprovalRequestItem>()
  const ended = new Set<string>()
  for (const one of items) {
    if (one._tag !== "Other" || !isHosted(one.item)) continue
    const { item } = one
    if (item.type === "mcp_approval_request") asked.set(item.id, item)
    else {
      asked.delete(item.approval_request_id ?? "")
      if (item.type === "mcp_call" ? isOver(item) : !item.approve) ended.add(item.id)
    }
  }
  return { asked: Array.from(asked.values()), ended }
}
