/**
 * The service that a session talks to: a realtime speech model behind one connection at a time.
 *
 * @since 0.1.0
 * @module
 */

import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Mailbox from "effect/Mailbox"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { ClientEvent } from "./protocol/ClientEvent.js"
import type { ServerFrame } from "./protocol/Codec.js"
import { withheld } from "./protocol/withheld.js"

/**
 * The server answered the WebSocket handshake with something else than an upgrade.
 *
 * @since 0.1.0
 * @category errors
 */
export class HandshakeRefused extends Schema.TaggedError<HandshakeRefused>("effect-realtime/HandshakeRefused")(
  "HandshakeRefused",
  {
    /** HTTP status of the refusal, such as 401, 403, 404 or 429. */
    status: Schema.Number,
    /** For how long the server wants to be left alone (`Retry-After`, RFC 9110, section 10.2.3); absent where it does not say. */
    retryAfterMs: Schema.optional(Schema.Number),
    url: Schema.String,
    /** What the server said, at most 2,000 characters of it. */
    body: Schema.String,
    /** What to do next. */
    message: Schema.String
  }
) {}

/**
 * The connection could not be opened: nobody listens, the name does not resolve, TLS failed, or this platform cannot
 * do what was asked.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectFailed extends Schema.TaggedError<ConnectFailed>("effect-realtime/ConnectFailed")("ConnectFailed", {
  url: Schema.String,
  message: Schema.String
}) {}

/**
 * The effect that gives the API key failed, died, or took too long, so no connection was tried. Another attempt asks it
 * again.
 *
 * @since 0.1.0
 * @category errors
 */
export class ApiKeyUnavailable extends Schema.TaggedError<ApiKeyUnavailable>("effect-realtime/ApiKeyUnavailable")(
  "ApiKeyUnavailable",
  {
    url: Schema.String,
    /** What to do next. */
    message: Schema.String,
    /** The error of the effect; absent where it took too long. It may hold a key, so it is printed as `<redacted>`. */
    ...withheld
  }
) {}

/**
 * The connection was not open in time.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectTimedOut extends Schema.TaggedError<ConnectTimedOut>("effect-realtime/ConnectTimedOut")(
  "ConnectTimedOut",
  {
    url: Schema.String,
    /** How long the attempt was given, in milliseconds. */
    afterMs: Schema.Number,
    message: Schema.String
  }
) {}

/**
 * Why a connection could not be made.
 *
 * @since 0.1.0
 * @category errors
 */
export type ConnectError = ApiKeyUnavailable | HandshakeRefused | ConnectFailed | ConnectTimedOut

/**
 * An open connection ended, and it was not this side that closed it. Code 1006 means that the peer vanished without a
 * CLOSE frame, or was given up because it had gone silent or had stopped reading.
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionLost extends Schema.TaggedError<ConnectionLost>("effect-realtime/ConnectionLost")(
  "ConnectionLost",
  {
    /** WebSocket close code (RFC 6455, section 7.4). */
    code: Schema.Number,
    reason: Schema.String,
    message: Schema.String
  }
) {}

/**
 * One open connection to a model. What was meant for it dies with it: a `send` never waits for a later connection.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection {
  /**
   * What the server sent, in the order of the wire, from its first frame on. Fails with `ConnectionLost` when the
   * connection ends from the other side; ends when this side's scope closes.
   */
  readonly frames: Mailbox.ReadonlyMailbox<ServerFrame, ConnectionLost>
  /** Hands one event to the wire. Never waits: a connection that is no longer open fails with `ConnectionLost`. */
  readonly send: (event: ClientEvent) => Effect.Effect<void, ConnectionLost>
  /**
   * How many bytes were sent and still wait for the network: 0 in memory, and once the connection has ended. A caller
   * that has a choice, such as whether to send the next piece of audio, can go by it.
   */
  readonly bufferedBytes: () => number
  /**
   * It joins a conversation that lives on the server, whoever is connected to it: a session tells it nothing of the
   * conversation again. Absent: it begins one of its own.
   */
  readonly joins?: boolean
}

/**
 * @since 0.1.0
 * @category models
 */
export interface ConnectOptions {
  /** The model to ask for; the provider's own default where it is left out. */
  readonly model?: string | undefined
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
