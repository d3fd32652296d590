/**
 * A node: a gateway for callers at `/call`, and an API that begins calls and commands those of any node. Its environment:
 *
 * - `DATABASE_URL`: the PostgreSQL database that all nodes share.
 * - `NODE_HOST`, `NODE_PORT`: where the other nodes reach this one. Default: this machine's address, and 34431.
 * - `PORT`: where callers reach it. Default: 8080.
 * - `PAGES_PORT`: where the orchestrator reaches `/health` and `/ready`. Default: 8081.
 * - `API_TOKEN`: what callers must send as a bearer token. At least 16 characters.
 * - `CALL_SECRET`: the same on all nodes, so that a caller finds the call again at any of them. At least 32 characters.
 * - `HOSTS`: the hosts that callers may name, separated by commas. Default: `localhost`, `127.0.0.1`.
 * - `OPENAI_API_KEY`: absent, the embedded server speaks in the place of the model.
 *
 * It needs @effect/cluster, @effect/rpc, @effect/sql, @effect/sql-pg, @effect/workflow and @effect/platform-node.
 */
import { timingSafeEqual } from "node:crypto"
import { createServer } from "node:http"
import { networkInterfaces } from "node:os"
import { HttpRouter, HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { NodeClusterSocket, NodeHttpServer, NodeRuntime } from "@effect/platform-node"
import { PgClient } from "@effect/sql-pg"
import { Config, Effect, Layer, Redacted, Schema } from "effect"
import { Agent, EmbeddedRealtime, OpenAiRealtime, Tool } from "effect-realtime"
import { CallDirectory, CallHost, Calls, ClusterNode, Health, OneAtATime } from "effect-realtime/cluster"
import { Gateway } from "effect-realtime/gateway"
import * as SessionJournalSql from "effect-realtime/SessionJournalSql"

const findTable = Tool.make("find_table", {
  description: "Finds a free table.",
  parameters: { people: Schema.Int },
  // It only reads, so it may run again if its node dies.
  idempotent: true,
  handler: ({ people }) => Effect.succeed(`There is a table for ${people} at eight.`)
})
const agent = Agent.make("Desk", { instructions: "Help callers to a table. Be brief.", tools: [findTable] })

/** The first address of this machine that others can reach. */
const ownAddress = (): string =>
  Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .find(({ family, internal }) => family === "IPv4" && !internal)?.address ?? "127.0.0.1"

const settings = Config.all({
  database: Config.redacted("DATABASE_URL"),
  host: Config.withDefault(Config.string("NODE_HOST"), ownAddress()),
  nodePort: Config.withDefault(Config.port("NODE_PORT"), 34_431),
  port: Config.withDefault(Config.port("PORT"), 8080),
  pagesPort: Config.withDefault(Config.port("PAGES_PORT"), 8081),
  token: Config.redacted("API_TOKEN"),
  secret: Config.redacted("CALL_SECRET"),
  hosts: Config.withDefault(Config.array(Config.string(), "HOSTS"), ["localhost", "127.0.0.1"]),
  openAi: Config.withDefault(Config.string("OPENAI_API_KEY"), "")
})

const isToken = (given: string, token: Redacted.Redacted): boolean => {
  const [a, b] = [Buffer.from(given), Buffer.from(`Bearer ${Redacted.value(token)}`)]
  return a.length === b.length && timingSafeEqual(a, b)
}

const callId = Effect.map(HttpRouter.params, ({ id = "" }) => id)
const done = Effect.as(HttpServerResponse.empty({ status: 204 }))

/** A call begins here; commands are for calls of any node. */
const api = HttpRouter.empty.pipe(
  HttpRouter.post(
    "/calls",
    Effect.gen(function* () {
      const host = yield* CallHost.CallHost
      const session = yield* host.start()
      return HttpServerResponse.unsafeJson({ id: session.id }, { status: 201 })
    })
  ),
  HttpRouter.get(
    "/calls/:id",
    Effect.gen(function* () {
      const calls = yield* Calls.Calls
      return HttpServerResponse.unsafeJson(yield* calls.get(yield* callId).status)
    })
  ),
  HttpRouter.post(
    "/calls/:id/text",
    Effect.gen(function* () {
      const calls = yield* Calls.Calls
      const { text } = yield* HttpServerRequest.schemaBodyJson(Schema.Struct({ text: Schema.String }))
      return yield* done(calls.get(yield* callId).sendText(text))
    })
  ),
  HttpRouter.post(
    "/calls/:id/interrupt",
    Effect.gen(function* () {
      const calls = yield* Calls.Calls
      return yield* done(calls.get(yield* callId).interrupt)
    })
  ),
  HttpRouter.del(
    "/calls/:id",
    Effect.gen(function* () {
      const calls = yield* Calls.Calls
      return yield* done(calls.get(yield* callId).close)
    })
  )
)

/** What the caller of this API is told: the errors say what to do next. */
const refuse = (status: number, message: string) => HttpServerResponse.unsafeJson({ message }, { status })

const guarded = (token: Redacted.Redacted) =>
  Effect.flatMap(HttpServerRequest.HttpServerRequest, ({ headers }) =>
    isToken(headers["authorization"] ?? "", token)
      ? api.pipe(
          Effect.catchTags({
            RouteNotFound: () => refuse(404, "There is no such page."),
            CallUnknown: ({ message }) => refuse(404, message),
            CallEnded: ({ message }) => refuse(410, message),
            NotAccepting: ({ message }) => refuse(503, message),
            ParseError: ({ message }) => refuse(400, message)
          }),
          Effect.catchAll(({ message }) => refuse(502, message))
        )
      : refuse(401, "Send the token of API_TOKEN: Authorization: Bearer TOKEN.")
  )

/** Callers by WebSocket with audio, and the API beside it. When the scope closes, the gateway gives its calls away first. */
const serve = ({ hosts, secret, token }: Effect.Effect.Success<typeof settings>) =>
  Effect.gen(function* () {
    const gateway = yield* Gateway.make({
      authenticate: Gateway.token(token),
      call: () => Effect.succeed({ agent }),
      home: { calls: yield* CallHost.CallHost, secret },
      hosts
    })
    const context = yield* Effect.context<CallHost.CallHost | Calls.Calls>()
    const app = HttpRouter.empty.pipe(
      HttpRouter.get("/call", gateway.app),
      HttpRouter.all("*", Effect.provide(guarded(token), context)),
      Effect.catchAll(() => refuse(404, "There is no such page."))
    )
    // Whoever runs it puts TLS in front.
    yield* Gateway.serve(gateway, { app, reach: "everyone" })
  })

export const main = Layer.unwrapEffect(
  Effect.map(settings, (its) => {
    const { database, host, nodePort, openAi, pagesPort, port } = its
    const address = { host, port: nodePort }
    const listen = (port: number) => NodeHttpServer.layer(() => createServer(), { port })
    const Model = openAi === "" ? EmbeddedRealtime.layer() : OpenAiRealtime.layer({ apiKey: Redacted.make(openAi) })
    const Cluster = OneAtATime.build(
      NodeClusterSocket.layer({ storage: "sql", shardingConfig: ClusterNode.shardingConfig(address) })
    )
    const Node = ClusterNode.layer(agent, { address }).pipe(
      Layer.provideMerge(Model),
      Layer.provide(Layer.mergeAll(SessionJournalSql.layer, CallDirectory.layerSql)),
      Layer.provide(Cluster),
      Layer.provide(PgClient.layer({ url: database }))
    )
    // Closed in this order: callers, the node with its drain, the pages that say so.
    return Layer.mergeAll(Health.report, Layer.provide(Layer.scopedDiscard(serve(its)), listen(port))).pipe(
      Layer.provide(Node),
      Layer.provide(Layer.provide(HttpServer.serve(Health.app), listen(pagesPort))),
      Layer.provide(Health.layer)
    )
  })
)

Layer.launch(main).pipe(NodeRuntime.runMain)
