import * as HttpServer from "@effect/platform/HttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { Gateway } from "../../src/gateway.js"
import { connect, httpServer, options, portOf } from "./harness.js"

/** A gateway that is served on a port of its own, with an embedded server behind it. */
const serve = (more: Partial<Gateway.Options<Gateway.Identity, never, never>> = {}) =>
  Effect.gen(function* () {
    const server = yield* httpServer
    const embedded = yield* EmbeddedRealtime.make()
    const gateway = yield* Effect.provide(Gateway.make({ ...options, ...more }), embedded.layer)
    yield* Effect.provideService(Gateway.serve(gateway), HttpServer.HttpServer, server)
    return { gateway, embedded, port: portOf(server) }
  })

describe("A client of a gateway", () => {
  it.scopedLive("talks with a session: text in, events and audio out", () =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const client = yield* connect(port)
      client.send({ _tag: "Start", playback: "reported" })
      const welcome = yield* client.next
      expect(welcome).toMatchObject({ _tag: "Welcome", next: 1, taken: 0, input: { type: "audio/pcm" } })
      yield* client.event("SessionStarted")
      client.send({ _tag: "SendText", id: 1, text: "Hello!" })
      expect(yield* client.first("Done")).toMatchObject({ id: 1, itemId: expect.any(String) })
      const audio = yield* client.first("Audio")
      expect(audio.chunk.bytes.length).toBeGreaterThan(1_000)
      yield* client.event("AudioCompleted")
      client.send({ _tag: "HangUp", id: 2 })
      expect(yield* client.first("Ended")).toMatchObject({ reason: "HungUp" })
      expect((yield* client.closed).code).toBe(4000)
    })
  )
})
