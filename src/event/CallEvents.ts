/** Calls of tools, from their arrival to the output that the model reads. */
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
  /** The label of the hosted MCP server whose tool it is. Absent for the agent's own tools. */
  server: Schema.optionalWith(Schema.String, { exact: true }),
  /** The response that contained the call, if the server named it. */
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

/** The arguments are valid, and the handler has started. */
export const ToolStarted = Schema.TaggedStruct("ToolStarted", call)

/**
 * A call succeeded. Its output was sent to the model, or, after `OutputDeferred`, will be sent on the next connection.
 */
export const ToolSucceeded = Schema.TaggedStruct("ToolSucceeded", {
  ...call,
  output: Schema.String,
  /** From the arrival of the call, in milliseconds. */
  durationMs: Schema.Number
})

/**
 * A call failed. Its output was sent to the model, or, after `OutputDeferred`, will be sent on the next connection.
 */
export const ToolFailed = Schema.TaggedStruct("ToolFailed", {
  ...call,
  /** What went wrong. Where its `_tag` is `ToolFailure`, the handler's own error is its field `failure`. */
  error: ToolError,
  /** Absent if the call was answered before, if the server ran it, or if it can no longer be answered. */
  output: Schema.UndefinedOr(Schema.String),
  /** From the arrival of the call, in milliseconds. */
  durationMs: Schema.Number
})

/**
 * A failed call, where the tools fail with `E`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolFailed<out E = unknown> extends Omit<typeof ToolFailed.Type, "error"> {
  /** What went wrong. Where its `_tag` is `ToolFailure`, the handler's own error, an `E`, is its field `failure`. */
  readonly error: ToolErrorOf<E>
}

/** The handler of a deferred tool runs, and the acknowledgement was sent to the model. The result follows. */
export const ToolDeferred = Schema.TaggedStruct("ToolDeferred", {
  ...call,
  /** The acknowledgement. */
  output: Schema.String
})

/** The handler takes longer than `filler.after`, and the model was asked to tell the caller. */
export const FillerRequested = Schema.TaggedStruct("FillerRequested", { ...call, text: Schema.String })

/** A handler reported progress with `call.progress`. */
export const ToolProgress = Schema.TaggedStruct("ToolProgress", {
  ...call,
  message: Schema.String,
  data: Schema.optional(Schema.Unknown)
})

/**
 * A call was not run: the model was cut off before the call was complete, or the call came in an out-of-band response,
 * where no output can answer it.
 */
export const ToolCallAbandoned = Schema.TaggedStruct("ToolCallAbandoned", call)

/** The server sent a known call again. It is not run again. */
export const ToolCallRepeated = Schema.TaggedStruct("ToolCallRepeated", call)

/**
 * A handler that had timed out, and did not react to interruption, has ended. Its result is dropped.
 */
export const ToolResultDiscarded = Schema.TaggedStruct("ToolResultDiscarded", {
  ...call,
  /** How long after its timeout the handler ended, in milliseconds. */
  lateMs: Schema.Number
})

/** A call waits for `session.approve` or `session.reject`. */
export const ToolApprovalRequested = Schema.TaggedStruct("ToolApprovalRequested", {
  ...call,
  /** When the call counts as rejected, in milliseconds since 1970. */
  deadline: Schema.Number
})

/** A call was approved, and will run. */
export const ToolApproved = Schema.TaggedStruct("ToolApproved", call)

/** The check whether a call needs approval failed, so the call needs approval. */
export const ApprovalCheckFailed = Schema.TaggedStruct("ApprovalCheckFailed", { ...call, message: Schema.String })

/** The text for the model could not be made from a failure, so the model got the library's own words on what happened. */
export const FormatterFailed = Schema.TaggedStruct("FormatterFailed", { ...call, message: Schema.String, ...withheld })

/** The connection was lost before the output could be sent. It will be sent on the next connection. */
export const OutputDeferred = Schema.TaggedStruct("OutputDeferred", call)

/** An output was longer than `maxOutputLength`. The model got its beginning, and how much is missing. */
export const OutputTruncated = Schema.TaggedStruct("OutputTruncated", {
  ...call,
  /** The length of the output, in UTF-16 code units. */
  length: Schema.Number,
  /** The maximum length. */
  limit: Schema.Number
})

/** The server refused the output of a call, so the model does not have it. A neutral output was sent instead, once. */
export const OutputRefused = Schema.TaggedStruct("OutputRefused", {
  ...call,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String
})
