/**
 * What a mind does with the tools of remote MCP servers. They run on the server's side: a client sees items and events,
 * and is asked for approval at most. The embedded server reaches no MCP server: what a call gives is in the script.
 */
import type * as Duration from "effect/Duration"
import type { McpCallParam } from "../protocol/ItemParam.js"

/**
 * Why the call of an MCP tool failed.
 *
 * @since 0.1.0
 * @category parts
 */
export type McpError = NonNullable<McpCallParam["error"]>

/**
 * What an MCP call gives: an output, or an error.
 *
 * @since 0.1.0
 * @category parts
 */
export type McpResult = { readonly output: string } | { readonly error: McpError }

/**
 * A tool as its MCP server lists it.
 *
 * @since 0.1.0
 * @category parts
 */
export interface McpTool {
  readonly name: string
  readonly description?: string
  /** JSON schema of the arguments; any object by default. */
  readonly input_schema?: { readonly [key: string]: unknown }
}

/**
 * A call of a hosted MCP tool, which the server itself runs.
 *
 * @since 0.1.0
 * @category models
 */
export interface McpCall {
  readonly serverLabel: string
  readonly name: string
  /** JSON text. */
  readonly arguments: string
  readonly result: McpResult
  /** The item that asked for approval, where one did. */
  readonly approvalRequestId: string | null
  readonly manner: McpManner
}

/**
 * When an MCP call runs, and in which order its end is told: servers differ, and a client must take them all. After each,
 * the server says nothing more until the client asks for a response.
 *
 * @since 0.1.0
 * @category parts
 */
export interface McpManner {
  /** While its response goes on, or when that is over. Default: `"within"`. A call that was approved runs by itself. */
  readonly runs?: "within" | "after"
  /** Whether the item is told to be done before `response.mcp_call.completed`, or behind it. Default: `"behind"`. */
  readonly item?: "before" | "behind"
  /** How long it runs. Default: the server's `pace`. */
  readonly takes?: Duration.DurationInput
}

/**
 * @since 0.1.0
 * @category parts
 */
export type McpPart =
  | {
      readonly _tag: "McpListTools"
      readonly serverLabel: string
      readonly tools: ReadonlyArray<McpTool>
      readonly outcome: "completed" | "failed"
    }
  | ({ readonly _tag: "McpCall" } & McpCall)
  | ({ readonly _tag: "McpApprovalRequest" } & McpCall)

/**
 * Lists the tools of an MCP server, or fails to. The item goes into the conversation, and is no output of the response.
 *
 * @since 0.1.0
 * @category parts
 */
export const mcpListTools = (serverLabel: string, tools: ReadonlyArray<McpTool> | "failed"): McpPart =>
  tools === "failed"
    ? { _tag: "McpListTools", serverLabel, tools: [], outcome: "failed" }
    : { _tag: "McpListTools", serverLabel, tools, outcome: "completed" }

const mcp = (
  serverLabel: string,
  name: string,
  args: object | string,
  result: McpResult,
  manner: McpManner
): McpCall => ({
  serverLabel,
  name,
  arguments: typeof args === "string" ? args : JSON.stringify(args),
  result,
  approvalRequestId: null,
  manner
})

/**
 * Calls a tool of an MCP server.
 *
 * @since 0.1.0
 * @category parts
 */
export const mcpCall = (
  serverLabel: string,
  name: string,
  args: object | string,
  result: McpResult,
  manner: McpManner = {}
): McpPart => ({ _tag: "McpCall", ...mcp(serverLabel, name, args, result, manner) })

/**
 * Asks the client to approve a call of an MCP tool. When its `mcp_approval_response` approves, the call runs beside the
 * responses; as on the real API, the client then asks for the response that speaks of what came of it.
 *
 * @since 0.1.0
 * @category parts
 */
export const mcpApprovalRequest = (
  serverLabel: string,
  name: string,
  args: object | string,
  result: McpResult,
  manner: McpManner = {}
): McpPart => ({ _tag: "McpApprovalRequest", ...mcp(serverLabel, name, args, result, manner) })
