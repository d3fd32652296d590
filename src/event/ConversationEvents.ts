/** What is said, written and heard in the conversation. */
import * as Schema from "effect/Schema"
import { Item } from "../Conversation.js"
import { LogProb, TranscriptionUsage } from "../protocol/ConversationEvent.js"

const ofPart = { responseId: Schema.String, itemId: Schema.String, contentIndex: Schema.Number }

/** An item was added to the conversation. */
export const ItemAdded = Schema.TaggedStruct("ItemAdded", { item: Item })

/** An item is done: complete, or cut off (see its `status`). */
export const ItemCompleted = Schema.TaggedStruct("ItemCompleted", { item: Item })

/** An item was cut to what was heard, or stopped by a guardrail. Other connections get it only as it is now. */
export const ItemCut = Schema.TaggedStruct("ItemCut", { item: Item })

/** An item was deleted from the conversation. */
export const ItemDeleted = Schema.TaggedStruct("ItemDeleted", { itemId: Schema.String })

/** The model wrote a piece of text, or said it: `delta` is a piece of the text or of the transcript. */
export const TextDelta = Schema.TaggedStruct("TextDelta", {
  ...ofPart,
  kind: Schema.Literal("Text", "Audio"),
  delta: Schema.String
})

/** The model has finished a text, or a transcript. There is no such event for one that was stopped. */
export const TextCompleted = Schema.TaggedStruct("TextCompleted", {
  ...ofPart,
  kind: Schema.Literal("Text", "Audio"),
  text: Schema.String
})

/** The user began to speak. */
export const SpeechStarted = Schema.TaggedStruct("SpeechStarted", {
  itemId: Schema.UndefinedOr(Schema.String),
  /** The position in all audio that was sent on this connection, including padding, in milliseconds. */
  audioStartMs: Schema.Number
})

/** The user stopped speaking. */
export const SpeechStopped = Schema.TaggedStruct("SpeechStopped", {
  itemId: Schema.UndefinedOr(Schema.String),
  /** Counted as in `SpeechStarted`. */
  audioEndMs: Schema.Number
})

const ofUserPart = { itemId: Schema.String, contentIndex: Schema.Number }

/** Log probabilities, if the settings `include` them and the transcription model has them. */
const logprobs = Schema.UndefinedOr(Schema.Array(LogProb))

/** A piece of the transcript of the user's speech. It can arrive at any time, since the model does not wait for it. */
export const UserTranscriptDelta = Schema.TaggedStruct("UserTranscriptDelta", {
  ...ofUserPart,
  delta: Schema.String,
  logprobs
})

/** The transcript of the user's speech is complete. */
export const UserTranscriptCompleted = Schema.TaggedStruct("UserTranscriptCompleted", {
  ...ofUserPart,
  transcript: Schema.String,
  /** Codes of the languages that were heard, such as `en`, if the server sent them. */
  languages: Schema.UndefinedOr(Schema.Array(Schema.String)),
  logprobs,
  /** The cost of the transcription. `session.usage` counts only responses. */
  usage: Schema.UndefinedOr(TranscriptionUsage)
})

/** The user's speech could not be transcribed. The model has heard it nevertheless. */
export const UserTranscriptFailed = Schema.TaggedStruct("UserTranscriptFailed", {
  ...ofUserPart,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String
})

/** The user was silent for as long as the settings allow. The model speaks without a request. */
export const IdleTimedOut = Schema.TaggedStruct("IdleTimedOut", {
  itemId: Schema.String,
  /** The silence, in milliseconds of input audio. */
  audioStartMs: Schema.Number,
  audioEndMs: Schema.Number
})

/** The caller pressed a key of the phone (SIP only). */
export const DtmfReceived = Schema.TaggedStruct("DtmfReceived", {
  key: Schema.String,
  /** Seconds since 1970. */
  receivedAt: Schema.Number
})

/** Audio was interrupted before all of it was heard. The player must drop what it still holds of it. */
export const AudioInterrupted = Schema.TaggedStruct("AudioInterrupted", {
  ...ofPart,
  /** How much the server's conversation keeps, in whole milliseconds from the beginning of the audio. */
  heardMs: Schema.Number
})

/** A reader of `session.audio` was too slow, and chunks were dropped for it. */
export const AudioDropped = Schema.TaggedStruct("AudioDropped", {
  /** How many chunks. */
  count: Schema.Number
})

/** The server has sent all audio of this part. It is heard later, since audio arrives faster than it is played. */
export const AudioCompleted = Schema.TaggedStruct("AudioCompleted", ofPart)

/** The server has not acknowledged an item. It may have it nevertheless. */
export const ItemUnacknowledged = Schema.TaggedStruct("ItemUnacknowledged", {
  itemId: Schema.String,
  /** How long the session has waited, in milliseconds. */
  afterMs: Schema.Number
})

/** Audio of the user was dropped: there was no connection, or the network was too slow. */
export const InputAudioDropped = Schema.TaggedStruct("InputAudioDropped", { seconds: Schema.Number })

/**
 * The audio of a turn without a transcript was dropped: newer turns needed the room, or it exceeds
 * `untranscribedAudio.maxBytes`. Another connection does not get that turn, unless its transcript arrives.
 */
export const TurnAudioDropped = Schema.TaggedStruct("TurnAudioDropped", {
  itemId: Schema.String,
  seconds: Schema.Number
})
