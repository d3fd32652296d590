import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as PgClient from "@effect/sql-pg/PgClient"
import { describe, expect, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Agent from "../../src/Agent.js"
import { CallDirectory, CallHost, Calls, ClusterNode } from "../../src/cluster.js"
import * as ScriptedModel from "../../src/ScriptedModel.js"
import * as SessionJournalSql from "../../src/SessionJournalSql.js"
import * as Tool from "../../src/Tool.js"
import { freePort } from "../freePort.js"
import { session } from "./nodes.js"
import * as Postgres from "./postgres.js"

const { call, say } = ScriptedModel

const pay = Tool.make("pay", {
  description: "Pays.",
  approval: true,
  handler: (): Effect.Effect<string> => Effect.succeed("Paid.")
})
const agent = Agent.make("Desk", { instructions: "Be brief.", tools: [pay] })

/** A node with a runner and a database connection of its own, as in a process of its own. */
const node = (url: string, turns: ReadonlyArray<ScriptedModel.Turn>) =>
  Effect.gen(function* () {
    const address = { host: "127.0.0.1", port: yield* freePort }
    const model = yield* ScriptedModel.make(turns)
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const layer = ClusterNode.layer(agent, { address, session, lease: "3 seconds" }).pipe(
      Layer.provideMerge(Layer.mergeAll(SessionJournalSql.layer, CallDirectory.layerSql, model.layer)),
      Layer.provideMerge(
        NodeClusterSocket.layer({ storage: "sql", shardingConfig: ClusterNode.shardingConfig(address) })
      ),
      Layer.provide(PgClient.layer({ url: Redacted.make(url) })),
      Layer.fresh
    )
    const context = yield* Layer.buildWithScope(layer, scope)
    return {
      host: Context.get(context, CallHost.CallHost),
      calls: Context.get(context, Calls.Calls),
      model,
      stop: Scope.close(scope, Exit.void)
    }
  })

describe.skipIf(!Postgres.isHere)(`Nodes on real sockets and PostgreSQL${Postgres.where}`, () => {
  it.scopedLive(
    "command each other's calls, and one that stops gives its calls to the other, with what waits for approval",
    () =>
      Effect.gen(function* () {
        const { url } = yield* Postgres.make
        // One after the other: at once, they would make the tables of @effect/cluster at once, which fails.
        const one = yield* node(url, [[call("pay")]])
        const two = yield* node(url, [[say("It is paid.")]])
        yield* one.host.start({ callId: "alice" })
        const alice = two.calls.get("alice")
        yield* alice.sendText("Pay, please.")
        const pending = yield* Effect.repeat(Effect.delay(alice.status, "20 millis"), {
          until: ({ pendingApprovals }) => pendingApprovals.length > 0
        })
        expect(pending).toMatchObject({ nodeId: one.host.node.nodeId, epoch: 1, agent: "Desk" })

        yield* one.stop
        expect(yield* one.host.count).toBe(0)
        const moved = yield* alice.status
        expect(moved).toMatchObject({ nodeId: two.host.node.nodeId, epoch: 2 })
        expect(moved.pendingApprovals).toMatchObject([{ tool: "pay" }])
        expect(yield* Effect.flip(alice.approve("nothing"))).toMatchObject({ _tag: "ApprovalNotPending" })
        yield* alice.approve(moved.pendingApprovals[0]?.toolCallId ?? "")
        const { conversation } = yield* Effect.flatten(two.host.get("alice"))
        yield* conversation.changes.pipe(
          Stream.takeUntil(({ items }) => items.length === 4 && items[3]?._tag === "Message"),
          Stream.runDrain
        )
        expect(yield* two.model.outputs).toHaveLength(1)
        yield* alice.close
        expect(yield* Effect.flip(alice.interrupt)).toMatchObject({ _tag: "CallEnded" })
      }),
    60_000
  )
})
