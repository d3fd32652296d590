/**
 * Everything that a session publishes. Events are facts, named in the past tense.
 *
 * @since 0.1.0
 * @module
 */
import * as Schema from "effect/Schema"
import * as CallEvents from "./event/CallEvents.js"
import * as ConnectionEvents from "./event/ConnectionEvents.js"
import * as ConversationEvents from "./event/ConversationEvents.js"
import * as LifecycleEvents from "./event/LifecycleEvents.js"
import * as ResponseEvents from "./event/ResponseEvents.js"

export * from "./event/CallEvents.js"
export * from "./event/ConnectionEvents.js"
export * from "./event/ConversationEvents.js"
export * from "./event/LifecycleEvents.js"
export * from "./event/ResponseEvents.js"

/**
 * The schema of `SessionEvent`. Failures of tools are encoded without what stays in the process.
 *
 * @since 0.1.0
 * @category schemas
 */
export const SessionEvent = Schema.Union(
  LifecycleEvents.SessionStarted,
  LifecycleEvents.SessionResumed,
  LifecycleEvents.SessionUpdated,
  LifecycleEvents.HandedOff,
  LifecycleEvents.HandoffCheckFailed,
  LifecycleEvents.GuardrailTripped,
  LifecycleEvents.GuardrailFailed,
  LifecycleEvents.SessionEnded,
  LifecycleEvents.EventsMissed,
  ConversationEvents.ItemAdded,
  ConversationEvents.ItemCompleted,
  ConversationEvents.ItemCut,
  ConversationEvents.ItemDeleted,
  ConversationEvents.TextDelta,
  ConversationEvents.TextCompleted,
  ConversationEvents.SpeechStarted,
  ConversationEvents.SpeechStopped,
  ConversationEvents.UserTranscriptDelta,
  ConversationEvents.UserTranscriptCompleted,
  ConversationEvents.UserTranscriptFailed,
  ConversationEvents.IdleTimedOut,
  ConversationEvents.DtmfReceived,
  ConnectionEvents.McpProgressed,
  ConnectionEvents.RateLimitsUpdated,
  ConversationEvents.AudioInterrupted,
  ConversationEvents.AudioDropped,
  ConversationEvents.AudioCompleted,
  ResponseEvents.ResponseStarted,
  ResponseEvents.ResponseDone,
  ResponseEvents.ResponseStalled,
  ResponseEvents.ResponseLost,
  ResponseEvents.ResponseRefused,
  CallEvents.ToolStarted,
  CallEvents.ToolSucceeded,
  CallEvents.ToolFailed,
  CallEvents.ToolDeferred,
  CallEvents.FillerRequested,
  CallEvents.ToolProgress,
  CallEvents.ToolCallAbandoned,
  CallEvents.ToolCallRepeated,
  CallEvents.ToolResultDiscarded,
  CallEvents.ToolApprovalRequested,
  CallEvents.ToolApproved,
  CallEvents.ApprovalCheckFailed,
  CallEvents.FormatterFailed,
  CallEvents.OutputDeferred,
  CallEvents.OutputTruncated,
  ConnectionEvents.ConnectionLost,
  ConnectionEvents.Reconnecting,
  ConnectionEvents.Reconnected,
  ConversationEvents.InputAudioDropped,
  ConversationEvents.TurnAudioDropped,
  ConnectionEvents.ClientEventDropped,
  ConversationEvents.ItemUnacknowledged,
  LifecycleEvents.JournalLagged,
  LifecycleEvents.JournalCaughtUp,
  LifecycleEvents.JournalFailed,
  LifecycleEvents.InputFailed,
  CallEvents.OutputRefused,
  ConnectionEvents.ServerErrorReceived,
  ConnectionEvents.ServerEventReceived,
  ConnectionEvents.ProtocolViolation
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
  /**
   * Whether it is of a response beside the conversation (`conversation: "none"`), which may speak at the same time as one
   * in it: a player that has one voice plays the one or the other, or mixes them.
   */
  readonly outOfBand: boolean
  /** In the session's output format; by default 16 bit signed little-endian PCM, mono, 24,000 samples a second. */
  readonly bytes: Uint8Array
}

/**
 * A response that did not come to its end: it failed, or the server cut it short by a limit or a filter. One that was
 * cancelled is not among them, nor one that the connection took along: `ConnectionLost` says that.
 *
 * @since 0.1.0
 * @category models
 */
export interface FailedResponse extends Extract<AnyEvent, { readonly _tag: "ResponseDone" }> {
  readonly status: "failed" | "incomplete"
}

type AnyEvent = typeof SessionEvent.Type

/**
 * Everything that a session publishes, where the agent's tools fail with `E`.
 *
 * @since 0.1.0
 * @category models
 */
export type SessionEvent<E = unknown> = Exclude<AnyEvent, { readonly _tag: "ToolFailed" }> | CallEvents.ToolFailed<E>

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
  "TurnAudioDropped",
  "ClientEventDropped",
  "ItemUnacknowledged",
  "JournalLagged",
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
export type Failure<E = unknown> =
  | Extract<SessionEvent<E>, { readonly _tag: (typeof failureTags)[number] }>
  | FailedResponse

const isFailureTag: ReadonlySet<string> = new Set(failureTags)

/**
 * @since 0.1.0
 * @category guards
 */
export const isFailure = <E>(event: SessionEvent<E>): event is Failure<E> =>
  isFailureTag.has(event._tag) || (event._tag === "ResponseDone" && isFailedResponse(event))

const isFailedResponse = ({ reason, status }: Extract<AnyEvent, { readonly _tag: "ResponseDone" }>): boolean =>
  status === "failed" || (status === "incomplete" && reason !== ResponseEvents.connectionLost)
