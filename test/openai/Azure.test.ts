import * as Http from "node:http"
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { WebSocketServer } from "ws"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import { addressOf } from "../../src/openai/Azure.js"
import { RealtimeModel } from "../../src/RealtimeModel.js"
import { appearances } from "./appearances.js"
import { listen } from "./Loopback.js"

class TokenDenied extends Data.TaggedError("TokenDenied")<{ readonly said: string }> {}
class Entra extends Context.Tag("test/Entra")<Entra, Effect.Effect<Redacted.Redacted, TokenDenied>>() {}

const key = "azure-key-0123456789abcdef"
const first = "entra-first-0123456789abcdef"
const second = "entra-second-0123456789abcdef"

/** As Azure: knows one path, refuses a query with `api-version` or without a deployment, and an expired credential. */
const azureServer = Effect.gen(function* () {
  const requests: Array<{ readonly url: string; readonly headers: Http.IncomingHttpHeaders }> = []
  const accepted = new Set([first, key])
  const http = Http.createServer()
  const sockets = new WebSocketServer({ noServer: true })
  http.on("upgrade", (request, socket, head) => {
    requests.push({ url: request.url ?? "", headers: request.headers })
    const url = new URL(request.url ?? "/", "http://localhost")
    const given = request.headers["api-key"] ?? request.headers.authorization?.replace(/^Bearer /, "")
    const refuse = (status: string, body = "") =>
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`)
    if (url.pathname !== "/openai/v1/realtime") return refuse("404 Not Found")
    if (url.searchParams.has("api-version") || !accepted.has(String(given))) {
      return refuse("401 Unauthorized", JSON.stringify({ error: { code: "401", message: `Denied: ${given}` } }))
    }
    if (url.searchParams.get("model") === null) return refuse("400 Bad Request")
    sockets.handleUpgrade(request, socket, head, () => {})
  })
  const port = yield* listen(http)
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      for (const client of sockets.clients) client.terminate()
    })
  )
  return { resource: `http://127.0.0.1:${port}/`, requests, accepted }
})

const connect = <R>(layer: Layer.Layer<RealtimeModel, OpenAiRealtime.OptionsInvalid, R>, times = 1) =>
  Effect.gen(function* () {
    const model = yield* RealtimeModel
    for (let each = 0; each < times; each++) {
      expect((yield* model.connect({})).traits).toEqual({ provider: "azure.ai.openai" })
    }
  }).pipe(Effect.provide(layer))

describe("OpenAiRealtime.azure", () => {
  it.each([
    { resource: "my-resource", address: "wss://my-resource.openai.azure.com/openai/v1/realtime" },
    {
      resource: "https://my-resource.openai.azure.com/",
      address: "wss://my-resource.openai.azure.com/openai/v1/realtime"
    },
    {
      resource: "https://mine.cognitiveservices.azure.com/openai/realtime?api-version=2025-04-01-preview",
      address: "wss://mine.cognitiveservices.azure.com/openai/v1/realtime"
    },
    { resource: "my resource", address: undefined },
    { resource: "my.resource/x", address: undefined },
    { resource: "ftp://my-resource", address: undefined }
  ])("finds the endpoint of $resource", ({ address, resource }) => {
    expect(addressOf(resource)).toBe(address)
  })

  it.scoped("takes a token at each dial, names the deployment, and sends no api-version and no beta header", () =>
    Effect.gen(function* () {
      const server = yield* azureServer
      const tokens = [first, second]
      const token = Effect.sync(() => Redacted.make(tokens.shift() ?? second))
      server.accepted.add(second)
      yield* connect(OpenAiRealtime.azure({ resource: server.resource, deployment: "voice desk", token }), 2)
      expect(server.requests.map(({ url }) => url)).toEqual([
        "/openai/v1/realtime?model=voice%20desk",
        "/openai/v1/realtime?model=voice%20desk"
      ])
      expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
        `Bearer ${first}`,
        `Bearer ${second}`
      ])
      for (const { headers } of server.requests) {
        expect(headers).not.toHaveProperty("openai-beta")
        expect(headers).not.toHaveProperty("api-key")
      }
    })
  )

  it.scoped("sends a key of the resource as api-key", () =>
    Effect.gen(function* () {
      const server = yield* azureServer
      const apiKey = Redacted.make(key)
      yield* connect(OpenAiRealtime.azure({ resource: server.resource, deployment: "voice", apiKey }))
      expect(server.requests[0]?.headers).toMatchObject({ "api-key": key })
      expect(server.requests[0]?.headers).not.toHaveProperty("authorization")
    })
  )

  it.scoped("asks for a fresh token where one has expired between two dials", () =>
    Effect.gen(function* () {
      const server = yield* azureServer
      const asked: Array<string> = []
      const token = Effect.sync(() => {
        // A cache that does not know yet that its token has expired: it learns it by being asked again.
        asked.push(asked.length < 2 ? first : second)
        return Redacted.make(asked.at(-1) ?? "")
      })
      const program = Effect.gen(function* () {
        const model = yield* RealtimeModel
        yield* model.connect({})
        server.accepted.delete(first)
        server.accepted.add(second)
        yield* model.connect({})
      })
      yield* Effect.provide(program, OpenAiRealtime.azure({ resource: server.resource, deployment: "voice", token }))
      expect(asked).toEqual([first, first, second])
    })
  )

  it.scoped("says that an expired token is refused, without the token", () =>
    Effect.gen(function* () {
      const server = yield* azureServer
      server.accepted.clear()
      const token = Effect.succeed(Redacted.make(first))
      const exit = yield* Effect.exit(
        connect(OpenAiRealtime.azure({ resource: server.resource, deployment: "voice", token }))
      )
      const error = yield* Effect.flip(exit)
      expect(error).toMatchObject({ _tag: "HandshakeRefused", status: 401 })
      for (const text of appearances(exit)) expect(text).not.toContain(first)
    })
  )

  it.effect.each([
    { title: "a resource that is none", options: { resource: "my resource" }, says: "`resource` should be the name" },
    { title: "no deployment", options: { deployment: "" }, says: "`deployment` should be text" },
    { title: "both credentials", options: { token: Effect.succeed(Redacted.make(first)) }, says: "not both" },
    { title: "none of them", options: { apiKey: undefined }, says: "not neither" },
    { title: "a limit below its minimum", options: { maxQueuedFrames: 0 }, says: "`maxQueuedFrames`" }
  ])("refuses $title, and shows no credential", ({ options, says }) =>
    Effect.gen(function* () {
      const all = { resource: "my-resource", deployment: "voice", apiKey: Redacted.make(key), ...options }
      // What the types refuse, a configuration may still hold.
      const layer = OpenAiRealtime.azure(all as OpenAiRealtime.AzureOptions)
      const exit = yield* Effect.exit(Effect.scoped(connect(layer)))
      const error = yield* Effect.flip(exit)
      expect(error._tag).toBe("OptionsInvalid")
      expect(error.message).toContain(says)
      for (const text of appearances(exit)) expect(text).not.toMatch(/0123456789abcdef/)
    })
  )

  it("makes the layer require what the token requires", () => {
    const layer = OpenAiRealtime.azure({ resource: "r1", deployment: "voice", token: Effect.flatten(Entra) })
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<RealtimeModel, OpenAiRealtime.OptionsInvalid, Entra>>()
    // @ts-expect-error one of them is enough: two would leave open which one is sent
    const both: OpenAiRealtime.AzureOptions = { resource: "r1", deployment: "d", apiKey: Redacted.make(key), token }
    expect(both).toBeDefined()
  })
})

const token = Effect.succeed(Redacted.make(first))
