import * as Http from "node:http"
import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { WebSocketServer } from "ws"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import type { RealtimeModel } from "../../src/RealtimeModel.js"
import * as Session from "../../src/Session.js"
import { appearances } from "./appearances.js"
import { listen, webSocketServer } from "./Loopback.js"

const key = "sk-very-secret-0123456789"

class TokenDenied extends Data.TaggedError("TokenDenied")<{ readonly said: string }> {}
class Tokens extends Context.Tag("test/Tokens")<Tokens, Effect.Effect<Redacted.Redacted, TokenDenied>>() {}

const connect = <E, R>(options: OpenAiRealtime.Options<E, R>) =>
  Effect.flatMap(OpenAiRealtime.make(options), (model) => model.connect({}))

describe("an effect that gives the API key", () => {
  /** Gives these, one after the other, and the last one again and again. */
  const inTurn = (...keys: ReadonlyArray<string>) => {
    const asked: Array<string> = []
    const apiKey = Effect.sync(() => {
      const next = keys[Math.min(asked.length, keys.length - 1)] ?? ""
      asked.push(next)
      return Redacted.make(next)
    })
    return { apiKey, asked }
  }

  const first = "ek_first_0123456789abcdef"
  const second = "ek_second_0123456789abcdef"

  /** Accepts one key, and says back each that it does not. */
  const picky = (accepted: string) =>
    Effect.gen(function* () {
      const shown: Array<string> = []
      const http = Http.createServer()
      const server = new WebSocketServer({ noServer: true })
      http.on("upgrade", (request, socket, head) => {
        const authorization = String(request.headers.authorization)
        shown.push(authorization)
        if (authorization === `Bearer ${accepted}`) return server.handleUpgrade(request, socket, head, () => {})
        socket.end(`HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\nNot with ${shown.join(" or ")}!`)
      })
      const port = yield* listen(http)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          for (const client of server.clients) client.terminate()
        })
      )
      return { url: `ws://127.0.0.1:${port}/v1/realtime`, shown }
    })

  it.scoped("is asked for each connection, by header and by subprotocol", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      for (const authentication of ["bearer", "api-key", "subprotocol"] as const) {
        const { apiKey } = inTurn(first, second)
        const model = yield* OpenAiRealtime.make({ apiKey, url: server.url, authentication })
        for (const key of [first, second]) {
          yield* model.connect({})
          const { headers } = (yield* server.peers.take).request
          const sent = [headers.authorization, headers["api-key"], headers["sec-websocket-protocol"]].join()
          expect(sent, authentication).toContain(key)
          expect(sent, authentication).not.toContain(key === first ? second : first)
        }
      }
    })
  )

  it.scoped("is asked once more where its key has expired", () =>
    Effect.gen(function* () {
      const server = yield* picky(second)
      const { apiKey, asked } = inTurn(first, second)
      const model = yield* OpenAiRealtime.make({ apiKey, url: server.url })
      yield* model.connect({})
      expect(server.shown).toEqual([`Bearer ${first}`, `Bearer ${second}`])
      yield* model.connect({})
      expect(asked).toHaveLength(3)
    })
  )

  it.scoped.each([
    { title: "another one is refused too", given: [first, second], shown: 2 },
    { title: "it gives the same one again", given: [first], shown: 1 }
  ])("ends with the refusal where $title, which tells none of its keys", ({ given, shown }) =>
    Effect.gen(function* () {
      const server = yield* picky("another")
      const { apiKey, asked } = inTurn(...given)
      const error = yield* Effect.flip(connect({ apiKey, url: server.url }))
      expect(error).toMatchObject({ _tag: "HandshakeRefused", status: 401 })
      expect([asked.length, server.shown.length]).toEqual([2, shown])
      const told = Array.from({ length: shown }, () => "Bearer <redacted>").join(" or ")
      expect(error._tag === "HandshakeRefused" && error.body).toBe(`Not with ${told}!`)
    })
  )

  it.scoped("is known in what the server says back, also the keys of earlier connections", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer((socket) => socket.send(JSON.stringify({ type: first, also: second })))
      const model = yield* OpenAiRealtime.make({ apiKey: inTurn(first, second).apiKey, url: server.url })
      yield* model.connect({})
      const frame = yield* (yield* model.connect({})).frames.take
      expect(JSON.stringify(frame)).not.toMatch(/ek_/)
      expect(frame).toMatchObject({ _tag: "Unknown", type: "<redacted>" })
    })
  )

  it.scoped.each([
    { title: "fails", apiKey: new TokenDenied({ said: key }), says: "failed with TokenDenied" },
    { title: "fails with a message alone", apiKey: Effect.fail(new Error(key)), says: "failed." },
    { title: "dies", apiKey: Effect.die(new Error(key)), says: "died" },
    { title: "interrupts itself", apiKey: Effect.interrupt, says: "was interrupted" }
  ])("that $title is a typed error, which tells its reason to who asks for it", ({ apiKey, says }) =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(connect({ apiKey, url: "ws://127.0.0.1:1/x?sig=1" }))
      const error = Exit.isFailure(exit) ? Option.getOrThrow(Cause.failureOption(exit.cause)) : undefined
      expect(error).toMatchObject({ _tag: "ApiKeyUnavailable", url: "ws://127.0.0.1:1/x" })
      expect(error?.message).toContain(says)
      for (const text of appearances(exit)) expect(text).not.toContain("very-secret")
      expect(error?._tag === "ApiKeyUnavailable" && error.reason !== undefined).toBe(true)
    })
  )

  it.scoped("that never ends, and can't be interrupted, has as long as the handshake", () =>
    Effect.gen(function* () {
      const apiKey = Effect.uninterruptible(Effect.never)
      const attempt = yield* Effect.fork(Effect.flip(connect({ apiKey, openTimeout: "3 seconds" })))
      yield* TestClock.adjust("2999 millis")
      expect(attempt.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 millis")
      const error = yield* Fiber.join(attempt)
      expect(error).toMatchObject({ _tag: "ApiKeyUnavailable" })
      expect(error.message).toContain("did not finish within 3s")
    })
  )

  it.effect("is not asked where no key is sent, nor before a connection is made", () =>
    Effect.gen(function* () {
      const { apiKey, asked } = inTurn(first)
      const model = yield* OpenAiRealtime.make({ apiKey, url: "ws://127.0.0.1:1", authentication: "none" })
      yield* OpenAiRealtime.make({ apiKey })
      yield* Effect.exit(Effect.scoped(model.connect({})))
      expect(asked).toEqual([])
    })
  )

  it("makes the layer require what it requires", () => {
    const layer = OpenAiRealtime.layer({ apiKey: Effect.flatten(Tokens) })
    expectTypeOf(layer).toEqualTypeOf<Layer.Layer<RealtimeModel, OpenAiRealtime.OptionsInvalid, Tokens>>()
    expectTypeOf(OpenAiRealtime.layer({ apiKey: Redacted.make(key) })).toEqualTypeOf<
      Layer.Layer<RealtimeModel, OpenAiRealtime.OptionsInvalid>
    >()
    expectTypeOf(OpenAiRealtime.layer({ apiKey: Config.redacted("VOICE_KEY") })).toEqualTypeOf<
      Layer.Layer<RealtimeModel, OpenAiRealtime.OptionsInvalid>
    >()
  })

  it.scopedLive("keeps a session alive whose key has expired when it connects again", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({
        pace: 0,
        faults: [EmbeddedRealtime.Faults.refuseHandshake(401, "", { connection: 2 })]
      })
      const { apiKey, asked } = inTurn(first, first, second)
      const session = yield* Session.make(Agent.make("Desk", { instructions: "" }), {
        reconnect: Schedule.spaced("1 millis")
      }).pipe(Effect.provide(OpenAiRealtime.layer({ apiKey, url: server.url })))
      const reconnected = yield* Effect.fork(
        Stream.runHead(Stream.filter(session.events, ({ _tag }) => _tag === "Reconnected"))
      )
      yield* Effect.yieldNow()
      yield* (yield* server.connection).drop
      expect(yield* Fiber.join(reconnected)).toMatchObject({ _tag: "Some" })
      expect(asked).toEqual([first, first, second])
    })
  )
})
