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
import { connectionLost } from "./event/connectionLost.js"
import * as LifecycleEvents from "./event/LifecycleEvents.js"
import * as ResponseEvents from "./event/ResponseEvents.js"

export * from "./event/CallEvents.js"
export * from "./event/ConnectionEvents.js"
export * from "./event/ConversationEvents.js"
export * from "./event/LifecycleEvents.js"
export * from "./event/ResponseEvents.js"

/**
 * The schema of `SessionEvent`. It encodes the failures of tools without values that must stay in the process.
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
  LifecycleEvents.ToolCheckFailed,
  LifecycleEvents.ToolsUpdated,
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
  ConnectionEvents.HostedImportFailed,
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
 * A piece of the model's audio: an element of `session.audio`.
 *
 * @since 0.1.0
 * @category models
 */
export interface AudioChunk {
  readonly responseId: string
  readonly itemId: string
  readonly contentIndex: number
  /**
   * Whether the response is outside the conversation (`conversation: "none"`). It may speak at the same time as a
   * response in the conversation: a player with one output plays one of them, or mixes them.
   */
  readonly outOfBand: boolean
  /** In the session's output format; by default 16-bit signed little-endian PCM, mono, 24,000 samples per second. */
  readonly bytes: Uint8Array
}

/**
 * A response that did not complete: it failed, or the server cut it short because of a limit or a filter. It does not
 * include responses that were cancelled, or lost with the connection: `ConnectionLost` reports that.
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
  "ToolCheckFailed",
  "HostedImportFailed",
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
 * The events that report that something went wrong: the elements of `session.errors`.
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
  status === "failed" || (status === "incomplete" && reason !== connectionLost)
