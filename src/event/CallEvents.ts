/** The calls of tools, from their arrival to what the model reads of them. */
import * as Schema from "effect/Schema"
import { withheld } from "../protocol/withheld.js"
import { ToolError, type ToolError as ToolErrorOf } from "../ToolError.js"

/**
 * A call as events name it.
 *
 * @since 0.1.0
 * @category models
 */
export const CallInfo = Schema.Struct({
  callId: Schema.String,
  tool: Schema.String,
  agent: Schema.String,
  /** The response that the call came in; absent where the server did not say. */
  responseId: Schema.UndefinedOr(Schema.String),
  /** JSON text, as the model wrote it. */
  arguments: Schema.String
})
/**
 * @since 0.1.0
 * @category models
 */
export interface CallInfo extends Schema.Schema.Type<typeof CallInfo> {}

const call = { call: CallInfo }

/** The arguments fit, and the handler runs. */
export const ToolStarted = Schema.TaggedStruct("ToolStarted", call)

/** The output went to the model. `durationMs` is counted from the arrival of the call. */
export const ToolSucceeded = Schema.TaggedStruct("ToolSucceeded", {
  ...call,
  output: Schema.String,
  durationMs: Schema.Number
})

/** A call failed, and `output` went to the model; without one, the model had its output before, or is gone. */
export const ToolFailed = Schema.TaggedStruct("ToolFailed", {
  ...call,
  error: ToolError,
  output: Schema.UndefinedOr(Schema.String),
  durationMs: Schema.Number
})

/**
 * A failed call, where the tools fail with `E`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolFailed<out E = unknown> extends Omit<typeof ToolFailed.Type, "error"> {
  readonly error: ToolErrorOf<E>
}

/** The handler of a deferred tool runs, and the model has read the acknowledgement. The result follows. */
export const ToolDeferred = Schema.TaggedStruct("ToolDeferred", { ...call, output: Schema.String })

/** The handler takes its time, and the model was asked to say so to the caller. */
export const FillerRequested = Schema.TaggedStruct("FillerRequested", { ...call, text: Schema.String })

/** A handler has something to say before it is done. */
export const ToolProgress = Schema.TaggedStruct("ToolProgress", {
  ...call,
  message: Schema.String,
  data: Schema.optional(Schema.Unknown)
})

/**
 * A call that was not run: the model was cut off before it was complete, or it came in a response beside the
 * conversation, where no output could answer it.
 */
export const ToolCallAbandoned = Schema.TaggedStruct("ToolCallAbandoned", call)

/** The server sent a call again that is known. */
export const ToolCallRepeated = Schema.TaggedStruct("ToolCallRepeated", call)

/**
 * A handler that had timed out did not stop when it was told to. It has ended now, `lateMs` milliseconds after its time
 * was over, and whatever it returned is dropped.
 */
export const ToolResultDiscarded = Schema.TaggedStruct("ToolResultDiscarded", { ...call, lateMs: Schema.Number })

/** A call waits for `approve` or `reject`. `deadline` is in milliseconds since 1970; then it counts as rejected. */
export const ToolApprovalRequested = Schema.TaggedStruct("ToolApprovalRequested", {
  ...call,
  deadline: Schema.Number
})
export const ToolApproved = Schema.TaggedStruct("ToolApproved", call)

/** The check whether a call needs approval failed, so it needs one. */
export const ApprovalCheckFailed = Schema.TaggedStruct("ApprovalCheckFailed", { ...call, message: Schema.String })

/** The text for the model could not be made from a failure, so it got the neutral one. */
export const FormatterFailed = Schema.TaggedStruct("FormatterFailed", { ...call, message: Schema.String, ...withheld })

/** The connection was lost before the output could be sent. */
export const OutputDeferred = Schema.TaggedStruct("OutputDeferred", call)

/** The text for the model was longer than it may be: it has read the beginning of it, and how much is missing. */
export const OutputTruncated = Schema.TaggedStruct("OutputTruncated", {
  ...call,
  /** How many characters there were, and how many of them the model may read. */
  length: Schema.Number,
  limit: Schema.Number
})

/** The server refused the output of a call; the model does not have it. A neutral one was sent in its place, once. */
export const OutputRefused = Schema.TaggedStruct("OutputRefused", {
  ...call,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String
})
