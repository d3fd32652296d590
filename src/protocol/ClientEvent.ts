/**
 * The events that a client sends. Each may have an `event_id`, which only comes back in an `error` that refuses the
 * event.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { optional, whole } from "./fields.js"
import { ItemParam } from "./ItemParam.js"
import { ResponseParams } from "./Response.js"
import { SessionConfig } from "./SessionConfig.js"

const event = <const Type extends string>(type: Type) => ({
  type: Schema.Literal(type),
  event_id: optional(Schema.String)
})

/**
 * Changes the settings that are present. One invalid field refuses the whole update.
 *
 * @since 0.1.0
 * @category events
 */
export const SessionUpdate = Schema.Struct({
  ...event("session.update"),
  session: SessionConfig
})
/**
 * @since 0.1.0
 * @category events
 */
export interface SessionUpdate extends Schema.Schema.Type<typeof SessionUpdate> {}

/**
 * Audio in base64, at most 15 MiB per event. It is never acknowledged.
 *
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferAppend = Schema.Struct({
  ...event("input_audio_buffer.append"),
  audio: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferAppend extends Schema.Schema.Type<typeof InputAudioBufferAppend> {}

/**
 * Makes the buffered audio (at least 100 ms) an item of the user. Does not ask for a response.
 *
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferCommit = Schema.Struct({
  ...event("input_audio_buffer.commit")
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferCommit extends Schema.Schema.Type<typeof InputAudioBufferCommit> {}

/**
 * Drops the buffered audio.
 *
 * @since 0.1.0
 * @category events
 */
export const InputAudioBufferClear = Schema.Struct({
  ...event("input_audio_buffer.clear")
})
/**
 * @since 0.1.0
 * @category events
 */
export interface InputAudioBufferClear extends Schema.Schema.Type<typeof InputAudioBufferClear> {}

/**
 * Stops playback (WebRTC and SIP only).
 *
 * @since 0.1.0
 * @category events
 */
export const OutputAudioBufferClear = Schema.Struct({
  ...event("output_audio_buffer.clear")
})
/**
 * @since 0.1.0
 * @category events
 */
export interface OutputAudioBufferClear extends Schema.Schema.Type<typeof OutputAudioBufferClear> {}

/**
 * Inserts an item after `previous_item_id`. With `root`, the item comes first; without the field, last.
 *
 * @since 0.1.0
 * @category events
 */
export const ConversationItemCreate = Schema.Struct({
  ...event("conversation.item.create"),
  item: ItemParam,
  previous_item_id: optional(Schema.String)
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemCreate extends Schema.Schema.Type<typeof ConversationItemCreate> {}

/**
 * Asks for an item as the server has it, with its audio.
 *
 * @since 0.1.0
 * @category events
 */
export const ConversationItemRetrieve = Schema.Struct({
  ...event("conversation.item.retrieve"),
  item_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemRetrieve extends Schema.Schema.Type<typeof ConversationItemRetrieve> {}

/**
 * Cuts the part of an assistant message that the user did not hear, including its transcript.
 *
 * @since 0.1.0
 * @category events
 */
export const ConversationItemTruncate = Schema.Struct({
  ...event("conversation.item.truncate"),
  item_id: Schema.String,
  content_index: whole,
  audio_end_ms: whole
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemTruncate extends Schema.Schema.Type<typeof ConversationItemTruncate> {}

/**
 * Deletes an item from the conversation.
 *
 * @since 0.1.0
 * @category events
 */
export const ConversationItemDelete = Schema.Struct({
  ...event("conversation.item.delete"),
  item_id: Schema.String
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ConversationItemDelete extends Schema.Schema.Type<typeof ConversationItemDelete> {}

/**
 * Asks for a response. Refused while another response is active in the default conversation.
 *
 * @since 0.1.0
 * @category events
 */
export const ResponseCreate = Schema.Struct({
  ...event("response.create"),
  response: optional(ResponseParams)
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseCreate extends Schema.Schema.Type<typeof ResponseCreate> {}

/**
 * Stops the response with this id, or the active response of the default conversation.
 *
 * @since 0.1.0
 * @category events
 */
export const ResponseCancel = Schema.Struct({
  ...event("response.cancel"),
  response_id: optional(Schema.String)
})
/**
 * @since 0.1.0
 * @category events
 */
export interface ResponseCancel extends Schema.Schema.Type<typeof ResponseCancel> {}

/**
 * @since 0.1.0
 * @category events
 */
export type ClientEvent =
  | SessionUpdate
  | InputAudioBufferAppend
  | InputAudioBufferCommit
  | InputAudioBufferClear
  | OutputAudioBufferClear
  | ConversationItemCreate
  | ConversationItemRetrieve
  | ConversationItemTruncate
  | ConversationItemDelete
  | ResponseCreate
  | ResponseCancel

/**
 * The names of the client events.
 *
 * @since 0.1.0
 * @category events
 */
export type ClientEventType = ClientEvent["type"]

/**
 * The schema of each client event, by its `type`.
 *
 * @since 0.1.0
 * @category events
 */
export const clientEventSchemas: {
  readonly [Type in ClientEventType]: Schema.Schema<Extract<ClientEvent, { readonly type: Type }>>
} = {
  "session.update": SessionUpdate,
  "input_audio_buffer.append": InputAudioBufferAppend,
  "input_audio_buffer.commit": InputAudioBufferCommit,
  "input_audio_buffer.clear": InputAudioBufferClear,
  "output_audio_buffer.clear": OutputAudioBufferClear,
  "conversation.item.create": ConversationItemCreate,
  "conversation.item.retrieve": ConversationItemRetrieve,
  "conversation.item.truncate": ConversationItemTruncate,
  "conversation.item.delete": ConversationItemDelete,
  "response.create": ResponseCreate,
  "response.cancel": ResponseCancel
}

/**
 * @since 0.1.0
 * @category events
 */
export const ClientEvent: Schema.Schema<ClientEvent> = Schema.Union(
  SessionUpdate,
  InputAudioBufferAppend,
  InputAudioBufferCommit,
  InputAudioBufferClear,
  OutputAudioBufferClear,
  ConversationItemCreate,
  ConversationItemRetrieve,
  ConversationItemTruncate,
  ConversationItemDelete,
  ResponseCreate,
  ResponseCancel
)
