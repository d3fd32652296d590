import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import { GatewayProtocol as Protocol } from "../../src/gateway.js"
import { type Client, connect, httpServer, serve } from "./harness.js"

const { closeCodes } = Protocol

const start = (client: Client) => {
  client.send({ _tag: "Start", playback: "estimated" })
  return client.first("Welcome")
}

describe("A gateway that stops", () => {
  it.scopedLive("lets calls finish, accepts no others, and ends when they have finished", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { gateway, port } = yield* Scope.extend(serve({ drainWithin: "1 minute" }, {}, yield* httpServer), scope)
      const talking = yield* connect(port)
      const { callId, key } = yield* start(talking)
      const late = yield* connect(port)
      const closing = yield* Effect.fork(Scope.close(scope, Exit.void))
      expect(yield* talking.first("Draining")).toMatchObject({ withinMs: 60_000 })
      late.send({ _tag: "Start", playback: "estimated" })
      expect((yield* late.closed).code).toBe(closeCodes.full)
      // What was begun goes on, also on another socket.
      talking.terminate()
      const again = yield* connect(port)
      again.send({ _tag: "Resume", callId, key, received: 0 })
      yield* again.first("Welcome")
      again.send({ _tag: "SendText", id: 1, text: "Goodbye!" })
      yield* again.event("ResponseDone")
      again.send({ _tag: "HangUp", id: 2 })
      expect(yield* again.first("Ended")).toMatchObject({ reason: "HungUp" })
      yield* Fiber.join(closing)
      expect(yield* gateway.calls).toBe(0)
    })
  )

  it.scopedLive("ends 50 calls that do not end, each with a message, and every session", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const { embedded, gateway, port } = yield* Scope.extend(
        serve({ drainWithin: "10 millis" }, {}, yield* httpServer),
        scope
      )
      const clients = yield* Effect.forEach(Array.from({ length: 50 }), () => Effect.tap(connect(port), start), {
        concurrency: 10
      })
      expect(yield* gateway.calls).toBe(50)
      const ends = yield* Effect.fork(
        Effect.forEach(clients, (client) => Effect.zip(client.first("Ended"), client.closed), {
          concurrency: "unbounded"
        })
      )
      yield* Scope.close(scope, Exit.void)
      for (const [ended, closed] of yield* Fiber.join(ends)) {
        expect(ended).toMatchObject({ reason: "ShutDown" })
        expect(closed.code).toBe(closeCodes.ended)
      }
      expect(yield* gateway.calls).toBe(0)
      const connections = yield* embedded.connections
      expect(connections.length).toBe(50)
      for (const connection of connections) yield* connection.ended
    })
  )
})
