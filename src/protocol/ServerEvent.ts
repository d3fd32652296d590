/**
 * The events that a server sends about its session, and the union of all server events.
 *
 * Server events are read leniently: optional fields may be `null`, lists of known strings are open, and `event_id` is
 * never required (one event never has it).
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import {
  InputAudioBufferCleared,
  InputAudioBufferCommitted,
  InputAudioBufferDtmfEventReceived,
  InputAudioBufferSpeechStarted,
  InputAudioBufferSpeechStopped,
  InputAudioBufferTimeoutTriggered,
  OutputAudioBufferCleared,
  OutputAudioBufferStarted,
  OutputAudioBufferStopped
} from "./AudioBufferEvent.js"
import {
  ConversationCreated,
  ConversationItemAdded,
  ConversationItemCreated,
  ConversationItemDeleted,
  ConversationItemDone,
  ConversationItemInputAudioTranscriptionCompleted,
  ConversationItemInputAudioTranscriptionDelta,
  ConversationItemInputAudioTranscriptionFailed,
  ConversationItemInputAudioTranscriptionSegment,
  ConversationItemRetrieved,
  ConversationItemTruncated
} from "./ConversationEvent.js"
import { nullable, openEnum, serverEvent } from "./fields.js"
import {
  ResponseContentPartAdded,
  ResponseContentPartDone,
  ResponseCreated,
  ResponseDone,
  ResponseFunctionCallArgumentsDelta,
  ResponseFunctionCallArgumentsDone,
  ResponseMcpCallArgumentsDelta,
  ResponseMcpCallArgumentsDone,
  ResponseMcpCallCompleted,
  ResponseMcpCallFailed,
  ResponseMcpCallInProgress,
  ResponseOutputAudioDelta,
  ResponseOutputAudioDone,
  ResponseOutputAudioTranscriptDelta,
  ResponseOutputAudioTranscriptDone,
  ResponseOutputItemAdded,
  ResponseOutputItemDone,
  ResponseOutputTextDelta,
  ResponseOutputTextDone
} from "./ResponseEvent.js"
import { SessionObject } from "./SessionObject.js"

/**
 * Always the first event of a connection.
 *
 * @since 0.1.0
 * @category events
 */
export const SessionCreated = Schema.Struct({
  ...serverEvent("session.created"),
  session: SessionObject
})
/**
 * @since 0.1.0
 * @category events
 */
export interface SessionCreated extends Schema.Schema.Type<typeof SessionCreated> {}

/**
 * The answer to `session.update`, with all settings.
 *
 * @since 0.1.0
 * @category events
 */
export const SessionUpdated = Schema.Struct({
  ...serverEvent("session.updated"),
  session: SessionObject
})
/**
 * @since 0.1.0
 * @category events
 */
export interface SessionUpdated extends Schema.Schema.Type<typeof SessionUpdated> {}

/**
 * Why the server refused an event, or what went wrong on its side.
 *
 * @since 0.1.0
 * @category models
 */
export const ServerError = Schema.Struct({
  type: Schema.String,
  code: nullable(Schema.String),
  message: Schema.String,
  /** The invalid field, such as `session.audio.output.voice`. */
  param: nullable(Schema.String),
  /** The client event that caused the error, if it had an id. */
  event_id: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category models
 */
export interface ServerError extends Schema.Schema.Type<typeof ServerError> {}

/**
 * Most errors leave the session as it was. See `classifyServerError`.
 *
 * @since 0.1.0
 * @category events
 */
export const ErrorEvent = Schema.Struct({
  ...serverEvent("error"),
  error: ServerError
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ErrorEvent extends Schema.Schema.Type<typeof ErrorEvent> {}

/**
 * Sent at the start of a response. The response's output is counted in advance.
 *
 * @since 0.1.0
 * @category events
 */
export const RateLimitsUpdated = Schema.Struct({
  ...serverEvent("rate_limits.updated"),
  rate_limits: Schema.Array(
    Schema.Struct({
      name: nullable(openEnum("requests", "tokens")),
      limit: nullable(Schema.Finite),
      remaining: nullable(Schema.Finite),
      reset_seconds: nullable(Schema.Finite)
    })
  )
})
/**
 * @since 0.1.0
 * @category events
 */
export interface RateLimitsUpdated extends Schema.Schema.Type<typeof RateLimitsUpdated> {}

/**
 * @since 0.1.0
 * @category events
 */
export const McpListToolsInProgress = Schema.Struct({
  ...serverEvent("mcp_list_tools.in_progress"),
  item_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface McpListToolsInProgress extends Schema.Schema.Type<typeof McpListToolsInProgress> {}

/**
 * @since 0.1.0
 * @category events
 */
export const McpListToolsCompleted = Schema.Struct({
  ...serverEvent("mcp_list_tools.completed"),
  item_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface McpListToolsCompleted extends Schema.Schema.Type<typeof McpListToolsCompleted> {}

/**
 * @since 0.1.0
 * @category events
 */
export const McpListToolsFailed = Schema.Struct({
  ...serverEvent("mcp_list_tools.failed"),
  item_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface McpListToolsFailed extends Schema.Schema.Type<typeof McpListToolsFailed> {}

/**
 * @since 0.1.0
 * @category events
 */
export type ServerEvent =
  | SessionCreated
  | SessionUpdated
  | ErrorEvent
  | RateLimitsUpdated
  | ConversationCreated
  | ConversationItemCreated
  | ConversationItemAdded
  | ConversationItemDone
  | ConversationItemDeleted
  | ConversationItemTruncated
  | ConversationItemRetrieved
  | ConversationItemInputAudioTranscriptionDelta
  | ConversationItemInputAudioTranscriptionCompleted
  | ConversationItemInputAudioTranscriptionFailed
  | ConversationItemInputAudioTranscriptionSegment
  | InputAudioBufferSpeechStarted
  | InputAudioBufferSpeechStopped
  | InputAudioBufferCommitted
  | InputAudioBufferCleared
  | InputAudioBufferTimeoutTriggered
  | InputAudioBufferDtmfEventReceived
  | OutputAudioBufferStarted
  | OutputAudioBufferStopped
  | OutputAudioBufferCleared
  | McpListToolsInProgress
  | McpListToolsCompleted
  | McpListToolsFailed
  | ResponseCreated
  | ResponseDone
  | ResponseOutputItemAdded
  | ResponseOutputItemDone
  | ResponseContentPartAdded
  | ResponseContentPartDone
  | ResponseOutputTextDelta
  | ResponseOutputTextDone
  | ResponseOutputAudioDelta
  | ResponseOutputAudioDone
  | ResponseOutputAudioTranscriptDelta
  | ResponseOutputAudioTranscriptDone
  | ResponseFunctionCallArgumentsDelta
  | ResponseFunctionCallArgumentsDone
  | ResponseMcpCallArgumentsDelta
  | ResponseMcpCallArgumentsDone
  | ResponseMcpCallInProgress
  | ResponseMcpCallCompleted
  | ResponseMcpCallFailed

/**
 * The names of the server events.
 *
 * @since 0.1.0
 * @category events
 */
export type ServerEventType = ServerEvent["type"]

/**
 * The schema of each server event, by its `type`.
 *
 * @since 0.1.0
 * @category events
 */
export const serverEventSchemas: {
  readonly [Type in ServerEventType]: Schema.Schema<Extract<ServerEvent, { readonly type: Type }>>
} = {
  "session.created": SessionCreated,
  "session.updated": SessionUpdated,
  error: ErrorEvent,
  "rate_limits.updated": RateLimitsUpdated,
  "conversation.created": ConversationCreated,
  "conversation.item.created": ConversationItemCreated,
  "conversation.item.added": ConversationItemAdded,
  "conversation.item.done": ConversationItemDone,
  "conversation.item.deleted": ConversationItemDeleted,
  "conversation.item.truncated": ConversationItemTruncated,
  "conversation.item.retrieved": ConversationItemRetrieved,
  "conversation.item.input_audio_transcription.delta": ConversationItemInputAudioTranscriptionDelta,
  "conversation.item.input_audio_transcription.completed": ConversationItemInputAudioTranscriptionCompleted,
  "conversation.item.input_audio_transcription.failed": ConversationItemInputAudioTranscriptionFailed,
  "conversation.item.input_audio_transcription.segment": ConversationItemInputAudioTranscriptionSegment,
  "input_audio_buffer.speech_started": InputAudioBufferSpeechStarted,
  "input_audio_buffer.speech_stopped": InputAudioBufferSpeechStopped,
  "input_audio_buffer.committed": InputAudioBufferCommitted,
  "input_audio_buffer.cleared": InputAudioBufferCleared,
  "input_audio_buffer.timeout_triggered": InputAudioBufferTimeoutTriggered,
  "input_audio_buffer.dtmf_event_received": InputAudioBufferDtmfEventReceived,
  "output_audio_buffer.started": OutputAudioBufferStarted,
  "output_audio_buffer.stopped": OutputAudioBufferStopped,
  "output_audio_buffer.cleared": OutputAudioBufferCleared,
  "mcp_list_tools.in_progress": McpListToolsInProgress,
  "mcp_list_tools.completed": McpListToolsCompleted,
  "mcp_list_tools.failed": McpListToolsFailed,
  "response.created": ResponseCreated,
  "response.done": ResponseDone,
  "response.output_item.added": ResponseOutputItemAdded,
  "response.output_item.done": ResponseOutputItemDone,
  "response.content_part.added": ResponseContentPartAdded,
  "response.content_part.done": ResponseContentPartDone,
  "response.output_text.delta": ResponseOutputTextDelta,
  "response.output_text.done": ResponseOutputTextDone,
  "response.output_audio.delta": ResponseOutputAudioDelta,
  "response.output_audio.done": ResponseOutputAudioDone,
  "response.output_audio_transcript.delta": ResponseOutputAudioTranscriptDelta,
  "response.output_audio_transcript.done": ResponseOutputAudioTranscriptDone,
  "response.function_call_arguments.delta": ResponseFunctionCallArgumentsDelta,
  "response.function_call_arguments.done": ResponseFunctionCallArgumentsDone,
  "response.mcp_call_arguments.delta": ResponseMcpCallArgumentsDelta,
  "response.mcp_call_arguments.done": ResponseMcpCallArgumentsDone,
  "response.mcp_call.in_progress": ResponseMcpCallInProgress,
  "response.mcp_call.completed": ResponseMcpCallCompleted,
  "response.mcp_call.failed": ResponseMcpCallFailed
}

/**
 * @since 0.1.0
 * @category events
 */
export const ServerEvent: Schema.Schema<ServerEvent> = Schema.Union(
  SessionCreated,
  SessionUpdated,
  ErrorEvent,
  RateLimitsUpdated,
  ConversationCreated,
  ConversationItemCreated,
  ConversationItemAdded,
  ConversationItemDone,
  ConversationItemDeleted,
  ConversationItemTruncated,
  ConversationItemRetrieved,
  ConversationItemInputAudioTranscriptionDelta,
  ConversationItemInputAudioTranscriptionCompleted,
  ConversationItemInputAudioTranscriptionFailed,
  ConversationItemInputAudioTranscriptionSegment,
  InputAudioBufferSpeechStarted,
  InputAudioBufferSpeechStopped,
  InputAudioBufferCommitted,
  InputAudioBufferCleared,
  InputAudioBufferTimeoutTriggered,
  InputAudioBufferDtmfEventReceived,
  OutputAudioBufferStarted,
  OutputAudioBufferStopped,
  OutputAudioBufferCleared,
  McpListToolsInProgress,
  McpListToolsCompleted,
  McpListToolsFailed,
  ResponseCreated,
  ResponseDone,
  ResponseOutputItemAdded,
  ResponseOutputItemDone,
  ResponseContentPartAdded,
  ResponseContentPartDone,
  ResponseOutputTextDelta,
  ResponseOutputTextDone,
  ResponseOutputAudioDelta,
  ResponseOutputAudioDone,
  ResponseOutputAudioTranscriptDelta,
  ResponseOutputAudioTranscriptDone,
  ResponseFunctionCallArgumentsDelta,
  ResponseFunctionCallArgumentsDone,
  ResponseMcpCallArgumentsDelta,
  ResponseMcpCallArgumentsDone,
  ResponseMcpCallInProgress,
  ResponseMcpCallCompleted,
  ResponseMcpCallFailed
)
