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
 * Everything that the model said in answer to a question, including what it said after its tool calls.
 *
 * @since 0.1.0
 * @category models
 */
export interface Answer<out E = never> {
  /** The item of the question. */
  readonly itemId: string
  /** The request that the first response answers. */
  readonly requestId: string
  /** In order, including responses that failed and were retried. */
  readonly responseIds: ReadonlyArray<string>
  /**
   * Written text, or the transcript of speech, one line for each part. Does not include responses that were retried.
   */
  readonly text: string
  /** In the session's output format. Does not include responses that were retried. */
  readonly audio: ReadonlyArray<AudioChunk>
  /** How many chunks `audio` lacks at its end, because it has 64 MiB already. `askStream` and `session.audio` have them. */
  readonly audioDropped: number
  /** How each call ended. Does not include deferred calls that are still running. */
  readonly calls: ReadonlyArray<Of<E, "ToolSucceeded" | "ToolFailed">>
  /** The status of the last response: `completed`, or `incomplete` if a limit or a filter cut it short. */
  readonly status: string
  /** Why the answer is incomplete: `max_output_tokens`, `content_filter`, … */
  readonly reason: string | undefined
  /** The tokens of all responses, including those that were retried. */
  readonly usage: Usage
}

/**
 * A piece of an answer, in order of arrival: an event of its responses and calls, audio, and at the end the whole
 * answer.
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
   * Parameters of the responses: `instructions`, `output_modalities`, `tool_choice`, … They hold for the whole answer,
   * except for a `tool_choice` that forces a call, which holds for the first response. A question with parameters gets
   * its own responses. Questions without parameters that wait at the same time may share one answer: each caller gets
   * it.
   */
  readonly response?: Omit<ResponseParams, "conversation" | "input">
}

/**
 * @since 0.1.0
 * @category options
 */
export interface AskStreamOptions extends AskOptions {
  /** How many parts the reader may be behind. Default: the session's `subscriberCapacity`. */
  readonly capacity?: number
}

/**
 * Why a question was not asked, or did not get a whole answer.
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
