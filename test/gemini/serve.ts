import * as Http from "node:http"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import { Scope } from "effect/Scope"
import { type WebSocket, WebSocketServer } from "ws"
import { listen } from "../openai/Loopback.js"
import * as GeminiServer from "./GeminiServer.js"

const path = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"

/** Gemini over a real socket: messages are binary frames with JSON, as Google sends them. */
export const serve = (options: GeminiServer.Options & { readonly accepts?: (key: string | null) => boolean }) =>
  Effect.gen(function* () {
    const server = yield* GeminiServer.make(options)
    const runtime = yield* Effect.runtime<never>()
    const scope = yield* Effect.scope
    const http = Http.createServer()
    const sockets = new WebSocketServer({ noServer: true })
    const requests: Array<string> = []
    const serveOne = (socket: WebSocket) =>
      Effect.gen(function* () {
        const connection = yield* server.attach({
          deliver: (text) => socket.send(Buffer.from(text)),
          close: (code, reason) => socket.close(code, reason)
        })
        socket.on("message", (data) => connection.receive(data.toString()))
        socket.on("close", connection.hangUp)
      }).pipe(Effect.provideService(Scope, scope))
    http.on("upgrade", (request, socket, head) => {
      requests.push(request.url ?? "")
      const url = new URL(`http://localhost${request.url ?? "/"}`)
      const refuse = (status: string) =>
        socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      if (url.pathname.replace(/^\/+/, "/") !== path) return refuse("404 Not Found")
      if (options.accepts?.(url.searchParams.get("key")) === false) return refuse("403 Forbidden")
      sockets.handleUpgrade(request, socket, head, (opened) => Runtime.runSync(runtime)(serveOne(opened)))
    })
    const port = yield* listen(http)
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        for (const client of sockets.clients) client.terminate()
      })
    )
    return { ...server, requests, base: `http://127.0.0.1:${port}`, url: `ws://127.0.0.1:${port}${path}` }
  })
