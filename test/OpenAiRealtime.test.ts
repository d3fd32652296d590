import * as Http from "node:http"
import * as Net from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Inspectable from "effect/Inspectable"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as Tracer from "effect/Tracer"
import * as OpenAiRealtime from "../src/OpenAiRealtime.js"
import { RealtimeModel } from "../src/RealtimeModel.js"
import { appearances } from "./openai/appearances.js"
import { listen, refusingServer, webSocketServer } from "./openai/Loopback.js"

const key = "sk-very-secret-0123456789"
const apiKey = Redacted.make(key)

const connect = (options: Partial<OpenAiRealtime.Options>, model?: string) =>
  Effect.flatMap(OpenAiRealtime.make({ apiKey, ...options }), (service) => service.connect({ model }))

const connectWith = (
  environment: ReadonlyArray<readonly [string, string]>,
  config?: Parameters<typeof OpenAiRealtime.layerConfig>[0]
) =>
  Effect.flatMap(RealtimeModel, (model) => model.connect({})).pipe(
    Effect.provide(OpenAiRealtime.layerConfig(config)),
    Effect.withConfigProvider(ConfigProvider.fromMap(new Map(environment)))
  )

/** A TCP server that accepts, and never says anything. */
const silentServer = Effect.gen(function* () {
  const accepted = yield* Deferred.make<void>()
  const dropped = yield* Deferred.make<void>()
  const port = yield* listen(
    Net.createServer((socket) => {
      Deferred.unsafeDone(accepted, Effect.void)
      socket.resume()
      socket.on("error", () => {})
      socket.on("close", () => Deferred.unsafeDone(dropped, Effect.void))
    })
  )
  return { url: `ws://127.0.0.1:${port}/v1/realtime`, accepted, dropped }
})

describe("layer", () => {
  it.scoped("connects with the key and the model, and without anything from the beta", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      const layer = OpenAiRealtime.layer({ apiKey, url: server.url, organization: "org-1", project: "proj-1" })
      yield* Effect.provide(
        Effect.flatMap(RealtimeModel, (model) => model.connect({ model: "gpt-realtime-2" })),
        layer
      )
      const { request } = yield* server.peers.take
      expect(request.url).toBe("/v1/realtime?model=gpt-realtime-2")
      expect(request.headers).toMatchObject({
        authorization: `Bearer ${key}`,
        "openai-organization": "org-1",
        "openai-project": "proj-1"
      })
      expect(request.headers).not.toHaveProperty("openai-beta")
      expect(request.headers).not.toHaveProperty("sec-websocket-extensions")
      expect(request.headers).not.toHaveProperty("sec-websocket-protocol")
    })
  )

  it.scoped("connects by subprotocol if asked to", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      yield* connect({ url: server.url, authentication: "subprotocol" })
      const { request } = yield* server.peers.take
      expect(request.headers["sec-websocket-protocol"]).toBe(`realtime,openai-insecure-api-key.${key}`)
      expect(request.headers).not.toHaveProperty("authorization")
    })
  )
})

describe("layerConfig", () => {
  it.scoped("reads the environment", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      yield* connectWith([
        ["OPENAI_API_KEY", key],
        ["OPENAI_BASE_URL", server.url.replace(/^ws(.*)\/realtime$/, "http$1/")],
        ["OPENAI_REALTIME_MODEL", "gpt-realtime-2"],
        ["OPENAI_ORG_ID", "org-1"],
        ["OPENAI_PROJECT_ID", ""]
      ])
      const { request } = yield* server.peers.take
      expect(request.url).toBe("/v1/realtime?model=gpt-realtime-2")
      expect(request.headers).toMatchObject({ authorization: `Bearer ${key}`, "openai-organization": "org-1" })
      expect(request.headers).not.toHaveProperty("openai-project")
    })
  )

  it.scoped("prefers what it is given, and the more specific variable", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      yield* connectWith(
        [
          ["VOICE_KEY", "other-key"],
          ["OPENAI_BASE_URL", "http://nowhere.invalid"],
          ["OPENAI_REALTIME_URL", `${server.url}/own?x=1`]
        ],
        { apiKey: Config.redacted("VOICE_KEY"), authentication: Config.succeed("api-key"), model: Config.succeed(null) }
      )
      const { request } = yield* server.peers.take
      expect(request.url).toBe("/v1/realtime/own?x=1")
      expect(request.headers["api-key"]).toBe("other-key")
    })
  )

  it.scoped("takes one configuration of everything", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      yield* connectWith([], Config.succeed({ apiKey, url: server.url, model: "gpt-realtime-2" }))
      const { request } = yield* server.peers.take
      expect(request.url).toBe("/v1/realtime?model=gpt-realtime-2")
    })
  )

  it.effect.each([{ environment: [] }, { environment: [["OPENAI_API_KEY", " "] as const] }])(
    "says what to set when there is no key: $environment",
    ({ environment }) =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.scoped(connectWith(environment)))
        expect(error).toMatchObject({ _op: "MissingData" })
        expect(String(error)).toContain("Set OPENAI_API_KEY")
      })
  )
})

describe("a refused handshake", () => {
  it.scoped.each([
    { status: 400, hint: "name of the model" },
    { status: 401, hint: "API key" },
    { status: 403, hint: "permissions" },
    { status: 404, hint: "no such endpoint or model" },
    { status: 429, hint: "rate limit" },
    { status: 503, hint: "Try again later" },
    { status: 301, hint: "redirects" },
    { status: 200, hint: "Realtime endpoint" }
  ])("has the status $status, what the server said, and what to do", ({ status, hint }) =>
    Effect.gen(function* () {
      const body = JSON.stringify({ error: { message: `Because of ${status}.`, code: "some_code" } })
      const url = yield* refusingServer(status, body, { location: "http://127.0.0.1:1/elsewhere" })
      const error = yield* Effect.flip(connect({ url }))
      expect(error).toMatchObject({ _tag: "HandshakeRefused", status, body, url: `${url}?model=gpt-realtime` })
      expect(error.message).toContain(hint)
      expect(error.message).toContain(`Because of ${status}.`)
    })
  )

  it.scoped.each([
    { status: 429, code: "insufficient_quota", hint: "quota is used up. Trying again does not help" },
    { status: 429, code: "billing_hard_limit_reached", hint: "spending limit" },
    { status: 429, code: "billing_not_active", hint: "billing is not active" },
    { status: 401, code: "invalid_api_key", hint: "API key is wrong" },
    { status: 403, code: "unsupported_country_region_territory", hint: "country or region" },
    { status: 404, code: "model_not_found", hint: "no such model" }
  ])("says what to do about $code, whatever status it has ($status)", ({ code, hint, status }) =>
    Effect.gen(function* () {
      const url = yield* refusingServer(
        status,
        JSON.stringify({ error: { message: "No.", type: code, code: null } }),
        {}
      )
      const { message } = yield* Effect.flip(connect({ url }))
      expect(message).toContain(hint)
      expect(message).not.toContain("Wait and try again")
    })
  )

  it.scoped("has at most 2,000 characters of the body, and no key in them", () =>
    Effect.gen(function* () {
      const url = yield* refusingServer(401, `Bad key ${key}! `.repeat(10_000))
      const error = yield* Effect.flip(connect({ url }))
      expect(error._tag === "HandshakeRefused" && error.body.length).toBe(2000)
      expect(JSON.stringify(error)).not.toContain("very-secret")
    })
  )
})

describe("a refused handshake whose body never ends", () => {
  it.scoped.each([
    { status: 401, begun: JSON.stringify({ error: { message: "No." } }).slice(0, -1) },
    { status: 429, begun: "" },
    { status: 401, begun: `Incorrect API key provided: ${key.slice(0, -3)}` }
  ])("is told by its status, $status, with what came of it: $begun", ({ begun, status }) =>
    Effect.gen(function* () {
      const server = Http.createServer((_, response) => {
        response.writeHead(status, { "content-length": 5_000, "retry-after": "7" })
        response.write(begun === "" ? " " : begun)
      })
      const url = `ws://127.0.0.1:${yield* listen(server)}/v1/realtime`
      yield* Effect.addFinalizer(() => Effect.sync(() => server.closeAllConnections()))
      const attempt = yield* Effect.fork(Effect.flip(connect({ url, openTimeout: "1 hour" })))
      // The answer takes real time, and the patience with its body none.
      while (attempt.unsafePoll() === null) {
        yield* Effect.promise(() => new Promise((resolve) => setTimeout(resolve, 1)))
        yield* TestClock.adjust("1 second")
      }
      const error = yield* Fiber.join(attempt)
      expect(error).toMatchObject({ _tag: "HandshakeRefused", status, retryAfterMs: 7_000 })
      expect(error._tag === "HandshakeRefused" && error.body).toBe(
        begun.includes("key") ? "Incorrect API key provided: <redacted>" : begun === "" ? " " : begun
      )
    })
  )

  it.scoped("is reported by its status even if the body never ends, and reads no more of the body than it shows", () =>
    Effect.gen(function* () {
      const closed = yield* Deferred.make<void>()
      const server = Http.createServer((_, response) => {
        response.writeHead(503, { "retry-after": "soon" })
        const more = () =>
          void (response.write("busy! ".repeat(10_000)) ? setImmediate(more) : response.once("drain", more))
        response.on("close", () => Deferred.unsafeDone(closed, Effect.void))
        more()
      })
      const url = `ws://127.0.0.1:${yield* listen(server)}/v1/realtime`
      const error = yield* Effect.flip(connect({ url }))
      expect(error).toMatchObject({ _tag: "HandshakeRefused", status: 503 })
      expect(error).not.toHaveProperty("retryAfterMs")
      yield* Deferred.await(closed)
    })
  )
})

describe("a connection that can't be opened", () => {
  it.scoped("says so when nothing listens on the port", () =>
    Effect.gen(function* () {
      const port = yield* Effect.scoped(listen(Net.createServer()))
      const error = yield* Effect.flip(connect({ url: `ws://127.0.0.1:${port}/x` }))
      expect(error).toMatchObject({ _tag: "ConnectFailed", url: `ws://127.0.0.1:${port}/x?model=gpt-realtime` })
      expect(error.message).toContain(`Nothing listens at 127.0.0.1:${port}`)
    })
  )

  it.scoped("says so when the server does not speak TLS", () =>
    Effect.gen(function* () {
      const url = yield* refusingServer(200, "")
      const error = yield* Effect.flip(connect({ url: url.replace("ws://", "wss://") }))
      expect(error._tag).toBe("ConnectFailed")
      expect(error.message).toContain("ws:// instead of wss://")
    })
  )

  it.scoped("says so when the server hangs up", () =>
    Effect.gen(function* () {
      const port = yield* listen(Net.createServer((socket) => socket.end()))
      const error = yield* Effect.flip(connect({ url: `ws://127.0.0.1:${port}/x` }))
      expect(error._tag).toBe("ConnectFailed")
      expect(error.message).toContain("closed the connection during the handshake")
    })
  )

  it.effect.each([
    { title: "an invalid URL", options: { url: "no url" } },
    { title: "an empty key", options: { apiKey: Redacted.make("") } },
    {
      title: "a key that is no header value",
      options: { apiKey: Redacted.make(`${key}\nx`), url: "ws://127.0.0.1:1" }
    },
    {
      title: "a key that is no subprotocol",
      options: { apiKey: Redacted.make(`${key} x`), url: "ws://127.0.0.1:1", authentication: "subprotocol" as const }
    }
  ])("fails with a typed error for $title", ({ options }) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(Effect.scoped(connect(options)))
      expect(error._tag).toBe("ConnectFailed")
      expect(JSON.stringify(error)).not.toContain("very-secret")
    })
  )

  it.scoped("times out when the handshake is never answered, and drops the socket", () =>
    Effect.gen(function* () {
      const server = yield* silentServer
      const scope = yield* Scope.make()
      const attempt = yield* Effect.fork(Effect.flip(Scope.extend(connect({ url: server.url }), scope)))
      yield* Deferred.await(server.accepted)
      yield* TestClock.adjust("9 seconds")
      expect(attempt.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 second")
      expect(yield* Fiber.join(attempt)).toMatchObject({ _tag: "ConnectTimedOut", afterMs: 10_000 })
      yield* Deferred.await(server.dropped)
    })
  )

  it.scoped("drops the socket at once when the attempt is interrupted", () =>
    Effect.gen(function* () {
      const server = yield* silentServer
      const scope = yield* Scope.make()
      const attempt = yield* Effect.fork(Scope.extend(connect({ url: server.url }), scope))
      yield* Deferred.await(server.accepted)
      yield* Fiber.interrupt(attempt)
      yield* Deferred.await(server.dropped)
    })
  )
})

describe("the key", () => {
  it.scoped("does not appear in any error, even if the server repeats it", () =>
    Effect.gen(function* () {
      const refusing = yield* refusingServer(401, JSON.stringify({ error: { message: `Incorrect API key: ${key}` } }))
      const closing = yield* webSocketServer((socket) => socket.close(4001, `Bad key ${key}`))
      const exits: ReadonlyArray<Exit.Exit<unknown, unknown>> = [
        yield* Effect.exit(connect({ url: `${refusing}?key=${key}` })),
        yield* Effect.exit(connect({ url: refusing.replace("ws://", `ws://user:${key}@`) })),
        yield* Effect.exit(connect({ url: `wss://127.0.0.1:1/${key}` })),
        yield* Effect.exit(connect({ url: key })),
        yield* Effect.exit(Effect.flatMap(connect({ url: closing.url }), (connection) => connection.frames.take))
      ]
      for (const exit of exits) {
        expect(Exit.isFailure(exit)).toBe(true)
        for (const text of appearances(exit)) expect(text).not.toContain("very-secret")
      }
    })
  )

  it.scoped("does not appear in the service, its options or its span", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      const options: OpenAiRealtime.Options = { apiKey, url: `${server.url}?api-key=${key}` }
      const service = yield* OpenAiRealtime.make(options)
      const spans: Array<Tracer.Span> = []
      const native = yield* Effect.tracer
      const tracer = Tracer.make({
        span: (...args) => {
          const span = native.span(...args)
          spans.push(span)
          return span
        },
        context: native.context
      })
      const connection = yield* Effect.withTracer(service.connect({}), tracer)
      expect(spans.map((span) => [span.name, span.attributes.get("url.full")])).toEqual([
        ["OpenAiRealtime.connect", `${server.url}?api-key=***&model=gpt-realtime`]
      ])
      for (const value of [options.apiKey, service, connection]) {
        expect(Inspectable.format(value)).not.toContain("very-secret")
        expect(JSON.stringify(value) ?? "").not.toContain("very-secret")
      }
    })
  )
})
