import { createHash } from "node:crypto"
import * as Http from "node:http"
import type * as Net from "node:net"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import type { WebSocket } from "ws"
import { WebSocketServer } from "ws"

export const listen = (server: Net.Server): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
      })
    }),
    () => Effect.sync(() => server.close())
  )

export interface Peer {
  readonly socket: WebSocket
  readonly request: Http.IncomingMessage
  readonly texts: Mailbox.ReadonlyMailbox<string>
  readonly closed: Deferred.Deferred<{
    readonly code: number
    readonly reason: string
  }>
}

/** A WebSocket server; `peers` has each connection that it accepts. */
export const webSocketServer = (onConnection: (socket: WebSocket) => void = () => {}) =>
  Effect.gen(function* () {
    const http = Http.createServer()
    const server = new WebSocketServer({
      server: http,
      maxPayload: 0,
      handleProtocols: () => "realtime"
    })
    const peers = yield* Mailbox.make<Peer>()
    server.on("connection", (socket, request) => {
      const texts = Effect.runSync(Mailbox.make<string>())
      const closed = Effect.runSync(Deferred.make<{ readonly code: number; readonly reason: string }>())
      socket.on("message", (data) => texts.unsafeOffer(data.toString()))
      socket.on("close", (code, reason) =>
        Deferred.unsafeDone(closed, Effect.succeed({ code, reason: reason.toString() }))
      )
      peers.unsafeOffer({ socket, request, texts, closed })
      onConnection(socket)
    })
    const port = yield* listen(http)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const client of server.clients) client.terminate()
      })
    )
    return {
      url: `ws://127.0.0.1:${port}/v1/realtime`,
      peers,
      clients: server.clients
    }
  })

/** A server that upgrades and then leaves the bytes to the test: it sends nothing by itself. */
export const rawServer = Effect.gen(function* () {
  const http = Http.createServer()
  const sockets = yield* Mailbox.make<{
    readonly socket: Net.Socket
    readonly bytes: Mailbox.ReadonlyMailbox<Buffer>
    /** The client has ended or reset TCP. */
    readonly ended: Deferred.Deferred<void>
  }>()
  const open = new Set<Net.Socket>()
  http.on("upgrade", (request, duplex) => {
    const socket = duplex as Net.Socket // an HTTP server over TCP upgrades nothing else
    open.add(socket)
    const accept = createHash("sha1")
      .update(`${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest("base64")
    const bytes = Effect.runSync(Mailbox.make<Buffer>())
    const ended = Effect.runSync(Deferred.make<void>())
    socket.on("data", (chunk: Buffer) => bytes.unsafeOffer(chunk))
    socket.on("error", () => {})
    socket.on("end", () => Deferred.unsafeDone(ended, Effect.void))
    socket.on("close", () => {
      open.delete(socket)
      Deferred.unsafeDone(ended, Effect.void)
    })
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
    )
    sockets.unsafeOffer({ socket, bytes, ended })
  })
  const port = yield* listen(http)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const socket of open) socket.destroy()
    })
  )
  return { url: `ws://127.0.0.1:${port}/v1/realtime`, sockets }
})

/** A server that answers every handshake with the same refusal. */
export const refusingServer = (status: number, body: string, headers: Http.OutgoingHttpHeaders = {}) =>
  Effect.map(
    listen(
      Http.createServer((_, response) => {
        response.writeHead(status, headers)
        response.end(body)
      })
    ),
    (port) => `ws://127.0.0.1:${port}/v1/realtime`
  )

/** An unmasked frame, as a server sends it; its payload has less than 126 bytes. */
export const frame = (opcode: number, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from([0x80 | opcode, payload.length]), payload])
