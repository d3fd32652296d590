/** The calls of hosted tools in a conversation that another process left, and that the server goes on with. */
import * as Schema from "effect/Schema"
import type { Item } from "../../Conversation.js"
import { McpApprovalRequestItem, McpApprovalResponseItem, McpCallItem } from "../../protocol/Item.js"

export interface LeftHosted {
  /** Nobody has decided on them. */
  readonly asked: ReadonlyArray<McpApprovalRequestItem>
  /** They may have ended since. Of a call that was approved: what asked, as long as nothing else is known of it. */
  readonly running: ReadonlyArray<McpApprovalRequestItem | McpCallItem>
  /** The items of approved calls, and what asked. */
  readonly idOf: ReadonlyMap<string, string>
  /** The items that say that one is over: the model goes on after them. */
  readonly ended: ReadonlySet<string>
}

export const noneLeft: LeftHosted = { asked: [], running: [], idOf: new Map(), ended: new Set() }

export const isOver = ({ error, output }: McpCallItem): boolean =>
  (output ?? undefined) !== undefined || (error ?? undefined) !== undefined

export const leftHosted = (items: ReadonlyArray<Item>): LeftHosted => {
  // The journal has them as they were on the wire.
  const isHosted = Schema.is(Schema.Union(McpCallItem, McpApprovalRequestItem, McpApprovalResponseItem))
  const asked = new Map<string, McpApprovalRequestItem>()
  const running = new Map<string, McpApprovalRequestItem | McpCallItem>()
  const idOf = new Map<string, string>()
  const ended = new Set<string>()
  for (const one of items) {
    if (one._tag !== "Other" || !isHosted(one.item)) continue
    const { item } = one
    if (item.type === "mcp_approval_request") {
      asked.set(item.id, item)
      continue
    }
    const id = item.approval_request_id ?? item.id
    const request = asked.get(id)
    asked.delete(id)
    if (item.type === "mcp_approval_response" ? !item.approve : isOver(item)) {
      running.delete(id)
      ended.add(item.id)
    } else if (item.type === "mcp_call" && id === item.id) running.set(id, item)
    else {
      if (item.type === "mcp_call") idOf.set(item.id, id)
      if (request !== undefined) running.set(id, request)
    }
  }
  return { asked: Array.from(asked.values()), running: Array.from(running.values()), idOf, ended }
}
