/**
 * A server that listens, and why it may not be able to.
 */
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type { Options } from "./Server.js"
import type { ServerConnection } from "./ServerConnection.js"

/**
 * Another program listens on the port.
 *
 * @since 0.1.0
 * @category errors
 */
export class PortTaken extends Schema.TaggedError<PortTaken>("effect-realtime/PortTaken")("PortTaken", {
  port: Schema.Number,
  message: Schema.String
}) {}

/**
 * The server may not listen there: a port that needs privileges, or an address that this machine does not have.
 *
 * @since 0.1.0
 * @category errors
 */
export class ListenFailed extends Schema.TaggedError<ListenFailed>("effect-realtime/ListenFailed")("ListenFailed", {
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
  /** With the chain that clients need to trust it. */
  readonly cert: string
  readonly key: Redacted.Redacted
}

/**
 * @since 0.1.0
 * @category options
 */
export interface ServeOptions extends Options {
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** `127.0.0.1` by default: this machine only. */
  readonly host?: string
  /** The key that clients must send, as a bearer token, an `api-key` header or a subprotocol; none by default. */
  readonly apiKey?: Redacted.Redacted
  /** Serves `wss:` with this certificate; without it, `ws:`. Some clients connect to `wss:` only. */
  readonly tls?: Tls
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Served {
  /** Such as `ws://127.0.0.1:8080/v1/realtime`, or `wss:` with `tls`. */
  readonly url: string
  readonly port: number
  /** All connections so far (the latest 1,000), the oldest first, with those that have ended. */
  readonly connections: Effect.Effect<ReadonlyArray<ServerConnection>>
  /** The next connection, which may have been opened already: the first call gives the first one, and so on. */
  readonly nextConnection: Effect.Effect<ServerConnection>
  /** The latest connection; waits for the first one. */
  readonly connection: Effect.Effect<ServerConnection>
  /**
   * Ends the server as a crash of its process would: each socket is destroyed without a CLOSE frame, what it had not
   * sent yet is lost, and nobody listens any more. Afterwards the port is free, for another `serve` to take its place.
   */
  readonly kill: Effect.Effect<void>
}
