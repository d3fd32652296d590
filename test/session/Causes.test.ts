import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import * as Agent from "../../src/Agent.js"
import { call, fail, pause, say, stall } from "../../src/ScriptedModel.js"
import { SessionEvent } from "../../src/SessionEvent.js"
import * as Tool from "../../src/Tool.js"
import { open } from "./harness.js"

const echo = Tool.make("echo", { description: "", handler: () => Effect.succeed("echo") })
const agent = Agent.make("Desk", { instructions: "Desk.", tools: [echo] })

const none = { itemIds: [], callIds: [], responseIds: [] }
const passing = fail("server_error", "Try again.")

describe("The cause of a response", () => {
  it.scoped("names the item that sendText put in, when it begins and when it ends", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hi.")]])
      const itemId = yield* h.session.sendText("Hello!")
      expect(yield* h.first("ResponseStarted")).toMatchObject({ cause: { ...none, itemIds: [itemId] } })
      expect(yield* h.first("ResponseDone")).toMatchObject({ cause: { ...none, itemIds: [itemId] } })
    })
  )

  it.scoped("names all items that one response answers", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("One."), pause("10 seconds")], [say("Two and three.")]])
      yield* h.session.sendText("1")
      yield* h.first("ResponseStarted")
      const itemIds = [yield* h.session.sendText("2"), yield* h.session.sendText("3")]
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.nth("ResponseStarted", 2)).toMatchObject({ cause: { ...none, itemIds } })
    })
  )

  it.scoped("names the calls whose outputs it is about, and the response that made them", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [
        [call("echo", {}, { callId: "c1" }), call("echo", {}, { callId: "c2" })],
        [say("Done.")]
      ])
      yield* h.session.sendText("Call.")
      const { responseId } = yield* h.first("ResponseStarted")
      expect(yield* h.nth("ResponseDone", 2)).toMatchObject({
        cause: { itemIds: [], callIds: ["c1", "c2"], responseIds: [responseId] }
      })
    })
  )

  it.scoped("names the result of a deferred call", () =>
    Effect.gen(function* () {
      const handler = () => Effect.as(Effect.sleep("10 seconds"), "ready")
      const slow = Tool.deferred(Tool.make("slow", { description: "", handler }), "It takes a while.")
      const h = yield* open(Agent.make("Desk", { instructions: "Desk.", tools: [slow] }), [
        [call("slow", {}, { callId: "c1" })],
        [say("It takes a while.")],
        [say("It is ready.")]
      ])
      yield* h.session.sendText("Call.")
      yield* h.nth("ResponseDone", 2)
      yield* TestClock.adjust("10 seconds")
      expect(yield* h.nth("ResponseDone", 3)).toMatchObject({ cause: { ...none, callIds: ["c1"] } })
    })
  )

  it.scoped("is the same for each try, and for the loss of the last", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[passing], [stall], [stall], [stall]])
      const itemId = yield* h.session.sendText("Hello!")
      const cause = { ...none, itemIds: [itemId] }
      const time = Effect.forever(TestClock.adjust("1 second"))
      expect(yield* Effect.raceFirst(h.first("ResponseLost"), time)).toMatchObject({ cause })
      expect(h.all("ResponseDone")[0]).toMatchObject({ status: "failed", cause })
      const tries = [...h.all("ResponseStarted"), ...h.all("ResponseStalled")]
      expect(tries.length).toBeGreaterThan(4)
      for (const event of tries) expect(event).toMatchObject({ cause })
    })
  )

  it.scoped("is absent for what the server began by itself, and for a bare request", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hi.")], [say("Hi again.")], [say("Hi beside.")]])
      yield* h.model.userSays("Hello!")
      expect((yield* h.first("ResponseDone")).cause).toBeUndefined()
      yield* h.session.requestResponse()
      expect((yield* h.nth("ResponseDone", 2)).cause).toBeUndefined()
      const requestId = yield* h.session.requestResponse({ instructions: "Greet." })
      const third = yield* h.nth("ResponseDone", 3)
      expect([third.cause, third.requestId]).toEqual([undefined, requestId])
    })
  )

  it.scoped("survives another connection", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hal"), pause("10 seconds")], [say("Hallo.")]])
      const itemId = yield* h.session.sendText("Hello!")
      yield* h.first("ResponseStarted")
      yield* h.model.drop()
      yield* TestClock.adjust("1 minute")
      const cause = { ...none, itemIds: [itemId] }
      expect(yield* h.first("ResponseDone")).toMatchObject({ reason: "connection_lost", cause })
      expect(yield* h.nth("ResponseDone", 2)).toMatchObject({ status: "completed", cause })
    })
  )

  it.scoped("can be encoded, and events from before there were causes can be decoded", () =>
    Effect.gen(function* () {
      const h = yield* open(agent, [[say("Hi.")]])
      yield* h.session.sendText("Hello!")
      const event = yield* h.first("ResponseDone")
      const { cause, ...encoded } = JSON.parse(JSON.stringify(yield* Schema.encode(SessionEvent)(event)))
      const decode = Schema.decodeUnknown(SessionEvent)
      expect(yield* decode({ ...encoded, cause })).toEqual(event)
      expect(yield* decode(encoded)).toMatchObject({ _tag: "ResponseDone", status: "completed" })
    })
  )
})
