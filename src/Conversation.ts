/**
 * The conversation as the server has it. `session.conversation` gives it.
 *
 * @since 0.1.0
 * @module
 */
import * as Schema from "effect/Schema"
import { AudioFormat } from "./protocol/SessionConfig.js"

/**
 * `in_progress` while the item is being spoken or written; `incomplete` if it was cut off.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Status = Schema.Literal("in_progress", "completed", "incomplete")
/**
 * @since 0.1.0
 * @category models
 */
export type Status = typeof Status.Type

/**
 * The audio of one part of what the model said, for sessions with `keepAudio`: as received so far, or after an
 * interruption, the part that was heard. `Dropped`: removed to make room for newer audio. The session does not keep the
 * user's audio: the application has it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Recording = Schema.Union(
  Schema.TaggedStruct("Kept", { format: AudioFormat, bytes: Schema.Uint8ArrayFromBase64 }),
  Schema.TaggedStruct("Dropped", {})
)
/**
 * @since 0.1.0
 * @category models
 */
export type Recording = typeof Recording.Type

/**
 * The model's speech was cut: by the user, the application, a guardrail, the server, or a lost connection. At most
 * `heardMs` milliseconds were heard. The transcript keeps the words that were heard by then, as estimated from their
 * positions in the audio. If in doubt, it leaves out a word that was heard rather than keep one that was not.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Cut = Schema.Struct({ heardMs: Schema.Number })
/**
 * @since 0.1.0
 * @category models
 */
export interface Cut extends Schema.Schema.Type<typeof Cut> {}

/**
 * One part of a message. The transcript of audio is absent until the server sends it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Part = Schema.Union(
  Schema.TaggedStruct("Text", { text: Schema.String }),
  Schema.TaggedStruct("Audio", {
    transcript: Schema.UndefinedOr(Schema.String),
    cut: Schema.optionalWith(Cut, { exact: true }),
    recording: Schema.optionalWith(Recording, { exact: true })
  }),
  Schema.TaggedStruct("Image", {
    url: Schema.UndefinedOr(Schema.String),
    /** The resolution at which the model looks at the image. Absent: the server's default. */
    detail: Schema.optionalWith(Schema.Literal("auto", "low", "high"), { exact: true })
  })
)
/**
 * @since 0.1.0
 * @category models
 */
export type Part = typeof Part.Type

/**
 * @since 0.1.0
 * @category schemas
 */
export const Message = Schema.TaggedStruct("Message", {
  id: Schema.String,
  role: Schema.Literal("user", "assistant", "system"),
  status: Status,
  content: Schema.Array(Part),
  /** The purpose of the message, if the model gives it: `commentary` while it works, or `final_answer`. */
  phase: Schema.optionalWith(Schema.String, { exact: true }),
  /**
   * The guardrail that stopped the response with this message. The message is never sent to a server again.
   */
  blockedBy: Schema.optionalWith(Schema.String, { exact: true })
})
/**
 * @since 0.1.0
 * @category models
 */
export interface Message extends Schema.Schema.Type<typeof Message> {}

/**
 * @since 0.1.0
 * @category schemas
 */
export const FunctionCall = Schema.TaggedStruct("FunctionCall", {
  id: Schema.String,
  callId: Schema.String,
  name: Schema.String,
  /** JSON text, as the model wrote it. */
  arguments: Schema.String,
  status: Status,
  /** As in `Message`. */
  phase: Schema.optionalWith(Schema.String, { exact: true })
})
/**
 * @since 0.1.0
 * @category models
 */
export interface FunctionCall extends Schema.Schema.Type<typeof FunctionCall> {}

/**
 * @since 0.1.0
 * @category schemas
 */
export const FunctionCallOutput = Schema.TaggedStruct("FunctionCallOutput", {
  id: Schema.String,
  callId: Schema.String,
  output: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface FunctionCallOutput extends Schema.Schema.Type<typeof FunctionCallOutput> {}

/**
 * An item of another type, such as those of hosted MCP tools, as the server sent it.
 *
 * @since 0.1.0
 * @category schemas
 */
export const Other = Schema.TaggedStruct("Other", { id: Schema.String, type: Schema.String, item: Schema.Unknown })
/**
 * @since 0.1.0
 * @category models
 */
export interface Other extends Schema.Schema.Type<typeof Other> {}

/**
 * @since 0.1.0
 * @category schemas
 */
export const Item = Schema.Union(Message, FunctionCall, FunctionCallOutput, Other)
/**
 * @since 0.1.0
 * @category models
 */
export type Item = Message | FunctionCall | FunctionCallOutput | Other

/**
 * The items in the server's order, at the moment of the call.
 *
 * @since 0.1.0
 * @category models
 */
export interface Conversation {
  readonly items: ReadonlyArray<Item>
}

/**
 * The text of a message: its text parts and known transcripts.
 *
 * @since 0.1.0
 * @category accessors
 */
export const textOf = (message: Message): string =>
  message.content
    .map((part) => (part._tag === "Text" ? part.text : part._tag === "Audio" ? (part.transcript ?? "") : ""))
    .filter((text) => text !== "")
    .join(" ")
