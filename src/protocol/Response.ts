/**
 * A response of the model as the server describes it, and the parameters of a request for one.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Metadata, nullable, openEnum, optional } from "./fields.js"
import { Item } from "./Item.js"
import { ItemParam, ItemReference } from "./ItemParam.js"
import { AudioFormat, MaxOutputTokens, Reasoning, Voice, VoiceName } from "./SessionConfig.js"
import { AudioFormatObject } from "./SessionObject.js"
import { Prompt, ToolChoice, ToolConfig } from "./ToolConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export const ResponseStatus = openEnum("completed", "cancelled", "failed", "incomplete", "in_progress")
/**
 * @since 0.1.0
 * @category models
 */
export type ResponseStatus = typeof ResponseStatus.Type

/**
 * Why a response ended as it did.
 *
 * @since 0.1.0
 * @category models
 */
export const ResponseStatusDetails = Schema.Struct({
  type: nullable(openEnum("completed", "cancelled", "incomplete", "failed")),
  reason: nullable(openEnum("turn_detected", "client_cancelled", "max_output_tokens", "content_filter")),
  error: nullable(
    Schema.Struct({
      type: nullable(Schema.String),
      code: nullable(Schema.String),
      message: nullable(Schema.String)
    })
  )
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ResponseStatusDetails extends Schema.Schema.Type<typeof ResponseStatusDetails> {}

/**
 * Tokens. Each response counts the whole conversation as input.
 *
 * @since 0.1.0
 * @category models
 */
export const Usage = Schema.Struct({
  total_tokens: nullable(Schema.Finite),
  input_tokens: nullable(Schema.Finite),
  output_tokens: nullable(Schema.Finite),
  input_token_details: nullable(
    Schema.Struct({
      text_tokens: nullable(Schema.Finite),
      audio_tokens: nullable(Schema.Finite),
      image_tokens: nullable(Schema.Finite),
      cached_tokens: nullable(Schema.Finite),
      cached_tokens_details: nullable(
        Schema.Struct({
          text_tokens: nullable(Schema.Finite),
          audio_tokens: nullable(Schema.Finite),
          image_tokens: nullable(Schema.Finite)
        })
      )
    })
  ),
  output_token_details: nullable(
    Schema.Struct({
      text_tokens: nullable(Schema.Finite),
      audio_tokens: nullable(Schema.Finite)
    })
  )
})
/**
 * @since 0.1.0
 * @category models
 */
export interface Usage extends Schema.Schema.Type<typeof Usage> {}

/**
 * @since 0.1.0
 * @category models
 */
export const Response = Schema.Struct({
  id: nullable(Schema.String),
  object: nullable(openEnum("realtime.response")),
  status: nullable(ResponseStatus),
  status_details: nullable(ResponseStatusDetails),
  output: nullable(Schema.Array(Item)),
  /** `null` for a response outside the default conversation. */
  conversation_id: nullable(Schema.String),
  usage: nullable(Usage),
  metadata: nullable(Metadata),
  output_modalities: nullable(Schema.Array(openEnum("text", "audio"))),
  max_output_tokens: nullable(Schema.Union(Schema.Finite, openEnum("inf"))),
  audio: nullable(
    Schema.Struct({
      output: nullable(
        Schema.Struct({
          format: nullable(AudioFormatObject),
          voice: nullable(Schema.Union(VoiceName, Schema.Struct({ id: Schema.String })))
        })
      )
    })
  )
})
/**
 * @since 0.1.0
 * @category models
 */
export interface Response extends Schema.Schema.Type<typeof Response> {}

/**
 * The parameters of `response.create`. The session's settings apply to what is left out.
 *
 * @since 0.1.0
 * @category models
 */
export const ResponseParams = Schema.Struct({
  /** `auto`: in the default conversation. `none`: outside it; several such responses may run at a time. */
  conversation: optional(openEnum("auto", "none")),
  /** Replaces the conversation as the response's context. An empty list means an empty context. */
  input: optional(Schema.Array(Schema.Union(ItemParam, ItemReference))),
  /** Replaces the session's instructions. */
  instructions: optional(Schema.String),
  output_modalities: optional(Schema.Array(Schema.Literal("text", "audio"))),
  audio: optional(
    Schema.Struct({
      output: optional(
        Schema.Struct({
          format: optional(AudioFormat),
          voice: optional(Voice)
        })
      )
    })
  ),
  tools: optional(Schema.Array(ToolConfig)),
  tool_choice: optional(ToolChoice),
  parallel_tool_calls: optional(Schema.Boolean),
  max_output_tokens: optional(MaxOutputTokens),
  reasoning: optional(Reasoning),
  prompt: nullable(Prompt),
  /** Returned in `response.created` and `response.done`. */
  metadata: nullable(Metadata)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ResponseParams extends Schema.Schema.Type<typeof ResponseParams> {}
