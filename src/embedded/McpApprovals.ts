/**
 * The calls of MCP tools that wait for the client's word.
 */
import * as Effect from "effect/Effect"
import type { McpCall } from "./McpParts.js"
import type { Emit } from "./Outgoing.js"
import type { ServerConversation } from "./ServerConversation.js"
import type { McpItem } from "./ServerItem.js"

export interface McpApprovalsOptions {
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => void
  readonly conversation: ServerConversation
  readonly itemId: () => string
  /** How long a call takes. */
  readonly step: Effect.Effect<void>
}

export class McpApprovals {
  readonly #options: McpApprovalsOptions
  readonly #asked = new Map<string, McpCall>()

  constructor(options: McpApprovalsOptions) {
    this.#options = options
  }

  asked(requestId: string, call: McpCall): void {
    this.#asked.set(requestId, call)
  }

  /** The client has decided. A call that it approved runs beside the responses; the client asks for what comes next. */
  decided(requestId: string, approved: boolean): void {
    const call = this.#asked.get(requestId)
    this.#asked.delete(requestId)
    if (call !== undefined && approved) this.#options.fork(this.#run(requestId, call))
  }

  #run(approval_request_id: string, call: McpCall): Effect.Effect<void> {
    const { conversation, emit, itemId, step } = this.#options
    return Effect.gen(function* () {
      const place = { item_id: itemId(), output_index: 0 }
      const item: McpItem = {
        id: place.item_id,
        type: "mcp_call",
        server_label: call.serverLabel,
        name: call.name,
        arguments: call.arguments,
        approval_request_id,
        output: null,
        error: null
      }
      emit({ type: "conversation.item.added", previous_item_id: conversation.insert(item, undefined), item })
      emit({ type: "response.mcp_call.in_progress", ...place })
      yield* step
      const done = { ...item, ...call.result }
      emit({ type: "error" in call.result ? "response.mcp_call.failed" : "response.mcp_call.completed", ...place })
      conversation.replace(done)
      emit({ type: "conversation.item.done", previous_item_id: conversation.previousOf(item.id), item: done })
    })
  }
}
