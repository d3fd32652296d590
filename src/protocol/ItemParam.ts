/**
 * The items of a conversation, in the form in which a client creates them.
 *
 * Lengths are not checked here: the server takes ids of at most 32 characters.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Json, nullable, optional } from "./fields.js"
import { McpApprovalRequestItem, McpApprovalResponseItem } from "./Item.js"

/**
 * @since 0.1.0
 * @category content
 */
export const InputText = Schema.Struct({
  type: Schema.Literal("input_text"),
  text: Schema.String
})
/**
 * @since 0.1.0
 * @category content
 */
export interface InputText extends Schema.Schema.Type<typeof InputText> {}

/**
 * @since 0.1.0
 * @category content
 */
export const InputAudio = Schema.Struct({
  type: Schema.Literal("input_audio"),
  /** Base64, in the session's input format. */
  audio: optional(Schema.String),
  transcript: optional(Schema.String)
})
/**
 * @since 0.1.0
 * @category content
 */
export interface InputAudio extends Schema.Schema.Type<typeof InputAudio> {}

/**
 * @since 0.1.0
 * @category content
 */
export const InputImage = Schema.Struct({
  type: Schema.Literal("input_image"),
  /** A data URI (PNG or JPEG). */
  image_url: Schema.String,
  /** The server's default, `auto`, means `high`. */
  detail: optional(Schema.Literal("auto", "low", "high"))
})
/**
 * @since 0.1.0
 * @category content
 */
export interface InputImage extends Schema.Schema.Type<typeof InputImage> {}

/**
 * @since 0.1.0
 * @category content
 */
export const OutputText = Schema.Struct({
  type: Schema.Literal("output_text"),
  text: Schema.String
})
/**
 * @since 0.1.0
 * @category content
 */
export interface OutputText extends Schema.Schema.Type<typeof OutputText> {}

/**
 * Servers refuse to create assistant audio. A conversation that is sent again carries it as `output_text`.
 *
 * @since 0.1.0
 * @category content
 */
export const OutputAudio = Schema.Struct({
  type: Schema.Literal("output_audio"),
  audio: optional(Schema.String),
  transcript: optional(Schema.String)
})
/**
 * @since 0.1.0
 * @category content
 */
export interface OutputAudio extends Schema.Schema.Type<typeof OutputAudio> {}

const common = {
  id: optional(Schema.String),
  object: optional(Schema.Literal("realtime.item")),
  /** Only informational: the server accepts it and ignores it. */
  status: optional(Schema.Literal("completed", "incomplete", "in_progress"))
}

/**
 * @since 0.1.0
 * @category models
 */
export const SystemMessageParam = Schema.Struct({
  type: Schema.Literal("message"),
  role: Schema.Literal("system"),
  content: Schema.Array(InputText),
  ...common
})
/**
 * @since 0.1.0
 * @category models
 */
export interface SystemMessageParam extends Schema.Schema.Type<typeof SystemMessageParam> {}

/**
 * @since 0.1.0
 * @category models
 */
export const UserMessageParam = Schema.Struct({
  type: Schema.Literal("message"),
  role: Schema.Literal("user"),
  content: Schema.Array(Schema.Union(InputText, InputAudio, InputImage)),
  ...common
})
/**
 * @since 0.1.0
 * @category models
 */
export interface UserMessageParam extends Schema.Schema.Type<typeof UserMessageParam> {}

/**
 * @since 0.1.0
 * @category models
 */
export const AssistantMessageParam = Schema.Struct({
  type: Schema.Literal("message"),
  role: Schema.Literal("assistant"),
  content: Schema.Array(Schema.Union(OutputText, OutputAudio)),
  ...common
})
/**
 * @since 0.1.0
 * @category models
 */
export interface AssistantMessageParam extends Schema.Schema.Type<typeof AssistantMessageParam> {}

/**
 * @since 0.1.0
 * @category models
 */
export const FunctionCallParam = Schema.Struct({
  type: Schema.Literal("function_call"),
  name: Schema.String,
  /** JSON text. */
  arguments: Schema.String,
  call_id: optional(Schema.String),
  ...common
})
/**
 * @since 0.1.0
 * @category models
 */
export interface FunctionCallParam extends Schema.Schema.Type<typeof FunctionCallParam> {}

/**
 * The output of a function call. The protocol has no flag for failure: a failure is described in `output`.
 *
 * @since 0.1.0
 * @category models
 */
export const FunctionCallOutputParam = Schema.Struct({
  type: Schema.Literal("function_call_output"),
  call_id: Schema.String,
  output: Schema.String,
  ...common
})
/**
 * @since 0.1.0
 * @category models
 */
export interface FunctionCallOutputParam extends Schema.Schema.Type<typeof FunctionCallOutputParam> {}

/**
 * @since 0.1.0
 * @category models
 */
export const McpListToolsParam = Schema.Struct({
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
  id: optional(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface McpListToolsParam extends Schema.Schema.Type<typeof McpListToolsParam> {}

const McpErrorParam = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("protocol_error"),
    code: Schema.Finite,
    message: Schema.String
  }),
  Schema.Struct({
    type: Schema.Literal("tool_execution_error"),
    message: Schema.String
  }),
  Schema.Struct({
    type: Schema.Literal("http_error"),
    code: Schema.Finite,
    message: Schema.String
  })
)

/**
 * @since 0.1.0
 * @category models
 */
export const McpCallParam = Schema.Struct({
  type: Schema.Literal("mcp_call"),
  id: Schema.String,
  server_label: Schema.String,
  name: Schema.String,
  arguments: Schema.String,
  approval_request_id: nullable(Schema.String),
  output: nullable(Schema.String),
  error: nullable(McpErrorParam)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface McpCallParam extends Schema.Schema.Type<typeof McpCallParam> {}

/**
 * Any item that a client can add to a conversation.
 *
 * @since 0.1.0
 * @category models
 */
export type ItemParam =
  | SystemMessageParam
  | UserMessageParam
  | AssistantMessageParam
  | FunctionCallParam
  | FunctionCallOutputParam
  | McpListToolsParam
  | McpCallParam
  | McpApprovalRequestItem
  | McpApprovalResponseItem

/**
 * @since 0.1.0
 * @category models
 */
export const ItemParam: Schema.Schema<ItemParam> = Schema.Union(
  SystemMessageParam,
  UserMessageParam,
  AssistantMessageParam,
  FunctionCallParam,
  FunctionCallOutputParam,
  McpListToolsParam,
  McpCallParam,
  McpApprovalRequestItem,
  McpApprovalResponseItem
)

/**
 * Refers to an item of the conversation. Only allowed in the `input` of a response.
 *
 * @since 0.1.0
 * @category models
 */
export const ItemReference = Schema.Struct({
  type: Schema.Literal("item_reference"),
  id: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ItemReference extends Schema.Schema.Type<typeof ItemReference> {}
