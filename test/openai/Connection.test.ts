import { describe, expect, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Mailbox from "effect/Mailbox"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import type { Options } from "../../src/openai/Options.js"
import type { ServerFrame } from "../../src/protocol/Codec.js"
import type { ConnectionLost } from "../../src/RealtimeModel.js"
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

const describeFrame = (received: ServerFrame): string => {
  if (received._tag === "Malformed") return "Malformed"
  if (received._tag === "Unknown") return `Unknown ${received.type}`
  return received.event.type === "response.output_text.delta" ? received.event.delta : received.event.type
}

/** Everything until the end, and how it ended. */
const drain = (frames: Mailbox.ReadonlyMailbox<ServerFrame, ConnectionLost>) =>
  Effect.gen(function* () {
    const taken: Array<string> = []
    while (true) {
      const result = yield* Effect.either(frames.takeAll)
      if (result._tag === "Left") return { taken, end: result.left }
      const [messages, done] = result.right
      taken.push(...Chunk.toArray(messages).map(describeFrame))
      if (done) return { taken, end: undefined }
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

  it.scoped("may be longer where that is asked for, or shorter", () =>
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

  it.scoped("has code 1006 when the server vanishes without a CLOSE frame", () =>
    Effect.gen(function* () {
      const server = yield* webSocketServer()
      const connection = yield* connect(server.url)
      const peer = yield* server.peers.take
      peer.socket.terminate()
      expect((yield* drain(connection.frames)).end).toMatchObject({ code: 1006, reason: "" })
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

  it.scoped("is what a send makes of a server that has stopped reading", () =>
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
      expect(Chunk.toArray(texts).map((text) => JSON.parse(text).event_id)).toEqual(["event_1", "event_2", "event_3"])
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

  it.scoped("is as quick when the reader has fallen behind", () =>
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
