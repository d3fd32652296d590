/** What is said, written and heard. */
import * as Schema from "effect/Schema"
import { Item } from "../Conversation.js"
import { LogProb, TranscriptionUsage } from "../protocol/ConversationEvent.js"

const ofPart = { responseId: Schema.String, itemId: Schema.String, contentIndex: Schema.Number }

export const ItemAdded = Schema.TaggedStruct("ItemAdded", { item: Item })
export const ItemCompleted = Schema.TaggedStruct("ItemCompleted", { item: Item })
/** What was not heard of an item was cut, or a guardrail stopped it: this is what is left, and what others are told. */
export const ItemCut = Schema.TaggedStruct("ItemCut", { item: Item })
export const ItemDeleted = Schema.TaggedStruct("ItemDeleted", { itemId: Schema.String })

/** The model wrote a piece of text, or said it: then the text is a piece of the transcript. */
export const TextDelta = Schema.TaggedStruct("TextDelta", {
  ...ofPart,
  kind: Schema.Literal("Text", "Audio"),
  delta: Schema.String
})
/** The model has written all of it, or said it: of what was stopped before, there is none. */
export const TextCompleted = Schema.TaggedStruct("TextCompleted", {
  ...ofPart,
  kind: Schema.Literal("Text", "Audio"),
  text: Schema.String
})

/** The user began to speak. Milliseconds of all audio that was sent on this connection, padding before it included. */
export const SpeechStarted = Schema.TaggedStruct("SpeechStarted", {
  itemId: Schema.UndefinedOr(Schema.String),
  audioStartMs: Schema.Number
})

/** The user stopped. Milliseconds, as in `SpeechStarted`. */
export const SpeechStopped = Schema.TaggedStruct("SpeechStopped", {
  itemId: Schema.UndefinedOr(Schema.String),
  audioEndMs: Schema.Number
})

const ofUserPart = { itemId: Schema.String, contentIndex: Schema.Number }

/** Only where the settings `include` them, and the model that transcribes has them. */
const logprobs = Schema.UndefinedOr(Schema.Array(LogProb))

/** What the user says, as it is transcribed: beside the model, and so at any time. */
export const UserTranscriptDelta = Schema.TaggedStruct("UserTranscriptDelta", {
  ...ofUserPart,
  delta: Schema.String,
  logprobs
})
export const UserTranscriptCompleted = Schema.TaggedStruct("UserTranscriptCompleted", {
  ...ofUserPart,
  transcript: Schema.String,
  /** Codes of the languages that were heard, such as `en`, where the server says them. */
  languages: Schema.UndefinedOr(Schema.Array(Schema.String)),
  logprobs,
  /** What the transcription has cost: `session.usage` counts responses only. */
  usage: Schema.UndefinedOr(TranscriptionUsage)
})

/** What the user said could not be transcribed. The model has heard it all the same. */
export const UserTranscriptFailed = Schema.TaggedStruct("UserTranscriptFailed", {
  ...ofUserPart,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String
})

/** The user was silent for as long as the settings allow; the model speaks by itself. Milliseconds of input audio. */
export const IdleTimedOut = Schema.TaggedStruct("IdleTimedOut", {
  itemId: Schema.String,
  audioStartMs: Schema.Number,
  audioEndMs: Schema.Number
})

/** The caller pressed a key of the phone; on SIP only. */
export const DtmfReceived = Schema.TaggedStruct("DtmfReceived", {
  key: Schema.String,
  /** Seconds since 1970. */
  receivedAt: Schema.Number
})

/**
 * The user interrupted before all of this audio was heard. What the player still holds of it is to be dropped; `heardMs`,
 * in whole milliseconds from its beginning, is what the server's conversation keeps.
 */
export const AudioInterrupted = Schema.TaggedStruct("AudioInterrupted", { ...ofPart, heardMs: Schema.Number })

/** A reader of `session.audio` was too slow: so many chunks were dropped for it. */
export const AudioDropped = Schema.TaggedStruct("AudioDropped", { count: Schema.Number })

/** The model has sent all audio of this part. It is heard later: audio comes faster than it is played. */
export const AudioCompleted = Schema.TaggedStruct("AudioCompleted", ofPart)

/** The server has said nothing of an item that it was given, for so many milliseconds. It may have it all the same. */
export const ItemUnacknowledged = Schema.TaggedStruct("ItemUnacknowledged", {
  itemId: Schema.String,
  afterMs: Schema.Number
})

/** What the user said was dropped, so many seconds of it: there was no connection, or the network was too slow. */
export const InputAudioDropped = Schema.TaggedStruct("InputAudioDropped", { seconds: Schema.Number })

/**
 * The audio of a turn that has no transcript gave way: newer turns needed the room, or it alone was longer than what may
 * be kept (`untranscribedAudio.maxBytes`). Another connection is not told that turn, unless its transcript comes.
 */
export const TurnAudioDropped = Schema.TaggedStruct("TurnAudioDropped", {
  itemId: Schema.String,
  seconds: Schema.Number
})
