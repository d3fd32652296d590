import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { connect, userSays } from "./client.js"

const { Faults, call, script } = EmbeddedRealtime

const start = (options: EmbeddedRealtime.Options = {}) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make(options)
    const client = yield* connect(server.model)
    return { server, client, connection: yield* server.connection }
  })

describe("a connection that has ended", () => {
  it.scoped("keeps its conversation for a test to look into, until newer ones have 32 MiB", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.make({ mind: script([]), pace: 0 })
      const texts = ["short", "x".repeat(1_000_000), "y".repeat(1_000_000)]
      const lengths = [1, 20, 20]
      for (const [index, text] of texts.entries()) {
        const client = yield* connect(server.model)
        for (let n = 0; n < (lengths[index] ?? 0); n += 1) {
          yield* client.send(userSays(text))
          yield* client.until("conversation.item.done")
        }
        const connection = yield* server.connection
        yield* connection.drop
        yield* connection.ended
      }
      const connections = yield* server.connections
      const conversations = yield* Effect.all(connections.map(({ conversation }) => conversation))
      expect(conversations.map(({ length }) => length)).toEqual([0, 0, 20])
    })
  )
})

describe("a session that has lasted long enough", () => {
  it.scoped.each([
    { maxSessionDuration: "90 seconds" as const, said: "1m 30s" },
    { maxSessionDuration: "30 minutes" as const, said: "30 minutes" }
  ])("ends after $maxSessionDuration, with an error and the code 1001", ({ maxSessionDuration, said }) =>
    Effect.gen(function* () {
      const { client, connection } = yield* start({ maxSessionDuration })
      const reason = `Your session hit the maximum duration of ${said}.`
      const { expires_at } = yield* connection.session
      yield* TestClock.adjust(maxSessionDuration)
      expect(yield* Effect.clockWith((clock) => clock.currentTimeMillis)).toBe(Number(expires_at) * 1000)
      expect((yield* client.until("error")).error).toMatchObject({ code: "session_expired", message: reason })
      const lost = yield* Effect.flip(client.connection.frames.take)
      expect(lost).toMatchObject({ _tag: "ConnectionLost", code: 1001, reason })
      expect(yield* connection.ended).toEqual({ _tag: "ClosedByServer", code: 1001, reason })
    })
  )

  it.scoped("ends also while a fault holds back what it sends", () =>
    Effect.gen(function* () {
      const { client } = yield* start({
        maxSessionDuration: "1 minute",
        faults: [Faults.onServerEvent("input_audio_buffer.cleared", [{ _tag: "Hang" }])]
      })
      yield* client.send({ type: "input_audio_buffer.clear" })
      yield* TestClock.adjust("1 minute")
      expect(yield* client.take).toMatchObject({ type: "error", error: { code: "session_expired" } })
      expect(yield* Effect.flip(client.connection.frames.take)).toMatchObject({ code: 1001 })
    })
  )

  it.scoped("never ends if it has no time limit", () =>
    Effect.gen(function* () {
      const { client } = yield* start({ maxSessionDuration: Number.POSITIVE_INFINITY })
      yield* TestClock.adjust("365 days")
      yield* client.send(userSays("still there?"))
      yield* client.until("conversation.item.done")
    })
  )

  it.scoped("counts again for each connection", () =>
    Effect.gen(function* () {
      const { client, server } = yield* start({ maxSessionDuration: "1 minute" })
      yield* TestClock.adjust("40 seconds")
      const second = yield* connect(server.model)
      yield* TestClock.adjust("40 seconds")
      yield* client.until("error")
      yield* second.send(userSays("still there?"))
      yield* second.until("conversation.item.done")
      yield* TestClock.adjust("20 seconds")
      yield* second.until("error")
    })
  )
})

describe("each connection", () => {
  it.scoped("has a session and a conversation of its own", () =>
    Effect.gen(function* () {
      const { client, connection, server } = yield* start({ mind: script([[call("a", {}, { callId: "call_a" })]]) })
      yield* client.send({
        type: "session.update",
        session: { type: "realtime", output_modalities: ["text"], instructions: "Be brief." }
      })
      yield* client.send(userSays("Do a."))
      yield* client.send({ type: "response.create" })
      yield* client.until("response.done")
      yield* connection.drop
      const second = yield* connect(server.model)
      const other = yield* server.connection
      expect(other.number).toBe(2)
      expect(yield* other.conversation).toEqual([])
      const [before, now] = [yield* connection.session, yield* other.session]
      expect(now["id"]).not.toBe(before["id"])
      expect(now).toMatchObject({ instructions: "", output_modalities: ["audio"], tools: [] })
      const output = { type: "function_call_output", call_id: "call_a", output: "done" } as const
      yield* second.send({ type: "conversation.item.create", item: output })
      expect((yield* second.until("error")).error).toMatchObject({ code: "invalid_tool_call_id" })
      yield* second.send({
        type: "conversation.item.create",
        item: { type: "function_call", name: "a", arguments: "{}", call_id: "call_a" }
      })
      yield* second.send({ type: "conversation.item.create", item: output })
      yield* second.until("conversation.item.done")
      yield* second.until("conversation.item.done")
      expect(yield* other.outputs).toEqual([{ callId: "call_a", output: "done" }])
      expect(yield* connection.outputs).toEqual([])
      expect(yield* connection.conversation).toHaveLength(2)
    })
  )

  it.scoped("has a number of its own, also with a server that takes the place of another one", () =>
    Effect.gen(function* () {
      const { client, connection, server } = yield* start({ firstConnection: 7 })
      expect(connection.number).toBe(7)
      yield* client.send(userSays("Hello."))
      expect((yield* client.until("conversation.item.done")).item.id).toBe("item_7_1")
      yield* connect(server.model)
      expect((yield* server.connection).number).toBe(8)
    })
  )
})

describe("ending a connection", () => {
  it.scoped.each<{ readonly title: string; readonly faults: ReadonlyArray<EmbeddedRealtime.Faults.Fault> }>([
    { title: "nothing", faults: [] },
    { title: "a delay", faults: [Faults.delay("conversation.item.added", "1 hour")] },
    {
      title: "a hang",
      faults: [Faults.onServerEvent("conversation.item.added", [{ _tag: "Hang" }, Faults.pass])]
    }
  ])("comes at will after what was sent before, when $title holds that back", ({ faults }) =>
    Effect.gen(function* () {
      const { client, connection, server } = yield* start({ faults })
      yield* client.send(userSays("Hello."))
      yield* connection.next("conversation.item.create")
      yield* connection.drop
      expect(yield* client.typesUntil("conversation.item.done")).toHaveLength(2)
      expect(yield* Effect.flip(client.connection.frames.take)).toMatchObject({ code: 1006 })
      expect(yield* connection.ended).toEqual({ _tag: "Dropped" })

      const second = yield* connect(server.model)
      const other = yield* server.connection
      yield* second.send(userSays("Hello."))
      yield* other.next("conversation.item.create")
      yield* other.close(4000, "enough")
      expect(yield* second.typesUntil("conversation.item.done")).toHaveLength(2)
      expect(yield* Effect.flip(second.connection.frames.take)).toMatchObject({ code: 4000, reason: "enough" })
      expect(yield* other.ended).toEqual({ _tag: "ClosedByServer", code: 4000, reason: "enough" })
    })
  )

  it.scoped("happens once: later events are not handled", () =>
    Effect.gen(function* () {
      const thoughts: Array<string> = []
      const { client, connection } = yield* start({
        faults: [Faults.onClientEvent("response.create", [Faults.wait("1 second"), Faults.pass])],
        mind: EmbeddedRealtime.fromFunction(() => {
          thoughts.push("thought")
          return []
        })
      })
      yield* client.send({ type: "response.create" })
      yield* client.send(userSays("Too late."))
      yield* connection.next("response.create")
      yield* connection.drop
      yield* connection.close(4000)
      expect(yield* connection.ended).toEqual({ _tag: "Dropped" })
      yield* TestClock.adjust("1 minute")
      expect(thoughts).toEqual([])
      expect((yield* connection.received).map(({ type }) => type)).toEqual(["response.create"])
      expect(yield* connection.conversation).toEqual([])
    })
  )
})

describe("what waits", () => {
  it.scoped("is bounded from the client: too much of it ends the connection with the code 1008", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start({
        faults: [Faults.onClientEvent("response.cancel", [{ _tag: "Hang" }])]
      })
      yield* client.send({ type: "response.cancel" })
      yield* connection.next("response.cancel")
      const audio = "A".repeat(15 * 1024 * 1024)
      for (const _ of [1, 2, 3, 4]) yield* client.send({ type: "input_audio_buffer.append", audio })
      expect(client.connection.frames).toHaveLength(0)
      yield* client.send({ type: "input_audio_buffer.append", audio })
      expect(yield* Effect.flip(client.connection.frames.take)).toMatchObject({ code: 1008 })
    })
  )

  it.scoped("counts from the client only until it is read", () =>
    Effect.gen(function* () {
      const { client } = yield* start()
      const audio = "!".repeat(15 * 1024 * 1024)
      for (const _ of [1, 2, 3, 4, 5, 6]) {
        yield* client.send({ type: "input_audio_buffer.append", audio })
        expect((yield* client.until("error")).error.code).toBe("invalid_value")
      }
    })
  )

  it.scoped("is bounded to the client: one for whom a fault holds too much back is dropped", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start({
        faults: [Faults.onServerEvent("input_audio_buffer.cleared", [{ _tag: "Hang" }])]
      })
      yield* client.send({ type: "input_audio_buffer.clear" })
      yield* connection.next("input_audio_buffer.clear")
      const ended = yield* Effect.fork(connection.ended)
      for (let n = 0; n < 100_000; n++) yield* connection.pushText("{}")
      expect(client.connection.frames).toHaveLength(0)
      expect(ended.unsafePoll()).toBeNull()
      // Those that the writer holds already come on top.
      for (let n = 0; n < 100_001 && ended.unsafePoll() === null; n++) yield* connection.pushText("{}")
      expect(yield* Fiber.join(ended)).toEqual({ _tag: "Dropped" })
      expect(yield* Effect.flip(client.connection.frames.take)).toMatchObject({ code: 1006 })
    })
  )

  it.scoped("is bounded in memory: a client that takes nothing is dropped", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start()
      for (let n = 1; n <= 100_000; n++) {
        yield* connection.pushText("{}")
        // Nothing waits anywhere else.
        if (n % 10_000 === 0) {
          while (client.connection.frames.length < n) yield* Effect.yieldNow()
        }
      }
      yield* client.send({ type: "input_audio_buffer.clear" })
      expect(yield* connection.ended).toEqual({ _tag: "Dropped" })
      expect(client.connection.frames).toHaveLength(100_000)
      const { end, messages } = client.connection.frames.takeNow()
      expect(messages).toHaveLength(100_000)
      const lost = end?._tag === "Failed" ? end.error : undefined
      expect(lost).toMatchObject({ _tag: "ConnectionLost", code: 1006 })
      expect(String(lost)).toContain("Take them as they come")
    })
  )

  it.scoped("is bounded in memory: of the audio of all connections, the newest 64 MiB are remembered", () =>
    Effect.gen(function* () {
      const { server } = yield* start()
      const audio = "A".repeat(12 * 1024 * 1024)
      for (let n = 0; n < 6; n += 1) {
        const client = yield* connect(server.model)
        yield* client.send({ type: "input_audio_buffer.append", audio })
        yield* client.send({ type: "input_audio_buffer.clear" })
        yield* client.until("input_audio_buffer.cleared")
      }
      const [, ...connections] = yield* server.connections
      const received = yield* Effect.forEach(connections, ({ received }) => received)
      expect(received.map((events) => events.map(({ type }) => type.slice("input_audio_buffer.".length)))).toEqual([
        ["clear"],
        ...Array.from({ length: 5 }, () => ["append", "clear"])
      ])
    })
  )
})
