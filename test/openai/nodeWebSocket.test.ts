import { describe, expect, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import { nodeWebSocket } from "../../src/openai/nodeWebSocket.js"
import { frame, rawServer } from "./Loopback.js"

/** An open socket, and what it receives. */
const open = Effect.gen(function* () {
  const server = yield* rawServer
  const heard = yield* Mailbox.make<string>()
  const opened = yield* Deferred.make<void>()
  const socket = yield* Effect.acquireRelease(
    Effect.sync(() =>
      nodeWebSocket.open(
        { url: server.url, protocols: [], headers: {}, maxMessageBytes: 1000, closeTimeoutMs: 1000 },
        {
          onOpen: () => Deferred.unsafeDone(opened, Effect.void),
          onAlive: () => heard.unsafeOffer("alive"),
          onText: (text) => heard.unsafeOffer(text),
          onClose: (code) => heard.unsafeOffer(`closed ${code}`),
          onRefused: ({ status }) => heard.unsafeOffer(`refused ${status}`),
          onRefusalText: () => {},
          onRefusalEnd: () => {},
          onError: ({ message }) => heard.unsafeOffer(`error ${message}`)
        }
      )
    ),
    (made) => Effect.sync(() => made.terminate())
  )
  yield* Deferred.await(opened)
  return { socket, heard, peer: yield* server.sockets.take }
})

describe("a WebSocket of ws", () => {
  it.scoped("takes a pong, a ping, and the beginning of a message for signs of life", () =>
    Effect.gen(function* () {
      const { heard, peer } = yield* open
      const text = frame(1, Buffer.from("hello"))
      for (const bytes of [frame(10, Buffer.alloc(0)), frame(9, Buffer.alloc(0)), text.subarray(0, 3)]) {
        peer.socket.write(bytes)
        expect(yield* heard.take).toBe("alive")
        yield* heard.clear
      }
      peer.socket.write(text.subarray(3))
      while ((yield* heard.take) !== "hello") {}
    })
  )

  it.scoped("pings while it is open, and not after", () =>
    Effect.gen(function* () {
      const { heard, peer, socket } = yield* open
      expect(socket.ping()).toBe(true)
      expect((yield* peer.bytes.take)[0]).toBe(0x89)
      peer.socket.destroy()
      while ((yield* heard.take) !== "closed 1006") {}
      expect(socket.ping()).toBe(false)
      expect(socket.send("too late")).toBe(false)
    })
  )

  it.scoped("holds messages of one turn back to write them together, but never much, nor for longer", () =>
    Effect.gen(function* () {
      const { peer, socket } = yield* open
      expect(socket.send("output")).toBe(true)
      expect(socket.send("go on")).toBe(true)
      expect(socket.bufferedAmount()).toBeGreaterThan("outputgo on".length)
      const large = "x".repeat(1000)
      for (let sent = 0; sent < 50; sent += 1) {
        socket.send(large)
        expect(socket.bufferedAmount()).toBeLessThan(17_384)
      }
      let arrived = 0
      while (arrived < 50 * large.length + "outputgo on".length) arrived += (yield* peer.bytes.take).length
      expect(socket.bufferedAmount()).toBe(0)
    })
  )
})
