/**
 * The TCP socket of a WebSocket, if the platform exposes it, as Node does. The platform's WebSocket accepts messages of up
 * to 100 MiB, and waits half a minute for a peer that does not answer a CLOSE frame. With access to the TCP socket, the
 * servers of this package can set stricter limits.
 */
import * as Socket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

export interface Peer {
  /**
   * Disconnects the peer when it has sent more than this many bytes of an incomplete message. Returns a function to call
   * for each complete message.
   */
  readonly watch: (maxBytes: number) => () => void
  /** The number of bytes that are buffered for sending; 0 if the platform does not say. */
  readonly bufferedBytes: () => number
  /** Disconnects the peer. */
  readonly destroy: () => void
  /** Completes when the socket has closed, or at once if the platform does not expose it. */
  readonly gone: Effect.Effect<void>
}

/** The part of `net.Socket` that is used. */
interface NodeSocket {
  readonly destroyed: boolean
  readonly writableLength: number
  on(event: "error" | "close", listener: () => void): unknown
  off(event: "close", listener: () => void): unknown
  prependListener(event: "data", listener: (chunk: Uint8Array) => void): unknown
  destroy(): unknown
}

const isNodeSocket = (value: unknown): value is NodeSocket =>
  ["on", "off", "prependListener", "destroy"].every(
    (name) => Predicate.hasProperty(value, name) && typeof value[name] === "function"
  )

const none: Peer = {
  watch: () => () => undefined,
  bufferedBytes: () => 0,
  destroy: () => undefined,
  gone: Effect.void
}

/** A chunk may contain the end of one message and the beginning of the next. Node reads 64 KiB at a time. */
const slackBytes = 65_536

/** @param source the platform's own request: `http.IncomingMessage` on Node */
export const peerOf = (source: unknown): Peer => {
  const socket = Predicate.hasProperty(source, "socket") ? source.socket : undefined
  if (!isNodeSocket(socket)) return none
  // Between the upgrade and the WebSocket, Node has no error listener. An error then would end the process.
  socket.on("error", () => undefined)
  return {
    watch: (maxBytes) => {
      let unfinished = 0
      socket.prependListener("data", (chunk) => {
        unfinished += chunk.length
        if (unfinished > maxBytes + slackBytes) socket.destroy()
      })
      return () => {
        unfinished = 0
      }
    },
    bufferedBytes: () => socket.writableLength,
    destroy: () => void socket.destroy(),
    gone: Effect.async((resume) => {
      if (socket.destroyed) return resume(Effect.void)
      const onClose = () => resume(Effect.void)
      socket.on("close", onClose)
      return Effect.sync(() => void socket.off("close", onClose))
    })
  }
}

/** How long a peer may take to answer a CLOSE frame before it is cut off. */
export const closeTimeout = "1 second"

/** Gives the peer a moment to answer the CLOSE frame, and then disconnects it. */
export const hangUp = (peer: Peer): Effect.Effect<void> =>
  peer.gone.pipe(Effect.interruptible, Effect.timeoutOption(closeTimeout), Effect.zipRight(Effect.sync(peer.destroy)))

/**
 * The same socket, whose peer is disconnected when it sends a message that is too long, before it is complete, and when
 * too much waits for it to read.
 */
export const guarded = (
  socket: Socket.Socket,
  peer: Peer,
  { maxBufferedBytes, maxMessageBytes }: { readonly maxBufferedBytes: number; readonly maxMessageBytes: number }
): Socket.Socket => ({
  [Socket.TypeId]: Socket.TypeId,
  run: socket.run,
  runRaw: (handler, { onOpen = Effect.void } = {}) => {
    let messageEnded = (): void => undefined
    return socket.runRaw(
      (data) => {
        messageEnded()
        return handler(data)
      },
      {
        onOpen: Effect.suspend(() => {
          messageEnded = peer.watch(maxMessageBytes)
          return onOpen
        })
      }
    )
  },
  writer: Effect.map(
    socket.writer,
    (write) => (data) =>
      Effect.tap(write(data), () => {
        if (peer.bufferedBytes() > maxBufferedBytes) peer.destroy()
      })
  )
})
