/**
 * The few things that a connection needs of a WebSocket, so that Node's `ws` and the platform's own are
 * interchangeable.
 */

/** Why an attempt failed, as far as the platform tells. */
export interface Failure {
  /** The system's name for it, such as `ECONNREFUSED`. */
  readonly code: string | undefined
  readonly message: string
}

/** The head of an answer other than an upgrade. */
export interface Refusal {
  readonly status: number
  /** As the server writes them, where it does. */
  readonly retryAfter: string | undefined
  readonly retryAfterMs: string | undefined
}

/**
 * What a socket tells, synchronously. The last word is one of `onRefusalEnd`, `onError` (both only before `onOpen`) and
 * `onClose` (only after it); nothing follows it, nor a call of `terminate`.
 */
export interface Handlers {
  readonly onOpen: () => void
  /** Something came from the peer that is no whole message, such as a pong. Only where the platform tells. */
  readonly onAlive: () => void
  /** One whole message. A binary one is read as UTF-8. */
  readonly onText: (text: string) => void
  /** The peer's code and reason; 1006 when it vanished without a CLOSE frame. */
  readonly onClose: (code: number, reason: string) => void
  /** An answer other than an upgrade: at once, for the body behind it may never end. */
  readonly onRefused: (refusal: Refusal) => void
  /** Some more of the body of a refusal. */
  readonly onRefusalText: (text: string) => void
  readonly onRefusalEnd: () => void
  readonly onError: (failure: Failure) => void
}

export interface Request {
  readonly url: string
  readonly protocols: ReadonlyArray<string>
  readonly headers: Readonly<Record<string, string>>
  /** A longer message ends the connection with 1009, where the platform can do that. */
  readonly maxMessageBytes: number
  /** A bound for closing handshakes that no one waits for, where the platform can do that. */
  readonly closeTimeoutMs: number
}

export interface WebSocket {
  /** Hands one text message to the platform; `false` when the socket is not open. */
  readonly send: (text: string) => boolean
  /** Bytes that were sent and have not left yet. */
  readonly bufferedAmount: () => number
  /** Asks the peer for a sign of life; `false` where the platform can't, or when the socket is not open. */
  readonly ping: () => boolean
  /** Stops reading, soon; `false` where the platform can't. */
  readonly pause: () => boolean
  readonly resume: () => void
  /** Starts the closing handshake. Its end is an `onClose`. */
  readonly close: (code: number, reason: string) => void
  /** Drops the socket at once, in whatever state it is. */
  readonly terminate: () => void
}

export interface WebSocketFactory {
  /** Whether a request can carry headers of ours. */
  readonly sendsHeaders: boolean
  /** Starts to connect. Throws when the platform finds the request itself unacceptable. */
  readonly open: (request: Request, handlers: Handlers) => WebSocket
}
