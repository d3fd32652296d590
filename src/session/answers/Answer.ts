import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { ItemParam } from "../../protocol/ItemParam.js"
import type { ResponseParams } from "../../protocol/Response.js"
import type {
  AnswerError,
  RequestInvalid,
  RequestOverflow,
  SessionClosed,
  SubscriberLagged
} from "../../SessionError.js"
import type { AudioChunk, SessionEvent } from "../../SessionEvent.js"
import type { Usage } from "../Usage.js"

type Of<E, Tag extends SessionEvent["_tag"]> = Extract<SessionEvent<E>, { readonly _tag: Tag }>

/**
 * All that the model said to a question, with what it said after the calls that it made for it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer<out E = never> {
  /** The item of the question. */
  readonly itemId: string
  /** The request that the first response answers. */
  readonly requestId: string
  /** In their order, with those that failed and were tried again. */
  readonly responseIds: ReadonlyArray<string>
  /** Written, or the transcript of what is said. One line for each part; without what was tried again. */
  readonly text: string
  /** In the session's output format. Without what was tried again. */
  readonly audio: ReadonlyArray<AudioChunk>
  /** How each call ended. A deferred call that still runs is not among them. */
  readonly calls: ReadonlyArray<Of<E, "ToolSucceeded" | "ToolFailed">>
  /** Of the last response: `completed`; or `incomplete`, where a limit or a filter cut it short. */
  readonly status: string
  /** Why it is not complete: `max_output_tokens`, `content_filter`, … */
  readonly reason: string | undefined
  /** The tokens of all its responses, also of those that were tried again. */
  readonly usage: Usage
}

/**
 * A piece of an answer, in the order in which it comes: an event of its responses and calls, audio, and at last the whole.
 *
 * @since 0.1.0
 * @category models
 */
export type AnswerPart<E = never> =
  | Of<E, "TextDelta" | "ToolStarted" | "ToolDeferred" | "ToolSucceeded" | "ToolFailed">
  | { readonly _tag: "AudioReceived"; readonly chunk: AudioChunk }
  | { readonly _tag: "Answered"; readonly answer: Answer<E> }

/**
 * @since 0.1.0
 * @category options
 */
export interface AskOptions {
  /**
   * How the model is to answer: `instructions`, `output_modalities`, `tool_choice`, … Such a question has a response of its
   * own. Without, questions that wait at the same time may get one answer together: then each has it.
   */
  readonly response?: Omit<ResponseParams, "conversation" | "input">
}

/**
 * @since 0.1.0
 * @category options
 */
export interface AskStreamOptions extends AskOptions {
  /** How many parts the reader may be behind. Default: `subscriberCapacity` of the session's options. */
  readonly capacity?: number
}

/**
 * Why a question was not asked, or has no whole answer.
 *
 * @since 0.1.0
 * @category errors
 */
export type AskError = AnswerError | RequestInvalid | RequestOverflow | SessionClosed

/**
 * @since 0.1.0
 * @category models
 */
export type Ask<E = never> = (question: string | ItemParam, options?: AskOptions) => Effect.Effect<Answer<E>, AskError>

/**
 * @since 0.1.0
 * @category models
 */
export type AskStream<E = never> = (
  question: string | ItemParam,
  options?: AskStreamOptions
) => Stream.Stream<AnswerPart<E>, AskError | SubscriberLagged>
