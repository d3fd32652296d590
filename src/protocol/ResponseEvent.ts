/**
 * The events that a server sends while a model responds.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { nullable, openEnum, serverEvent } from "./fields.js"
import { Item } from "./Item.js"
import { Response } from "./Response.js"

const itemPosition = {
  response_id: Schema.String,
  item_id: Schema.String,
  output_index: Schema.Finite
}

const partPosition = { ...itemPosition, content_index: Schema.Finite }

const Part = Schema.Struct({
  type: nullable(openEnum("text", "audio")),
  text: nullable(Schema.String),
  audio: nullable(Schema.String),
  transcript: nullable(Schema.String)
})

/**
 * A response began: the client requested it, or the server began it after a turn.
 *
 * @since 0.1.0
 * @category events
 */
export const ResponseCreated = Schema.Struct({
  ...serverEvent("response.created"),
  response: Response
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseCreated extends Schema.Schema.Type<typeof ResponseCreated> {}

/**
 * A response ended, for any reason. It has its items, without their audio.
 *
 * @since 0.1.0
 * @category events
 */
export const ResponseDone = Schema.Struct({
  ...serverEvent("response.done"),
  response: Response
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseDone extends Schema.Schema.Type<typeof ResponseDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseOutputItemAdded = Schema.Struct({
  ...serverEvent("response.output_item.added"),
  response_id: Schema.String,
  output_index: Schema.Finite,
  item: Item
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseOutputItemAdded extends Schema.Schema.Type<typeof ResponseOutputItemAdded> {}

/**
 * A function call must only run when its item is done and `completed`.
 *
 * @since 0.1.0
 * @category events
 */
export const ResponseOutputItemDone = Schema.Struct({
  ...serverEvent("response.output_item.done"),
  response_id: Schema.String,
  output_index: Schema.Finite,
  item: Item
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseOutputItemDone extends Schema.Schema.Type<typeof ResponseOutputItemDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseContentPartAdded = Schema.Struct({
  ...serverEvent("response.content_part.added"),
  ...partPosition,
  part: Part
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseContentPartAdded extends Schema.Schema.Type<typeof ResponseContentPartAdded> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseContentPartDone = Schema.Struct({
  ...serverEvent("response.content_part.done"),
  ...partPosition,
  part: Part
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseContentPartDone extends Schema.Schema.Type<typeof ResponseContentPartDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseOutputTextDelta = Schema.Struct({
  ...serverEvent("response.output_text.delta"),
  ...partPosition,
  delta: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseOutputTextDelta extends Schema.Schema.Type<typeof ResponseOutputTextDelta> {}

/**
 * Every `done` event also comes when a response was cut off.
 *
 * @since 0.1.0
 * @category events
 */
export const ResponseOutputTextDone = Schema.Struct({
  ...serverEvent("response.output_text.done"),
  ...partPosition,
  text: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseOutputTextDone extends Schema.Schema.Type<typeof ResponseOutputTextDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseOutputAudioDelta = Schema.Struct({
  ...serverEvent("response.output_audio.delta"),
  ...partPosition,
  /** Base64, in the session's output format. */
  delta: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseOutputAudioDelta extends Schema.Schema.Type<typeof ResponseOutputAudioDelta> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseOutputAudioDone = Schema.Struct({
  ...serverEvent("response.output_audio.done"),
  ...partPosition
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseOutputAudioDone extends Schema.Schema.Type<typeof ResponseOutputAudioDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseOutputAudioTranscriptDelta = Schema.Struct({
  ...serverEvent("response.output_audio_transcript.delta"),
  ...partPosition,
  delta: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseOutputAudioTranscriptDelta
  extends Schema.Schema.Type<typeof ResponseOutputAudioTranscriptDelta> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseOutputAudioTranscriptDone = Schema.Struct({
  ...serverEvent("response.output_audio_transcript.done"),
  ...partPosition,
  transcript: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseOutputAudioTranscriptDone
  extends Schema.Schema.Type<typeof ResponseOutputAudioTranscriptDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseFunctionCallArgumentsDelta = Schema.Struct({
  ...serverEvent("response.function_call_arguments.delta"),
  ...itemPosition,
  call_id: nullable(Schema.String),
  delta: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseFunctionCallArgumentsDelta
  extends Schema.Schema.Type<typeof ResponseFunctionCallArgumentsDelta> {}

/**
 * Also comes for a cancelled response: it does not mean that the call must run.
 *
 * @since 0.1.0
 * @category events
 */
export const ResponseFunctionCallArgumentsDone = Schema.Struct({
  ...serverEvent("response.function_call_arguments.done"),
  ...itemPosition,
  call_id: nullable(Schema.String),
  name: nullable(Schema.String),
  arguments: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseFunctionCallArgumentsDone
  extends Schema.Schema.Type<typeof ResponseFunctionCallArgumentsDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseMcpCallArgumentsDelta = Schema.Struct({
  ...serverEvent("response.mcp_call_arguments.delta"),
  ...itemPosition,
  delta: Schema.String,
  obfuscation: nullable(Schema.String)
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseMcpCallArgumentsDelta extends Schema.Schema.Type<typeof ResponseMcpCallArgumentsDelta> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseMcpCallArgumentsDone = Schema.Struct({
  ...serverEvent("response.mcp_call_arguments.done"),
  ...itemPosition,
  arguments: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseMcpCallArgumentsDone extends Schema.Schema.Type<typeof ResponseMcpCallArgumentsDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseMcpCallInProgress = Schema.Struct({
  ...serverEvent("response.mcp_call.in_progress"),
  item_id: Schema.String,
  output_index: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseMcpCallInProgress extends Schema.Schema.Type<typeof ResponseMcpCallInProgress> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseMcpCallCompleted = Schema.Struct({
  ...serverEvent("response.mcp_call.completed"),
  item_id: Schema.String,
  output_index: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseMcpCallCompleted extends Schema.Schema.Type<typeof ResponseMcpCallCompleted> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ResponseMcpCallFailed = Schema.Struct({
  ...serverEvent("response.mcp_call.failed"),
  item_id: Schema.String,
  output_index: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseMcpCallFailed extends Schema.Schema.Type<typeof ResponseMcpCallFailed> {}
