/**
 * The WebSocket of a browser, a worker or an edge runtime: no headers, no reason for a refused handshake, no ping,
 * no pause.
 */
import type { Handlers, Request, WebSocket, WebSocketFactory } from "./WebSocket.js"

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
  readonly message?: unknown
}

/**
 * The part of the platform's WebSocket that is used. The DOM's type fits.
 *
 * @since 0.1.0
 * @category models
 */
export interface WebSocketInstance {
  binaryType: string
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: WebSocketEvent) => void): void
}

/**
 * A constructor such as `globalThis.WebSocket`.
 *
 * @since 0.1.0
 * @category models
 */
export type WebSocketConstructor = new (url: string, protocols?: Array<string>) => WebSocketInstance

/** `WebSocket.OPEN`, which the HTML standard fixes. */
const OPEN = 1

const decoder = new TextDecoder()

const toText = (data: unknown): string | undefined => {
  if (typeof data === "string") return data
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? decoder.decode(data) : undefined
}

const open =
  (Constructor: WebSocketConstructor) =>
  (request: Request, handlers: Handlers): WebSocket => {
    const socket =
      request.protocols.length === 0
        ? new Constructor(request.url)
        : new Constructor(request.url, [...request.protocols])
    socket.binaryType = "arraybuffer"
    let listener: Handlers | undefined = handlers
    let opened = false

    const finish = (): Handlers | undefined => {
      const last = listener
      listener = undefined
      return last
    }
    const fail = (message: unknown) => finish()?.onError({ message: typeof message === "string" ? message : "" })

    socket.addEventListener("open", () => {
      opened = true
      listener?.onOpen()
    })
    socket.addEventListener("message", (event) => {
      const text = toText(event.data)
      if (text !== undefined) listener?.onText(text)
    })
    // After the opening, an "error" is always followed by the "close" that has the code.
    socket.addEventListener("error", (event) => {
      if (!opened) fail(event.message)
    })
    socket.addEventListener("close", (event) => {
      if (!opened) return fail(event.reason)
      finish()?.onClose(
        typeof event.code === "number" ? event.code : 1006,
        typeof event.reason === "string" ? event.reason : ""
      )
    })

    return {
      isOpen: () => socket.readyState === OPEN,
      send: (text) => {
        if (socket.readyState !== OPEN) return false
        socket.send(text)
        return true
      },
      bufferedAmount: () => socket.bufferedAmount,
      ping: () => false,
      pause: () => false,
      resume: () => {},
      close: (code, reason) => socket.close(code, reason),
      terminate: () => {
        listener = undefined
        socket.close()
      }
    }
  }

export const platformWebSocket = (Constructor: WebSocketConstructor): WebSocketFactory => ({
  sendsHeaders: false,
  open: open(Constructor)
})
