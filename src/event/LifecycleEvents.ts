/** The session from its start to its end: which agent has it, what its guardrails stop, and what fails in it. */
import * as Schema from "effect/Schema"
import { Item } from "../Conversation.js"
import { withheld } from "../protocol/withheld.js"
import { CallInfo } from "./CallEvents.js"

/** The model has the agent's instructions and tools, and the application may begin. */
export const SessionStarted = Schema.TaggedStruct("SessionStarted", {
  sessionId: Schema.String,
  agent: Schema.String
})

/** What another process left of this session was taken up: its conversation, and the calls that it had not finished. */
export const SessionResumed = Schema.TaggedStruct("SessionResumed", {
  /** Items that the server was told. */
  replayed: Schema.Number,
  /** Items that it was not told: those that a client can not create, or that were beyond the limits. */
  omitted: Schema.Array(Schema.String),
  /** Outputs of calls that were sent again, for the server may not have had them. */
  deferred: Schema.Number,
  /** The ids of the calls that were open. Each is run, or answered as interrupted. */
  openCalls: Schema.Array(Schema.String)
})

/** The server confirmed new settings. `session` is the whole effective configuration, as the server sent it. */
export const SessionUpdated = Schema.TaggedStruct("SessionUpdated", { session: Schema.Unknown })

/** Another agent has the conversation. */
export const HandedOff = Schema.TaggedStruct("HandedOff", { from: Schema.String, to: Schema.String })

/** Whether a handoff is offered could not be decided, so it is not. */
export const HandoffCheckFailed = Schema.TaggedStruct("HandoffCheckFailed", {
  agent: Schema.String,
  target: Schema.String
})

const judgement = {
  guardrail: Schema.String,
  agent: Schema.String,
  /** What was checked: `Output`, `Input`, `ToolInput` or `ToolOutput`. */
  subject: Schema.Literal("Output", "Input", "ToolInput", "ToolOutput"),
  /** The item that was said; absent for tools. */
  itemId: Schema.UndefinedOr(Schema.String)
}

/** A guardrail stopped what was being said. The model has read the feedback, unless the response was over. */
export const GuardrailTripped = Schema.TaggedStruct("GuardrailTripped", { ...judgement, feedback: Schema.String })

/** A guardrail could not judge, and counted as passed or as tripped by its `onFailure`. */
export const GuardrailFailed = Schema.TaggedStruct("GuardrailFailed", {
  ...judgement,
  /** Its check failed or took too long, or what the user said aloud was not transcribed. */
  reason: Schema.Literal("CheckFailed", "NoTranscript")
})

/** Nothing follows. `error` is absent where the application closed the session. */
export const SessionEnded = Schema.TaggedStruct("SessionEnded", {
  error: Schema.optional(Schema.Struct({ _tag: Schema.String, message: Schema.String }))
})

/**
 * Where the session was at one place in the order of its events: what was published before is in it, and what is
 * published after is not.
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
 * This subscriber was too slow: so many events were dropped for it, and for it only. What it missed of the conversation is
 * in `session.conversation`, which may be ahead of the events that still come; a `snapshot` is not.
 */
export const EventsMissed = Schema.TaggedStruct("EventsMissed", {
  count: Schema.Number,
  /** Where it goes on from, for those who subscribe with `onLag: "snapshot"`. */
  snapshot: Schema.optionalWith(Snapshot, { exact: true })
})

/** Something that happened could not be handled: a fault of this library, or of what was given to it. It goes on. */
export const InputFailed = Schema.TaggedStruct("InputFailed", {
  /** The type of what came, or of the event that was to be sent. */
  input: Schema.String,
  message: Schema.String,
  ...withheld
})

/**
 * The journal can not be written, or takes too long: its records wait, and are written in their order when it can. The
 * session goes on, but for the handlers of calls that begin: they wait, until `JournalCaughtUp` or `JournalFailed`.
 */
export const JournalLagged = Schema.TaggedStruct("JournalLagged", { message: Schema.String })

/** The journal has what it lacked: so many records had to wait, the first of them for so long. */
export const JournalCaughtUp = Schema.TaggedStruct("JournalCaughtUp", {
  records: Schema.Number,
  afterMs: Schema.Number
})

/**
 * The journal can not be written; nothing more is. The session goes on without it, unless it is `journal: "required"` or
 * another process took the session up: then it ends with that error.
 */
export const JournalFailed = Schema.TaggedStruct("JournalFailed", { message: Schema.String })
