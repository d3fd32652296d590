/**
 * The events that a server sends about the items of its conversation, and transcripts of the user's speech.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { nullable, openEnum, serverEvent } from "./fields.js"
import { Item } from "./Item.js"

const itemPosition = { item: Item, previous_item_id: nullable(Schema.String) }

const contentPosition = {
  item_id: Schema.String,
  content_index: Schema.Finite
}

/**
 * The log probability of a token in a transcript.
 *
 * @since 0.1.0
 * @category models
 */
export const LogProb = Schema.Struct({
  token: Schema.String,
  logprob: Schema.Finite,
  bytes: nullable(Schema.Array(Schema.Finite))
})

/**
 * @since 0.1.0
 * @category events
 */
export const ConversationCreated = Schema.Struct({
  ...serverEvent("conversation.created"),
  conversation: Schema.Struct({
    id: nullable(Schema.String),
    object: nullable(openEnum("realtime.conversation"))
  })
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationCreated extends Schema.Schema.Type<typeof ConversationCreated> {}

/**
 * The beta protocol's name for `conversation.item.added`.
 *
 * @since 0.1.0
 * @category events
 */
export const ConversationItemCreated = Schema.Struct({
  ...serverEvent("conversation.item.created"),
  ...itemPosition
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemCreated extends Schema.Schema.Type<typeof ConversationItemCreated> {}

/**
 * An item was added to the conversation. The model's own items arrive empty.
 *
 * @since 0.1.0
 * @category events
 */
export const ConversationItemAdded = Schema.Struct({
  ...serverEvent("conversation.item.added"),
  ...itemPosition
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemAdded extends Schema.Schema.Type<typeof ConversationItemAdded> {}

/**
 * An item is complete.
 *
 * @since 0.1.0
 * @category events
 */
export const ConversationItemDone = Schema.Struct({
  ...serverEvent("conversation.item.done"),
  ...itemPosition
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemDone extends Schema.Schema.Type<typeof ConversationItemDone> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ConversationItemDeleted = Schema.Struct({
  ...serverEvent("conversation.item.deleted"),
  item_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemDeleted extends Schema.Schema.Type<typeof ConversationItemDeleted> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ConversationItemTruncated = Schema.Struct({
  ...serverEvent("conversation.item.truncated"),
  ...contentPosition,
  audio_end_ms: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemTruncated extends Schema.Schema.Type<typeof ConversationItemTruncated> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ConversationItemRetrieved = Schema.Struct({
  ...serverEvent("conversation.item.retrieved"),
  item: Item
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemRetrieved extends Schema.Schema.Type<typeof ConversationItemRetrieved> {}

/**
 * Transcription runs independently of the model: it may end before or after the response, and before its item's own
 * event.
 *
 * @since 0.1.0
 * @category events
 */
export const ConversationItemInputAudioTranscriptionDelta = Schema.Struct({
  ...serverEvent("conversation.item.input_audio_transcription.delta"),
  item_id: Schema.String,
  content_index: nullable(Schema.Finite),
  delta: nullable(Schema.String),
  logprobs: nullable(Schema.Array(LogProb))
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemInputAudioTranscriptionDelta
  extends Schema.Schema.Type<typeof ConversationItemInputAudioTranscriptionDelta> {}

/**
 * The cost of a transcription: tokens or seconds, depending on how the transcription model is billed.
 *
 * @since 0.1.0
 * @category models
 */
export const TranscriptionUsage = Schema.Struct({
  type: nullable(openEnum("tokens", "duration")),
  seconds: nullable(Schema.Finite),
  input_tokens: nullable(Schema.Finite),
  output_tokens: nullable(Schema.Finite),
  total_tokens: nullable(Schema.Finite),
  input_token_details: nullable(
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
export interface TranscriptionUsage extends Schema.Schema.Type<typeof TranscriptionUsage> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ConversationItemInputAudioTranscriptionCompleted = Schema.Struct({
  ...serverEvent("conversation.item.input_audio_transcription.completed"),
  ...contentPosition,
  transcript: Schema.String,
  usage: nullable(TranscriptionUsage),
  languages: nullable(Schema.Array(Schema.Struct({ code: Schema.String }))),
  logprobs: nullable(Schema.Array(LogProb))
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemInputAudioTranscriptionCompleted
  extends Schema.Schema.Type<typeof ConversationItemInputAudioTranscriptionCompleted> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ConversationItemInputAudioTranscriptionFailed = Schema.Struct({
  ...serverEvent("conversation.item.input_audio_transcription.failed"),
  ...contentPosition,
  error: Schema.Struct({
    type: nullable(Schema.String),
    code: nullable(Schema.String),
    message: nullable(Schema.String),
    param: nullable(Schema.String)
  })
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemInputAudioTranscriptionFailed
  extends Schema.Schema.Type<typeof ConversationItemInputAudioTranscriptionFailed> {}

/**
 * @since 0.1.0
 * @category events
 */
export const ConversationItemInputAudioTranscriptionSegment = Schema.Struct({
  ...serverEvent("conversation.item.input_audio_transcription.segment"),
  ...contentPosition,
  id: Schema.String,
  text: Schema.String,
  speaker: Schema.String,
  /** Seconds. */
  start: Schema.Finite,
  /** Seconds. */
  end: Schema.Finite
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemInputAudioTranscriptionSegment
  extends Schema.Schema.Type<typeof ConversationItemInputAudioTranscriptionSegment> {}
