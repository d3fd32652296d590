/** The embedded server over WebSockets. Node only; loaded on demand. */
import {
  createServer,
  type Server as HttpServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
  STATUS_CODES
} from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { Socket } from "node:net"
import type { Duplex } from "node:stream"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { type RawData, type WebSocket, WebSocketServer } from "ws"
import { OptionsInvalid } from "../options/OptionsInvalid.js"
import type { Transport } from "./attach.js"
import { CallsOverHttp } from "./CallsOverHttp.js"
import { ListenFailed, PortTaken, type Served, type ServeOptions, type Tls } from "./Served.js"
import * as Server from "./Server.js"

const PATH = "/v1/realtime"
/** One event may have 15 MiB of audio. */
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024
/** A client that does not read is disconnected when this many bytes wait for it. */
const MAX_BUFFERED_BYTES = 64 * 1024 * 1024
/** How long a peer may take to answer a CLOSE frame before it is disconnected. */
const CLOSE_TIMEOUT = "1 second"
const SUBPROTOCOL_KEY = "openai-insecure-api-key."

/** The longest body of a request over HTTP: an SDP offer and a session. */
const MAX_BODY_BYTES = 1024 * 1024

const errorBody = (code: string | null, message: string): string =>
  JSON.stringify({ error: { message, type: "invalid_request_error", param: null, code } })

const answer = (socket: Duplex, status: number, body: string, retryAfterMs?: number): void => {
  const bytes = Buffer.from(body)
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Error"}`,
    "Connection: close",
    "Content-Type: application/json",
    `Content-Length: ${bytes.length}`,
    ...(retryAfterMs === undefined
      ? []
      : [`Retry-After: ${Math.ceil(retryAfterMs / 1_000)}`, `retry-after-ms: ${retryAfterMs}`])
  ]
  socket.end(Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), bytes]))
}

const wrongKey = errorBody(
  "invalid_api_key",
  "Incorrect API key provided. Send the key that the server was started with."
)

/** The whole body; `undefined` if it is too long. An aborted request has none. */
const bodyOf = (request: IncomingMessage): Effect.Effect<Uint8Array | undefined> =>
  Effect.async((resume) => {
    const parts: Array<Uint8Array> = []
    let length = 0
    request.on("data", (part: Uint8Array) => {
      length += part.length
      if (length <= MAX_BODY_BYTES) parts.push(part)
    })
    request.on("end", () => resume(Effect.succeed(length <= MAX_BODY_BYTES ? Buffer.concat(parts) : undefined)))
    request.on("close", () => resume(Effect.succeed(undefined)))
  })

const send = (
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string
): void => {
  // A page that is served elsewhere may call, as on the real API.
  const shared = { "access-control-allow-origin": "*", "access-control-expose-headers": "location" }
  response.writeHead(status, { "content-type": "application/json", ...shared, ...headers })
  response.end(body)
}

/** The key of a request: a bearer token, Azure's header, or a browser's subprotocol. */
const keyOf = (request: IncomingMessage): string | undefined => {
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1]
  const header = request.headers["api-key"]
  const offered = (request.headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim())
  return (
    bearer ??
    (typeof header === "string" ? header : undefined) ??
    offered.find((protocol) => protocol.startsWith(SUBPROTOCOL_KEY))?.slice(SUBPROTOCOL_KEY.length)
  )
}

const textOf = (data: RawData): string => {
  if (Array.isArray(data)) return Buffer.concat(data).toString("utf8")
  return Buffer.isBuffer(data) ? data.toString("utf8") : Buffer.from(data).toString("utf8")
}

const transportOf = (socket: WebSocket, later: (effect: Effect.Effect<void>) => void): Transport => ({
  deliver: (text) => {
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount > MAX_BUFFERED_BYTES) socket.terminate()
    else socket.send(text)
  },
  close: (code, reason) => {
    // A CLOSE frame has room for 123 bytes of reason, and not every code may be sent.
    const sendable =
      (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code < 5000)
    if (!sendable) return socket.terminate()
    socket.close(code, Buffer.from(reason).subarray(0, 123))
    later(
      Effect.zipRight(
        Effect.sleep(CLOSE_TIMEOUT),
        Effect.sync(() => socket.terminate())
      )
    )
  },
  drop: () => socket.terminate()
})

/** Ends with the socket: nothing is left to wait for. */
const closed = (socket: Duplex): Effect.Effect<never> =>
  Effect.async((resume) => {
    if (socket.destroyed) resume(Effect.interrupt)
    else socket.once("close", () => resume(Effect.interrupt))
  })

/** Serves one connection until it ends. */
const converse = (
  server: Server.Server,
  welcome: Extract<Server.Welcome, { readonly _tag: "Welcome" }>,
  socket: WebSocket,
  later: (effect: Effect.Effect<void>) => void
): Effect.Effect<void> =>
  Effect.scoped(
    Effect.gen(function* () {
      const attached = yield* server.attach(welcome, transportOf(socket, later))
      socket.on("message", (data) => attached.receive(textOf(data)))
      socket.on("close", (code, reason) =>
        attached.hangUp(
          code === 1006 ? { _tag: "Dropped" } : { _tag: "ClosedByClient", code, reason: reason.toString("utf8") }
        )
      )
      socket.resume()
      yield* attached.connection.ended
    })
  )

/** Node reads the certificate and the key when the server is made, and throws if it cannot use them. */
const httpServer = (tls: Tls | undefined, listener: RequestListener): Effect.Effect<HttpServer, OptionsInvalid> => {
  if (tls === undefined) return Effect.succeed(createServer(listener))
  return Effect.try({
    try: () => createTlsServer({ cert: tls.cert, key: Redacted.value(tls.key) }, listener),
    catch: (error) => {
      const reason = error instanceof Error ? error.message : String(error)
      const message = `\`tls\` should be a PEM certificate and its PEM key, but Node cannot use them (${reason}).`
      return new OptionsInvalid({
        of: "EmbeddedRealtime.serve",
        problems: [{ option: "tls", value: "an object", message }]
      })
    }
  })
}

export const serve = (
  options: ServeOptions
): Effect.Effect<Served, OptionsInvalid | PortTaken | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    const host = options.host ?? "127.0.0.1"
    const server = yield* Server.make(options, "5 millis")
    const webSockets = new WebSocketServer({
      noServer: true,
      maxPayload: MAX_PAYLOAD_BYTES,
      perMessageDeflate: false,
      handleProtocols: (offered) => (offered.has("realtime") ? "realtime" : false)
    })
    const serving = yield* Effect.scope
    const overHttp = new CallsOverHttp(server.calls)
    const http = yield* httpServer(options.tls, (request, response) => {
      // Before a page that is served elsewhere may call.
      if (request.method === "OPTIONS") {
        return send(response, 204, { "access-control-allow-headers": "authorization, content-type" }, "")
      }
      if (request.method === "POST" && request.url?.startsWith(`${PATH}/`) === true) {
        return later(post(request, response))
      }
      const upgrade = request.url?.split("?")[0] === PATH
      response.writeHead(upgrade ? 426 : 404, { "Content-Type": "application/json" })
      response.end(
        errorBody(null, upgrade ? "Connect with a WebSocket." : `Unknown request URL. Connect a WebSocket to ${PATH}.`)
      )
    })
    const sockets = new Set<Socket>()
    http.on("connection", (socket) => {
      sockets.add(socket)
      socket.once("close", () => sockets.delete(socket))
    })
    // Registered before the fibers of the connections, so that it runs after each of them has sent its CLOSE frame.
    yield* Effect.addFinalizer(() => shutDown(http, sockets))
    const run = yield* FiberSet.makeRuntime<never, void>()
    // Not in the caller's region: effects that are raced or cut short must be interruptible, whoever starts the server.
    const later = (effect: Effect.Effect<void>) => void run(Effect.interruptible(effect))

    /** The key that the server was started with, or a client secret that it gave and that has not expired. */
    const isAllowed = (request: IncomingMessage): Effect.Effect<boolean> =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const key = keyOf(request)
        return options.apiKey === undefined || key === Redacted.value(options.apiKey) || overHttp.isSecret(key, now)
      })

    const post = (request: IncomingMessage, response: ServerResponse): Effect.Effect<void> =>
      Effect.gen(function* () {
        const body = yield* bodyOf(request)
        if (body === undefined) return send(response, 413, {}, errorBody(null, "The body is too long."))
        if (!(yield* isAllowed(request))) return send(response, 401, {}, wrongKey)
        const path = (request.url ?? "").slice(PATH.length + 1).split("?")[0] ?? ""
        const contentType = request.headers["content-type"] ?? ""
        const answered = yield* Scope.extend(overHttp.answer({ path, contentType, key: keyOf(request), body }), serving)
        send(response, answered.status, answered.headers, answered.body)
      })

    const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): Effect.Effect<void> =>
      Effect.gen(function* () {
        const [path, query] = (request.url ?? "/").split("?", 2)
        if (path !== PATH) {
          return answer(socket, 404, errorBody(null, `Unknown request URL. Connect to ${PATH}.`))
        }
        if (!(yield* isAllowed(request))) {
          return answer(socket, 401, wrongKey)
        }
        // A server that was killed does not answer any more.
        const target = new URLSearchParams(query)
        const welcome = yield* server
          .welcome(target.get("model") ?? undefined, target.get("call_id") ?? undefined)
          .pipe(Effect.raceFirst(closed(socket)))
        if (welcome._tag === "Refused") {
          return answer(socket, welcome.status, welcome.body, welcome.retryAfterMs)
        }
        const upgraded = Effect.async<WebSocket>((resume) =>
          webSockets.handleUpgrade(request, socket, head, (opened) => {
            // Nothing may be lost between the handshake and the first listener.
            opened.pause()
            opened.on("error", () => undefined)
            resume(Effect.succeed(opened))
          })
        )
        // `ws` does not call back for a request that is no WebSocket's, which it answers itself.
        const webSocket = yield* Effect.raceFirst(upgraded, closed(socket))
        yield* converse(server, welcome, webSocket, later)
      })

    http.on("upgrade", (request, socket, head) => {
      socket.on("error", () => undefined)
      later(upgrade(request, socket, head))
    })

    const shownHost = host.includes(":") ? `[${host}]` : host
    const port = yield* listen(http, options.port ?? 0, host)
    return {
      baseUrl: `${options.tls === undefined ? "http" : "https"}://${shownHost}:${port}/v1`,
      nextCall: server.calls.next,
      ring: Effect.map(Scope.extend(server.calls.ring, serving), ({ view }) => view),
      url: `${options.tls === undefined ? "ws" : "wss"}://${shownHost}:${port}${PATH}`,
      port,
      connections: server.connections,
      nextConnection: server.nextConnection,
      connection: server.connection,
      kill: Effect.async((resume) => {
        http.close(() => resume(Effect.void))
        for (const socket of sockets) socket.destroy()
      })
    }
  })

const listen = (http: HttpServer, port: number, host: string): Effect.Effect<number, PortTaken | ListenFailed> =>
  Effect.async((resume) => {
    http.once("error", (error: NodeJS.ErrnoException) => {
      resume(
        Effect.fail(
          error.code === "EADDRINUSE"
            ? new PortTaken({ port, message: `Port ${port} is in use. Choose another port, or 0 for a free one.` })
            : new ListenFailed({
                host,
                port,
                message: `Cannot listen on ${host}:${port} (${error.code ?? error.message}). Choose another host or port.`
              })
        )
      )
    })
    http.listen(port, host, () => {
      const address = http.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : port))
    })
  })

/** Gives the peers a moment to answer their CLOSE frames, and then cuts off whoever is left. */
const shutDown = (http: HttpServer, sockets: ReadonlySet<Socket>): Effect.Effect<void> =>
  Effect.async<void>((resume) => void http.close(() => resume(Effect.void))).pipe(
    Effect.interruptible,
    Effect.timeoutOption(CLOSE_TIMEOUT),
    // A test's clock does not move while its scope closes.
    Effect.withClock(Clock.make()),
    Effect.zipRight(
      Effect.sync(() => {
        for (const socket of sockets) socket.destroy()
      })
    )
  )
