/** A listening server, and why it may be unable to listen. */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"
import type { EmbeddedCall } from "./Call.js"
import type { Options } from "./Server.js"
import type { ServerConnection } from "./ServerConnection.js"

/**
 * Another program is listening on the port.
 *
 * @since 0.1.0
 * @category errors
 */
export class PortTaken extends TaggedError<PortTaken>()("PortTaken", {
  port: Schema.Number,
  message: Schema.String
}) {}

/**
 * The server cannot listen there: the port needs privileges, or this machine does not have the address.
 *
 * @since 0.1.0
 * @category errors
 */
export class ListenFailed extends TaggedError<ListenFailed>()("ListenFailed", {
  host: Schema.String,
  port: Schema.Number,
  message: Schema.String
}) {}

/**
 * A certificate and its key, both as PEM.
 *
 * @since 0.1.0
 * @category options
 */
export interface Tls {
  /** Including the chain that clients need to trust it. */
  readonly cert: string
  readonly key: Redacted.Redacted
}

/**
 * @since 0.1.0
 * @category options
 */
export interface ServeOptions extends Options {
  /** Default: 0, a free port. */
  readonly port?: number
  /** Default: `127.0.0.1`, this machine only. */
  readonly host?: string
  /** The key that clients must send, as a bearer token, an `api-key` header or a subprotocol. Default: none. */
  readonly apiKey?: Redacted.Redacted
  /** Serves `wss:` with this certificate. Default: `ws:`. Some clients only connect to `wss:`. */
  readonly tls?: Tls
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Served {
  /** Such as `ws://127.0.0.1:8080/v1/realtime`, or with `tls`, `wss:`. */
  readonly url: string
  /**
   * The base of the endpoints over HTTP, such as `http://127.0.0.1:8080/v1`: `realtime/client_secrets`,
   * `realtime/calls`, and `accept`, `reject`, `refer` and `hangup` of a call. SDP is accepted and answered, and no media
   * flows.
   */
  readonly baseUrl: string
  readonly port: number
  /** The next call that is made over HTTP: the first effect gives the first one, and so on. */
  readonly nextCall: Effect.Effect<EmbeddedCall>
  /** Somebody calls over SIP: the call rings until it is accepted or rejected over HTTP. No webhook is sent. */
  readonly ring: Effect.Effect<EmbeddedCall>
  /** All connections so far (the latest 1,000), the oldest first, including those that have ended. */
  readonly connections: Effect.Effect<ReadonlyArray<ServerConnection>>
  /** The next connection: the first call gives the first one, and so on. A connection that is already open counts. */
  readonly nextConnection: Effect.Effect<ServerConnection>
  /** The latest connection. Waits for the first one. */
  readonly connection: Effect.Effect<ServerConnection>
  /**
   * Ends the server as a crash of its process would: each socket is destroyed without a CLOSE frame, unsent data is
   * lost, and nothing listens any more. Afterwards the port is free for another `serve`.
   */
  readonly kill: Effect.Effect<void>
}
