/**
 * Where the sessions of a gateway's calls live if they outlive its process: on nodes that share calls. A client whose
 * socket broke may then resume its call at the gateway of any node.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import type * as Session from "../Session.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"

/**
 * Why the session of a call cannot be had.
 *
 * @since 0.1.0
 * @category models
 */
export interface Unavailable {
  /** With `CallUnknown` and `CallEnded`, the client need not try again. */
  readonly _tag: string
  readonly message: string
}

/**
 * The sessions of calls, by the id of the call. `CallHost` of `effect-realtime/cluster` is one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Sessions<E> {
  readonly start: (options: {
    readonly callId: string
    readonly session: Omit<Session.Options<E>, "sessionId" | "journal">
  }) => Effect.Effect<Session.Session<E>, Unavailable>
  /** Has the session of a call here that another process has, or had. */
  readonly adopt: (callId: string) => Effect.Effect<Session.Session<E>, Unavailable>
  /** Hears a session until the scope closes. */
  readonly attend: (
    callId: string,
    listeners?: {
      readonly onEvent?: (event: SessionEvent<E>) => void
      readonly onAudio?: (chunk: AudioChunk) => void
    }
  ) => Effect.Effect<void, Unavailable, Scope.Scope>
  /** Whether a session that has ended here goes on elsewhere. */
  readonly hasMoved: (callId: string) => Effect.Effect<boolean>
  /** Gives all sessions to other processes. */
  readonly drain: () => Effect.Effect<void, Unavailable>
}

/**
 * @since 0.1.0
 * @category options
 */
export interface Home<E> {
  readonly calls: Sessions<E>
  /**
   * The same for all gateways that share calls: the keys of calls are made from it, so that each gateway knows whether a
   * call is its client's. At least 32 characters, such as of `openssl rand -base64 32`.
   */
  readonly secret: Redacted.Redacted<string>
}
