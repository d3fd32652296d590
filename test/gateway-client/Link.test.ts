import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/TestClock"
import { GatewayProtocol as Protocol } from "../../src/gateway.js"
import { GatewayClient } from "../../src/gateway-client.js"
import { type FakeSocket, fakeSockets, type Sent } from "./FakeSocket.js"

/** A client that is connected to a gateway that the test plays. */
const inCall = (more: Partial<GatewayClient.Options> = {}) =>
  Effect.gen(function* () {
    const { sockets, webSocket } = fakeSockets()
    const url = "wss://gateway.example/call"
    const connecting = yield* Effect.fork(
      GatewayClient.connect({ url, webSocket, reconnect: Schedule.forever, ...more })
    )
    const nth = (index: number): Effect.Effect<FakeSocket> =>
      Effect.suspend(() => {
        const socket = sockets[index]
        return socket === undefined ? Effect.zipRight(Effect.yieldNow(), nth(index)) : Effect.succeed(socket)
      })
    const socket = yield* nth(0)
    socket.opens()
    socket.welcomes()
    const client = yield* Fiber.join(connecting)
    return { client, socket, nth }
  })

/** Gives the client's fibers a turn. */
const settle = Effect.yieldNow().pipe(Effect.repeatN(20))

const sent = <T extends Sent["_tag"]>(socket: FakeSocket, tag: T) =>
  socket.sent.filter((message): message is Extract<Sent, { readonly _tag: T }> => message._tag === tag)

const audioFrame = (bytes: number): Uint8Array =>
  Protocol.encodeAudio({
    itemId: "item",
    responseId: "resp",
    contentIndex: 0,
    outOfBand: false,
    bytes: new Uint8Array(bytes)
  }) ?? new Uint8Array()

describe("A socket of a client", () => {
  it.scoped("offers the token as a subprotocol, and begins with the options", () =>
    Effect.gen(function* () {
      const { socket } = yield* inCall({ turns: "committed" })
      expect(socket.protocols).toEqual([Protocol.subprotocol])
      expect(socket.binaryType).toBe("arraybuffer")
      expect(socket.sent).toEqual([{ _tag: "Start", playback: "reported", turns: "committed" }])
    })
  )

  it.scoped("counts frames that a newer gateway sends, and acknowledges all of them", () =>
    Effect.gen(function* () {
      const { socket } = yield* inCall()
      socket.says({ _tag: "Novelty" })
      socket.says(Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0))
      socket.says({ _tag: "Pong" })
      socket.says(audioFrame(100))
      yield* settle
      expect(sent(socket, "Ack")).toEqual([])
      yield* TestClock.adjust("100 millis")
      expect(sent(socket, "Ack")).toEqual([{ _tag: "Ack", received: 3 }])
      yield* TestClock.adjust("1 second")
      expect(sent(socket, "Ack").length).toBe(1)
    })
  )

  it.scoped("acknowledges much audio at once", () =>
    Effect.gen(function* () {
      const { socket } = yield* inCall()
      socket.says(audioFrame(20_000))
      socket.says(audioFrame(20_000))
      yield* settle
      expect(sent(socket, "Ack")).toEqual([{ _tag: "Ack", received: 2 }])
    })
  )

  it.scoped("sends a Ping when the gateway is silent, and is replaced if there is no answer", () =>
    Effect.gen(function* () {
      const { client, nth, socket } = yield* inCall()
      yield* TestClock.adjust("11 seconds")
      expect(sent(socket, "Ping").length).toBe(1)
      socket.says({ _tag: "Pong" })
      yield* TestClock.adjust("5 seconds")
      expect(yield* SubscriptionRef.get(client.status)).toEqual({ _tag: "Connected" })
      yield* TestClock.adjust("20 seconds")
      expect(sent(socket, "Ping").length).toBe(2)
      const next = yield* nth(1)
      expect(socket.readyState).toBe(3)
      next.opens()
      expect(next.sent).toEqual([{ _tag: "Resume", callId: "call_1", key: "key_1", received: 0 }])
    })
  )

  it.scoped("sends again what was not answered, once it has resumed the call", () =>
    Effect.gen(function* () {
      const { client, nth, socket } = yield* inCall()
      const first = yield* Effect.fork(client.sendText("One."))
      yield* client.reportPlayback("item", 0, 100)
      yield* client.reportPlayback("item", 0, 200)
      yield* settle
      socket.says({ _tag: "Done", id: 1, itemId: "item_1" })
      expect(yield* Fiber.join(first)).toBe("item_1")
      const second = yield* Effect.fork(client.interrupt)
      yield* settle
      socket.ends(1006, "")
      const next = yield* nth(1)
      const third = yield* Effect.fork(client.requestResponse)
      yield* client.sendAudio(new Uint8Array(2))
      next.opens()
      next.welcomes(2, 2)
      yield* settle
      expect(next.sent).toEqual([
        { _tag: "Resume", callId: "call_1", key: "key_1", received: 1 },
        { _tag: "Played", itemId: "item", contentIndex: 0, heardMs: 200 },
        { _tag: "Interrupt", id: 2 },
        { _tag: "RequestResponse", id: 3 }
      ])
      next.says({ _tag: "Done", id: 2 })
      next.says({ _tag: "Failed", id: 3, error: { _tag: "SessionClosed", message: "It is closed." } })
      yield* Fiber.join(second)
      expect(yield* Effect.flip(Fiber.join(third))).toMatchObject({ _tag: "CommandFailed", command: "RequestResponse" })
    })
  )

  it.scoped("is replaced until the gateway no longer keeps the call", () =>
    Effect.gen(function* () {
      const { client, nth, socket } = yield* inCall({ reconnect: Schedule.spaced("10 seconds") })
      const waiting = yield* Effect.fork(client.interrupt)
      yield* settle
      socket.ends(1006, "")
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        yield* TestClock.adjust("10 seconds")
        const next = yield* nth(attempt)
        next.ends(1006, "refused")
        yield* settle
        expect(yield* SubscriptionRef.get(client.status)).toEqual({
          _tag: "Reconnecting",
          attempt: attempt + 1,
          code: 1006,
          reason: "refused"
        })
      }
      yield* TestClock.adjust("10 seconds")
      expect(yield* Effect.flip(client.await)).toMatchObject({ _tag: "CallLost", code: 1006, reason: "refused" })
      expect(yield* Effect.flip(Fiber.join(waiting))).toMatchObject({ _tag: "CommandNotSent", why: "CallOver" })
      yield* Stream.runDrain(client.news)
    })
  )

  it.scoped("is not replaced if the gateway says that this is pointless", () =>
    Effect.gen(function* () {
      const { client, socket } = yield* inCall()
      socket.ends(Protocol.closeCodes.replaced, "Another socket resumed the call.")
      const lost = yield* Effect.flip(client.await)
      expect(lost).toMatchObject({ _tag: "CallLost", code: 4409 })
      expect(lost.message).toContain("Another socket resumed the call.")
    })
  )

  it.scoped("ends a call that is over, even if the gateway leaves it open", () =>
    Effect.gen(function* () {
      const { client, socket } = yield* inCall()
      socket.says({ _tag: "Ended", reason: "SessionEnded", message: "The session has ended." })
      expect(yield* Effect.flip(client.await)).toMatchObject({ _tag: "CallEnded", message: "The session has ended." })
      yield* settle
      expect(socket.readyState).toBe(3)
    })
  )

  it.scoped("gives up on a server that is no gateway, or does not answer", () =>
    Effect.gen(function* () {
      const attempt = (play: (socket: FakeSocket) => void) =>
        Effect.gen(function* () {
          const { sockets, webSocket } = fakeSockets()
          const connecting = yield* Effect.fork(GatewayClient.connect({ url: "wss://other.example", webSocket }))
          yield* settle
          for (const socket of sockets) play(socket)
          yield* TestClock.adjust("10 seconds")
          return yield* Effect.flip(Fiber.join(connecting))
        })
      const other = yield* attempt((socket) => {
        socket.opens()
        socket.says({ _tag: "Novelty" })
      })
      expect(other).toMatchObject({ _tag: "ConnectFailed", reason: "This is not a gateway." })
      const silent = yield* attempt(() => undefined)
      expect(silent).toMatchObject({ _tag: "ConnectFailed", reason: "The gateway does not answer." })
    })
  )
})

describe("A client", () => {
  it.scoped("stops connecting when its scope closes", () =>
    Effect.gen(function* () {
      const { sockets, webSocket } = fakeSockets()
      const scope = yield* Scope.make()
      const connecting = yield* GatewayClient.connect({ url: "wss://gateway.example", webSocket }).pipe(
        Scope.extend(scope),
        Effect.fork
      )
      yield* settle
      yield* Scope.close(scope, Exit.void)
      expect(yield* Effect.flip(Fiber.join(connecting))).toMatchObject({ _tag: "ConnectFailed", code: 1000 })
      expect(sockets.map(({ readyState }) => readyState)).toEqual([3])
    })
  )

  it.scoped("drops audio while the network is behind, and splits what is too long", () =>
    Effect.gen(function* () {
      const { client, socket } = yield* inCall()
      yield* client.sendAudio(new Uint8Array(5_000))
      expect(sent(socket, "Bytes").map(({ bytes }) => bytes.length)).toEqual([2_000, 2_000, 1_000])
      socket.bufferedAmount = 2 ** 20 + 1
      yield* client.sendAudio(new Uint8Array(2))
      expect(sent(socket, "Bytes").length).toBe(3)
    })
  )

  it.scoped("has a bound on commands that wait, and may still hang up", () =>
    Effect.gen(function* () {
      const { client, socket } = yield* inCall()
      for (let count = 0; count < 256; count += 1) yield* Effect.fork(client.interrupt)
      yield* settle
      const refused = yield* Effect.flip(client.interrupt)
      expect(refused).toMatchObject({ _tag: "CommandNotSent", why: "TooMany" })
      yield* Effect.fork(client.hangUp)
      yield* settle
      expect(sent(socket, "HangUp")).toEqual([{ _tag: "HangUp", id: 257 }])
    })
  )

  it.scoped("tells a reader that is too slow how much it missed", () =>
    Effect.gen(function* () {
      const { client, socket } = yield* inCall({ capacity: 2 })
      for (let count = 0; count < 5; count += 1) socket.says(audioFrame(2))
      yield* settle
      const [news] = yield* Effect.all([Stream.runCollect(Stream.take(client.news, 3))])
      expect(Chunk.toReadonlyArray(news).map((one) => (one._tag === "Event" ? one.event : one._tag))).toEqual([
        "Audio",
        "Audio",
        { _tag: "EventsMissed", count: 3 }
      ])
    })
  )
})
