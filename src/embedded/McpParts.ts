/**
 * Parts for the tools of remote MCP servers. These tools run on the server's side: a client only sees items and events,
 * and may be asked for approval. The embedded server does not connect to any MCP server: the script contains the result
 * of a call.
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
 * The result of an MCP call: an output or an error.
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
 * A call of a hosted MCP tool, which the server runs itself.
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
  /** The id of the item that asked for approval, if there was one. */
  readonly approvalRequestId: string | null
  readonly manner: McpManner
}

/**
 * When an MCP call runs, and in which order its end is reported: servers differ, and a client must handle all variants.
 * After the call, the server says nothing more until the client asks for a response.
 *
 * @since 0.1.0
 * @category parts
 */
export interface McpManner {
  /** During its response, or after it. Default: `"within"`. An approved call runs outside responses. */
  readonly runs?: "within" | "after"
  /** Whether the item is reported as done before or after `response.mcp_call.completed`. Default: `"behind"`. */
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
 * Lists the tools of an MCP server, or fails to. The item is added to the conversation, and is not an output of the
 * response.
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
 * Asks the client to approve a call of an MCP tool. When its `mcp_approval_response` approves, the call runs outside
 * responses. As on the real API, the client then asks for a response that speaks about the result.
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
