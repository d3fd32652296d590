/**
 * The settings of a session as a client sends them with `session.update`. Only the fields that are present change.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Json, nullable, openEnum, optional, whole } from "./fields.js"
import { Prompt, ToolChoice, ToolConfig } from "./ToolConfig.js"

/**
 * Models that this version knows. Other names are allowed.
 *
 * @since 0.1.0
 * @category models
 */
export const ModelName = openEnum(
  "gpt-realtime",
  "gpt-realtime-1.5",
  "gpt-realtime-2",
  "gpt-realtime-2.1",
  "gpt-realtime-2.1-mini",
  "gpt-realtime-2025-08-28",
  "gpt-4o-realtime-preview",
  "gpt-4o-realtime-preview-2024-10-01",
  "gpt-4o-realtime-preview-2024-12-17",
  "gpt-4o-realtime-preview-2025-06-03",
  "gpt-4o-mini-realtime-preview",
  "gpt-4o-mini-realtime-preview-2024-12-17",
  "gpt-realtime-mini",
  "gpt-realtime-mini-2025-10-06",
  "gpt-realtime-mini-2025-12-15",
  "gpt-audio-1.5",
  "gpt-audio-mini",
  "gpt-audio-mini-2025-10-06",
  "gpt-audio-mini-2025-12-15"
)
/**
 * @since 0.1.0
 * @category models
 */
export type ModelName = typeof ModelName.Type

/**
 * Built-in voices that this version knows. Other names are allowed.
 *
 * @since 0.1.0
 * @category models
 */
export const VoiceName = openEnum(
  "alloy",
  "ash",
  "ballad",
  "coral",
  "echo",
  "sage",
  "shimmer",
  "verse",
  "marin",
  "cedar"
)
/**
 * @since 0.1.0
 * @category models
 */
export type VoiceName = typeof VoiceName.Type

/**
 * The name of a built-in voice, or the id of a custom one.
 *
 * @since 0.1.0
 * @category models
 */
export const Voice = Schema.Union(VoiceName, Schema.Struct({ id: Schema.String }))
/**
 * @since 0.1.0
 * @category models
 */
export type Voice = typeof Voice.Type

/**
 * PCM: 16-bit signed little-endian, mono, 24,000 samples per second. PCMU and PCMA (G.711 µ-law and A-law): 8-bit,
 * mono, 8,000 samples per second.
 *
 * @since 0.1.0
 * @category models
 */
export const AudioFormat = Schema.Union(
  Schema.Struct({
    type: Schema.Literal("audio/pcm"),
    rate: optional(Schema.Literal(24000))
  }),
  Schema.Struct({ type: Schema.Literal("audio/pcmu") }),
  Schema.Struct({ type: Schema.Literal("audio/pcma") })
)
/**
 * @since 0.1.0
 * @category models
 */
export type AudioFormat = typeof AudioFormat.Type

/**
 * The position of the microphone, for the server's noise reduction.
 *
 * @since 0.1.0
 * @category models
 */
export const NoiseReduction = Schema.Struct({
  type: optional(Schema.Literal("near_field", "far_field")),
  strength: optional(Schema.Finite)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface NoiseReduction extends Schema.Schema.Type<typeof NoiseReduction> {}

/**
 * Models for transcription. Other names are allowed.
 *
 * @since 0.1.0
 * @category models
 */
export const TranscriptionModelName = openEnum(
  "whisper-1",
  "gpt-transcribe",
  "gpt-live-transcribe",
  "gpt-4o-mini-transcribe",
  "gpt-4o-mini-transcribe-2025-12-15",
  "gpt-4o-transcribe",
  "gpt-4o-transcribe-diarize",
  "gpt-realtime-whisper"
)
/**
 * @since 0.1.0
 * @category models
 */
export type TranscriptionModelName = typeof TranscriptionModelName.Type

/**
 * How the server transcribes the user's speech. Transcription is independent of the model, which hears the audio
 * itself.
 *
 * @since 0.1.0
 * @category models
 */
export const TranscriptionConfig = Schema.Struct({
  model: optional(TranscriptionModelName),
  /** ISO 639-1, such as `en`. */
  language: optional(Schema.String),
  languages: optional(Schema.Array(Schema.String)),
  prompt: optional(Schema.String),
  keywords: optional(Schema.Array(Schema.String)),
  delay: optional(Schema.Literal("minimal", "low", "medium", "high", "xhigh"))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface TranscriptionConfig extends Schema.Schema.Type<typeof TranscriptionConfig> {}

/**
 * Turn detection by silence.
 *
 * @since 0.1.0
 * @category models
 */
export const ServerVad = Schema.Struct({
  type: Schema.Literal("server_vad"),
  /** From 0 to 1; the server's default is 0.5. */
  threshold: optional(Schema.Finite),
  /** The server's default is 300. */
  prefix_padding_ms: optional(whole),
  /** The server's default is 500. */
  silence_duration_ms: optional(whole),
  idle_timeout_ms: nullable(whole),
  create_response: optional(Schema.Boolean),
  interrupt_response: optional(Schema.Boolean)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ServerVad extends Schema.Schema.Type<typeof ServerVad> {}

/**
 * Turn detection that estimates whether the user has finished.
 *
 * @since 0.1.0
 * @category models
 */
export const SemanticVad = Schema.Struct({
  type: Schema.Literal("semantic_vad"),
  /** Waits at most 8 s (`low`), 4 s (`medium`, and `auto`, the server's default) or 2 s (`high`). */
  eagerness: optional(Schema.Literal("low", "medium", "high", "auto")),
  create_response: optional(Schema.Boolean),
  interrupt_response: optional(Schema.Boolean)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface SemanticVad extends Schema.Schema.Type<typeof SemanticVad> {}

/**
 * @since 0.1.0
 * @category models
 */
export const TurnDetection = Schema.Union(ServerVad, SemanticVad)
/**
 * @since 0.1.0
 * @category models
 */
export type TurnDetection = typeof TurnDetection.Type

/**
 * @since 0.1.0
 * @category models
 */
export const AudioInputConfig = Schema.Struct({
  format: optional(AudioFormat),
  /** `null` turns it off. */
  noise_reduction: nullable(NoiseReduction),
  /** `null` turns it off. */
  transcription: nullable(TranscriptionConfig),
  /** `null`: push-to-talk; the client commits its audio and asks for responses. */
  turn_detection: nullable(TurnDetection)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface AudioInputConfig extends Schema.Schema.Type<typeof AudioInputConfig> {}

/**
 * @since 0.1.0
 * @category models
 */
export const AudioOutputConfig = Schema.Struct({
  format: optional(AudioFormat),
  /** Cannot change once the model has spoken. */
  voice: optional(Voice),
  /** From 0.25 to 1.5. Only changes between turns. */
  speed: optional(Schema.Finite)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface AudioOutputConfig extends Schema.Schema.Type<typeof AudioOutputConfig> {}

/**
 * @since 0.1.0
 * @category models
 */
export const MaxOutputTokens = Schema.Union(Schema.Int.pipe(Schema.positive()), Schema.Literal("inf"))

/**
 * For reasoning models only: other models refuse the whole update.
 *
 * @since 0.1.0
 * @category models
 */
export const Reasoning = Schema.Struct({
  effort: optional(Schema.Literal("minimal", "low", "medium", "high", "xhigh"))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface Reasoning extends Schema.Schema.Type<typeof Reasoning> {}

/**
 * @since 0.1.0
 * @category models
 */
export const Tracing = Schema.Union(
  Schema.Literal("auto"),
  Schema.Struct({
    workflow_name: optional(Schema.String),
    group_id: optional(Schema.String),
    metadata: optional(Json)
  })
)
/**
 * @since 0.1.0
 * @category models
 */
export type Tracing = typeof Tracing.Type

/**
 * What the server does when the conversation exceeds the model's context: drop the oldest items (`auto`), fail
 * (`disabled`), or drop as many as needed to keep only a fraction.
 *
 * @since 0.1.0
 * @category models
 */
export const Truncation = Schema.Union(
  Schema.Literal("auto", "disabled"),
  Schema.Struct({
    type: Schema.Literal("retention_ratio"),
    /** From 0 to 1. */
    retention_ratio: Schema.Finite,
    token_limits: optional(Schema.Struct({ post_instructions: optional(whole) }))
  })
)
/**
 * @since 0.1.0
 * @category models
 */
export type Truncation = typeof Truncation.Type

const Include = Schema.Array(Schema.Literal("item.input_audio_transcription.logprobs"))

/**
 * @since 0.1.0
 * @category models
 */
export const RealtimeSession = Schema.Struct({
  type: Schema.Literal("realtime"),
  /** Cannot change once the session exists: servers ignore another name. */
  model: optional(ModelName),
  /** An empty string clears them. */
  instructions: optional(Schema.String),
  /** `["audio"]` (the server's default) or `["text"]`, never both. */
  output_modalities: optional(Schema.Array(Schema.Literal("text", "audio"))),
  audio: optional(
    Schema.Struct({
      input: optional(AudioInputConfig),
      output: optional(AudioOutputConfig)
    })
  ),
  /** An empty list clears them. */
  tools: optional(Schema.Array(ToolConfig)),
  tool_choice: optional(ToolChoice),
  parallel_tool_calls: optional(Schema.Boolean),
  max_output_tokens: optional(MaxOutputTokens),
  reasoning: optional(Reasoning),
  prompt: nullable(Prompt),
  include: optional(Include),
  tracing: nullable(Tracing),
  truncation: optional(Truncation)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface RealtimeSession extends Schema.Schema.Type<typeof RealtimeSession> {}

/**
 * @since 0.1.0
 * @category models
 */
export const TranscriptionSession = Schema.Struct({
  type: Schema.Literal("transcription"),
  audio: optional(Schema.Struct({ input: optional(AudioInputConfig) })),
  include: optional(Include)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface TranscriptionSession extends Schema.Schema.Type<typeof TranscriptionSession> {}

/**
 * @since 0.1.0
 * @category models
 */
export type SessionConfig = RealtimeSession | TranscriptionSession

/**
 * @since 0.1.0
 * @category models
 */
export const SessionConfig: Schema.Schema<SessionConfig> = Schema.Union(RealtimeSession, TranscriptionSession)
