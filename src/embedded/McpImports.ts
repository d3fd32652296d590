/**
 * The lists of tools of MCP servers. On the real API, the server reads them after each update that names a server, and
 * reports this beside the responses. The embedded server connects to no MCP server: what it finds is an option.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { McpTool } from "./McpParts.js"
import type { Emit } from "./Outgoing.js"
import type { ServerConversation } from "./ServerConversation.js"
import { isObject, type Refusal, refusal } from "./Shape.js"

/**
 * What the embedded server finds at an MCP server, and how it reports that.
 *
 * @since 0.1.0
 * @category options
 */
export interface McpServer {
  /** Default: none. */
  readonly tools?: ReadonlyArray<McpTool>
  /** `"never"`: the list is begun, and not read to its end. Default: `"completed"`. */
  readonly outcome?: "completed" | "failed" | "never"
  /**
   * Whether the item with the list comes before or after `mcp_list_tools.completed`; with `"never"`, no item comes.
   * Default: `"behind"`.
   */
  readonly item?: "before" | "behind" | "never"
  /** How long it takes. Default: the server's `pace`. */
  readonly takes?: Duration.DurationInput
}

export interface McpImportsOptions {
  readonly emit: Emit
  readonly fork: (effect: Effect.Effect<void>) => void
  readonly conversation: ServerConversation
  readonly itemId: () => string
  readonly servers: { readonly [label: string]: McpServer }
  /** How long it takes by default. */
  readonly step: Effect.Effect<void>
}

const isMcp = (tool: unknown): tool is { readonly [key: string]: unknown } => isObject(tool) && tool["type"] === "mcp"

const places = ["server_url", "connector_id", "tunnel_id"]

/** As the API refuses servers, with the whole update. `known`: the tools of the session so far. */
export const refuseServers = (tools: unknown, known: unknown): Refusal | undefined => {
  if (!Array.isArray(tools)) return undefined
  const labels = new Set<unknown>()
  for (const [index, tool] of tools.entries()) {
    if (!isMcp(tool)) continue
    const label = tool["server_label"]
    const path = `session.tools[${index}]`
    const given = places.filter((place) => tool[place] !== undefined)
    if (labels.has(label)) {
      return refusal("invalid_value", `Duplicate server_label: '${String(label)}'.`, `${path}.server_label`)
    }
    labels.add(label)
    if (given.length > 1)
      return refusal("mutually_exclusive_parameters", `Provide only one of ${given.join(", ")}.`, path)
    const isKnown = Array.isArray(known) && known.some((one) => isMcp(one) && one["server_label"] === label)
    if (given.length === 0 && !isKnown) {
      return refusal("missing_required_parameter", `Missing required parameter: '${path}.server_url'.`, path)
    }
    const headers = isObject(tool["headers"]) ? Object.keys(tool["headers"]) : []
    if (tool["connector_id"] !== undefined && headers.some((name) => name.toLowerCase() === "authorization")) {
      return refusal("invalid_value", "Use 'authorization' for connectors, not a header.", `${path}.headers`)
    }
  }
  return undefined
}

/** As the server shows them: it keeps the credentials to itself. A label alone means the server of that name. */
export const shownServers = (tools: unknown, known: unknown): unknown => {
  if (!Array.isArray(tools)) return tools
  return tools.map((tool: unknown) => {
    if (!isMcp(tool)) return tool
    const before = Array.isArray(known)
      ? known.find((one) => isMcp(one) && one["server_label"] === tool["server_label"])
      : undefined
    const { authorization: _, headers: __, ...shown } = tool
    return places.some((place) => shown[place] !== undefined) ? shown : { ...before, ...shown }
  })
}

export class McpImports {
  readonly #options: McpImportsOptions

  constructor(options: McpImportsOptions) {
    this.#options = options
  }

  /** The client has sent these tools. A label alone means a server whose list is known. */
  updated(tools: unknown): void {
    if (!Array.isArray(tools)) return
    for (const tool of tools) {
      if (!isMcp(tool) || places.every((place) => tool[place] === undefined)) continue
      this.#options.fork(this.#import(String(tool["server_label"])))
    }
  }

  #import(server_label: string): Effect.Effect<void> {
    const { conversation, emit, itemId, servers, step } = this.#options
    const { item: order = "behind", outcome = "completed", takes, tools = [] } = servers[server_label] ?? {}
    const id = itemId()
    const item = { id, type: "mcp_list_tools" as const, server_label }
    const listed = tools.map((tool) => ({ ...tool, input_schema: tool.input_schema ?? { type: "object" } }))
    const done = (): void => {
      if (order === "never" || !conversation.has(id)) return
      const full = { ...item, tools: outcome === "completed" ? listed : [] }
      conversation.replace(full)
      emit({ type: "conversation.item.done", previous_item_id: conversation.previousOf(id), item: full })
    }
    return Effect.gen(function* () {
      if (order !== "never") {
        const empty = { ...item, tools: [] }
        emit({ type: "conversation.item.added", previous_item_id: conversation.insert(empty, undefined), item: empty })
      }
      emit({ type: "mcp_list_tools.in_progress", item_id: id })
      yield* takes === undefined ? step : Effect.sleep(takes)
      if (outcome === "never") return
      if (order === "before") done()
      emit({ type: `mcp_list_tools.${outcome}`, item_id: id })
      if (order === "behind") done()
    })
  }
}
