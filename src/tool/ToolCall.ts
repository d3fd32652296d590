import type * as Effect from "effect/Effect"

/**
 * What a handler knows of the call that it answers.
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
  /** The same whenever this call is run, also after a restart: for services that do one thing once. */
  readonly idempotencyKey: string
  /** The response that the call came in; absent where the server did not say. */
  readonly responseId: string | undefined
  /** The arguments as the model wrote them. */
  readonly arguments: string
  /**
   * Publishes a `ToolProgress` event: what the application may show or say while the caller waits. Done when the session
   * has heard it.
   */
  readonly progress: (message: string, data?: unknown) => Effect.Effect<void>
}
