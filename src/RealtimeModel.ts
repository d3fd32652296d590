/**
 * The service that a session talks to: a realtime speech model behind one connection at a time.
 *
 * @since 0.1.0
 * @module
 */

import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { TaggedError } from "./common/TaggedError.js"
import type { ClientEvent } from "./protocol/ClientEvent.js"
import { withheld } from "./protocol/withheld.js"
import type { Frame } from "./realtimeModel/Frame.js"
import type { Incoming } from "./realtimeModel/Incoming.js"
import type { Traits } from "./realtimeModel/Traits.js"

export type { Frame } from "./realtimeModel/Frame.js"
export { type End, Incoming, type IncomingOptions, type Source, type Taken } from "./realtimeModel/Incoming.js"
export { sideband, type Traits } from "./realtimeModel/Traits.js"

/**
 * The server did not accept the WebSocket handshake.
 *
 * @since 0.1.0
 * @category errors
 */
export class HandshakeRefused extends TaggedError<HandshakeRefused>()("HandshakeRefused", {
  /** HTTP status of the refusal, such as 401, 403, 404 or 429. */
  status: Schema.Number,
  /**
   * How long to wait before the next attempt (`Retry-After`, RFC 9110, section 10.2.3). Absent if the server does not
   * say.
   */
  retryAfterMs: Schema.optional(Schema.Number),
  url: Schema.String,
  /** The body of the response, at most 2,000 characters. */
  body: Schema.String,
  /** What to do next. */
  message: Schema.String
}) {}

/**
 * The connection could not be opened: nothing listens at the address, the name does not resolve, TLS failed, or this
 * platform does not support the request.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectFailed extends TaggedError<ConnectFailed>()("ConnectFailed", {
  url: Schema.String,
  message: Schema.String
}) {}

/**
 * The effect that gives the API key failed, died, or took too long, so no connection was tried. Each new attempt runs
 * it again.
 *
 * @since 0.1.0
 * @category errors
 */
export class ApiKeyUnavailable extends TaggedError<ApiKeyUnavailable>()("ApiKeyUnavailable", {
  url: Schema.String,
  /** What to do next. */
  message: Schema.String,
  /** The error of the effect; absent if it took too long. It may hold a key, so it is printed as `<redacted>`. */
  ...withheld
}) {}

/**
 * The connection was not open in time.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectTimedOut extends TaggedError<ConnectTimedOut>()("ConnectTimedOut", {
  url: Schema.String,
  /** The time limit of the attempt, in milliseconds. */
  afterMs: Schema.Number,
  message: Schema.String
}) {}

/**
 * The call that the connection belongs to is over, or there never was one with this id. No other attempt can succeed:
 * a session beside a call ends with this error when the user hangs up.
 *
 * @since 0.1.0
 * @category errors
 */
export class CallGone extends TaggedError<CallGone>()("CallGone", {
  callId: Schema.String,
  /** What to do next. */
  message: Schema.String
}) {}

/**
 * Why a connection could not be made.
 *
 * @since 0.1.0
 * @category errors
 */
export type ConnectError = ApiKeyUnavailable | CallGone | HandshakeRefused | ConnectFailed | ConnectTimedOut

/**
 * An open connection ended, and not because this side closed it. Code 1006 means that the peer went away without a
 * CLOSE frame, or that this side gave up on it because it was silent or had stopped reading.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionLost extends TaggedError<ConnectionLost>()("ConnectionLost", {
  /** WebSocket close code (RFC 6455, section 7.4). */
  code: Schema.Number,
  reason: Schema.String,
  message: Schema.String
}) {}

/**
 * One open connection to a model. Events for it are lost when it ends: a `send` never waits for a later connection.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection {
  /**
   * What the server sends, in the order of the wire, from its first frame on. Fails with `ConnectionLost` when the
   * connection ends from the other side. Ends when the scope on this side closes. One reader takes them: the session.
   */
  readonly frames: Incoming<Frame, ConnectionLost>
  /** Sends one event. Never waits. Fails with `ConnectionLost` if the connection is no longer open. */
  readonly send: (event: ClientEvent) => Effect.Effect<void, ConnectionLost>
  /**
   * The number of sent bytes that still wait for the network: 0 in memory, and once the connection has ended. A caller
   * can use it to decide whether to send the next piece of audio.
   */
  readonly bufferedBytes: () => number
  /** What differs from OpenAI's WebSocket. Absent: nothing. */
  readonly traits?: Traits
  /**
   * What another connection needs to go on with this conversation, also after this one is lost: the session gives it to
   * the next `connect`. `undefined`: it cannot be resumed, now.
   */
  readonly resumption?: () => string | undefined
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ConnectOptions {
  /** The model to ask for. Default: the provider's default. */
  readonly model?: string | undefined
  /**
   * Where the connection before left off, as its `resumption` says: to be asked when this one begins to carry the
   * session. Default: a new conversation.
   */
  readonly resumption?: (() => string | undefined) | undefined
}

/**
 * A realtime speech model.
 *
 * @since 0.1.0
 * @category tags
 */
export class RealtimeModel extends Context.Tag("effect-realtime/RealtimeModel")<
  RealtimeModel,
  {
    /** Opens a connection that lives as long as the scope. */
    readonly connect: (options: ConnectOptions) => Effect.Effect<Connection, ConnectError, Scope.Scope>
  }
>() {}
