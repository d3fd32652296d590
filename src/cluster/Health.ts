/**
 * What an orchestrator asks a node: whether it is alive, and whether it takes calls.
 *
 * The pages answer before the node has joined the cluster, and until it has given its last call away: start their server
 * below the node.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http"
 * import { HttpServer } from "@effect/platform"
 * import { NodeHttpServer } from "@effect/platform-node"
 * import { Layer } from "effect"
 * import { type CallHost, Health } from "effect-realtime/cluster"
 *
 * // `node` is that of `ClusterNode.layer`.
 * export const withPages = <E, R>(node: Layer.Layer<CallHost.CallHost, E, R>) =>
 *   Health.report.pipe(
 *     Layer.provideMerge(node),
 *     Layer.provide(HttpServer.serve(Health.app)),
 *     Layer.provide(Health.layer),
 *     Layer.provide(NodeHttpServer.layer(() => createServer(), { port: 8080 }))
 *   )
 * ```
 *
 * @since 0.1.0
 */
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as CallHost from "./CallHost.js"

/**
 * How a node is. `Starting`: it has not joined the cluster yet. `Draining`: it is about to stop. `Full`: it has as many
 * calls as `maxCalls` allows. `Lapsed`: it could not reach the database for a whole lease.
 *
 * @since 0.1.0
 * @category models
 */
export type State = "Starting" | CallHost.Health["state"]

/**
 * The same as JSON, in the body of both pages.
 *
 * @since 0.1.0
 * @category models
 */
export interface Report {
  readonly state: State
  /** The number of its calls. */
  readonly calls: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Service {
  readonly report: Effect.Effect<Report>
  /** From now on, reports how this node is; when the scope has closed, that it is about to stop. */
  readonly watch: (host: Pick<CallHost.Service, "health">) => Effect.Effect<void, never, Scope.Scope>
}

/**
 * @since 0.1.0
 * @category tags
 */
export class Health extends Context.Tag("effect-realtime/cluster/Health")<Health, Service>() {}

/**
 * @since 0.1.0
 * @category constructors
 */
export const make: Effect.Effect<Service> = Effect.sync(() => {
  let watched: Pick<CallHost.Service, "health"> | undefined
  let isStopping = false
  return {
    report: Effect.suspend(() =>
      watched === undefined
        ? Effect.succeed({ state: "Starting", calls: 0 } as const)
        : Effect.map(watched.health, ({ calls, state }): Report => ({ state: isStopping ? "Draining" : state, calls }))
    ),
    watch: (host) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          watched = host
          isStopping = false
        }),
        () =>
          Effect.sync(() => {
            isStopping = true
          })
      )
  }
})

/**
 * Reports `Starting` until `report` is there.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Health> = Layer.effect(Health, make)

/**
 * Reports how the node is. Above the node: as a layer it is made when the node has joined, and closed before it drains.
 *
 * @since 0.1.0
 * @category layers
 */
export const report: Layer.Layer<never, never, Health | CallHost.CallHost> = Layer.scopedDiscard(
  Effect.flatMap(Effect.all([Health, CallHost.CallHost]), ([health, host]) => health.watch(host))
)

const page = (isOk: (state: State) => boolean): HttpApp.Default<never, Health> =>
  Effect.gen(function* () {
    const { report } = yield* Health
    const body = yield* report
    return HttpServerResponse.unsafeJson(body, {
      status: isOk(body.state) ? 200 : 503,
      headers: { "cache-control": "no-store" }
    })
  })

/**
 * 200 as long as the process answers. It says nothing about the database: while that is away, calls talk on, and a
 * restart would end them.
 *
 * @since 0.1.0
 * @category pages
 */
export const health: HttpApp.Default<never, Health> = page(() => true)

/**
 * 200 while the node takes calls: it has joined, its lease holds, it has room, and it is not about to stop. Otherwise 503.
 *
 * @since 0.1.0
 * @category pages
 */
export const ready: HttpApp.Default<never, Health> = page((state) => state === "Accepting")

/**
 * `GET /health` and `GET /ready`; 404 for any other path.
 *
 * @since 0.1.0
 * @category pages
 */
export const app: HttpApp.Default<never, Health> = Effect.flatMap(
  HttpServerRequest.HttpServerRequest,
  ({ method, url }): HttpApp.Default<never, Health> => {
    const path = url.split("?", 1)[0]
    if (path !== "/health" && path !== "/ready") return HttpServerResponse.empty({ status: 404 })
    if (method !== "GET" && method !== "HEAD")
      return HttpServerResponse.empty({ status: 405, headers: { allow: "GET, HEAD" } })
    return path === "/health" ? health : ready
  }
)
