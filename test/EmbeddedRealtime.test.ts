import { connect as connectTcp, createServer } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { WebSocket } from "ws"
import { selfSigned } from "../src/command/certificate.js"
import * as EmbeddedRealtime from "../src/EmbeddedRealtime.js"
import * as OpenAiRealtime from "../src/OpenAiRealtime.js"
import { RealtimeModel } from "../src/RealtimeModel.js"
import { connect, userSays } from "./embedded/client.js"

const { Faults, say, script } = EmbeddedRealtime

type Attempt =
  | { readonly _tag: "Open"; readonly protocol: string; readonly first: unknown }
  | { readonly _tag: "Refused"; readonly status: number | undefined; readonly body: string }
  | { readonly _tag: "Failed"; readonly message: string }

/** Opens a WebSocket, and closes it after its first frame. */
const attempt = (
  url: string,
  {
    protocols = [],
    ...options
  }: {
    readonly protocols?: ReadonlyArray<string>
    readonly headers?: Record<string, string>
    readonly ca?: string
  } = {}
): Effect.Effect<Attempt> =>
  Effect.async((resume) => {
    const socket = new WebSocket(url, [...protocols], options)
    socket.on("message", (data) => {
      const first: unknown = JSON.parse(String(data))
      resume(Effect.succeed({ _tag: "Open", protocol: socket.protocol, first }))
      socket.close()
    })
    socket.on("unexpected-response", (_, response) => {
      const chunks: Array<Buffer> = []
      response.on("data", (chunk: Buffer) => chunks.push(chunk))
      response.on("end", () =>
        resume(Effect.succeed({ _tag: "Refused", status: response.statusCode, body: Buffer.concat(chunks).toString() }))
      )
    })
    socket.on("error", (error) => resume(Effect.succeed({ _tag: "Failed", message: error.message })))
  })

/** An open WebSocket, with a promise of how it ends. */
const open = (url: string, options: { readonly ca?: string } = {}) =>
  Effect.async<{ readonly socket: WebSocket; readonly closed: Promise<{ code: number; reason: string }> }>((resume) => {
    const socket = new WebSocket(url, options)
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }))
    })
    socket.on("error", () => undefined)
    socket.once("message", () => resume(Effect.succeed({ socket, closed })))
  })

describe("handshake", () => {
  it.scopedLive("takes the model from the URL, and tells the session", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve()
      expect(server.url).toBe(`ws://127.0.0.1:${server.port}/v1/realtime`)
      const opened = yield* attempt(`${server.url}?model=gpt-realtime-2`, {
        protocols: ["realtime", "openai-insecure-api-key.sk-test"],
        headers: { "OpenAI-Beta": "realtime=v1" }
      })
      expect(opened).toMatchObject({
        _tag: "Open",
        protocol: "realtime",
        first: { type: "session.created", session: { type: "realtime", model: "gpt-realtime-2" } }
      })
    })
  )

  it.scopedLive("refuses any other path", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve()
      const refused = yield* attempt(server.url.replace("/v1/realtime", "/v2/realtime"))
      expect(refused).toMatchObject({ _tag: "Refused", status: 404 })
      const status = yield* Effect.promise(() => fetch(server.url.replace("ws:", "http:")).then((r) => r.status))
      expect(status).toBe(426)
    })
  )

  it.scopedLive("accepts the key in each of the three places, and refuses every other one", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ apiKey: Redacted.make("sk-right") })
      const tags = yield* Effect.forEach(
        [
          { headers: { Authorization: "Bearer sk-right" } },
          { headers: { "api-key": "sk-right" } },
          { protocols: ["realtime", "openai-insecure-api-key.sk-right"] },
          { headers: { Authorization: "Bearer sk-wrong" } },
          {}
        ],
        (options) => Effect.map(attempt(server.url, options), (outcome) => outcome._tag)
      )
      expect(tags).toEqual(["Open", "Open", "Open", "Refused", "Refused"])
      const refused = yield* attempt(server.url, { headers: { Authorization: "Bearer sk-wrong" } })
      expect(refused).toMatchObject({ status: 401 })
      expect(refused._tag === "Refused" && JSON.parse(refused.body)).toMatchObject({
        error: { type: "invalid_request_error", code: "invalid_api_key" }
      })
      expect(refused._tag === "Refused" && refused.body).not.toContain("sk-")
    })
  )

  it.scopedLive("is refused where the faults say so", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({
        faults: [Faults.refuseHandshake(429, "slow down", { connection: 1 })]
      })
      expect(yield* attempt(server.url)).toEqual({ _tag: "Refused", status: 429, body: "slow down" })
      expect((yield* attempt(server.url))._tag).toBe("Open")
    })
  )

  it.scopedLive("is answered however the server is started, also in an uninterruptible region", () =>
    Effect.gen(function* () {
      const server = yield* Effect.uninterruptible(
        EmbeddedRealtime.serve({ faults: [Faults.refuseHandshake(503, "", { connection: 1 })] })
      )
      expect(yield* attempt(server.url)).toMatchObject({ _tag: "Refused", status: 503 })
      expect(yield* attempt(server.url)).toMatchObject({ _tag: "Open" })
    })
  )
})

describe("the port", () => {
  it.scopedLive("that is taken is a typed error that says what to do", () =>
    Effect.gen(function* () {
      const port = yield* Effect.acquireRelease(
        Effect.async<{ port: number; close: () => void }>((resume) => {
          const server = createServer().listen(0, "127.0.0.1", () => {
            const address = server.address()
            const port = typeof address === "object" && address !== null ? address.port : 0
            resume(Effect.succeed({ port, close: () => server.close() }))
          })
        }),
        ({ close }) => Effect.sync(close)
      )
      const error = yield* Effect.flip(EmbeddedRealtime.serve({ port: port.port }))
      expect(error).toMatchObject({
        _tag: "PortTaken",
        port: port.port,
        message: `Port ${port.port} is in use. Choose another port, or 0 for a free one.`
      })
    })
  )

  it.scopedLive("is free again when the scope has closed", () =>
    Effect.gen(function* () {
      const { port } = yield* Effect.scoped(EmbeddedRealtime.serve())
      const again = yield* EmbeddedRealtime.serve({ port })
      expect(again.port).toBe(port)
    })
  )
})

describe("the end of a connection", () => {
  it.live("comes with code 1001 when the server's scope closes, even for a peer that never answers", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const server = yield* Scope.extend(EmbeddedRealtime.serve(), scope)
      const { closed } = yield* open(server.url)
      const deaf = yield* Effect.async<{ readonly closed: Promise<void> }>((resume) => {
        const socket = connectTcp(server.port, "127.0.0.1", () => {
          socket.write(
            "GET /v1/realtime HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
          )
        })
        const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()))
        socket.on("error", () => undefined)
        socket.once("data", () => resume(Effect.succeed({ closed })))
      })
      yield* Scope.close(scope, Exit.void)
      expect(yield* Effect.promise(() => closed)).toEqual({ code: 1001, reason: "" })
      yield* Effect.promise(() => deaf.closed)
    })
  )

  it.scopedLive("is seen by both sides", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve()

      const dropped = yield* open(server.url)
      yield* (yield* server.nextConnection).drop
      expect((yield* Effect.promise(() => dropped.closed)).code).toBe(1006)

      const closedByServer = yield* open(server.url)
      const second = yield* server.nextConnection
      yield* second.close(4000, "enough")
      expect(yield* Effect.promise(() => closedByServer.closed)).toEqual({ code: 4000, reason: "enough" })
      expect(yield* second.ended).toEqual({ _tag: "ClosedByServer", code: 4000, reason: "enough" })

      const closedByClient = yield* open(server.url)
      closedByClient.socket.close(1000, "bye")
      expect(yield* (yield* server.nextConnection).ended).toEqual({ _tag: "ClosedByClient", code: 1000, reason: "bye" })

      const vanished = yield* open(server.url)
      vanished.socket.terminate()
      expect(yield* (yield* server.nextConnection).ended).toEqual({ _tag: "Dropped" })
    })
  )
})

describe("a server that is killed", () => {
  const apiKey = Redacted.make("sk-test")
  const model = (server: EmbeddedRealtime.Served) => OpenAiRealtime.make({ apiKey, url: server.url })

  it.scopedLive("closes without CLOSE frames, and leaves its port to another one", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve()
      const client = yield* connect(yield* model(server))
      const plain = yield* open(server.url)
      const seen = yield* server.connections
      yield* server.kill
      expect(yield* Effect.forEach(seen, ({ ended }) => ended)).toEqual([{ _tag: "Dropped" }, { _tag: "Dropped" }])
      expect(yield* Effect.flip(client.connection.frames.take)).toMatchObject({ _tag: "ConnectionLost", code: 1006 })
      expect((yield* Effect.promise(() => plain.closed)).code).toBe(1006)
      const refused = yield* Effect.flip(connect(yield* model(server)))
      expect(refused).toMatchObject({ _tag: "ConnectFailed" })
      expect(refused.message).toContain("Nothing listens")

      const again = yield* EmbeddedRealtime.serve({ port: server.port, firstConnection: seen.length + 1 })
      expect(again.url).toBe(server.url)
      const back = yield* connect(yield* model(server))
      yield* back.send(userSays("Are you there?"))
      expect((yield* back.until("conversation.item.done")).item.id).toBe("item_3_1")
      yield* again.kill
      yield* again.kill
      expect(yield* Effect.flip(back.connection.frames.take)).toMatchObject({ code: 1006 })
    })
  )

  it.scopedLive("waits neither for a client that is deaf, nor for a handshake that it never answers", () =>
    Effect.gen(function* () {
      const hangs = yield* Deferred.make<void>()
      const server = yield* EmbeddedRealtime.serve({
        faults: [
          (step) => {
            if (step._tag !== "Connecting") return undefined
            Deferred.unsafeDone(hangs, Effect.void)
            return [{ _tag: "Hang" }]
          }
        ]
      })
      const hanging = yield* Effect.fork(Effect.flip(connect(yield* model(server))))
      yield* Deferred.await(hangs)
      const deaf = connectTcp(server.port, "127.0.0.1")
      yield* Effect.addFinalizer(() => Effect.sync(() => deaf.destroy()))
      yield* Effect.async<void>((resume) => void deaf.once("connect", () => resume(Effect.void)))
      yield* server.kill
      expect(yield* Fiber.join(hanging)).toMatchObject({ _tag: "ConnectFailed" })
    })
  )
})

describe("a session over a socket", () => {
  it.scopedLive("expires with an error and the code 1001", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ maxSessionDuration: "50 millis" })
      const client = yield* connect(yield* OpenAiRealtime.make({ apiKey: Redacted.make("sk-test"), url: server.url }))
      expect((yield* client.until("error")).error).toMatchObject({ code: "session_expired" })
      expect(yield* Effect.flip(client.connection.frames.take)).toMatchObject({
        code: 1001,
        reason: "Your session hit the maximum duration of 50ms."
      })
    })
  )

  it.scopedLive("is dropped at will, also while a fault holds back what it sends", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({ faults: [Faults.delay("conversation.item.added", "1 hour")] })
      const client = yield* connect(yield* OpenAiRealtime.make({ apiKey: Redacted.make("sk-test"), url: server.url }))
      const connection = yield* server.connection
      yield* client.send(userSays("Hello."))
      yield* connection.next("conversation.item.create")
      yield* connection.drop
      expect(yield* Effect.flip(client.connection.frames.take.pipe(Effect.forever))).toMatchObject({ code: 1006 })
    })
  )
})

describe("over TLS", () => {
  it.scopedLive("serves wss: only to clients that trust the certificate", () =>
    Effect.gen(function* () {
      const tls = yield* selfSigned("127.0.0.1")
      const server = yield* EmbeddedRealtime.serve({ tls })
      expect(server.url).toBe(`wss://127.0.0.1:${server.port}/v1/realtime`)
      expect(yield* attempt(server.url, { ca: tls.cert })).toMatchObject({
        _tag: "Open",
        first: { type: "session.created" }
      })
      expect(yield* attempt(server.url.replace("127.0.0.1", "localhost"), { ca: tls.cert })).toMatchObject({
        _tag: "Open"
      })
      expect(yield* attempt(server.url)).toEqual({ _tag: "Failed", message: "self-signed certificate" })
      expect(yield* attempt(server.url.replace("wss:", "ws:"))).toMatchObject({ _tag: "Failed" })
    })
  )

  it.scopedLive("is killed like any other server", () =>
    Effect.gen(function* () {
      const tls = yield* selfSigned("127.0.0.1")
      const server = yield* EmbeddedRealtime.serve({ tls })
      const { closed } = yield* open(server.url, { ca: tls.cert })
      yield* server.kill
      expect((yield* Effect.promise(() => closed)).code).toBe(1006)
      const again = yield* EmbeddedRealtime.serve({ tls, port: server.port })
      expect(again.url).toBe(server.url)
    })
  )

  it.scopedLive("says what is wrong with a certificate, and does not show the key", () =>
    Effect.gen(function* () {
      const [mine, other] = yield* Effect.all([selfSigned("127.0.0.1"), selfSigned("127.0.0.1")])
      const unfit = yield* Effect.flip(EmbeddedRealtime.serve({ tls: { cert: mine.cert, key: other.key } }))
      expect(unfit).toMatchObject({ _tag: "OptionsInvalid", problems: [{ option: "tls" }] })
      expect(unfit.message).toContain("`tls` should be a PEM certificate and its PEM key, but Node cannot use them")
      const secret = Redacted.make("-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----")
      const wrong = yield* Effect.flip(EmbeddedRealtime.serve({ tls: { cert: mine.cert, key: secret } }))
      expect(wrong).toMatchObject({ _tag: "OptionsInvalid", problems: [{ option: "tls" }] })
      expect(JSON.stringify(wrong)).not.toContain("c2VjcmV0")
    })
  )
})

describe("layer", () => {
  it.scoped("is a model in memory, under the clock of its caller", () =>
    Effect.gen(function* () {
      const client = yield* connect(yield* RealtimeModel)
      yield* client.send({ type: "response.create" })
      expect(client.connection.bufferedBytes()).toBe(0)
      expect((yield* client.until("response.done")).response.status).toBe("completed")
    }).pipe(Effect.provide(EmbeddedRealtime.layer({ mind: script([[say("Hello.")]]) })))
  )
})
