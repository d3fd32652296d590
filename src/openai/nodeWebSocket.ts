/**
 * A WebSocket of the package `ws`: it can send headers, and tells why a handshake was refused. It is loaded on demand,
 * because a browser cannot load it.
 */
import type { Socket } from "node:net"
import NodeWebSocket from "ws"
import * as Diagnosis from "./nodeDiagnosis.js"
import type { Failure, Handlers, Request, WebSocket, WebSocketFactory } from "./WebSocket.js"

/** Node's timers treat a longer time as 1 ms. */
const maxTimeoutMs = 2 ** 31 - 1

const toText = (data: NodeWebSocket.RawData): string =>
  Buffer.isBuffer(data)
    ? data.toString("utf8")
    : Array.isArray(data)
      ? Buffer.concat(data).toString("utf8")
      : Buffer.from(data).toString("utf8")

const headerOf = (value: string | ReadonlyArray<string> | undefined): string | undefined =>
  typeof value === "string" ? value : value?.[0]

/** A host with several addresses fails with an `AggregateError` whose own message is empty. */
const messageOf = (error: Error): string =>
  error.message === "" && error instanceof AggregateError
    ? error.errors.map((inner: unknown) => (inner instanceof Error ? inner.message : String(inner))).join("; ")
    : error.message

const codeOf = (error: Error): string | undefined =>
  "code" in error && typeof error.code === "string" ? error.code : undefined

const toFailure = (error: Error): Failure => ({
  message: messageOf(error),
  advice: (host) => Diagnosis.failure(codeOf(error), host)
})

/**
 * The close code of RFC 6455 (section 7.4.1) for what `ws` found wrong with the peer's frames. `ws` sends it to the
 * peer, but reports 1006 here.
 */
const protocolErrorCode = (code: string | undefined): number | undefined => {
  if (code === undefined || !code.startsWith("WS_ERR_")) return undefined
  switch (code) {
    case "WS_ERR_INVALID_UTF8":
      return 1007
    case "WS_ERR_TOO_MANY_BUFFERED_PARTS":
      return 1008
    case "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH":
    case "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH":
      return 1009
    default:
      return 1002
  }
}

/** How much is held back at most, in bytes. More is written before the turn ends. */
const maxHeldBack = 16_384

/**
 * Messages that are sent in one turn of the event loop, such as an output and the request that goes on after it, leave
 * in one system call, which costs more CPU time than the library's own work on a message.
 */
const writingTogether = (tcp: Socket, write: (text: string) => void): ((text: string) => void) => {
  let holds = false
  const release = () => {
    holds = false
    tcp.uncork()
  }
  return (text) => {
    if (!holds) {
      holds = true
      tcp.cork()
      process.nextTick(release)
    }
    write(text)
    if (tcp.writableLength < maxHeldBack) return
    tcp.uncork()
    tcp.cork()
  }
}

const open = (request: Request, handlers: Handlers): WebSocket => {
  // `closeTimeout` is missing from the types of ws 8.18.
  const options: NodeWebSocket.ClientOptions & { readonly closeTimeout: number } = {
    headers: { ...request.headers },
    perMessageDeflate: false,
    maxPayload: request.maxMessageBytes,
    skipUTF8Validation: false,
    closeTimeout: Math.min(request.closeTimeoutMs, maxTimeoutMs)
  }
  const socket = new NodeWebSocket(request.url, [...request.protocols], options)
  let listener: Handlers | undefined = handlers
  let opened = false

  const finish = (): Handlers | undefined => {
    const last = listener
    listener = undefined
    return last
  }

  socket.on("open", () => {
    opened = true
    listener?.onOpen()
  })
  socket.on("message", (data) => listener?.onText(toText(data)))
  const alive = () => listener?.onAlive()
  socket.on("ping", alive)
  socket.on("pong", alive)
  let write = (text: string): void => socket.send(text)
  socket.on("upgrade", ({ socket: tcp }) => {
    write = writingTogether(tcp, write)
    // A long message is a sign of life before it is complete. This listener is added once `ws` has its own: an earlier
    // listener would start the flow of bytes that came with the handshake, and `ws` would miss them.
    socket.once("open", () => tcp.on("data", alive))
  })
  socket.on("close", (code, reason) => finish()?.onClose(code, reason.toString("utf8")))

  // This listener stays: an "error" without a listener would end the process.
  socket.on("error", (error) => {
    const code = protocolErrorCode(codeOf(error))
    if (!opened) finish()?.onError(toFailure(error))
    else if (code !== undefined) finish()?.onClose(code, messageOf(error))
  })

  socket.on("unexpected-response", (_request, response) => {
    const decoder = new TextDecoder()
    const end = () => finish()?.onRefusalEnd()
    const status = response.statusCode ?? 0
    listener?.onRefused({
      status,
      advice: (body) => Diagnosis.refused(status, body),
      retryAfter: headerOf(response.headers["retry-after"]),
      retryAfterMs: headerOf(response.headers["retry-after-ms"])
    })
    response.on("data", (chunk: Buffer) => listener?.onRefusalText(decoder.decode(chunk, { stream: true })))
    response.on("end", end)
    response.on("error", end)
    // For Node, a connection that breaks within the body is not an error if the length of the body is unknown.
    response.on("close", end)
  })

  return {
    isOpen: () => socket.readyState === NodeWebSocket.OPEN,
    send: (text) => {
      if (socket.readyState !== NodeWebSocket.OPEN) return false
      write(text)
      return true
    },
    bufferedAmount: () => socket.bufferedAmount,
    ping: () => {
      if (socket.readyState !== NodeWebSocket.OPEN) return false
      socket.ping()
      return true
    },
    pause: () => {
      socket.pause()
      return true
    },
    resume: () => socket.resume(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => {
      listener = undefined
      socket.terminate()
    }
  }
}

export const nodeWebSocket: WebSocketFactory = { sendsHeaders: true, open }
