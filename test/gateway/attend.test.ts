import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { GatewayProtocol as Protocol } from "../../src/gateway.js"
import { type Client, connect, serve } from "./harness.js"

const { closeCodes } = Protocol

const start = (client: Client) => {
  client.send({ _tag: "Start", playback: "estimated" })
  return client.first("Welcome")
}

describe("A socket is closed", () => {
  it.scopedLive("when its client does not say what it wants", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ openingTimeout: "20 millis" })
      const client = yield* connect(port)
      expect((yield* client.closed).code).toBe(closeCodes.silent)
    })
  )

  it.scopedLive("when nothing more arrives, and its call waits", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve({ silenceTimeout: "20 millis" })
      const client = yield* connect(port)
      yield* start(client)
      expect((yield* client.closed).code).toBe(closeCodes.silent)
      expect(yield* gateway.calls).toBe(1)
    })
  )

  const malformed: ReadonlyArray<readonly [name: string, data: string | Uint8Array]> = [
    ["is no JSON", "{"],
    ["is of no kind that there is", '{"_tag":"Sing"}'],
    ["lacks a field", '{"_tag":"SendText","id":1}'],
    ["has a field of another type", '{"_tag":"SendText","id":"1","text":"Hello"}'],
    ["nests 50,000 levels deep", "[".repeat(50_000) + "]".repeat(50_000)],
    ["acknowledges what was never sent", '{"_tag":"Ack","received":1000000}'],
    ["begins again", '{"_tag":"Start","playback":"estimated"}']
  ]
  it.scopedLive.each(malformed)("when a message %s", ([, data]) =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const client = yield* connect(port)
      yield* start(client)
      client.sendRaw(data)
      expect((yield* client.closed).code).toBe(closeCodes.malformed)
    })
  )

  const openings: ReadonlyArray<readonly [name: string, data: string | Uint8Array]> = [
    ["audio", new Uint8Array(2)],
    ["a command", '{"_tag":"SendText","id":1,"text":"Hello"}'],
    ["anything", "Hello"]
  ]
  it.scopedLive.each(openings)("when it begins with %s", ([, data]) =>
    Effect.gen(function* () {
      const { port } = yield* serve()
      const client = yield* connect(port)
      client.sendRaw(data)
      expect((yield* client.closed).code).toBe(closeCodes.malformed)
    })
  )

  it.scopedLive("when a message is too large", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ maxMessageBytes: 1_024 })
      const client = yield* connect(port)
      yield* start(client)
      client.sendRaw(new Uint8Array(1_026))
      expect((yield* client.closed).code).toBe(closeCodes.tooLarge)
    })
  )

  it.scopedLive("before a much larger message is there as a whole", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ maxMessageBytes: 1_024 })
      const client = yield* connect(port)
      yield* start(client)
      client.sendRaw(new Uint8Array(50 * 1_024 * 1_024))
      expect((yield* client.closed).code).toBe(1006)
    })
  )

  it.scopedLive("when too many messages arrive in a second", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ maxMessagesPerSecond: 1 })
      const client = yield* connect(port)
      yield* start(client)
      for (let count = 0; count < 20; count += 1) client.send({ _tag: "Ping" })
      expect((yield* client.closed).code).toBe(closeCodes.tooFast)
    })
  )

  it.scopedLive("when too many bytes arrive in a second", () =>
    Effect.gen(function* () {
      const { port } = yield* serve({ maxBytesPerSecond: 1, maxBurstBytes: 10_000 })
      const client = yield* connect(port)
      yield* start(client)
      for (let count = 0; count < 3; count += 1) client.sendRaw(new Uint8Array(4_800))
      expect((yield* client.closed).code).toBe(closeCodes.tooFast)
    })
  )

  it.scopedLive("with its call, when audio cuts a sample in two", () =>
    Effect.gen(function* () {
      const { gateway, port } = yield* serve()
      const client = yield* connect(port)
      yield* start(client)
      client.sendRaw(new Uint8Array(3))
      expect(yield* client.first("Ended")).toMatchObject({
        reason: "Misused",
        message: expect.stringContaining("sample")
      })
      expect((yield* client.closed).code).toBe(closeCodes.ended)
      expect(yield* gateway.calls).toBe(0)
    })
  )
})
