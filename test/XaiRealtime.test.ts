import { describe, expect, expectTypeOf, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Agent from "../src/Agent.js"
import * as EmbeddedRealtime from "../src/EmbeddedRealtime.js"
import type { RealtimeModel } from "../src/RealtimeModel.js"
import * as Session from "../src/Session.js"
import * as Tool from "../src/Tool.js"
import * as XaiRealtime from "../src/XaiRealtime.js"
import { webSocketServer } from "./openai/Loopback.js"

const key = "xai-key-0123456789abcdef"
const apiKey = Redacted.make(key)

const getWeather = Tool.make("get_weather", {
  description: "The weather",
  parameters: { city: Schema.String },
  handler: ({ city }) => Effect.succeed(`Sunny in ${city}.`)
})
const desk = Agent.make("Desk", {
  instructions: "Be brief.",
  tools: [getWeather],
  settings: { audio: { input: { turn_detection: { type: "server_vad" } }, output: { voice: "ara" } } }
})
const longId = `call_${"x".repeat(38)}`

describe("XaiRealtime", () => {
  it.scoped("connects to xAI's address with its model and a bearer key, or with a client secret", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      const connect = (options: Partial<XaiRealtime.Options>) =>
        Effect.flatMap(XaiRealtime.make({ apiKey, url: server.url, ...options }), (model) => model.connect({}))
      expect((yield* connect({})).traits).toEqual({ provider: "x_ai" })
      const { request } = yield* server.peers.take
      expect(request.url).toBe("/v1/realtime?model=grok-voice-latest")
      expect(request.headers.authorization).toBe(`Bearer ${key}`)
      yield* connect({ authentication: "subprotocol" }).pipe(Effect.exit)
      const other = (yield* server.peers.take).request
      expect(other.headers["sec-websocket-protocol"]).toBe(`xai-client-secret.${key}`)
      expect(other.headers).not.toHaveProperty("authorization")
    })
  )

  it.scopedLive("holds a conversation with a server that speaks as xAI's does, with calls under long ids", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.serve({
        pace: 0,
        dialect: "xai",
        mind: EmbeddedRealtime.script([
          [EmbeddedRealtime.call("get_weather", { city: "Paris" }, { callId: longId })],
          [EmbeddedRealtime.say("It is sunny.")]
        ])
      })
      const session = yield* Session.make(desk).pipe(Effect.provide(XaiRealtime.layer({ apiKey, url: server.url })))
      const events = yield* session.events.pipe(
        Stream.takeUntil((event) => event._tag === "TextCompleted"),
        Stream.runCollect,
        Effect.fork
      )
      yield* session.sendText("What is the weather in Paris?")
      const tags = Array.from(yield* Fiber.join(events), ({ _tag }) => _tag)
      expect(tags).toContain("ToolSucceeded")
      expect(tags).not.toContain("ProtocolViolation")
      const connection = yield* server.connection
      expect(yield* connection.outputs).toEqual([{ callId: longId, output: "Sunny in Paris." }])
      expect(yield* connection.refused).toEqual([])
      // The server found these where it looks for them.
      expect(yield* connection.session).toMatchObject({ audio: { output: { voice: "ara" } } })
    })
  )

  it.scopedLive("asks again at once after the user interrupted a response that was left without an end", () =>
    Effect.gen(function* () {
      const socket = yield* EmbeddedRealtime.serve({
        pace: 0,
        dialect: "xai",
        mind: EmbeddedRealtime.script([
          [EmbeddedRealtime.say("A very long story."), EmbeddedRealtime.stall],
          [EmbeddedRealtime.say("Yes?")]
        ])
      })
      const session = yield* Session.make(desk).pipe(Effect.provide(XaiRealtime.layer({ apiKey, url: socket.url })))
      const events: Array<Session.Session<never>["events"] extends Stream.Stream<infer E> ? E : never> = []
      const over = yield* session.events.pipe(
        Stream.tap((event) => Effect.sync(() => events.push(event))),
        Stream.takeUntil((event) => event._tag === "TextCompleted" && event.text.startsWith("Yes")),
        Stream.runDrain,
        Effect.fork
      )
      yield* session.sendText("Tell me a story.")
      yield* Stream.runHead(Stream.filter(session.audio, () => true))
      yield* (yield* socket.connection).userSays("Stop!")
      yield* Fiber.join(over)
      expect(events.filter(({ _tag }) => _tag === "ResponseStalled")).toEqual([])
      expect(events.find((event) => event._tag === "ResponseDone" && event.status === "cancelled")).toBeDefined()
    })
  )

  it("makes the layer require what the key requires", () => {
    expectTypeOf(XaiRealtime.layer({ apiKey })).toEqualTypeOf<Layer.Layer<RealtimeModel, XaiRealtime.OptionsInvalid>>()
  })
})
