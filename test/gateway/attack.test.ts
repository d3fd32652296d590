import { createServer, get } from "node:http"
import { connect as connectTcp, type Socket } from "node:net"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { fromFunction, say } from "../../src/EmbeddedRealtime.js"
import { defaults } from "../../src/gateway/Options.js"
import { GatewayProtocol as Protocol } from "../../src/gateway.js"
import { isDeep } from "../runs.js"
import { agent, type Client, connect, httpServer, secret, serve } from "./harness.js"

const { closeCodes } = Protocol

const times = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, index) => index)

const start = (client: Client) => {
  client.send({ _tag: "Start", playback: "estimated" })
  return client.first("Welcome")
}

/** Another user, who asks something and hears the answer while others attack. */
const converse = (client: Client, id: number) =>
  Effect.gen(function* () {
    client.send({ _tag: "SendText", id, text: "Hello!" })
    expect(yield* client.first("Done")).toMatchObject({ id })
    yield* client.event("ResponseDone")
  })

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

const turn = Effect.async<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** The memory in use, in MB: the least of several looks, because Node frees buffers some time after it has collected them. */
const memory = Effect.gen(function* () {
  let least = Number.POSITIVE_INFINITY
  for (const _ of times(10)) {
    collectGarbage()
    const { arrayBuffers, heapUsed } = process.memoryUsage()
    least = Math.min(least, (arrayBuffers + heapUsed) / 1_000_000)
    yield* turn
  }
  return least
})

/** A server that keeps its connections, so that a test can see how much was read of each. */
const watched = Effect.gen(function* () {
  const sockets: Array<Socket> = []
  const node = createServer().on("connection", (socket) => sockets.push(socket))
  const server = yield* NodeHttpServer.make(() => node, { port: 0, host: "127.0.0.1" })
  return { server, sockets }
})

/** A TCP connection to the gateway, which is cut when the scope closes. */
const tcp = (port: number) =>
  Effect.acquireRelease(
    Effect.async<Socket>((resume) => {
      const socket = connectTcp(port, "127.0.0.1", () => resume(Effect.succeed(socket)))
      socket.on("error", () => undefined)
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

const handshake = [
  ...["GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket"],
  ...["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13"],
  ...[`Sec-WebSocket-Protocol: ${Protocol.subprotocol}`, `Authorization: Bearer ${secret}`, "", ""]
].join("\r\n")

const many = isDeep ? 1_000 : 100

describe("A gateway under attack", () => {
  it.scopedLive("by 1,000 sockets that never speak keeps little for each, and serves others", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ maxPending: many + 2, openingTimeout: "1 minute" })
      const honest = yield* connect(port)
      yield* start(honest)
      yield* converse(honest, 1)
      const before = yield* memory
      yield* Effect.forEach(times(many), () => tcp(port), { concurrency: 50 })
      yield* Effect.forEach(times(many), () => connect(port), { concurrency: 50 })
      yield* converse(honest, 2)
      const other = yield* connect(port)
      yield* start(other)
      yield* converse(other, 1)
      // Both ends of all sockets are in this process.
      expect(((yield* memory) - before) / many).toBeLessThan(0.2)
    })
  )

  it.scoped(
    "by sockets that never speak refuses those beyond its limit, and accepts others when they have timed out",
    () =>
      Effect.gen(function* () {
        const { port } = yield* serve({ maxPending: 20, openingTimeout: "5 seconds" })
        const attempts = yield* Effect.forEach(times(100), () => Effect.either(connect(port)), {
          concurrency: "unbounded"
        })
        const open = attempts.flatMap((attempt) => (Either.isRight(attempt) ? [attempt.right] : []))
        const statuses = attempts.flatMap((attempt) => (Either.isLeft(attempt) ? [attempt.left.status] : []))
        expect(open).toHaveLength(20)
        expect(new Set(statuses)).toEqual(new Set([503]))
        const closed = Effect.forEach(open, ({ closed }) => closed, { concurrency: "unbounded" })
        // The gateway begins to wait a moment after its client is connected.
        const codes = yield* Effect.raceFirst(closed, Effect.forever(TestClock.adjust("5 seconds")))
        expect(codes.filter(({ code }) => code !== closeCodes.silent)).toEqual([])
        yield* start(yield* connect(port))
      })
  )

  it.scopedLive("by 10,000 guesses of its token admits none of them, and others with the right one", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve()
      const honest = yield* connect(port)
      yield* start(honest)
      const guess = (number: number) =>
        Effect.async<number>((resume) => {
          const request = get({
            host: "127.0.0.1",
            port,
            headers: {
              connection: "Upgrade",
              upgrade: "websocket",
              "sec-websocket-version": "13",
              "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
              "sec-websocket-protocol": Protocol.subprotocol,
              authorization: `Bearer ${secret.slice(0, -1)}${number}`
            }
          })
          request.on("response", (response) => {
            response.resume()
            resume(Effect.succeed(response.statusCode ?? 0))
          })
          request.on("upgrade", () => resume(Effect.succeed(101)))
          request.on("error", (error) => resume(Effect.die(error)))
        })
      for (const round of times(10)) {
        const statuses = yield* Effect.forEach(times(many), guess, { concurrency: 20 })
        expect(new Set(statuses)).toEqual(new Set([401]))
        // However slow this machine is, the other user is not silent for long.
        yield* converse(honest, round + 1)
      }
      yield* start(yield* connect(port))
      expect(yield* gateway.calls).toBe(2)
    })
  )

  it.scopedLive("by huge messages reads none of them to its end", () =>
    Effect.gen(function* () {
      const { server, sockets } = yield* watched
      const { port } = yield* serve({}, {}, server)
      const honest = yield* connect(port)
      yield* start(honest)
      const huge = new Uint8Array(20_000_000)
      for (const round of times(10)) {
        const attacker = yield* connect(port)
        if (round % 2 === 0) yield* start(attacker)
        attacker.sendRaw(huge)
        expect([1006, closeCodes.tooLarge]).toContain((yield* attacker.closed).code)
      }
      yield* converse(honest, 1)
      // It sees that a message is too long when it has read a little more than the limit: at most two reads of 64 KiB.
      for (const { bytesRead } of sockets) expect(bytesRead).toBeLessThan(defaults.maxMessageBytes + 200_000)
    })
  )

  it.scopedLive("by malformed messages closes their sockets, and no other", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const honest = yield* connect(port)
      yield* start(honest)
      const messages = [
        ...["", "null", "[]", "0", '{"_tag":"__proto__"}', "{".repeat(10_000), "\u0000", '{"_tag":"Start"}'],
        ...[new Uint8Array(), Uint8Array.of(1, 2, 3)]
      ]
      for (const message of messages) {
        const attacker = yield* connect(port)
        attacker.sendRaw(message)
        expect((yield* attacker.closed).code, String(message).slice(0, 20)).toBe(closeCodes.malformed)
      }
      yield* converse(honest, 1)
    })
  )

  it.scopedLive("by frames that are no WebSocket's cuts them off, and no other", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve({ maxPending: 1 })
      const honest = yield* connect(port)
      yield* start(honest)
      const frames = {
        "without a mask": [0x81, 0x02, 0x7b, 0x7d],
        "with a reserved opcode": [0x83, 0x80, 0, 0, 0, 0],
        "with text that is no UTF-8": [0x81, 0x81, 0, 0, 0, 0, 0xff],
        "with a length of 2^63 bytes": [0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
      }
      for (const [name, frame] of Object.entries(frames)) {
        const socket = yield* tcp(port)
        const ended = Effect.async<string>((resume) => {
          socket.on("close", () => resume(Effect.succeed("closed")))
        })
        socket.write(handshake)
        yield* Effect.async<void>((resume) => {
          socket.once("data", () => resume(Effect.void))
        })
        socket.write(Uint8Array.from(frame))
        expect(yield* ended, name).toBe("closed")
      }
      yield* converse(honest, 1)
      expect(yield* gateway.calls).toBe(1)
      // None of them still counts as one that connects.
      yield* start(yield* connect(port))
    })
  )

  it.scopedLive("by clients that read nothing keeps no more for each than its limit", () =>
    Effect.gen(function* () {
      const answer = "This is an answer that goes on and on, so that there are many bytes of audio in it. ".repeat(10)
      const attackers = isDeep ? 50 : 10
      const answered = yield* Effect.makeLatch()
      let answers = 0
      const onEvent = ({ _tag }: { readonly _tag: string }) => {
        if (_tag === "ResponseDone") answers += 1
        if (answers === attackers) answered.unsafeOpen()
      }
      const { port } = yield* serve(
        {
          maxUnacknowledgedBytes: 20_000,
          maxKeptBytes: 100_000,
          call: () => Effect.succeed({ agent, options: { onEvent } })
        },
        {
          mind: fromFunction((conversation) => [say(JSON.stringify(conversation).includes("Go on.") ? answer : "Yes.")])
        }
      )
      const honest = yield* connect(port)
      yield* start(honest)
      const clients = yield* Effect.forEach(times(attackers), () => Effect.tap(connect(port), start))
      for (const client of clients) client.pause()
      const before = yield* memory
      for (const client of clients) client.send({ _tag: "SendText", id: 1, text: "Go on." })
      yield* answered.await
      yield* converse(honest, 1)
      expect(((yield* memory) - before) / attackers).toBeLessThan(0.5)
    })
  )

  it.scopedLive("by 50 clients that read nothing stops in time, and ends every session", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { embedded, gateway, port } = yield* Scope.extend(
        serve({ drainWithin: "10 millis" }, {}, yield* httpServer),
        scope
      )
      const clients = yield* Effect.forEach(times(50), () => Effect.tap(connect(port), start), { concurrency: 10 })
      for (const client of clients) client.pause()
      yield* Scope.close(scope, Exit.void)
      expect(yield* gateway.calls).toBe(0)
      for (const connection of yield* embedded.connections) yield* connection.ended
    })
  )
})
