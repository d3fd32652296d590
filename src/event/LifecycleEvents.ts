/** The session from its start to its end: its agents, its guardrails, its journal, and internal failures. */
import * as Schema from "effect/Schema"
import { Item } from "../Conversation.js"
import { withheld } from "../protocol/withheld.js"
import { CallInfo } from "./CallEvents.js"

/** The server has the agent's instructions and tools. The application can begin. */
export const SessionStarted = Schema.TaggedStruct("SessionStarted", {
  sessionId: Schema.String,
  agent: Schema.String
})

/** The session of another process was resumed, with its conversation and its open calls. */
export const SessionResumed = Schema.TaggedStruct("SessionResumed", {
  /** How many items were sent to the server. */
  replayed: Schema.Number,
  /**
   * Ids of items that were not sent, or not whole: a client cannot create them, they were beyond the limits, or the audio
   * of a part without a transcript is no longer kept. What was sent in part is still in the conversation.
   */
  omitted: Schema.Array(Schema.String),
  /** How many outputs were sent again, since the server may not have them. */
  deferred: Schema.Number,
  /** Ids of the calls that were open. Each is run, or answered as interrupted. */
  openCalls: Schema.Array(Schema.String)
})

/** The server confirmed new settings. */
export const SessionUpdated = Schema.TaggedStruct("SessionUpdated", {
  /** The whole effective configuration, as the server sent it. */
  session: Schema.Unknown
})

/** Another agent has taken over the conversation. */
export const HandedOff = Schema.TaggedStruct("HandedOff", { from: Schema.String, to: Schema.String })

/** `isEnabled` of a handoff failed, so the handoff is not offered. */
export const HandoffCheckFailed = Schema.TaggedStruct("HandoffCheckFailed", {
  agent: Schema.String,
  target: Schema.String
})

/**
 * `isEnabled` of a tool failed, so the model does not have the tool; or of a tool or a handoff that was called, so the
 * call is not run.
 */
export const ToolCheckFailed = Schema.TaggedStruct("ToolCheckFailed", {
  agent: Schema.String,
  tool: Schema.String,
  /** What the check failed with. It is printed as `<redacted>` and encoded as `null`; `Redacted.value` reads it. */
  failure: withheld.reason
})

/** The agent has other functions than before, and the server has them: `session.updateTools`. */
export const ToolsUpdated = Schema.TaggedStruct("ToolsUpdated", {
  agent: Schema.String,
  /** The names of all that the model may call now, except for tools of hosted servers. */
  functions: Schema.Array(Schema.String)
})

const judgement = {
  guardrail: Schema.String,
  agent: Schema.String,
  /** What was checked: the model's words, the user's words, or the arguments or output of a tool. */
  subject: Schema.Literal("Output", "Input", "ToolInput", "ToolOutput"),
  /** The item that was checked; absent for tools. */
  itemId: Schema.UndefinedOr(Schema.String)
}

/** A guardrail stopped a response or a call. */
export const GuardrailTripped = Schema.TaggedStruct("GuardrailTripped", {
  ...judgement,
  /** What the model is told, unless the response was over. */
  feedback: Schema.String
})

/** A guardrail could not check. It counts as passed or as tripped, by its `onFailure`. */
export const GuardrailFailed = Schema.TaggedStruct("GuardrailFailed", {
  ...judgement,
  /** Its check failed or took too long, or there is no transcript of what the user said. */
  reason: Schema.Literal("CheckFailed", "NoTranscript"),
  /** What the check failed with. It is printed as `<redacted>` and encoded as `null`; `Redacted.value` reads it. */
  failure: withheld.reason
})

/** The session has ended. This is its last event. */
export const SessionEnded = Schema.TaggedStruct("SessionEnded", {
  /** Why; absent if the application closed the session. */
  error: Schema.optional(Schema.Struct({ _tag: Schema.String, message: Schema.String }))
})

/**
 * The state of the session at one place in the order of its events: it includes everything published before, and
 * nothing published after.
 *
 * @since 0.1.0
 * @category models
 */
export const Snapshot = Schema.Struct({
  agent: Schema.String,
  conversation: Schema.Struct({ items: Schema.Array(Item) }),
  pendingApprovals: Schema.Array(Schema.Struct({ call: CallInfo, deadline: Schema.Number }))
})
/**
 * @since 0.1.0
 * @category models
 */
export interface Snapshot extends Schema.Schema.Type<typeof Snapshot> {}

/**
 * This subscriber was too slow and missed events; other subscribers are not affected. `session.conversation` has what
 * it missed, but may be ahead of the events that follow; a `snapshot` is not.
 */
export const EventsMissed = Schema.TaggedStruct("EventsMissed", {
  /** How many events. */
  count: Schema.Number,
  /** The state that it continues from, for subscribers with `onLag: "snapshot"`. */
  snapshot: Schema.optionalWith(Snapshot, { exact: true })
})

/** An input, or a step that follows from it, failed because of a fault in this library or in what it was given. The session goes on. */
export const InputFailed = Schema.TaggedStruct("InputFailed", {
  /** The type of the input, or of the event to be sent; or `Do` or `Run`, for another step. */
  input: Schema.String,
  message: Schema.String,
  ...withheld
})

/**
 * The journal cannot be written, or takes too long. Its records wait, and the session goes on, except that handlers of new
 * calls wait until `JournalCaughtUp` or `JournalFailed`.
 */
export const JournalLagged = Schema.TaggedStruct("JournalLagged", { message: Schema.String })

/** The journal is up to date again. */
export const JournalCaughtUp = Schema.TaggedStruct("JournalCaughtUp", {
  /** How many records had to wait. */
  records: Schema.Number,
  /** How long the first of them waited, in milliseconds. */
  afterMs: Schema.Number
})

/**
 * The journal cannot be written, and was given up. The session goes on without it, unless `journal` is `"required"` or
 * another process took the session over: then the session ends with that error.
 */
export const JournalFailed = Schema.TaggedStruct("JournalFailed", { message: Schema.String })
