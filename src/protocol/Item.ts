/**
 * The items of a conversation, as the server sends them.
 *
 * @since 0.1.0
 */
import type * as Brand from "effect/Brand"
import * as Schema from "effect/Schema"
import { Json, nullable, openEnum } from "./fields.js"

/**
 * The state of an item. `incomplete` items were cut off by an interruption or a limit.
 *
 * @since 0.1.0
 * @category models
 */
export const ItemStatus = openEnum("completed", "incomplete", "in_progress")
/**
 * @since 0.1.0
 * @category models
 */
export type ItemStatus = typeof ItemStatus.Type

/**
 * One part of a message. A part of an unknown kind has another `type` and its own fields.
 *
 * @since 0.1.0
 * @category models
 */
export const ContentPart = Schema.Struct({
  type: nullable(openEnum("input_text", "input_audio", "input_image", "output_text", "output_audio")),
  text: nullable(Schema.String),
  /** Base64; the session's audio format. */
  audio: nullable(Schema.String),
  transcript: nullable(Schema.String),
  /** A data URI (PNG or JPEG). */
  image_url: nullable(Schema.String),
  detail: nullable(openEnum("auto", "low", "high"))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ContentPart extends Schema.Schema.Type<typeof ContentPart> {}

const common = {
  id: nullable(Schema.String),
  object: nullable(openEnum("realtime.item")),
  status: nullable(ItemStatus)
}

/**
 * @since 0.1.0
 * @category models
 */
export const MessageItem = Schema.Struct({
  type: Schema.Literal("message"),
  role: openEnum("system", "user", "assistant"),
  content: Schema.Array(ContentPart),
  ...common,
  /** `commentary` or `final_answer`, from models that speak before they call a tool. Not in OpenAI's own types. */
  phase: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface MessageItem extends Schema.Schema.Type<typeof MessageItem> {}

/**
 * @since 0.1.0
 * @category models
 */
export const FunctionCallItem = Schema.Struct({
  type: Schema.Literal("function_call"),
  name: Schema.String,
  /** JSON text, as the model wrote it: it may not parse. */
  arguments: Schema.String,
  call_id: nullable(Schema.String),
  ...common,
  phase: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface FunctionCallItem extends Schema.Schema.Type<typeof FunctionCallItem> {}

/**
 * @since 0.1.0
 * @category models
 */
export const FunctionCallOutputItem = Schema.Struct({
  type: Schema.Literal("function_call_output"),
  call_id: Schema.String,
  output: Schema.String,
  ...common
})
/**
 * @since 0.1.0
 * @category models
 */
export interface FunctionCallOutputItem extends Schema.Schema.Type<typeof FunctionCallOutputItem> {}

/**
 * @since 0.1.0
 * @category models
 */
export const McpListToolsItem = Schema.Struct({
  type: Schema.Literal("mcp_list_tools"),
  server_label: Schema.String,
  tools: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      input_schema: Json,
      description: nullable(Schema.String),
      annotations: nullable(Json)
    })
  ),
  id: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface McpListToolsItem extends Schema.Schema.Type<typeof McpListToolsItem> {}

/**
 * @since 0.1.0
 * @category models
 */
export const McpCallItem = Schema.Struct({
  type: Schema.Literal("mcp_call"),
  id: Schema.String,
  server_label: Schema.String,
  name: Schema.String,
  arguments: Schema.String,
  approval_request_id: nullable(Schema.String),
  output: nullable(Schema.String),
  error: nullable(
    Schema.Struct({
      type: nullable(openEnum("protocol_error", "tool_execution_error", "http_error")),
      message: nullable(Schema.String),
      code: nullable(Schema.Finite)
    })
  )
})
/**
 * @since 0.1.0
 * @category models
 */
export interface McpCallItem extends Schema.Schema.Type<typeof McpCallItem> {}

/**
 * @since 0.1.0
 * @category models
 */
export const McpApprovalRequestItem = Schema.Struct({
  type: Schema.Literal("mcp_approval_request"),
  id: Schema.String,
  server_label: Schema.String,
  name: Schema.String,
  arguments: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface McpApprovalRequestItem extends Schema.Schema.Type<typeof McpApprovalRequestItem> {}

/**
 * @since 0.1.0
 * @category models
 */
export const McpApprovalResponseItem = Schema.Struct({
  type: Schema.Literal("mcp_approval_response"),
  id: Schema.String,
  approval_request_id: Schema.String,
  approve: Schema.Boolean,
  reason: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface McpApprovalResponseItem extends Schema.Schema.Type<typeof McpApprovalResponseItem> {}

const knownItems = [
  MessageItem,
  FunctionCallItem,
  FunctionCallOutputItem,
  McpListToolsItem,
  McpCallItem,
  McpApprovalRequestItem,
  McpApprovalResponseItem
] as const

const knownTypes: ReadonlySet<string> = new Set(knownItems.flatMap((item) => item.fields.type.literals))

/**
 * A `type` of item that this version does not know. It is branded, so that comparing an item's `type` with a known one
 * excludes unknown items.
 *
 * @since 0.1.0
 * @category models
 */
export type UnknownItemType = string & Brand.Brand<"effect-realtime/UnknownItemType">

const UnknownItemType = Schema.declare(
  (value: unknown): value is UnknownItemType => typeof value === "string" && !knownTypes.has(value),
  {
    description: "another type of item",
    arbitrary: () => (fc) => fc.string().filter((value): value is UnknownItemType & string => !knownTypes.has(value))
  }
)

/**
 * An item of a kind that is newer than this version.
 *
 * @since 0.1.0
 * @category models
 */
export const UnknownItem = Schema.Struct({
  type: UnknownItemType,
  id: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface UnknownItem extends Schema.Schema.Type<typeof UnknownItem> {}

/**
 * Any item of a conversation.
 *
 * @since 0.1.0
 * @category models
 */
export type Item =
  | MessageItem
  | FunctionCallItem
  | FunctionCallOutputItem
  | McpListToolsItem
  | McpCallItem
  | McpApprovalRequestItem
  | McpApprovalResponseItem
  | UnknownItem

/**
 * @since 0.1.0
 * @category models
 */
export const Item: Schema.Schema<Item> = Schema.Union(...knownItems, UnknownItem)

/**
 * Whether this version knows the item's kind. Known items can be distinguished by `type`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isKnownItem = (item: Item): item is Exclude<Item, UnknownItem> => knownTypes.has(item.type)
