/**
 * The TCP socket below a WebSocket, where the platform gives it: Node does. The platform's WebSocket takes messages of up to
 * 100 MiB and waits for half a minute for a peer that does not answer a CLOSE frame. With the socket in hand, the gateway
 * is stricter.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"

export interface Peer {
  /**
   * Cuts the peer off when it has sent more than so many bytes of a message that is not complete. Gives what is to be
   * called with each message that is.
   */
  readonly watch: (maxBytes: number) => () => void
  /** Bytes that were sent and have not left yet; 0 where the platform does not tell. */
  readonly bufferedBytes: () => number
  /** Cuts the peer off. */
  readonly destroy: () => void
  /** Ends when nothing is left of the socket; at once where the platform does not give it. */
  readonly gone: Effect.Effect<void>
}

/** What is used of `net.Socket`. */
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

/** One chunk of a socket may have the end of a message and the beginning of the next: Node reads 64 KiB at a time. */
const slackBytes = 65_536

/** @param source of a platform's request: `http.IncomingMessage` on Node */
export const peerOf = (source: unknown): Peer => {
  const socket = Predicate.hasProperty(source, "socket") ? source.socket : undefined
  if (!isNodeSocket(socket)) return none
  // From the upgrade until the WebSocket is there, Node listens to no error: one then would end the process.
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
