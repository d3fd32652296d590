import type * as Net from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Mailbox from "effect/Mailbox"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as Connection from "../../src/openai/Connection.js"
import * as Endpoint from "../../src/openai/Endpoint.js"
import type { Options } from "../../src/openai/Options.js"
import type { Handlers, WebSocketFactory } from "../../src/openai/WebSocket.js"
import type * as RealtimeModel from "../../src/RealtimeModel.js"
import { frame, rawServer, webSocketServer } from "./Loopback.js"

const apiKey = Redacted.make("sk-very-secret-0123456789")

const connect = (url: string, options: Partial<Options> = {}) =>
  Effect.flatMap(OpenAiRealtime.make({ apiKey, url, ...options }), (model) => model.connect({}))

const delta = (n: number) =>
  JSON.stringify({
    type: "response.output_text.delta",
    event_id: `event_${n}`,
    response_id: "resp_1",
    item_id: "item_1",
    output_index: 0,
    content_index: 0,
    delta: String(n)
  })

const describeFrame = (received: RealtimeModel.Frame): string => {
  if (received._tag === "Malformed" || received._tag === "CallsCancelled") return received._tag
  if (received._tag === "Unknown") return `Unknown ${received.type}`
  return received.event.type === "response.output_text.delta" ? received.event.delta : received.event.type
}

/** Everything until the end, and how it ended. */
const drain = (frames: RealtimeModel.Connection["frames"]) =>
  Effect.gen(function* () {
    const taken: Array<string> = []
    while (true) {
      const { end, messages } = yield* frames.takeAll
      taken.push(...messages.map(describeFrame))
      if (end !== undefined) return { taken, end: end._tag === "Failed" ? end.error : undefined }
    }
  })

describe("frames", () => {
  it.scoped("come in the order of the wire, from before the first take", () =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 1000 }, (_, n) => n)
      const server = yield* webSocketServer((socket) => {
        for (const n of numbers) socket.send(delta(n))
        socket.close(1000, "done")
      })
      const connection = yield* connect(server.url)
      const peer = yield* server.peers.take
      // All has arrived before the first take.
      yield* Deferred.await(peer.closed)
      const { taken, end } = yield* drain(connection.frames)
      expect(taken).toEqual(numbers.map(String))
      expect(end).toMatchObject({ _tag: "ConnectionLost", code: 1000, reason: "done" })
    })
  )

  it.scoped("stay in order and complete when the reader is slower than the server", () =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 5000 }, (_, n) => n)
      const server = yield* webSocketServer((socket) => {
        for (const n of numbers) socket.send(delta(n))
        socket.close(1001, "later")
      })
      const connection = yield* connect(server.url, { maxQueuedFrames: 16 })
      const taken: Array<string> = []
      for (const _ of numbers) taken.push(describeFrame(yield* connection.frames.take))
      expect(taken).toEqual(numbers.map(String))
      expect((yield* drain(connection.frames)).end).toMatchObject({ code: 1001 })
    })
  )

  it.scoped("wait for the reader up to a number of bytes, and the rest with the server", () =>
    Effect.gen(function* () {
      const numbers = Array.from({ length: 50 }, (_, n) => n)
      const padding = "x".repeat(1_000_000)
      // 50 MB are more than sockets buffer: a client that keeps reading has them in memory.
      const server = yield* webSocketServer((socket) => {
        for (const n of numbers) socket.send(JSON.stringify({ type: `n${n}`, padding }))
      })
      const connection = yield* connect(server.url, { maxQueuedBytes: 1_500_000 })
      const waiting: Array<number> = []
      for (const n of numbers) {
        expect(describeFrame(yield* connection.frames.take)).toBe(`Unknown n${n}`)
        waiting.push(connection.frames.length)
      }
      expect(Math.max(...waiting)).toBeLessThanOrEqual(2)
    })
  )

  it.scoped("that are too long, or not JSON, are reported and end nothing", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer((socket) => {
        socket.send(`{"type":"session.created","padding":"${"x".repeat(20 * 1024 * 1024)}"}`)
        socket.send("not JSON")
        socket.send(JSON.stringify({ type: "brand.new", event_id: "e" }))
        socket.send(delta(1))
      })
      const connection = yield* connect(server.url)
      const taken: Array<string> = []
      for (let n = 0; n < 4; n++) taken.push(describeFrame(yield* connection.frames.take))
      expect(taken).toEqual(["Malformed", "Malformed", "Unknown brand.new", "1"])
      yield* connection.send({ type: "response.create" })
      const peer = yield* server.peers.take
      expect(JSON.parse(yield* peer.texts.take)).toEqual({ type: "response.create" })
    })
  )

  it.scoped("may be given another limit, longer or shorter", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer((socket) => {
        socket.send(delta(1))
        socket.send(`{"type":"brand.new","padding":"${"x".repeat(1000)}"}`)
      })
      const connection = yield* connect(server.url, { maxFrameBytes: 500 })
      expect(describeFrame(yield* connection.frames.take)).toBe("1")
      expect(describeFrame(yield* connection.frames.take)).toBe("Malformed")
    })
  )

  it.scoped("that are binary are read as UTF-8", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer((socket) => {
        socket.send(Buffer.from(JSON.stringify({ type: "größe.neu" })))
      })
      const connection = yield* connect(server.url)
      expect(describeFrame(yield* connection.frames.take)).toBe("Unknown größe.neu")
    })
  )
})

describe("a lost connection", () => {
  it.scoped("carries the code and the reason of the server", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer((socket) =>
        socket.close(1001, "Your session hit the maximum duration of 60 minutes.")
      )
      const connection = yield* connect(server.url)
      const { taken, end } = yield* drain(connection.frames)
      expect(taken).toEqual([])
      expect(end).toMatchObject({ code: 1001, reason: "Your session hit the maximum duration of 60 minutes." })
      expect(end?.message).toContain("Connect again")
    })
  )

  it.scoped.each<{ readonly title: string; readonly vanish: (socket: Net.Socket) => void }>([
    { title: "ends TCP without a CLOSE frame", vanish: (socket) => socket.end() },
    { title: "is killed", vanish: (socket) => socket.destroy() },
    { title: "resets TCP", vanish: (socket) => socket.resetAndDestroy() }
  ])("has code 1006 when the server $title", ({ vanish }) =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const connection = yield* connect(server.url)
      const peer = yield* server.sockets.take
      peer.socket.write(frame(1, Buffer.from('{"type":"last.words"}')))
      // It has arrived before the end does.
      expect(describeFrame(yield* connection.frames.take)).toBe("Unknown last.words")
      vanish(peer.socket)
      const { end } = yield* drain(connection.frames)
      expect(end).toMatchObject({ _tag: "ConnectionLost", code: 1006, reason: "" })
      expect(yield* Effect.flip(connection.send({ type: "response.create" }))).toBe(end)
      expect(connection.bufferedBytes()).toBe(0)
    })
  )

  it.scoped("has the code of a server that says goodbye, and then never ends TCP", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const connection = yield* connect(server.url, { closeTimeout: "10 millis" })
      const peer = yield* server.sockets.take
      peer.socket.write(frame(8, Buffer.from([0x03, 0xe9])))
      expect((yield* drain(connection.frames)).end).toMatchObject({ code: 1001 })
      yield* Deferred.await(peer.ended)
    })
  )

  it.scoped("has code 1006 when the server ends TCP in the middle of a frame", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const connection = yield* connect(server.url)
      const peer = yield* server.sockets.take
      peer.socket.end(frame(1, Buffer.from(delta(1).slice(0, 100))).subarray(0, 50))
      expect((yield* drain(connection.frames)).end).toMatchObject({ code: 1006 })
    })
  )

  it.scoped.each([
    { title: "invalid UTF-8", bytes: frame(1, Buffer.from([0xc3, 0x28])), code: 1007 },
    { title: "an unknown opcode", bytes: frame(5, Buffer.alloc(0)), code: 1002 },
    { title: "an invalid close code", bytes: frame(8, Buffer.from([0x00, 0x01])), code: 1002 },
    { title: "a message over the limit", bytes: Buffer.from([0x81, 127, 0, 0, 0, 0, 0x04, 0, 0, 1]), code: 1009 }
  ])("has the code for $title", ({ bytes, code }) =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const connection = yield* connect(server.url)
      const peer = yield* server.sockets.take
      peer.socket.write(bytes)
      const { end } = yield* drain(connection.frames)
      expect(end).toMatchObject({ _tag: "ConnectionLost", code })
      expect(yield* Effect.flip(connection.send({ type: "response.create" }))).toBe(end)
    })
  )

  it.scoped("fails each later send with the same error", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer((socket) => socket.close(4000, "bye"))
      const connection = yield* connect(server.url)
      const { end } = yield* drain(connection.frames)
      expect(end).toMatchObject({ code: 4000, reason: "bye" })
      expect(yield* Effect.flip(connection.send({ type: "response.create" }))).toBe(end)
    })
  )

  it.scoped("is the result of a send to a server that has stopped reading", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      const connection = yield* connect(server.url, { maxBufferedBytes: 1_000_000 })
      const peer = yield* server.peers.take
      peer.socket.pause()
      const audio = "A".repeat(100_000)
      const append = connection.send({ type: "input_audio_buffer.append", audio })
      let sent = 0
      let waiting = connection.bufferedBytes()
      expect(waiting).toBe(0)
      const error = yield* Effect.flip(
        Effect.forever(
          Effect.tap(append, () =>
            Effect.sync(() => {
              sent++
              waiting = connection.bufferedBytes()
            })
          )
        )
      )
      expect(waiting).toBeGreaterThan(1_000_000)
      expect(connection.bufferedBytes()).toBe(0)
      expect(error).toMatchObject({ _tag: "ConnectionLost", code: 1006 })
      expect(error.message).toContain("maxBufferedBytes")
      expect(sent).toBeGreaterThanOrEqual(10)
      expect((yield* drain(connection.frames)).end).toBe(error)
    })
  )
})

describe("a server that goes silent", () => {
  /** Lets the socket's data be read, whatever the test's clock says. */
  const readOn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

  it.scoped("is pinged, and given up after 40 seconds: the half-open connection is dropped", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const connection = yield* connect(server.url)
      const peer = yield* server.sockets.take
      yield* TestClock.adjust("20 seconds")
      expect((yield* peer.bytes.take)[0]).toBe(0x89)
      yield* TestClock.adjust("19999 millis")
      yield* connection.send({ type: "response.create" })
      yield* TestClock.adjust("1 millis")
      const { end } = yield* drain(connection.frames)
      expect(end).toMatchObject({ _tag: "ConnectionLost", code: 1006, reason: "" })
      expect(end?.message).toContain("silent: nothing came from it for 40s")
      expect(end?.message).toContain("connect again")
      expect(yield* Effect.flip(connection.send({ type: "response.create" }))).toBe(end)
      yield* Deferred.await(peer.ended)
    })
  )

  it.scoped("may be given more time, or less", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const patient = yield* connect(server.url, { pingInterval: "1 minute" })
      const strict = yield* connect(server.url, { pingTimeout: "3 seconds" })
      yield* TestClock.adjust("3 seconds")
      expect((yield* drain(strict.frames)).end?.message).toContain("for 3s")
      yield* TestClock.adjust("116 seconds")
      yield* patient.send({ type: "response.create" })
      yield* TestClock.adjust("1 second")
      expect((yield* drain(patient.frames)).end?.message).toContain("for 2m")
    })
  )

  it.scoped("is not assumed as long as it answers pings", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      const connection = yield* connect(server.url)
      const peer = yield* server.peers.take
      const pings = yield* Mailbox.make<void>()
      const answers = yield* Mailbox.make<void>()
      peer.socket.on("ping", () => pings.unsafeOffer(undefined))
      peer.socket.on("pong", () => answers.unsafeOffer(undefined))
      for (let n = 0; n < 5; n++) {
        yield* TestClock.adjust("20 seconds")
        yield* pings.take
        // The client's answer comes after it has seen the server's.
        peer.socket.ping()
        yield* answers.take
      }
      yield* connection.send({ type: "response.create" })
      expect(JSON.parse(yield* peer.texts.take)).toEqual({ type: "response.create" })
    })
  )

  it.scoped("is not assumed as long as it sends frames", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const connection = yield* connect(server.url)
      const peer = yield* server.sockets.take
      for (let n = 0; n < 3; n++) {
        yield* TestClock.adjust("39 seconds")
        peer.socket.write(frame(1, Buffer.from('{"type":"still.there"}')))
        expect(describeFrame(yield* connection.frames.take)).toBe("Unknown still.there")
      }
      yield* TestClock.adjust("40 seconds")
      expect((yield* drain(connection.frames)).end?.message).toContain("for 40s")
    })
  )

  it.scoped("is not assumed while this side does not read, and is watched for again when it does", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const connection = yield* connect(server.url, { maxQueuedFrames: 2 })
      const peer = yield* server.sockets.take
      const text = frame(1, Buffer.from('{"type":"still.there"}'))
      peer.socket.write(Buffer.concat([text, text]))
      while (connection.frames.length < 2) yield* readOn
      // Not at a ping's time: watching starts again only when reading does.
      yield* TestClock.adjust("5 minutes")
      yield* TestClock.adjust("10 seconds")
      yield* connection.send({ type: "response.create" })
      expect((yield* connection.frames.takeAll).messages.map(describeFrame)).toHaveLength(2)
      yield* TestClock.adjust("39 seconds")
      yield* connection.send({ type: "response.create" })
      yield* TestClock.adjust("1 second")
      expect((yield* drain(connection.frames)).end?.message).toContain("for 40s")
    })
  )

  it.scoped("is not assumed as long as frames arrive, even if it answers no pings", () =>
    Effect.gen(function* () {
      let handlers: Handlers | undefined
      const factory: WebSocketFactory = {
        sendsHeaders: true,
        open: (_, given) => {
          handlers = given
          queueMicrotask(given.onOpen)
          return {
            isOpen: () => true,
            send: () => true,
            bufferedAmount: () => 0,
            ping: () => true,
            pause: () => false,
            resume: () => {},
            close: (code) => given.onClose(code, ""),
            terminate: () => {}
          }
        }
      }
      const endpoint = yield* Endpoint.make({}, { key: apiKey, others: [] }, undefined, true)
      const connection = yield* Connection.open(factory, endpoint, {
        openTimeout: Duration.seconds(10),
        closeTimeout: Duration.seconds(1),
        pingInterval: Duration.seconds(20),
        pingTimeout: Duration.seconds(40),
        maxFrameLength: 1000,
        maxMessageBytes: 1000,
        maxQueuedFrames: 10,
        maxQueuedBytes: 1000,
        maxBufferedBytes: 1000
      })
      for (let n = 0; n < 3; n++) {
        yield* TestClock.adjust("39 seconds")
        handlers?.onText('{"type":"still.there"}')
        expect(describeFrame(yield* connection.frames.take)).toBe("Unknown still.there")
      }
    })
  )

  it.scoped("goes unnoticed if asked to", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const connection = yield* connect(server.url, { pingInterval: Number.POSITIVE_INFINITY, closeTimeout: 0 })
      const peer = yield* server.sockets.take
      yield* TestClock.adjust("1 hour")
      yield* connection.send({ type: "response.create" })
      // The first byte of a text, not of a ping.
      expect((yield* peer.bytes.take)[0]).toBe(0x81)
    })
  )

  it.scoped("does not keep a connection from closing", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const scope = yield* Scope.make()
      yield* Scope.extend(connect(server.url, { pingTimeout: "3 seconds", closeTimeout: "1 hour" }), scope)
      const peer = yield* server.sockets.take
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      expect((yield* peer.bytes.take)[0]).toBe(0x88)
      yield* TestClock.adjust("1 minute")
      expect(closing.unsafePoll()).toBeNull()
      peer.socket.write(frame(8, Buffer.from([0x03, 0xe8])))
      peer.socket.end()
      yield* Fiber.join(closing)
    })
  )
})

describe("closing", () => {
  it.scoped("says 1000 to the server, and ends the frames without an error", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer((socket) => socket.send(delta(1)))
      const scope = yield* Scope.make()
      const connection = yield* Scope.extend(connect(server.url), scope)
      const peer = yield* server.peers.take
      expect(describeFrame(yield* connection.frames.take)).toBe("1")
      yield* Scope.close(scope, Exit.void)
      expect(yield* Deferred.await(peer.closed)).toEqual({ code: 1000, reason: "" })
      expect(yield* drain(connection.frames)).toEqual({ taken: [], end: undefined })
      const error = yield* Effect.flip(connection.send({ type: "response.create" }))
      expect(error).toMatchObject({ _tag: "ConnectionLost", code: 1000 })
      expect(error.message).toContain("This side")
    })
  )

  it.scoped("hands what was sent before to the server", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      yield* Effect.scoped(
        Effect.flatMap(connect(server.url), (connection) =>
          Effect.forEach([1, 2, 3], (n) => connection.send({ type: "response.create", event_id: `event_${n}` }))
        )
      )
      const peer = yield* server.peers.take
      yield* Deferred.await(peer.closed)
      const [texts] = yield* peer.texts.takeAll
      expect(Array.from(texts, (text) => JSON.parse(text).event_id)).toEqual(["event_1", "event_2", "event_3"])
    })
  )

  it.scoped("waits for the server's CLOSE no longer than `closeTimeout`", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const scope = yield* Scope.make()
      yield* Scope.extend(connect(server.url, { closeTimeout: "1 hour" }), scope)
      const peer = yield* server.sockets.take
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      const sent = yield* peer.bytes.take
      expect(sent[0]).toBe(0x88)
      expect(closing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("59 minutes")
      expect(closing.unsafePoll()).toBeNull()
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(closing)
      // The raw socket ends: it was dropped, not left to itself.
      yield* Deferred.await(peer.ended)
    })
  )

  it.scoped("is just as quick when the reader has fallen behind", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer((socket) => {
        for (let n = 0; n < 2000; n++) socket.send(delta(n))
      })
      const scope = yield* Scope.make()
      const connection = yield* Scope.extend(connect(server.url, { maxQueuedFrames: 2, closeTimeout: "1 hour" }), scope)
      yield* connection.frames.take
      const peer = yield* server.peers.take
      yield* Scope.close(scope, Exit.void)
      expect(yield* Deferred.await(peer.closed)).toMatchObject({ code: 1000 })
    })
  )

  it.scoped("leaves nothing behind, also when the server resets the socket meanwhile", () =>
    Effect.gen(function* () {
      const server = yield* rawServer
      const scope = yield* Scope.make()
      yield* Scope.extend(connect(server.url), scope)
      const peer = yield* server.sockets.take
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      yield* peer.bytes.take
      // An unhandled 'error' would fail the test run.
      peer.socket.resetAndDestroy()
      yield* Fiber.join(closing)
    })
  )

  it.scoped("does not outlive an interrupted reader's scope", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      const reader = yield* Effect.fork(
        Effect.scoped(Effect.flatMap(connect(server.url), (connection) => connection.frames.take))
      )
      const peer = yield* server.peers.take
      yield* Fiber.interrupt(reader)
      yield* Deferred.await(peer.closed)
      expect(server.clients.size).toBe(0)
    })
  )
})
