/** A mind decides what the embedded server says and which functions it calls. */
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
 * The request for one response.
 *
 * @since 0.1.0
 * @category minds
 */
export interface Request {
  /**
   * What the model sees: the conversation when the response was requested, or the `input` of an out-of-band response.
   * The items are as they are when the list is first read.
   */
  readonly conversation: ReadonlyArray<ServerItem>
  /**
   * Whether the response that made a message or a call had read another item. What arrives during a response may come
   * before the items of that response. Items from the client count as having read everything before them; a message of
   * a failed response counts as having read nothing.
   */
  readonly hasSeen: (made: ServerItem, other: ServerItem) => boolean
  /**
   * About how much the user heard of a message that they interrupted. In the conversation, such a message no longer
   * has any words. `undefined` for other items.
   */
  readonly heard: (itemId: string) => string | undefined
  /** Empty if `tool_choice` is `none`. */
  readonly tools: ReadonlyArray<FunctionTool>
  readonly toolChoice:
    | { readonly _tag: "Auto" }
    | { readonly _tag: "None" }
    | { readonly _tag: "Required" }
    | { readonly _tag: "Function"; readonly name: string }
  /** The response's own instructions, otherwise those of the session. */
  readonly instructions: string
  /** The instructions in the request for this response, if any. */
  readonly ownInstructions: string | undefined
  readonly modality: "text" | "audio"
  /** Whether the client requested this response, or the server began it after a turn of the user. */
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
   * The next piece of a message whose end is not known yet. The next `SayDelta` continues the message; any other part
   * except `Usage` ends it. `Fail` and `CutShort` leave it incomplete.
   */
  | { readonly _tag: "SayDelta"; readonly text: string; readonly phase: string | undefined }
  | {
      readonly _tag: "Call"
      readonly name: string
      /** JSON text. It is sent unchanged, even if it is not valid JSON. */
      readonly arguments: string
      readonly callId: string | undefined
    }
  | { readonly _tag: "Fail"; readonly code: string; readonly message: string }
  | { readonly _tag: "CutShort"; readonly reason: "max_output_tokens" | "content_filter" }
  | { readonly _tag: "Pause"; readonly duration: Duration.DurationInput }
  | { readonly _tag: "Stall" }
  /** The token usage of the response, if a language model counted it. Otherwise the server estimates it. */
  | { readonly _tag: "Usage"; readonly inputTokens: number; readonly outputTokens: number }
  | McpPart

/**
 * The parts of a response, if they are known from the start.
 *
 * @since 0.1.0
 * @category parts
 */
export type Parts = ReadonlyArray<Part>

/**
 * What a mind returns: the parts, an effect that returns them, or a stream of them. Each part of a stream is sent while
 * the next one is being computed.
 *
 * @since 0.1.0
 * @category minds
 */
export type Thought = Parts | Effect.Effect<Parts> | Stream.Stream<Part>

/**
 * One turn of a script: its parts, or a function that returns them.
 *
 * @since 0.1.0
 * @category minds
 */
export type Turn = Parts | ((request: Request) => Thought)

/**
 * A mind, which each server starts separately, so that a script begins anew with each server.
 *
 * The response is completed when the stream ends. An item is done when the next part arrives or the stream ends; before
 * that, it may still be cut short. If a response is cancelled, interrupted by the user or lost with its connection, its
 * stream is interrupted.
 *
 * @since 0.1.0
 * @category minds
 */
export interface Mind {
  readonly start: Effect.Effect<(request: Request) => Stream.Stream<Part>>
}

/**
 * Says a sentence as a message.
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
 * Says a piece of a message that the next piece may continue, like a language model that is still writing.
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
 * Calls a function. String arguments are sent unchanged, so that a test can send invalid JSON.
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
 * Ends the response as `incomplete`, and the item in progress too.
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
 * Says nothing more. The response stays active until it is cancelled.
 *
 * @since 0.1.0
 * @category parts
 */
export const stall: Part = { _tag: "Stall" }

/**
 * Reports the tokens that a language model counted, instead of the server's estimate.
 *
 * @since 0.1.0
 * @category parts
 */
export const usage = (inputTokens: number, outputTokens: number): Part => ({ _tag: "Usage", inputTokens, outputTokens })

/**
 * What a script says after its last turn.
 *
 * @since 0.1.0
 * @category minds
 */
export const SCRIPT_ENDED = "That is all I was told to say."

const isParts = (thought: Thought): thought is Parts => Array.isArray(thought)

/** Every effect is also a stream of one element. */
const isEffect = (thought: Effect.Effect<Parts> | Stream.Stream<Part>): thought is Effect.Effect<Parts> =>
  Effect.isEffect(thought)

const answer = (turn: Turn, request: Request): Stream.Stream<Part> => {
  if (typeof turn !== "function") return Stream.fromIterable(turn)
  return Stream.suspend(() => {
    // The copy has the conversation at this moment, even if it is read later.
    const thought = turn({ ...request })
    if (isParts(thought)) return Stream.fromIterable(thought)
    return isEffect(thought) ? Stream.fromIterableEffect(thought) : thought
  })
}

/**
 * Answers the first response with the first turn, and so on, over all connections of the server. After the last turn,
 * it says `SCRIPT_ENDED`, so that a client never waits forever.
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
 * Your own mind. The function returns all parts of a response at once, or a stream of them. If it throws, the response
 * ends as `failed` with `server_error`.
 *
 * @since 0.1.0
 * @category minds
 */
export const fromFunction = (
  think: (conversation: ReadonlyArray<ServerItem>, tools: ReadonlyArray<FunctionTool>, request: Request) => Thought
): Mind => ({
  start: Effect.succeed((request) => answer((seen) => think(seen.conversation, seen.tools, seen), request))
})
