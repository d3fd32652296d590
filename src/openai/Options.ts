/** The options of a connection. */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import type { WebSocketConstructor } from "./platformWebSocket.js"

/**
 * How the API key is sent.
 *
 * - `"bearer"`: `Authorization: Bearer <key>`, for OpenAI, its ephemeral keys, and most compatible servers.
 * - `"api-key"`: the header `api-key: <key>`, for Azure OpenAI.
 * - `"subprotocol"`: a WebSocket subprotocol, the only way in a browser. Use an ephemeral key there.
 * - `"none"`: no key is sent.
 *
 * @since 0.1.0
 * @category models
 */
export type Authentication = "bearer" | "api-key" | "subprotocol" | "none"

/**
 * A key for all connections, or an effect that runs before each connection and returns its key: for ephemeral keys and
 * Microsoft Entra tokens, which expire during a session.
 *
 * @since 0.1.0
 * @category models
 */
export type ApiKey<E = never, R = never> = Redacted.Redacted | Effect.Effect<Redacted.Redacted, E, R>

/**
 * `E` and `R` are the failures and requirements of the effect that gives the API key.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<E = never, R = never> {
  /**
   * An API key, an ephemeral key, or an effect that returns one and runs before each connection. Surrounding white
   * space is ignored. With `authentication: "none"`, it is not used.
   *
   * The effect must finish within `openTimeout`. If it fails, dies or takes longer, the attempt fails with
   * `ApiKeyUnavailable`. A session treats this as temporary, and retries according to its `reconnect`. If the server
   * does not accept the key (401), the effect runs once more at once. If it returns the same key, or one that is
   * refused too, the refusal is final.
   */
  readonly apiKey: ApiKey<E, R>
  /**
   * The address of the Realtime endpoint, with `ws`, `wss`, `http` or `https`. Its own query is kept. Default:
   * `wss://api.openai.com/v1/realtime`.
   */
  readonly url?: string | URL | undefined
  /**
   * The model for connections that do not ask for another one. `null`: never send one. No model is sent if the query of
   * `url` already names the target (`model`, `deployment`, `intent` or `call_id`). Default: `gpt-realtime`.
   */
  readonly model?: string | null | undefined
  /**
   * The id of a call that OpenAI carries over WebRTC or SIP (`rtc_…`). The connection is then a sideband: it stands
   * beside the call, and takes its events and gives its settings and outputs, without audio. No model is sent. Use one
   * layer for each call, and a project key, not the caller's ephemeral one.
   */
  readonly callId?: string | undefined
  /**
   * How long a call may be unknown to the server when its sideband connects for the first time: it is known everywhere
   * only a moment after it was made. After that, and if it was known before, the attempt fails with `CallGone`. Default:
   * 10 seconds.
   */
  readonly attachWithin?: Duration.DurationInput | undefined
  /** The organization to bill, if the key belongs to several. */
  readonly organization?: string | undefined
  /** The project to bill, if the key belongs to several. */
  readonly project?: string | undefined
  /** Additional request headers. They override the default ones. A browser cannot send any. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted>> | undefined
  /** Default: `"bearer"`, or `"subprotocol"` if the WebSocket cannot send headers. */
  readonly authentication?: Authentication | undefined
  /** How long a connection may take to open. Default: 10 seconds. */
  readonly openTimeout?: Duration.DurationInput | undefined
  /** How long to wait for the server's part of the closing handshake. Default: 1 second. */
  readonly closeTimeout?: Duration.DurationInput | undefined
  /**
   * How often the server is pinged (RFC 6455, section 5.5.2), so that it shows a sign of life even if it has nothing to
   * send, and so that no proxy closes the connection as idle. `Infinity` or 0 turns this off, and `pingTimeout` with
   * it. Only `ws` can ping. A browser's WebSocket, or one given as `webSocket`, cannot: if a server vanishes there,
   * this is only noticed when the platform's TCP gives up. Default: 20 seconds, as in Python's `websockets`.
   */
  readonly pingInterval?: Duration.DurationInput | undefined
  /**
   * A connection on which nothing was received for this long (no frame, no pong, no part of one) is dropped:
   * `ConnectionLost` with code 1006. Time in which this side does not read, because frames wait for their reader or
   * because the process was suspended, does not count. At least two pings are sent in this time, whatever
   * `pingInterval` says. `Infinity`: never give up. Default: twice `pingInterval`.
   */
  readonly pingTimeout?: Duration.DurationInput | undefined
  /**
   * A longer frame becomes `Malformed` without being parsed, and the connection goes on. Counted in UTF-16 code units,
   * which are bytes if the frame is ASCII. In Node, a message longer than 64 MiB (or than this option, if that is more)
   * ends the connection with code 1009. Default: 16 MiB.
   */
  readonly maxFrameBytes?: number | undefined
  /**
   * How many frames may wait for the reader. Beyond that, the socket is not read until the reader has taken half of
   * them. If a socket cannot be paused (a browser's), twice as many end the connection. Default: 10,000.
   */
  readonly maxQueuedFrames?: number | undefined
  /**
   * How large the waiting frames may be together, counted like `maxFrameBytes`, with the same consequences. What `ws`
   * had read before it paused (a few frames, or the rest of one) is not counted. Default: 64 MiB, more than 15 minutes
   * of 24 kHz PCM16.
   */
  readonly maxQueuedBytes?: number | undefined
  /**
   * How many bytes may wait for the network. A `send` that finds more ends the connection, because the server has
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
export const defaultAttachWithin: Duration.DurationInput = "10 seconds"
export const defaultCloseTimeout: Duration.DurationInput = "1 second"

/**
 * As in Python's `websockets`, which many clients of this API use: a ping every 20 s, and another 20 s for the answer.
 */
export const defaultPingInterval: Duration.DurationInput = "20 seconds"

export const defaultMaxQueuedFrames = 10_000
export const defaultMaxQueuedBytes = 64 * 1024 * 1024
export const defaultMaxBufferedBytes = 64 * 1024 * 1024

/** The longest message that Node's socket accepts, unless longer frames are allowed. */
export const defaultMaxMessageBytes = 64 * 1024 * 1024
