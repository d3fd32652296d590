/**
 * Everything that a session publishes. Events are facts, named in the past tense.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Item } from "./Conversation.js"
import { Usage } from "./protocol/Response.js"
import { ToolError, type ToolError as ToolErrorOf } from "./ToolError.js"

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
const ofResponse = { responseId: Schema.String }
const ofPart = { responseId: Schema.String, itemId: Schema.String, contentIndex: Schema.Number }

/** The model has the agent's instructions and tools, and the application may begin. */
export const SessionStarted = Schema.TaggedStruct("SessionStarted", {
  sessionId: Schema.String,
  agent: Schema.String
})

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

/** A guardrail itself failed, and counted as passed or as tripped by its `onFailure`. */
export const GuardrailFailed = Schema.TaggedStruct("GuardrailFailed", judgement)

/** The server confirmed new settings. `session` is the whole effective configuration, as the server sent it. */
export const SessionUpdated = Schema.TaggedStruct("SessionUpdated", { session: Schema.Unknown })

/** Nothing follows. `error` is absent where the application closed the session. */
export const SessionEnded = Schema.TaggedStruct("SessionEnded", {
  error: Schema.optional(Schema.Struct({ _tag: Schema.String, message: Schema.String }))
})

/** This subscriber was too slow: so many events were dropped for it, and for it only. */
export const EventsMissed = Schema.TaggedStruct("EventsMissed", { count: Schema.Number })

export const ItemAdded = Schema.TaggedStruct("ItemAdded", { item: Item })
export const ItemCompleted = Schema.TaggedStruct("ItemCompleted", { item: Item })
export const ItemDeleted = Schema.TaggedStruct("ItemDeleted", { itemId: Schema.String })

/** The model wrote a piece of text, or said it: then the text is a piece of the transcript. */
export const TextDelta = Schema.TaggedStruct("TextDelta", {
  ...ofPart,
  kind: Schema.Literal("Text", "Audio"),
  delta: Schema.String
})
export const TextCompleted = Schema.TaggedStruct("TextCompleted", {
  ...ofPart,
  kind: Schema.Literal("Text", "Audio"),
  text: Schema.String
})

export const SpeechStarted = Schema.TaggedStruct("SpeechStarted", { itemId: Schema.UndefinedOr(Schema.String) })
export const SpeechStopped = Schema.TaggedStruct("SpeechStopped", { itemId: Schema.UndefinedOr(Schema.String) })

const ofUserPart = { itemId: Schema.String, contentIndex: Schema.Number }

/** What the user says, as it is transcribed: beside the model, and so at any time. */
export const UserTranscriptDelta = Schema.TaggedStruct("UserTranscriptDelta", { ...ofUserPart, delta: Schema.String })
export const UserTranscriptCompleted = Schema.TaggedStruct("UserTranscriptCompleted", {
  ...ofUserPart,
  transcript: Schema.String
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

/** How a hosted MCP server is doing: listing its tools, or running one. */
export const McpProgressed = Schema.TaggedStruct("McpProgressed", {
  itemId: Schema.String,
  what: Schema.Literal("ListTools", "Call"),
  state: Schema.Literal("InProgress", "Completed", "Failed")
})

/** What may still be used before the server refuses. `resetSeconds` until the limit is whole again. */
export const RateLimitsUpdated = Schema.TaggedStruct("RateLimitsUpdated", {
  limits: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      limit: Schema.Number,
      remaining: Schema.Number,
      resetSeconds: Schema.Number
    })
  )
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

/** `requestId` is absent where the server began the response by itself. */
export const ResponseStarted = Schema.TaggedStruct("ResponseStarted", {
  ...ofResponse,
  requestId: Schema.UndefinedOr(Schema.String)
})

/** A response ended, in whatever way: look at `status`. */
export const ResponseDone = Schema.TaggedStruct("ResponseDone", {
  ...ofResponse,
  /** `completed`, `cancelled`, `failed`, `incomplete`, or what else the server says. */
  status: Schema.String,
  /** Why, where it is not completed: `turn_detected`, `max_output_tokens`, an error code, … */
  reason: Schema.UndefinedOr(Schema.String),
  usage: Schema.UndefinedOr(Usage)
})

/** The server did not begin the response that was asked for, or went silent in the middle of it. */
export const ResponseStalled = Schema.TaggedStruct("ResponseStalled", {
  responseId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.UndefinedOr(Schema.String)
})

/** A response stalled and will not be asked for again: the caller hears nothing unless the application acts. */
export const ResponseLost = Schema.TaggedStruct("ResponseLost", {
  responseId: Schema.UndefinedOr(Schema.String),
  requestId: Schema.UndefinedOr(Schema.String)
})

/** The server refused a request for a response. */
export const ResponseRefused = Schema.TaggedStruct("ResponseRefused", {
  requestId: Schema.String,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String
})

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
export const FormatterFailed = Schema.TaggedStruct("FormatterFailed", { ...call, message: Schema.String })

/** The connection was lost before the output could be sent. */
export const OutputDeferred = Schema.TaggedStruct("OutputDeferred", call)

/** An output is longer than a tool's may be: the model has read the beginning of it, and that there was more. */
export const OutputTruncated = Schema.TaggedStruct("OutputTruncated", {
  ...call,
  /** Characters that there were, and that the model has read. */
  length: Schema.Number,
  limit: Schema.Number
})

/** The connection ended from the other side. Calls go on, and what is to be sent is kept, if `willReconnect`. */
export const ConnectionLost = Schema.TaggedStruct("ConnectionLost", {
  /** WebSocket close code; 1006 where the other side vanished. */
  code: Schema.Number,
  message: Schema.String,
  willReconnect: Schema.Boolean
})

/** Another connection is tried after `delayMs` milliseconds; the attempts are counted from 1. */
export const Reconnecting = Schema.TaggedStruct("Reconnecting", { attempt: Schema.Number, delayMs: Schema.Number })

/** A new connection has the settings and the conversation: after a loss, or because the old one was about to end. */
export const Reconnected = Schema.TaggedStruct("Reconnected", {
  /** The connections of a session are numbered from 0. */
  epoch: Schema.Number,
  /** Items that the server was told again. */
  replayed: Schema.Number,
  /** Items that it does not know any more: those that a client can not create, or that were beyond the limits. */
  omitted: Schema.Array(Schema.String),
  /** What was meant meanwhile and was sent now: messages, and outputs of calls. */
  deferred: Schema.Number
})

/** What the user said was dropped, so many seconds of it: there was no connection, or the network was too slow. */
export const InputAudioDropped = Schema.TaggedStruct("InputAudioDropped", { seconds: Schema.Number })

/** An event that was given to `send` while there was no connection, and that means nothing to the next one. */
export const ClientEventDropped = Schema.TaggedStruct("ClientEventDropped", { type: Schema.String })

/** The server has said nothing of an item that it was given, for so many milliseconds. It may have it all the same. */
export const ItemUnacknowledged = Schema.TaggedStruct("ItemUnacknowledged", {
  itemId: Schema.String,
  afterMs: Schema.Number
})

/** The journal could not be written; nothing more is, and the session goes on without it. */
export const JournalFailed = Schema.TaggedStruct("JournalFailed", { message: Schema.String })

/** The server reported an error. Most leave the session as it was. */
export const ServerErrorReceived = Schema.TaggedStruct("ServerErrorReceived", {
  type: Schema.UndefinedOr(Schema.String),
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  param: Schema.UndefinedOr(Schema.String),
  /** The event of ours that it is about. */
  eventId: Schema.UndefinedOr(Schema.String)
})

/** An event that has no counterpart here, as the server sent it. */
export const ServerEventReceived = Schema.TaggedStruct("ServerEventReceived", {
  type: Schema.String,
  event: Schema.Unknown
})

/** Something that happened could not be handled: a fault of this library, or of what was given to it. It goes on. */
export const InputFailed = Schema.TaggedStruct("InputFailed", { input: Schema.String, message: Schema.String })

/** The server refused the output of a call; the model does not have it. A neutral one was sent in its place, once. */
export const OutputRefused = Schema.TaggedStruct("OutputRefused", {
  ...call,
  code: Schema.UndefinedOr(Schema.String),
  message: Schema.String
})

/** A frame that is not what the protocol says. The session took from it what it could. */
export const ProtocolViolation = Schema.TaggedStruct("ProtocolViolation", {
  type: Schema.UndefinedOr(Schema.String),
  message: Schema.String,
  excerpt: Schema.String
})

/**
 * The schema of `SessionEvent`. Failures of tools are encoded without what stays in the process.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SessionEvent = Schema.Union(
  SessionStarted,
  SessionUpdated,
  HandedOff,
  HandoffCheckFailed,
  GuardrailTripped,
  GuardrailFailed,
  SessionEnded,
  EventsMissed,
  ItemAdded,
  ItemCompleted,
  ItemDeleted,
  TextDelta,
  TextCompleted,
  SpeechStarted,
  SpeechStopped,
  UserTranscriptDelta,
  UserTranscriptCompleted,
  UserTranscriptFailed,
  IdleTimedOut,
  DtmfReceived,
  McpProgressed,
  RateLimitsUpdated,
  AudioInterrupted,
  AudioDropped,
  AudioCompleted,
  ResponseStarted,
  ResponseDone,
  ResponseStalled,
  ResponseLost,
  ResponseRefused,
  ToolStarted,
  ToolSucceeded,
  ToolFailed,
  ToolDeferred,
  FillerRequested,
  ToolProgress,
  ToolCallAbandoned,
  ToolCallRepeated,
  ToolResultDiscarded,
  ToolApprovalRequested,
  ToolApproved,
  ApprovalCheckFailed,
  FormatterFailed,
  OutputDeferred,
  OutputTruncated,
  ConnectionLost,
  Reconnecting,
  Reconnected,
  InputAudioDropped,
  ClientEventDropped,
  ItemUnacknowledged,
  JournalFailed,
  InputFailed,
  OutputRefused,
  ServerErrorReceived,
  ServerEventReceived,
  ProtocolViolation
)

/**
 * A piece of what the model says: what `session.audio` streams.
 *
 * @since 0.1.0
 * @category models
 */
export interface AudioChunk {
  readonly responseId: string
  readonly itemId: string
  readonly contentIndex: number
  /** In the session's output format; by default 16 bit signed little-endian PCM, mono, 24,000 samples a second. */
  readonly bytes: Uint8Array
}

type AnyEvent = typeof SessionEvent.Type

/**
 * A failed call, where the tools fail with `E`.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolFailed<out E = unknown> extends Omit<typeof ToolFailed.Type, "error"> {
  readonly error: ToolErrorOf<E>
}

/**
 * Everything that a session publishes, where the agent's tools fail with `E`.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionEvent<E = unknown> = Exclude<AnyEvent, { readonly _tag: "ToolFailed" }> | ToolFailed<E>

const failureTags = [
  "EventsMissed",
  "AudioDropped",
  "UserTranscriptFailed",
  "ToolFailed",
  "ApprovalCheckFailed",
  "HandoffCheckFailed",
  "GuardrailTripped",
  "GuardrailFailed",
  "FormatterFailed",
  "OutputDeferred",
  "OutputTruncated",
  "ConnectionLost",
  "InputAudioDropped",
  "ClientEventDropped",
  "ItemUnacknowledged",
  "JournalFailed",
  "ResponseStalled",
  "ResponseLost",
  "ResponseRefused",
  "InputFailed",
  "OutputRefused",
  "ServerErrorReceived",
  "ProtocolViolation"
] as const

/**
 * The events that tell of something going wrong: what `session.errors` streams.
 *
 * @since 0.1.0
 * @category models
 */
export type Failure<E = unknown> = Extract<SessionEvent<E>, { readonly _tag: (typeof failureTags)[number] }>

const isFailureTag: ReadonlySet<string> = new Set(failureTags)

/**
 * @since 0.1.0
 * @category guards
 */
export const isFailure = <E>(event: SessionEvent<E>): event is Failure<E> => isFailureTag.has(event._tag)
