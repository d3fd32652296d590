/**
 * Calls of MCP tools that run outside responses: those that waited for the client's approval, and those whose response
 * was over before they ran.
 */
import * as Effect from "effect/Effect"
import type { McpCall } from "./McpParts.js"
import type { Emit } from "./Outgoing.js"
import type { ServerConversation } from "./ServerConversation.js"
import type { McpItem } from "./ServerItem.js"

export type McpCallItem = Extract<McpItem, { readonly type: "mcp_call" }>

export interface McpRunsOptions {
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => void
  readonly conversation: ServerConversation
  readonly itemId: () => string
  /** How long a call takes by default. */
  readonly step: Effect.Effect<void>
}

/** The position of an item in the output of a response. */
export interface Place {
  readonly response_id: string
  readonly output_index: number
}

export class McpRuns {
  readonly #options: McpRunsOptions
  readonly #asked = new Map<string, McpCall>()

  constructor(options: McpRunsOptions) {
    this.#options = options
  }

  asked(requestId: string, call: McpCall): void {
    this.#asked.set(requestId, call)
  }

  /** The client has decided. An approved call runs, and the client asks for the next response. */
  decided(requestId: string, approved: boolean): void {
    const call = this.#asked.get(requestId)
    this.#asked.delete(requestId)
    if (call !== undefined && approved) this.#options.fork(Effect.suspend(() => this.#approved(requestId, call)))
  }

  /** The response of this call is over, and the call runs. */
  left(item: McpCallItem, call: McpCall, place: Place): void {
    this.#options.fork(this.#run(item, call, place))
  }

  #approved(approval_request_id: string, call: McpCall): Effect.Effect<void> {
    const { conversation, emit, itemId } = this.#options
    const item: McpCallItem = {
      id: itemId(),
      type: "mcp_call",
      server_label: call.serverLabel,
      name: call.name,
      arguments: call.arguments,
      approval_request_id,
      output: null,
      error: null
    }
    emit({ type: "conversation.item.added", previous_item_id: conversation.insert(item, undefined), item })
    return this.#run(item, call, undefined)
  }

  #run(item: McpCallItem, call: McpCall, place: Place | undefined): Effect.Effect<void> {
    const { conversation, emit, step } = this.#options
    const { manner, result } = call
    const at = { item_id: item.id, output_index: place?.output_index ?? 0 }
    return Effect.gen(function* () {
      emit({ type: "response.mcp_call.in_progress", ...at })
      yield* manner.takes === undefined ? step : Effect.sleep(manner.takes)
      const done = { ...item, ...result }
      const ended = () => emit({ type: endOf(result), ...at })
      if (manner.item !== "before") ended()
      if (place !== undefined) emit({ type: "response.output_item.done", ...place, item: done })
      if (conversation.has(item.id)) {
        conversation.replace(done)
        emit({ type: "conversation.item.done", previous_item_id: conversation.previousOf(item.id), item: done })
      }
      if (manner.item === "before") ended()
    })
  }
}

export const endOf = (result: McpCall["result"]) =>
  "error" in result ? ("response.mcp_call.failed" as const) : ("response.mcp_call.completed" as const)
