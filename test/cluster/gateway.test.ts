import * as HttpServer from "@effect/platform/HttpServer"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Agent from "../../src/Agent.js"
import { Gateway, GatewayProtocol } from "../../src/gateway.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as Tool from "../../src/Tool.js"
import { connect, httpServer, options, portOf } from "../gateway/harness.js"
import { desk, makeCluster } from "./nodes.js"

const { say } = ScriptedModel
const { closeCodes } = GatewayProtocol

const secret = Redacted.make("the-same-secret-at-all-gateways-of-a-service")

/** A node with a gateway, of a cluster. */
const nodeOf = (
  cluster: Effect.Effect.Success<typeof makeCluster>,
  port: number,
  turns: ReadonlyArray<ScriptedModel.Turn>,
  agent: Agent.Agent<never, never> = desk
) =>
  Effect.gen(function* () {
    const drain = { toolsWithin: "1 millis" } as const
    const node = yield* cluster.node(port, { agent, turns, options: { lease: "1 second", drain } })
    const server = yield* httpServer
    const home = { calls: node.host, secret }
    const gateway = yield* Effect.provide(
      Gateway.make({ ...options, call: () => Effect.succeed({ agent }), home }),
      node.model.layer
    )
    yield* Effect.provideService(Gateway.serve(gateway), HttpServer.HttpServer, server)
    return { ...node, gateway, port: portOf(server) }
  })

describe("A client of a gateway with shared calls", () => {
  it.scopedLive("goes on at another gateway when its node stops, and what it sends again is said once", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* nodeOf(cluster, 1, [[say("Good day!")]])
      const two = yield* nodeOf(cluster, 2, [[say("Still here.")]])
      const first = yield* connect(one.port)
      first.send({ _tag: "Start", playback: "estimated" })
      const { callId, key } = yield* first.first("Welcome")
      first.send({ _tag: "SendText", id: 1, text: "Hello." })
      yield* first.event("ResponseDone")

      yield* one.gateway.drain
      expect(yield* first.closed).toMatchObject({ code: closeCodes.moved })
      expect(GatewayProtocol.isResumable(closeCodes.moved)).toBe(true)
      expect(yield* one.host.count).toBe(0)
      // Somebody who knows the id of the call only.
      const stranger = yield* connect(two.port)
      stranger.send({ _tag: "Resume", callId, key: "a-key-that-was-made-up", received: 0 })
      expect(yield* stranger.closed).toMatchObject({ code: closeCodes.notFound })

      const second = yield* connect(two.port)
      second.send({ _tag: "Resume", callId, key, received: 9 })
      expect(yield* second.next).toMatchObject({ _tag: "Welcome", callId, key, next: 10 })
      const { snapshot } = yield* second.event("EventsMissed")
      expect(snapshot?.conversation.items).toHaveLength(2)
      // Its answer was lost, so the client does not know that it arrived.
      second.send({ _tag: "SendText", id: 1, text: "Hello." })
      second.send({ _tag: "SendText", id: 2, text: "Are you there?" })
      yield* second.event("ResponseDone")
      const session = yield* Effect.flatten(two.host.get(callId))
      const said = Effect.map(session.conversation, ({ items }) =>
        items.flatMap((item) => (item._tag === "Message" && item.role === "user" ? item.content : []))
      )
      // On a busy machine, what is sent again may be answered before what follows it has come.
      yield* Effect.repeat(Effect.zipRight(Effect.yieldNow(), said), { until: (all) => all.length > 1 })
      expect(yield* said).toMatchObject([{ text: "Hello." }, { text: "Are you there?" }])
      second.send({ _tag: "HangUp", id: 3 })
      expect(yield* second.closed).toMatchObject({ code: closeCodes.ended })
      const third = yield* connect(two.port)
      third.send({ _tag: "Resume", callId, key, received: 9 })
      expect(yield* third.closed).toMatchObject({ code: closeCodes.notFound })
    })
  )

  it.scopedLive(
    "says it again at the next gateway, and hangs up there, if its node gives the call away meanwhile",
    () =>
      Effect.gen(function* () {
        const cluster = yield* makeCluster
        // The session waits for it for a second when it ends.
        const deaf = Tool.make("deaf", {
          description: "",
          handler: () => Effect.as(Effect.uninterruptible(Effect.sleep("3 seconds")), "Done.")
        })
        const agent = Agent.make("Desk", { instructions: "", tools: [deaf] })
        const one = yield* nodeOf(cluster, 1, [[ScriptedModel.call("deaf")]], agent)
        const two = yield* nodeOf(cluster, 2, [], agent)
        const first = yield* connect(one.port)
        first.send({ _tag: "Start", playback: "estimated" })
        const { callId, key } = yield* first.first("Welcome")
        first.send({ _tag: "SendText", id: 1, text: "Do it." })
        yield* first.event("ToolStarted")
        const draining = yield* Effect.fork(one.gateway.drain)
        yield* Effect.repeat(Effect.zipRight(Effect.yieldNow(), one.host.hasMoved(callId)), { until: (moves) => moves })
        first.send({ _tag: "SendText", id: 2, text: "And one thing more." })
        first.send({ _tag: "HangUp", id: 3 })
        // Neither is answered.
        expect(yield* Effect.flip(first.first("Failed"))).toMatchObject({ code: closeCodes.moved })
        yield* Fiber.join(draining)

        const second = yield* connect(two.port)
        second.send({ _tag: "Resume", callId, key, received: 1 })
        yield* second.first("Welcome")
        second.send({ _tag: "SendText", id: 2, text: "And one thing more." })
        expect(yield* second.first("Done")).toMatchObject({ id: 2 })
        second.send({ _tag: "HangUp", id: 3 })
        expect(yield* second.closed).toMatchObject({ code: closeCodes.ended })
        const state = Effect.map(cluster.directory.find(callId), (row) => row?.state)
        yield* Effect.repeat(Effect.delay(state, "10 millis"), { until: (now) => now === "ended" })
        expect(yield* two.host.count).toBe(0)
      })
  )

  it.scopedLive("finds its call at another gateway when its node died", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* nodeOf(cluster, 1, [[say("Good day!")]])
      const two = yield* nodeOf(cluster, 2, [[say("Still here.")]])
      const first = yield* connect(one.port)
      first.send({ _tag: "Start", playback: "estimated" })
      const { callId, key } = yield* first.first("Welcome")
      yield* one.kill
      first.terminate()
      const resumed = Effect.gen(function* () {
        const client = yield* connect(two.port)
        client.send({ _tag: "Resume", callId, key, received: 1 })
        yield* client.first("Welcome")
        return client
      })
      // Two sockets of one client at once: the last one has the call.
      const [, second] = yield* Effect.all([resumed, Effect.delay(resumed, "100 millis")], { concurrency: 2 })
      second.send({ _tag: "SendText", id: 1, text: "Hello?" })
      yield* second.event("ResponseDone")
      expect(yield* two.host.count).toBe(1)
      expect(yield* two.gateway.calls).toBe(1)
    })
  )
})
