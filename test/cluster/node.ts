/** A node of the cluster, told by its environment: see `machines.ts`. */
import "./clock.js"
import "./orphan.js"
import { createServer } from "node:http"
import * as ClusterWorkflowEngine from "@effect/cluster/ClusterWorkflowEngine"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Agent from "../../src/Agent.js"
import * as CallDirectory from "../../src/cluster/CallDirectory.js"
import * as ClusterNode from "../../src/cluster/ClusterNode.js"
import * as Health from "../../src/cluster/Health.js"
import * as OneAtATime from "../../src/cluster/OneAtATime.js"
import * as OpenAiRealtime from "../../src/OpenAiRealtime.js"
import * as SessionJournalSql from "../../src/SessionJournalSql.js"
import { book, instructions, look, note, pay, settings } from "./agent.js"
import * as answers from "./answers.js"
import * as control from "./control.js"
import * as Ship from "./ship.js"
import * as usage from "./usage.js"

const told = (name: string): string => process.env[name] ?? ""
const address = { host: told("NODE_HOST"), port: Number(told("NODE_PORT")) }

const agent = Agent.make("Desk", { instructions, tools: [note, book, look, pay, Ship.ship], settings })

const meter = usage.make(address.port)

const Database = PgClient.layer({ url: Redacted.make(told("DATABASE_URL")), maxConnections: 10 })
const Cluster = OneAtATime.build(
  NodeClusterSocket.layer({ storage: "sql", shardingConfig: ClusterNode.shardingConfig(address) })
)

const Host = ClusterNode.layer(agent, {
  address,
  lease: Number(told("LEASE_MS")),
  drain: { mode: told("DRAIN_MODE") === "wait" ? "wait" : "hand over", within: Number(told("DRAIN_MS")) }
})

const Control = Layer.scopedDiscard(
  Effect.flatMap(answers.make(meter), (questions) => control.serve(Number(told("CONTROL_PORT")), questions))
)

const Node = Layer.mergeAll(Control, Health.report).pipe(
  Layer.provideMerge(Host),
  Layer.provideMerge(Ship.layer),
  Layer.provideMerge(
    Layer.mergeAll(
      SessionJournalSql.layer,
      CallDirectory.layerSql,
      ClusterWorkflowEngine.layer,
      OpenAiRealtime.layer({ apiKey: Redacted.make("key"), url: told("MODEL_URL") })
    )
  ),
  Layer.provideMerge(Cluster),
  Layer.provideMerge(Database)
)

const Pages = HttpServer.serve(Health.app).pipe(
  Layer.provide(NodeHttpServer.layer(() => createServer(), { host: "0.0.0.0", port: Number(told("PAGES_PORT")) }))
)

Node.pipe(Layer.provide(Pages), Layer.provide(Health.layer), Layer.launch, NodeRuntime.runMain)
