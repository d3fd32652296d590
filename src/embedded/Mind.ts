/**
 * What decides what the embedded server says and which functions it calls.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { McpPart } from "./McpParts.js"
import type { ServerItem } from "./ServerItem.js"

/**
 * A function that the model may call in this response.
 *
 * @since 0.1.0
 * @category minds
 */
export interface FunctionTool {
  readonly name: string
  readonly description: string
  /** JSON schema of the arguments. */
  readonly parameters: { readonly [key: string]: unknown }
}

/**
 * One response to be thought of.
 *
 * @since 0.1.0
 * @category minds
 */
export interface Request {
  /**
   * What the model sees: the conversation so far, or the `input` of an out-of-band response. It is listed when it is
   * first read: a mind that waits for something reads it before.
   */
  readonly conversation: ReadonlyArray<ServerItem>
  /**
   * Whether the response that made a message or a call had read another item. What comes while a response is under way
   * may stand before what that response makes. An item that the client made counts as having read all before it, and a
   * message of a response that failed as having read nothing.
   */
  readonly hasSeen: (made: ServerItem, other: ServerItem) => boolean
  /**
   * What the user heard of a message that was cut when they interrupted it, about. In the conversation, such a message
   * has no words any more. Nothing for any other item.
   */
  readonly heard: (itemId: string) => string | undefined
  /** Empty where `tool_choice` is `none`. */
  readonly tools: ReadonlyArray<FunctionTool>
  readonly toolChoice:
    | { readonly _tag: "Auto" }
    | { readonly _tag: "None" }
    | { readonly _tag: "Required" }
    | { readonly _tag: "Function"; readonly name: string }
  /** Those of this response; where it has none of its own, those of the session. */
  readonly instructions: string
  /** What this response alone was asked for with, in place of the session's instructions. */
  readonly ownInstructions: string | undefined
  readonly modality: "text" | "audio"
  /** Whether the client asked for this response, or the server itself did after a user's turn. */
  readonly origin: "client" | "server"
  readonly responseId: string
  readonly metadata: { readonly [key: string]: string } | null
}

/**
 * One step of a response.
 *
 * @since 0.1.0
 * @category parts
 */
export type Part =
  | { readonly _tag: "Say"; readonly text: string; readonly phase: string | undefined }
  /**
   * The next piece of a message whose end is not known yet. The message goes on with the next `SayDelta`; any other part
   * but `Usage` ends it. `Fail` and `CutShort` leave it incomplete.
   */
  | { readonly _tag: "SayDelta"; readonly text: string; readonly phase: string | undefined }
  | {
      readonly _tag: "Call"
      readonly name: string
      /** JSON text, sent as it is, even where it is not valid JSON. */
      readonly arguments: string
      readonly callId: string | undefined
    }
  | { readonly _tag: "Fail"; readonly code: string; readonly message: string }
  | { readonly _tag: "CutShort"; readonly reason: "max_output_tokens" | "content_filter" }
  | { readonly _tag: "Pause"; readonly duration: Duration.DurationInput }
  | { readonly _tag: "Stall" }
  /** What the response cost, where a language model counted it. Otherwise the server estimates it. */
  | { readonly _tag: "Usage"; readonly inputTokens: number; readonly outputTokens: number }
  | McpPart

/**
 * The steps of one response that are known from the start.
 *
 * @since 0.1.0
 * @category parts
 */
export type Parts = ReadonlyArray<Part>

/**
 * What a mind thinks: the parts, an effect that gives them, or a stream of them, each of which is said while the next
 * one is still being thought of.
 *
 * @since 0.1.0
 * @category minds
 */
export type Thought = Parts | Effect.Effect<Parts> | Stream.Stream<Part>

/**
 * One turn of a script: its parts, or a function that makes them.
 *
 * @since 0.1.0
 * @category minds
 */
export type Turn = Parts | ((request: Request) => Thought)

/**
 * A recipe for a mind: each server starts its own, so that a script begins anew with each.
 *
 * The response is completed when the stream ends. An item of it is done when the next part is there, or the stream has
 * ended: before, it may still be cut short. A response that is cancelled, interrupted by the user or lost with its
 * connection interrupts the stream.
 *
 * @since 0.1.0
 * @category minds
 */
export interface Mind {
  readonly start: Effect.Effect<(request: Request) => Stream.Stream<Part>>
}

/**
 * Says a sentence, in a message of its own.
 *
 * @since 0.1.0
 * @category parts
 */
export const say = (text: string, options: { readonly phase?: "commentary" | "final_answer" } = {}): Part => ({
  _tag: "Say",
  text,
  phase: options.phase
})

/**
 * Says a piece of a message that may go on with the next piece, as a language model does that is still writing.
 *
 * @since 0.1.0
 * @category parts
 */
export const sayDelta = (text: string, options: { readonly phase?: "commentary" | "final_answer" } = {}): Part => ({
  _tag: "SayDelta",
  text,
  phase: options.phase
})

/**
 * Calls a function. Arguments given as a string are sent as they are, so that a test may send what is not JSON.
 *
 * @since 0.1.0
 * @category parts
 */
export const call = (name: string, args: object | string = {}, options: { readonly callId?: string } = {}): Part => ({
  _tag: "Call",
  name,
  arguments: typeof args === "string" ? args : JSON.stringify(args),
  callId: options.callId
})

/**
 * Ends the response as `failed`, with an error such as `server_error` or `rate_limit_exceeded`.
 *
 * @since 0.1.0
 * @category parts
 */
export const fail = (
  code: string,
  message = "The server had an error while processing your request. Sorry about that!"
): Part => ({ _tag: "Fail", code, message })

/**
 * Ends the response as `incomplete`; the item that is being said stays incomplete too.
 *
 * @since 0.1.0
 * @category parts
 */
export const cutShort = (reason: "max_output_tokens" | "content_filter"): Part => ({ _tag: "CutShort", reason })

/**
 * Waits before the next part.
 *
 * @since 0.1.0
 * @category parts
 */
export const pause = (duration: Duration.DurationInput): Part => ({ _tag: "Pause", duration })

/**
 * Says nothing more, while the response stays active until it is cancelled.
 *
 * @since 0.1.0
 * @category parts
 */
export const stall: Part = { _tag: "Stall" }

/**
 * Reports the tokens that a language model counted, in place of the server's estimate.
 *
 * @since 0.1.0
 * @category parts
 */
export const usage = (inputTokens: number, outputTokens: number): Part => ({ _tag: "Usage", inputTokens, outputTokens })

/**
 * What a script says when all its turns are used up.
 *
 * @since 0.1.0
 * @category minds
 */
export const SCRIPT_ENDED = "That is all I was told to say."

const isParts = (thought: Thought): thought is Parts => Array.isArray(thought)

/** Every effect is a stream too, of one element. */
const isEffect = (thought: Effect.Effect<Parts> | Stream.Stream<Part>): thought is Effect.Effect<Parts> =>
  Effect.isEffect(thought)

const answer = (turn: Turn, request: Request): Stream.Stream<Part> => {
  if (typeof turn !== "function") return Stream.fromIterable(turn)
  return Stream.suspend(() => {
    // A copy has the conversation as it is now, whenever it is read.
    const thought = turn({ ...request })
    if (isParts(thought)) return Stream.fromIterable(thought)
    return isEffect(thought) ? Stream.fromIterableEffect(thought) : thought
  })
}

/**
 * Answers the first response with the first turn, and so on, over all connections of the server. After the last turn
 * it says `SCRIPT_ENDED`, so that a client never waits for a turn that will not come.
 *
 * @since 0.1.0
 * @category minds
 */
export const script = (turns: ReadonlyArray<Turn>): Mind => ({
  start: Effect.sync(() => {
    let next = 0
    return (request) =>
      Stream.suspend(() => {
        const turn = turns[next]
        next += 1
        return answer(turn ?? [say(SCRIPT_ENDED)], request)
      })
  })
})

/**
 * A mind of one's own. It gives all parts of a response at once, or a stream of them. What it throws ends the response
 * as `failed` with `server_error`.
 *
 * @since 0.1.0
 * @category minds
 */
export const fromFunction = (
  think: (conversation: ReadonlyArray<ServerItem>, tools: ReadonlyArray<FunctionTool>, request: Request) => Thought
): Mind => ({
  start: Effect.succeed((request) => answer((seen) => think(seen.conversation, seen.tools, seen), request))
})
