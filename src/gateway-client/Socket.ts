/** One WebSocket to a gateway: the platform's, or that of the package `ws`. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"

/**
 * The part of a WebSocket's events that is read.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebSocketEvent {
  readonly type: string
  readonly data?: unknown
  readonly code?: unknown
  readonly reason?: unknown
}

/**
 * The part of a WebSocket that is used. The DOM's type fits, and so does that of `ws`.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebSocketInstance {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: string | Uint8Array<ArrayBuffer>): void
  close(code?: number, reason?: string): void
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: WebSocketEvent) => void): void
}

/**
 * A constructor such as `globalThis.WebSocket`.
 *
 * @since 0.1.0
 * @category models
 */
export type WebSocketConstructor = new (url: string, protocols: Array<string>) => WebSocketInstance

/**
 * Why a socket ended. The code is 1006 if there was no CLOSE frame, as after a refused handshake.
 *
 * @since 0.1.0
 * @category models
 */
export interface Closed {
  readonly code: number
  readonly reason: string
}

export interface Socket {
  /** What arrives. Fails with the end of the socket. The gateway's window bounds how much may wait here. */
  readonly frames: Mailbox.ReadonlyMailbox<string | Uint8Array, Closed>
  /** Does nothing if the socket is not open. */
  readonly send: (data: string | Uint8Array) => void
  /** The number of bytes that wait for the network. */
  readonly bufferedBytes: () => number
}

/** `WebSocket.OPEN`, which the HTML standard fixes. */
const OPEN = 1

/**
 * Opens a socket, which is closed with the scope. A refused handshake ends `frames`.
 *
 * @param onOpen runs when the handshake is complete
 */
export const open = (
  Constructor: WebSocketConstructor,
  url: string,
  protocols: ReadonlyArray<string>,
  onOpen: (socket: Socket) => void
): Effect.Effect<Socket, Closed, Scope.Scope> =>
  Effect.gen(function* () {
    const frames = yield* Mailbox.make<string | Uint8Array, Closed>()
    const instance = yield* Effect.acquireRelease(
      Effect.try({
        try: () => new Constructor(url, [...protocols]),
        catch: (error): Closed => ({ code: 1006, reason: error instanceof Error ? error.message : String(error) })
      }),
      (socket) => Effect.sync(() => socket.close(1000))
    )
    instance.binaryType = "arraybuffer"
    const socket: Socket = {
      frames,
      send: (data) => {
        if (instance.readyState === OPEN) instance.send(typeof data === "string" ? data : new Uint8Array(data))
      },
      bufferedBytes: () => instance.bufferedAmount
    }
    instance.addEventListener("open", () => onOpen(socket))
    instance.addEventListener("message", ({ data }) => {
      if (typeof data === "string") frames.unsafeOffer(data)
      else if (data instanceof ArrayBuffer) frames.unsafeOffer(new Uint8Array(data))
    })
    // A "close" event with the code follows each "error" event.
    instance.addEventListener("error", () => undefined)
    instance.addEventListener("close", ({ code, reason }) =>
      frames.unsafeDone(
        Exit.fail({
          code: typeof code === "number" ? code : 1006,
          reason: typeof reason === "string" ? reason : ""
        })
      )
    )
    return socket
  })
