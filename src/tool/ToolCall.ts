import type * as Effect from "effect/Effect"

/**
 * The call that a handler answers.
 *
 * @since 0.1.0
 * @category models
 */
export interface ToolCall {
  readonly callId: string
  /** The name that the model called. */
  readonly tool: string
  /** The agent that was current when the model made the call. */
  readonly agent: string
  readonly sessionId: string
  /** The same every time this call runs, even after a restart: for services that support idempotency keys. */
  readonly idempotencyKey: string
  /** The response that contained the call; absent if the server did not say. */
  readonly responseId: string | undefined
  /** The arguments as the model wrote them. */
  readonly arguments: string
  /**
   * Publishes a `ToolProgress` event, for example to show or say something while the caller waits. Returns when the
   * session has received it.
   */
  readonly progress: (message: string, data?: unknown) => Effect.Effect<void>
}
