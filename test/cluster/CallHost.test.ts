import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { textOf } from "../../src/Conversation.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import type * as Session from "../../src/Session.js"
import { desk, makeCluster, meanwhile, pass } from "./nodes.js"

const { say } = ScriptedModel

const wordsOf = ({ conversation }: Session.Session) =>
  Effect.map(conversation, ({ items }) => items.flatMap((item) => (item._tag === "Message" ? textOf(item) : [])))

describe("A call on one node", () => {
  it.scoped("is commanded from another one", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const one = yield* cluster.node(1, { agent: desk, turns: [[say("Good day!")]] })
      yield* cluster.node(2, { agent: desk })
      const session = yield* meanwhile(one.host.start({ callId: "alice" }))
      const alice = cluster.calls.get("alice")
      const itemId = yield* meanwhile(alice.sendText("Hello."))
      yield* pass(1)
      expect(yield* wordsOf(session)).toEqual(["Hello.", "Good day!"])
      expect((yield* session.conversation).items[0]?.id).toBe(itemId)
      expect(yield* alice.status).toMatchObject({ nodeId: one.host.node.nodeId, epoch: 1, agent: "Desk", items: 2 })
      yield* alice.interrupt
      yield* meanwhile(alice.close)
      yield* pass(1)
      expect(yield* one.host.count).toBe(0)
      expect(yield* meanwhile(Effect.flip(alice.status))).toMatchObject({ _tag: "CallEnded", state: "ended" })
      yield* meanwhile(alice.close)
      expect(yield* Effect.flip(cluster.calls.get("bob").interrupt)).toMatchObject({ _tag: "CallUnknown" })
    })
  )

  it.scoped("goes on at another node when its own dies, and its clients find it", () =>
    Effect.gen(function* () {
      const cluster = yield* makeCluster
      const options = { lease: "3 seconds" } as const
      const one = yield* cluster.node(1, { agent: desk, turns: [[say("Good day!")]], options })
      const two = yield* cluster.node(2, { agent: desk, turns: [[say("Still here.")]], options })
      yield* meanwhile(one.host.start({ callId: "alice" }))
      const alice = cluster.calls.get("alice")
      yield* meanwhile(alice.sendText("Hello."))
      yield* pass(4)
      yield* one.kill
      yield* meanwhile(alice.sendText("Are you there?"))
      yield* pass(1)
      const status = yield* meanwhile(alice.status)
      expect(status).toMatchObject({ nodeId: two.host.node.nodeId, epoch: 2 })
      const session = yield* Effect.flatten(two.host.get("alice"))
      expect(yield* wordsOf(session)).toEqual(["Hello.", "Good day!", "Are you there?", "Still here."])
    })
  )
})
