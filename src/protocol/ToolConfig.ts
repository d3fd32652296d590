/**
 * Tools and prompt templates: parts of a session's settings and of a response's parameters.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Json, nullable, optional } from "./fields.js"

/**
 * Servers refuse a whole `session.update` if a function tool has other keys than these.
 *
 * @since 0.1.0
 * @category models
 */
export const FunctionTool = Schema.Struct({
  type: Schema.Literal("function"),
  name: Schema.String,
  description: optional(Schema.String),
  /** A JSON schema of an object. */
  parameters: optional(Json)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface FunctionTool extends Schema.Schema.Type<typeof FunctionTool> {}

const McpToolFilter = Schema.Struct({
  tool_names: optional(Schema.Array(Schema.String)),
  read_only: optional(Schema.Boolean)
})

/**
 * A remote MCP server. The provider runs its tools.
 *
 * @since 0.1.0
 * @category models
 */
export const McpTool = Schema.Struct({
  type: Schema.Literal("mcp"),
  server_label: Schema.String,
  server_url: optional(Schema.String),
  server_description: optional(Schema.String),
  connector_id: optional(
    Schema.Literal(
      "connector_dropbox",
      "connector_gmail",
      "connector_googlecalendar",
      "connector_googledrive",
      "connector_microsoftteams",
      "connector_outlookcalendar",
      "connector_outlookemail",
      "connector_sharepoint"
    )
  ),
  tunnel_id: optional(Schema.String),
  authorization: optional(Schema.String),
  headers: nullable(Schema.Record({ key: Schema.String, value: Schema.String })),
  allowed_tools: nullable(Schema.Union(Schema.Array(Schema.String), McpToolFilter)),
  allowed_callers: nullable(Schema.Array(Schema.Literal("direct", "programmatic"))),
  require_approval: nullable(
    Schema.Union(
      Schema.Literal("always", "never"),
      Schema.Struct({
        always: optional(McpToolFilter),
        never: optional(McpToolFilter)
      })
    )
  ),
  defer_loading: optional(Schema.Boolean)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface McpTool extends Schema.Schema.Type<typeof McpTool> {}

/**
 * @since 0.1.0
 * @category models
 */
export type ToolConfig = FunctionTool | McpTool

/**
 * @since 0.1.0
 * @category models
 */
export const ToolConfig: Schema.Schema<ToolConfig> = Schema.Union(FunctionTool, McpTool)

/**
 * Which tool the model may or must call: its own choice (`auto`, the server's default), none, any, or a certain one.
 *
 * @since 0.1.0
 * @category models
 */
export const ToolChoice = Schema.Union(
  Schema.Literal("none", "auto", "required"),
  Schema.Struct({ type: Schema.Literal("function"), name: Schema.String }),
  Schema.Struct({
    type: Schema.Literal("mcp"),
    server_label: Schema.String,
    name: nullable(Schema.String)
  })
)
/**
 * @since 0.1.0
 * @category models
 */
export type ToolChoice = typeof ToolChoice.Type

const CacheBreakpoint = Schema.Struct({
  mode: Schema.Literal("explicit"),
  ttl: optional(Schema.Literal("30m", "12h"))
})

const PromptVariable = Schema.Union(
  Schema.String,
  Schema.Struct({
    type: Schema.Literal("input_text"),
    text: Schema.String,
    prompt_cache_breakpoint: optional(CacheBreakpoint)
  }),
  Schema.Struct({
    type: Schema.Literal("input_image"),
    detail: Schema.Literal("low", "high", "auto", "original"),
    file_id: nullable(Schema.String),
    image_url: nullable(Schema.String),
    prompt_cache_breakpoint: optional(CacheBreakpoint)
  }),
  Schema.Struct({
    type: Schema.Literal("input_file"),
    detail: optional(Schema.Literal("auto", "low", "high")),
    file_data: optional(Schema.String),
    file_id: nullable(Schema.String),
    file_url: optional(Schema.String),
    filename: optional(Schema.String),
    prompt_cache_breakpoint: optional(CacheBreakpoint)
  })
)

/**
 * A prompt template that is stored at the provider, and the values of its variables.
 *
 * @since 0.1.0
 * @category models
 */
export const Prompt = Schema.Struct({
  id: Schema.String,
  version: nullable(Schema.String),
  variables: nullable(Schema.Record({ key: Schema.String, value: PromptVariable }))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface Prompt extends Schema.Schema.Type<typeof Prompt> {}
