/** The part of a WebSocket that a connection needs, so that Node's `ws` and the platform's own are interchangeable. */

/** Why an attempt failed, if the platform tells. */
export interface Failure {
  readonly message: string
  /** What it means, with the host and what to do next. Only if the platform tells more than that it failed. */
  readonly advice?: (host: string) => string | undefined
}

/** The status and headers of an answer other than an upgrade. */
export interface Refusal {
  readonly status: number
  /** As the server wrote it, if it did. */
  readonly retryAfter: string | undefined
  readonly retryAfterMs: string | undefined
  /** What it means, and what to do next, with what the body says. */
  readonly advice: (body: string) => string
}

/**
 * The callbacks of a socket, called synchronously. The last one is `onRefusalEnd`, `onError` (both only before
 * `onOpen`) or `onClose` (only after it). No callback follows it, or a call of `terminate`.
 */
export interface Handlers {
  readonly onOpen: () => void
  /** Something other than a whole message came from the peer, such as a pong. Only if the platform tells. */
  readonly onAlive: () => void
  /** One whole message. A binary message is read as UTF-8. */
  readonly onText: (text: string) => void
  /** The peer's code and reason; 1006 if it vanished without a CLOSE frame. */
  readonly onClose: (code: number, reason: string) => void
  /** An answer other than an upgrade. Called at once, because the body that follows may never end. */
  readonly onRefused: (refusal: Refusal) => void
  /** The next part of the body of a refusal. */
  readonly onRefusalText: (text: string) => void
  readonly onRefusalEnd: () => void
  readonly onError: (failure: Failure) => void
}

export interface Request {
  readonly url: string
  readonly protocols: ReadonlyArray<string>
  readonly headers: Readonly<Record<string, string>>
  /** A longer message ends the connection with 1009, if the platform supports that. */
  readonly maxMessageBytes: number
  /** The time limit for closing handshakes that nobody waits for, if the platform supports that. */
  readonly closeTimeoutMs: number
}

export interface WebSocket {
  readonly isOpen: () => boolean
  /** Sends one text message. Returns `false` if the socket is not open. */
  readonly send: (text: string) => boolean
  /** The number of sent bytes that have not left yet. */
  readonly bufferedAmount: () => number
  /** Asks the peer for a sign of life. Returns `false` if the platform cannot, or if the socket is not open. */
  readonly ping: () => boolean
  /** Stops reading, with a short delay. Returns `false` if the platform cannot. */
  readonly pause: () => boolean
  readonly resume: () => void
  /** Starts the closing handshake, which ends with `onClose`. */
  readonly close: (code: number, reason: string) => void
  /** Drops the socket at once, in any state. */
  readonly terminate: () => void
}

export interface WebSocketFactory {
  /** Whether a request can have custom headers. */
  readonly sendsHeaders: boolean
  /** Starts to connect. Throws if the platform refuses the request itself. */
  readonly open: (request: Request, handlers: Handlers) => WebSocket
}
