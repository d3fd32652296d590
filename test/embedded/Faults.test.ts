import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { classifyHandshake } from "../../src/protocol/Severity.js"
import { connect, wrap } from "./client.js"

const { Faults, call, say, script } = EmbeddedRealtime

const start = (faults: ReadonlyArray<EmbeddedRealtime.Faults.Fault>, ...turns: ReadonlyArray<EmbeddedRealtime.Turn>) =>
  Effect.gen(function* () {
    const server = yield* EmbeddedRealtime.make({ faults, mind: script(turns) })
    const client = wrap(yield* server.model.connect({}))
    return { server, client, connection: yield* server.connection }
  })

const create = { type: "response.create", event_id: "mine" } as const

describe("the handshake", () => {
  it.scoped("is refused, or never answered", () =>
    Effect.gen(function* () {
      const { model } = yield* EmbeddedRealtime.make({
        faults: [Faults.refuseHandshake(503, "busy", { connection: 1 }), Faults.hangHandshake({ connection: 2 })]
      })
      expect(yield* Effect.flip(model.connect({}))).toMatchObject({
        _tag: "HandshakeRefused",
        status: 503,
        body: "busy"
      })
      const hanging = yield* Effect.fork(Effect.flip(model.connect({})))
      yield* TestClock.adjust("9999 millis")
      expect(Option.isNone(yield* Fiber.poll(hanging))).toBe(true)
      yield* TestClock.adjust("1 millis")
      expect(yield* Fiber.join(hanging)).toMatchObject({ _tag: "ConnectTimedOut", afterMs: 10_000 })
      yield* connect(model)
    })
  )

  it.scoped("can be slow", () =>
    Effect.gen(function* () {
      const { model } = yield* EmbeddedRealtime.make({
        faults: [Faults.onConnect([Faults.wait("5 seconds"), Faults.pass])]
      })
      const slow = yield* Effect.fork(model.connect({}))
      yield* TestClock.adjust("4999 millis")
      expect(Option.isNone(yield* Fiber.poll(slow))).toBe(true)
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(slow)
    })
  )
})

describe("the connection", () => {
  it.scoped("drops, or closes, at the n-th event, once or on each connection", () =>
    Effect.gen(function* () {
      const { server, client } = yield* start([
        Faults.dropAtEvent(3, { connection: 1 }),
        Faults.closeAtEvent(2, 1011, "oops", { connection: 2 })
      ])
      yield* client.send(create)
      expect(yield* client.typesUntil("response.created")).toHaveLength(2)
      expect(yield* Effect.flip(client.connection.frames.take)).toMatchObject({ code: 1006 })
      const second = yield* connect(server.model)
      yield* second.send(create)
      expect(yield* Effect.flip(second.connection.frames.take)).toMatchObject({ code: 1011, reason: "oops" })
      const third = yield* connect(server.model)
      yield* third.send(create)
      yield* third.until("response.done")
    })
  )

  it.scoped("drops at an event of its own number on each connection, and lives where there is none", () =>
    Effect.gen(function* () {
      const server = yield* EmbeddedRealtime.make({
        faults: [Faults.dropAtEvents([2, 1, undefined, 0, 4])],
        mind: script([])
      })
      const lives: Array<number> = []
      for (const _ of [1, 2, 3, 4, 5, 6]) {
        const connection = yield* server.model.connect({})
        // Only frames from the server are counted.
        const clear = { type: "input_audio_buffer.clear" } as const
        for (const event of [create, clear, clear, clear, clear]) yield* Effect.ignore(connection.send(event))
        let events = 0
        const read = Effect.gen(function* () {
          while (true) {
            const frame = yield* connection.frames.take
            events += 1
            if (frame._tag === "Known" && frame.event.type === "response.done") return "done"
          }
        })
        lives.push((yield* Effect.isFailure(read)) ? events : Number.POSITIVE_INFINITY)
      }
      const forever = Number.POSITIVE_INFINITY
      expect(lives).toEqual([1, 0, forever, forever, 3, forever])
    })
  )

  it.scoped("goes mute without an end", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start([
        Faults.onServerEvent("response.created", [Faults.pass, Faults.mute])
      ])
      yield* client.send(create)
      yield* client.until("response.created")
      yield* client.send({ type: "response.cancel" })
      yield* connection.next("response.cancel")
      yield* TestClock.adjust("1 minute")
      expect(client.connection.frames).toHaveLength(0)
    })
  )
})

describe("responses", () => {
  it.scoped("fail, stall, or never come", () =>
    Effect.gen(function* () {
      const { client } = yield* start(
        [
          Faults.failResponse("rate_limit_exceeded", { nth: 1 }),
          Faults.ignoreResponseCreate({ nth: 2 }),
          Faults.stallResponse({ nth: 3 })
        ],
        [say("One.")]
      )
      yield* client.send(create)
      expect((yield* client.until("response.done")).response).toMatchObject({
        status: "failed",
        status_details: { error: { code: "rate_limit_exceeded" } }
      })
      yield* client.send(create)
      yield* client.send(create)
      expect((yield* client.until("response.created")).response.id).toBe("resp_1_2")
      yield* client.until("rate_limits.updated")
      yield* TestClock.adjust("30 minutes")
      expect(client.connection.frames).toHaveLength(0)
      yield* client.send({ type: "response.cancel" })
      expect((yield* client.take).type).toBe("response.done")
    })
  )

  it.scoped("is refused a number of times, and then accepted", () =>
    Effect.gen(function* () {
      const { client } = yield* start(
        [Faults.refuseResponseCreate("server_error", "Oops.", { first: 2 })],
        [say("Yes.")]
      )
      for (const _ of [1, 2]) {
        yield* client.send(create)
        const { error } = yield* client.until("error")
        expect(error).toMatchObject({ code: "server_error", message: "Oops.", event_id: "mine" })
      }
      yield* client.send(create)
      expect(yield* client.until("response.done")).toMatchObject({ response: { status: "completed" } })
    })
  )

  it.scoped("is never announced, though its other events are sent", () =>
    Effect.gen(function* () {
      const { client } = yield* start([Faults.withholdResponseCreated()], [say("Yes.")])
      yield* client.send(create)
      const types = yield* client.typesUntil("response.done")
      expect(types).not.toContain("response.created")
      expect(types).toContain("response.output_item.added")
    })
  )

  it.scoped("is the server's own, and never begins, fails, or falls silent", () =>
    Effect.gen(function* () {
      const faults = [
        Faults.ignoreTurn({ nth: 1 }),
        Faults.failTurn("server_error", { nth: 2 }),
        Faults.stallTurn({ nth: 3 })
      ]
      const { client, connection } = yield* start(faults, [say("Yes.")])
      yield* connection.userSays("One.")
      yield* connection.userSays("Two.")
      expect(yield* client.typesUntil("response.created")).toContain("input_audio_buffer.committed")
      expect(yield* client.until("response.done")).toMatchObject({ response: { id: "resp_1_1", status: "failed" } })
      yield* connection.userSays("Three.")
      yield* client.until("response.created")
      yield* client.send({ type: "response.cancel" })
      expect(yield* client.until("response.done")).toMatchObject({ response: { status: "cancelled", output: [] } })
      yield* connection.userSays("Four.")
      expect(yield* client.until("response.done")).toMatchObject({ response: { status: "completed" } })
    })
  )

  it.scoped("lose the race against voice activity detection, in both orders", () =>
    Effect.gen(function* () {
      for (const order of ["created-first", "error-first"] as const) {
        const { client } = yield* start([Faults.vadWins(order, { nth: 1 })], [say("Theirs.")], [say("Ours.")])
        yield* client.until("session.created")
        yield* client.send({ ...create, response: { metadata: { owner: "us" } } })
        const types = yield* client.typesUntil("response.done")
        const [created, error] = [types.indexOf("response.created"), types.indexOf("error")]
        expect(Math.min(created, error)).toBeGreaterThanOrEqual(0)
        expect(created < error).toBe(order === "created-first")
        yield* client.send({ ...create, response: { metadata: { owner: "us" } } })
        expect((yield* client.until("response.created")).response.metadata).toEqual({ owner: "us" })
      }
    })
  )

  it.scoped("that lost name the winner, with or without the event id", () =>
    Effect.gen(function* () {
      const { client } = yield* start([Faults.vadWins("error-first"), Faults.errorWithoutEventId({ nth: 2 })])
      yield* client.send(create)
      const first = yield* client.until("error")
      expect(first.error).toMatchObject({ code: "conversation_already_has_active_response", event_id: "mine" })
      expect(first.error.message).toContain("resp_1_1.")
      yield* client.until("response.done")
      yield* client.send(create)
      expect((yield* client.until("error")).error.event_id).toBe(null)
    })
  )
})

describe("calls", () => {
  it.scoped("are announced twice, or in response.done only", () =>
    Effect.gen(function* () {
      const { client } = yield* start(
        [Faults.duplicate("response.output_item.done", { nth: 1 })],
        [call("a", {}, { callId: "one" })]
      )
      yield* client.send(create)
      const first = yield* client.until("response.output_item.done")
      expect(yield* client.take).toEqual(first)

      const hidden = yield* start([Faults.callsOnlyInResponseDone], [call("a", {}, { callId: "one" })])
      yield* hidden.client.until("session.created")
      yield* hidden.client.send(create)
      expect(yield* hidden.client.typesUntil("rate_limits.updated")).toHaveLength(2)
      const done = yield* hidden.client.take
      expect(done).toMatchObject({
        type: "response.done",
        response: { output: [{ call_id: "one", status: "completed" }] }
      })
    })
  )
})

describe("frames", () => {
  it.scoped("of unknown types, with unknown fields, or that are not JSON come through unchanged", () =>
    Effect.gen(function* () {
      const { client } = yield* start([
        Faults.unknownEvent("response.created"),
        Faults.extraFields("rate_limits.updated"),
        Faults.malformedFrame("response.done")
      ])
      yield* client.until("session.created")
      yield* client.send(create)
      const tags: Array<string> = []
      while (true) {
        const frame = yield* client.connection.frames.take
        tags.push(frame._tag)
        if (frame._tag === "Known" && frame.event.type === "rate_limits.updated") {
          expect(frame.event).toMatchObject({ novelty: { since: 2027 } })
        }
        if (frame._tag === "Known" && frame.event.type === "response.done") break
      }
      expect(tags[0]).toBe("Unknown")
      expect(tags.at(-2)).toBe("Malformed")
      expect(tags.filter((tag) => tag !== "Known")).toHaveLength(2)
    })
  )
})

describe("session.update", () => {
  it.scoped("is refused, or never acknowledged", () =>
    Effect.gen(function* () {
      const { client, connection } = yield* start([
        Faults.refuseSessionUpdate("server_error", "Not now.", { nth: 1 }),
        Faults.withholdSessionUpdated({ nth: 1 })
      ])
      const update = { type: "session.update", session: { type: "realtime", instructions: "new" } } as const
      yield* client.send({ ...update, event_id: "mine" })
      expect((yield* client.until("error")).error).toMatchObject({ message: "Not now.", event_id: "mine" })
      expect(yield* connection.session).toMatchObject({ instructions: "" })
      yield* client.send(update)
      yield* client.send({ type: "input_audio_buffer.clear" })
      expect((yield* client.take).type).toBe("input_audio_buffer.cleared")
      expect(yield* connection.session).toMatchObject({ instructions: "new" })
    })
  )
})

describe("a delay", () => {
  it.scoped("holds an event back, and what comes after it", () =>
    Effect.gen(function* () {
      const { client } = yield* start([Faults.delay("response.created", "2 seconds")])
      yield* client.until("session.created")
      yield* client.send(create)
      yield* TestClock.adjust("1999 millis")
      expect(client.connection.frames).toHaveLength(0)
      yield* TestClock.adjust("1 millis")
      yield* client.until("response.done")
    })
  )
})

describe("random faults", () => {
  const handshakes = (options: { readonly seed: number; readonly handshakeRate?: number }, count: number) => {
    const fault = Faults.random({ rate: 1, ...options })
    return Array.from({ length: count }, (_, n) => fault({ _tag: "Connecting", connection: n + 1 }))
  }

  it("affect handshakes if asked to, at the given rate, and the same ones for the same seed", () => {
    const options = { seed: 1, handshakeRate: 0.3 }
    const outcomes = handshakes(options, 10_000)
    const struck = outcomes.filter((actions) => actions !== undefined)
    expect(struck.length).toBeGreaterThan(2700)
    expect(struck.length).toBeLessThan(3300)
    expect(handshakes(options, 10_000)).toEqual(outcomes)
    expect(handshakes({ ...options, seed: 2 }, 10_000)).not.toEqual(outcomes)
    const statuses = new Set<number>()
    for (const action of struck.flat()) {
      if (action._tag === "RefuseHandshake") statuses.add(action.status)
      else expect(action._tag).toBe("Wait")
    }
    expect([...statuses].sort()).toEqual([429, 500, 503])
    for (const status of statuses) expect(classifyHandshake(status)).toBe("transient")
  })

  it("leave handshakes alone otherwise", () => {
    expect(handshakes({ seed: 1 }, 1000).every((actions) => actions === undefined)).toBe(true)
  })

  it.scoped("let a client in that tries again", () =>
    Effect.gen(function* () {
      const { model } = yield* EmbeddedRealtime.make({
        faults: [Faults.random({ seed: 5, rate: 0, handshakeRate: 0.9 })]
      })
      const refusals: Array<number> = []
      const insistent = yield* model.connect({}).pipe(
        Effect.tapError((error) =>
          Effect.sync(() => refusals.push(error._tag === "HandshakeRefused" ? error.status : 0))
        ),
        Effect.eventually,
        Effect.fork
      )
      yield* TestClock.adjust("10 minutes")
      expect((yield* wrap(yield* Fiber.join(insistent)).take).type).toBe("session.created")
      expect(refusals.length).toBeGreaterThan(1)
      expect(refusals).not.toContain(0)
    })
  )

  it.scoped("are the same for the same seed, and others for another one", () =>
    Effect.gen(function* () {
      const run = (seed: number) =>
        Effect.gen(function* () {
          const { client } = yield* start([Faults.random({ seed, rate: 0.3, disconnects: false })])
          const tags: Array<string> = []
          yield* client.send(create)
          yield* TestClock.adjust("1 minute")
          for (const frame of client.connection.frames.takeNow().messages) {
            tags.push(frame._tag === "Known" ? frame.event.type : frame._tag)
          }
          return tags.join(" ")
        })
      const [first, again, other] = [yield* run(1), yield* run(1), yield* run(2)]
      expect(first).toBe(again)
      expect(first).not.toBe(other)
    })
  )
})
