/**
 * What an application can choose about its connections.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { WebSocketConstructor } from "./platformWebSocket.js"

/**
 * How the API key travels.
 *
 * - `"bearer"`: `Authorization: Bearer <key>`, for OpenAI, its ephemeral keys, and most compatible servers.
 * - `"api-key"`: the header `api-key: <key>`, for Azure OpenAI.
 * - `"subprotocol"`: a WebSocket subprotocol, the one way that is open to a browser. Use an ephemeral key there.
 * - `"none"`: not at all.
 *
 * @since 0.1.0
 * @category models
 */
export type Authentication = "bearer" | "api-key" | "subprotocol" | "none"

/**
 * A key for all connections, or an effect that is asked for one before each of them: for ephemeral keys and Microsoft Entra
 * tokens, which expire while a session lasts.
 *
 * @since 0.1.0
 * @category models
 */
export type ApiKey<E = never, R = never> = Redacted.Redacted | Effect.Effect<Redacted.Redacted, E, R>

/**
 * `E` and `R` are those of the effect that gives the API key.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E = never, R = never> {
  /**
   * An API key, an ephemeral key, or an effect that gives one, asked before each connection. Space around it is ignored;
   * `authentication: "none"` ignores all of it.
   *
   * The effect has as long as a connection may take to open (`openTimeout`). Where it fails, dies or takes longer, the
   * attempt fails with `ApiKeyUnavailable`, which a session takes for a passing fault and tries again, as its `reconnect`
   * says. Where the server does not accept its key (401), it is asked once more at once, and the refusal is final where it
   * gives the same key, or one that is refused too.
   */
  readonly apiKey: ApiKey<E, R>
  /**
   * The address of the Realtime endpoint, with `ws`, `wss`, `http` or `https`. Its own query is kept.
   * Default: `wss://api.openai.com/v1/realtime`.
   */
  readonly url?: string | URL | undefined
  /**
   * The model for connections that don't ask for another. `null` never sends one. Neither is sent when the query of
   * `url` already says whom to talk to (`model`, `deployment`, `intent` or `call_id`). Default: `gpt-realtime`.
   */
  readonly model?: string | null | undefined
  /** The organization to bill, where the key belongs to several. */
  readonly organization?: string | undefined
  /** The project to bill, where the key belongs to several. */
  readonly project?: string | undefined
  /** More request headers. They win over the ones that would be sent otherwise. A browser can't send any. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /** Default: `"bearer"`, or `"subprotocol"` where the WebSocket can't send headers. */
  readonly authentication?: Authentication | undefined
  /** How long a connection may take to open. Default: 10 seconds. */
  readonly openTimeout?: Duration.DurationInput | undefined
  /** How long to wait for the server's part of the closing handshake. Default: 1 second. */
  readonly closeTimeout?: Duration.DurationInput | undefined
  /**
   * How often the server is pinged (RFC 6455, section 5.5.2), so that it shows a sign of life while it has nothing to
   * say, and so that nothing on the way takes the connection for idle. `Infinity` or 0 turns that off, and
   * `pingTimeout` with it. Only `ws` can ping: a browser's WebSocket, or one given as `webSocket`, has no ping, and a
   * server that vanishes without a word goes unnoticed there until the platform's own TCP gives up. Default: 20
   * seconds, as in Python's `websockets`.
   */
  readonly pingInterval?: Duration.DurationInput | undefined
  /**
   * A connection on which nothing was received for so long, no frame, no pong and no part of one, is dropped:
   * `ConnectionLost` with code 1006. Time during which this side does not read, because frames wait for their reader
   * or because the process was suspended, does not count. At least two pings go out in this time, whatever
   * `pingInterval` says. `Infinity` never gives up. Default: twice `pingInterval`.
   */
  readonly pingTimeout?: Duration.DurationInput | undefined
  /**
   * A longer frame becomes a `Malformed` one without being parsed, and the connection goes on. Counted in UTF-16 code
   * units, which are bytes in a frame that is ASCII. In Node, a message of more than 64 MiB (or than this, if that is
   * more) ends the connection with code 1009. Default: 16 MiB.
   */
  readonly maxFrameBytes?: number | undefined
  /**
   * How many frames may wait for the reader. Beyond, the socket is not read until the reader has taken half of them;
   * where a socket can't be paused (a browser's), twice as many end the connection. Default: 10,000.
   */
  readonly maxQueuedFrames?: number | undefined
  /**
   * How long these frames may be together, counted like `maxFrameBytes`, with the same consequences. What `ws` had
   * read before it paused (a few frames, or the rest of one) still comes on top. Default: 64 MiB, more than 15 minutes
   * of 24 kHz PCM16.
   */
  readonly maxQueuedBytes?: number | undefined
  /**
   * How many bytes may wait for the network. A `send` that finds more ends the connection, since the server has
   * stopped reading. Default: 64 MiB, more than 15 minutes of 24 kHz PCM16.
   */
  readonly maxBufferedBytes?: number | undefined
  /** The WebSocket to use. Default: `ws` in Node, Bun and Deno, `globalThis.WebSocket` elsewhere. */
  readonly webSocket?: WebSocketConstructor | undefined
}

/** OpenAI's own endpoint and its general-purpose speech model. */
export const defaultUrl = "wss://api.openai.com/v1/realtime"
export const defaultModel = "gpt-realtime"

export const defaultOpenTimeout: Duration.DurationInput = "10 seconds"
export const defaultCloseTimeout: Duration.DurationInput = "1 second"

/** As Python's `websockets`, with which many talk to this API: ping every 20 s, and 20 s more for an answer. */
export const defaultPingInterval: Duration.DurationInput = "20 seconds"

export const defaultMaxQueuedFrames = 10_000
export const defaultMaxQueuedBytes = 64 * 1024 * 1024
export const defaultMaxBufferedBytes = 64 * 1024 * 1024

/** What Node's socket puts together before it gives up on a message, unless longer frames are asked for. */
export const defaultMaxMessageBytes = 64 * 1024 * 1024
