/** Why an MCP server could not be reached, and why a call of one of its tools failed. */
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"

/**
 * The server could not be started or reached, or did not begin the protocol in time.
 *
 * @since 0.1.0
 * @category errors
 */
export class McpConnectFailed extends TaggedError<McpConnectFailed>()("McpConnectFailed", {
  /** The label that the application gave the server. */
  server: Schema.String,
  /** A sentence. Of a program, also the end of what it wrote to its standard error. */
  reason: Schema.String,
  /** What to do next: a sentence. */
  advice: Schema.String.pipe(
    Schema.propertySignature,
    Schema.withConstructorDefault(() => "Check its command or address.")
  )
}) {
  override get message(): string {
    return `The MCP server ${JSON.stringify(this.server)} could not be connected: ${this.reason} ${this.advice}`
  }
}

/**
 * The server did not list its tools.
 *
 * @since 0.1.0
 * @category errors
 */
export class McpListFailed extends TaggedError<McpListFailed>()("McpListFailed", {
  server: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `The MCP server ${JSON.stringify(this.server)} did not list its tools: ${this.reason}`
  }
}

/**
 * The tool ran and says that it failed, or the server did not accept its arguments. The text is the server's, for the
 * model.
 *
 * @since 0.1.0
 * @category errors
 */
export class McpToolFailed extends TaggedError<McpToolFailed>()("McpToolFailed", {
  server: Schema.String,
  /** The tool's name at the server. */
  tool: Schema.String,
  text: Schema.String
}) {
  override get message(): string {
    return this.text === "" ? `${this.tool} failed and did not say why.` : this.text
  }
}

/**
 * The server refused the call with an error of the protocol: it does not know the tool any more, or failed itself.
 *
 * @since 0.1.0
 * @category errors
 */
export class McpRefused extends TaggedError<McpRefused>()("McpRefused", {
  server: Schema.String,
  tool: Schema.String,
  /** The error code of JSON-RPC, such as -32602, or the status of HTTP. */
  code: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `The server of ${this.tool} refused the call (${this.code}): ${this.reason}`
  }
}

/**
 * The connection to the server was lost before the result came, or what came cannot be read, so that nobody knows
 * whether the tool ran; or there is no connection, and it is not tried any more.
 *
 * @since 0.1.0
 * @category errors
 */
export class McpServerLost extends TaggedError<McpServerLost>()("McpServerLost", {
  server: Schema.String,
  tool: Schema.String,
  /** Whether the call may have reached the server: then another one may do the same twice. */
  mayHaveRun: Schema.Boolean
}) {
  override get message(): string {
    return this.mayHaveRun
      ? `The server of ${this.tool} gave no answer that can be read. The call may have run.`
      : `There is no connection to the server of ${this.tool}, so the call did not run.`
  }
}

/**
 * How a call of a server's tool can fail.
 *
 * @since 0.1.0
 * @category errors
 */
export type McpCallError = McpToolFailed | McpRefused | McpServerLost

/**
 * @since 0.1.0
 * @category errors
 */
export const McpCallError = Schema.Union(McpToolFailed, McpRefused, McpServerLost)
