/**
 * A session as the server describes it: all of its settings, its id and its expiry time.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Json, nullable, openEnum } from "./fields.js"
import { ModelName, TranscriptionModelName, VoiceName } from "./SessionConfig.js"

/**
 * @since 0.1.0
 * @category models
 */
export const AudioFormatObject = Schema.Struct({
  type: nullable(openEnum("audio/pcm", "audio/pcmu", "audio/pcma")),
  /** Samples per second. */
  rate: nullable(Schema.Finite)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface AudioFormatObject extends Schema.Schema.Type<typeof AudioFormatObject> {}

/**
 * @since 0.1.0
 * @category models
 */
export const TurnDetectionObject = Schema.Struct({
  type: nullable(openEnum("server_vad", "semantic_vad")),
  threshold: nullable(Schema.Finite),
  prefix_padding_ms: nullable(Schema.Finite),
  silence_duration_ms: nullable(Schema.Finite),
  idle_timeout_ms: nullable(Schema.Finite),
  eagerness: nullable(openEnum("low", "medium", "high", "auto")),
  create_response: nullable(Schema.Boolean),
  interrupt_response: nullable(Schema.Boolean)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface TurnDetectionObject extends Schema.Schema.Type<typeof TurnDetectionObject> {}

/**
 * @since 0.1.0
 * @category models
 */
export const AudioInputObject = Schema.Struct({
  format: nullable(AudioFormatObject),
  noise_reduction: nullable(
    Schema.Struct({
      type: nullable(openEnum("near_field", "far_field")),
      strength: nullable(Schema.Finite)
    })
  ),
  transcription: nullable(
    Schema.Struct({
      model: nullable(TranscriptionModelName),
      language: nullable(Schema.String),
      languages: nullable(Schema.Array(Schema.String)),
      prompt: nullable(Schema.String),
      keywords: nullable(Schema.Array(Schema.String)),
      delay: nullable(openEnum("minimal", "low", "medium", "high", "xhigh"))
    })
  ),
  turn_detection: nullable(TurnDetectionObject)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface AudioInputObject extends Schema.Schema.Type<typeof AudioInputObject> {}

const VoiceObject = Schema.Union(VoiceName, Schema.Struct({ id: Schema.String }))

/**
 * @since 0.1.0
 * @category models
 */
export const AudioOutputObject = Schema.Struct({
  format: nullable(AudioFormatObject),
  voice: nullable(VoiceObject),
  speed: nullable(Schema.Finite)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface AudioOutputObject extends Schema.Schema.Type<typeof AudioOutputObject> {}

/**
 * A tool as the server lists it: the fields that distinguish tools. The other fields of an MCP tool stay on the value.
 *
 * @since 0.1.0
 * @category models
 */
export const ToolObject = Schema.Struct({
  type: nullable(openEnum("function", "mcp")),
  name: nullable(Schema.String),
  description: nullable(Schema.String),
  parameters: nullable(Json),
  server_label: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ToolObject extends Schema.Schema.Type<typeof ToolObject> {}

const identity = {
  id: nullable(Schema.String),
  object: nullable(Schema.String),
  /** Seconds since 1970. */
  expires_at: nullable(Schema.Finite)
}

/**
 * @since 0.1.0
 * @category models
 */
export const RealtimeSessionObject = Schema.Struct({
  type: Schema.Literal("realtime"),
  ...identity,
  model: nullable(ModelName),
  instructions: nullable(Schema.String),
  output_modalities: nullable(Schema.Array(openEnum("text", "audio"))),
  audio: nullable(
    Schema.Struct({
      input: nullable(AudioInputObject),
      output: nullable(AudioOutputObject)
    })
  ),
  tools: nullable(Schema.Array(ToolObject)),
  tool_choice: nullable(
    Schema.Union(
      openEnum("none", "auto", "required"),
      Schema.Struct({
        type: nullable(openEnum("function", "mcp")),
        name: nullable(Schema.String),
        server_label: nullable(Schema.String)
      })
    )
  ),
  parallel_tool_calls: nullable(Schema.Boolean),
  max_output_tokens: nullable(Schema.Union(Schema.Finite, openEnum("inf"))),
  reasoning: nullable(
    Schema.Struct({
      effort: nullable(openEnum("minimal", "low", "medium", "high", "xhigh"))
    })
  ),
  prompt: nullable(
    Schema.Struct({
      id: Schema.String,
      version: nullable(Schema.String),
      variables: nullable(Schema.Record({ key: Schema.String, value: Json }))
    })
  ),
  include: nullable(Schema.Array(openEnum("item.input_audio_transcription.logprobs"))),
  tracing: nullable(
    Schema.Union(
      openEnum("auto"),
      Schema.Struct({
        workflow_name: nullable(Schema.String),
        group_id: nullable(Schema.String),
        metadata: nullable(Json)
      })
    )
  ),
  truncation: nullable(
    Schema.Union(
      openEnum("auto", "disabled"),
      Schema.Struct({
        type: nullable(openEnum("retention_ratio")),
        retention_ratio: nullable(Schema.Finite),
        token_limits: nullable(Schema.Struct({ post_instructions: nullable(Schema.Finite) }))
      })
    )
  )
})
/**
 * @since 0.1.0
 * @category models
 */
export interface RealtimeSessionObject extends Schema.Schema.Type<typeof RealtimeSessionObject> {}

/**
 * @since 0.1.0
 * @category models
 */
export const TranscriptionSessionObject = Schema.Struct({
  type: Schema.Literal("transcription"),
  ...identity,
  audio: nullable(Schema.Struct({ input: nullable(AudioInputObject) })),
  include: nullable(Schema.Array(openEnum("item.input_audio_transcription.logprobs")))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface TranscriptionSessionObject extends Schema.Schema.Type<typeof TranscriptionSessionObject> {}

/**
 * @since 0.1.0
 * @category models
 */
export type SessionObject = RealtimeSessionObject | TranscriptionSessionObject

/**
 * @since 0.1.0
 * @category models
 */
export const SessionObject: Schema.Schema<SessionObject> = Schema.Union(
  RealtimeSessionObject,
  TranscriptionSessionObject
)
