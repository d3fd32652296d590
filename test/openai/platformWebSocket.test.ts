import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"

const connect = (options: Partial<OpenAiRealtime.Options>) =>
  Effect.flatMap(OpenAiRealtime.make({ apiKey: Redacted.make("sk-very-secret-0123456789"), ...options }), (service) =>
    service.connect({})
  )

describe("a platform's WebSocket", () => {
  type Listener = (event: OpenAiRealtime.WebSocketEvent) => void

  const platform = () => {
    const sockets: Array<FakeWebSocket> = []
    class FakeWebSocket implements OpenAiRealtime.WebSocketInstance {
      binaryType = "blob"
      readyState = 0
      bufferedAmount = 0
      readonly sent: Array<string> = []
      readonly closes: Array<number | undefined> = []
      readonly listeners = new Map<string, Listener>()
      constructor(
        readonly url: string,
        readonly protocols?: Array<string>
      ) {
        sockets.push(this)
        queueMicrotask(() => this.opening())
      }
      opening() {
        this.readyState = 1
        this.emit({ type: "open" })
      }
      send(data: string) {
        this.sent.push(data)
      }
      close(code?: number) {
        this.closes.push(code)
        this.readyState = 3
        this.emit({ type: "close", code: code ?? 1005, reason: "" })
      }
      addEventListener(type: string, listener: Listener) {
        this.listeners.set(type, listener)
      }
      emit(event: OpenAiRealtime.WebSocketEvent) {
        this.listeners.get(event.type)?.(event)
      }
    }
    return { sockets, FakeWebSocket }
  }

  it.scoped("gets the key as a subprotocol, and carries texts and binary frames", () =>
    Effect.gen(function* () {
      const { sockets, FakeWebSocket } = platform()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const connection = yield* connect({ webSocket: FakeWebSocket, apiKey: Redacted.make("ek_123456") })
          const [socket] = sockets
          expect(socket?.url).toBe("wss://api.openai.com/v1/realtime?model=gpt-realtime")
          expect(socket?.protocols).toEqual(["realtime", "openai-insecure-api-key.ek_123456"])
          expect(socket?.binaryType).toBe("arraybuffer")
          yield* connection.send({ type: "response.create" })
          expect(socket?.sent.map((text) => JSON.parse(text))).toEqual([{ type: "response.create" }])
          socket?.emit({ type: "message", data: '{"type":"a.text"}' })
          socket?.emit({ type: "message", data: new TextEncoder().encode('{"type":"a.binary"}').buffer })
          expect(yield* connection.frames.take).toMatchObject({ _tag: "Unknown", type: "a.text" })
          expect(yield* connection.frames.take).toMatchObject({ _tag: "Unknown", type: "a.binary" })
        })
      )
      expect(sockets[0]?.closes[0]).toBe(1000)
    })
  )

  it.scoped("loses the connection rather than the bound on its frames", () =>
    Effect.gen(function* () {
      const { sockets, FakeWebSocket } = platform()
      const connection = yield* connect({ webSocket: FakeWebSocket, maxQueuedFrames: 2 })
      for (let n = 0; n < 5; n++) sockets[0]?.emit({ type: "message", data: `{"type":"n${n}"}` })
      const types: Array<string> = []
      const error = yield* Effect.flip(
        Effect.forever(
          Effect.map(connection.frames.take, (frame) => types.push(frame._tag === "Unknown" ? frame.type : frame._tag))
        )
      )
      expect(types).toEqual(["n0", "n1", "n2", "n3"])
      expect(error).toMatchObject({ _tag: "ConnectionLost", code: 1006 })
      expect(error.message).toContain("maxQueuedFrames")
    })
  )

  it.scoped("fails to connect when it closes before it opens, and does not tell why", () =>
    Effect.gen(function* () {
      const { FakeWebSocket } = platform()
      class Refused extends FakeWebSocket {
        override opening() {
          this.emit({ type: "error" })
          this.emit({ type: "close", code: 1006, reason: "" })
        }
      }
      const error = yield* Effect.flip(connect({ webSocket: Refused }))
      expect(error._tag).toBe("ConnectFailed")
      expect(error.message).toContain("Check the URL, the API key and the network")
    })
  )

  it.scoped("can't send headers, and says so", () =>
    Effect.gen(function* () {
      const { sockets, FakeWebSocket } = platform()
      const error = yield* Effect.flip(connect({ webSocket: FakeWebSocket, authentication: "bearer" }))
      expect(error._tag).toBe("ConnectFailed")
      expect(error.message).toContain("cannot send headers")
      expect(sockets).toEqual([])
    })
  )

  it("may be the one of the DOM", () => {
    const constructor: OpenAiRealtime.WebSocketConstructor | undefined = globalThis.WebSocket
    expect(["function", "undefined"]).toContain(typeof constructor)
  })
})
