/**
 * The conversation as the server has it: what `session.conversation` gives.
 *
 * @since 0.1.0
 * @module
 */
import * as Schema from "effect/Schema"
import { AudioFormat } from "./protocol/SessionConfig.js"

/**
 * `in_progress` while it is being said or written; `incomplete` when it was cut off.
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
 * What the model said in one part, for sessions with `keepAudio`: as it came so far, and after an interruption, what was
 * heard of it. `Dropped`: it gave way to newer ones. What the user said is not kept: the application has it.
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
 * What the model said was cut: by the user, the application, a guardrail, the server, or the loss of its connection. No
 * more of it was heard than so many milliseconds, and what is there of its transcript are the words that were heard by
 * then, as estimated from where they stood in the audio: rather one too few than one that was not heard.
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
 * One part of a message. The transcript of audio is absent until it is known.
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
    /** How closely the model looks; absent where nobody chose: the server's default. */
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
  /** What the model says it for, where it says so: `commentary` while it works, or `final_answer`. */
  phase: Schema.optionalWith(Schema.String, { exact: true }),
  /** The guardrail that stopped the response which said this. No other server is told it, nor this one again. */
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
  /** As of a message. */
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
 * An item of another kind, such as those of hosted MCP tools, as the server sent it.
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
 * The items in the server's order, at the moment of asking.
 *
 * @since 0.1.0
 * @category models
 */
export interface Conversation {
  readonly items: ReadonlyArray<Item>
}

/**
 * What a message says: its texts and known transcripts.
 *
 * @since 0.1.0
 * @category accessors
 */
export const textOf = (message: Message): string =>
  message.content
    .map((part) => (part._tag === "Text" ? part.text : part._tag === "Audio" ? (part.transcript ?? "") : ""))
    .filter((text) => text !== "")
    .join(" ")
