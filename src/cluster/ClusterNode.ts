/**
 * A node of a cluster: its calls, its door for the other nodes, and the drain when it stops.
 *
 * @since 0.1.0
 */
import * as EntityId from "@effect/cluster/EntityId"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import type * as ShardId from "@effect/cluster/ShardId"
import { Sharding } from "@effect/cluster/Sharding"
import type { ShardingConfig } from "@effect/cluster/ShardingConfig"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type * as Agent from "../Agent.js"
import { TaggedError } from "../common/TaggedError.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import type { SessionJournal } from "../SessionJournal.js"
import { type Address, groupOf } from "./address.js"
import type { CallDirectory } from "./CallDirectory.js"
import * as CallEntity from "./CallEntity.js"
import * as CallHost from "./CallHost.js"
import * as Calls from "./Calls.js"
import type { AddressInUse, DirectoryFailed } from "./ClusterError.js"
import type { Door } from "./Door.js"
import * as rules from "./rules.js"

export type { Address } from "./address.js"

/**
 * What `@effect/cluster` calls its configuration.
 *
 * @since 0.1.0
 * @category models
 */
export type Config = ShardingConfig["Type"]

/** The same for all nodes and clients. */
const common = {
  // Advisory locks are numbered by the position of a group in the list of each node, and these lists differ.
  shardLockDisableAdvisory: true,
  // Each node has a group of its own, and a lock for each shard of it. The second node takes half of the shards of
  // `default` from the first, which releases them one by one, over the connection that renews its locks. If that takes
  // longer than the refresh interval, @effect/cluster gives up all shards: few shards make a slow database bearable.
  shardsPerGroup: 12,
  shardLockExpiration: Duration.seconds(12),
  shardLockRefreshInterval: Duration.seconds(4),
  refreshAssignmentsInterval: Duration.seconds(1),
  entityMessagePollInterval: Duration.seconds(2)
} satisfies Partial<Config>

/**
 * The configuration of `@effect/cluster` for a node at this address, such as for `NodeClusterSocket.layer` of
 * `@effect/platform-node`. The node has a shard group of its own, which is made of its address, and no other node's
 * coming or going moves it. Besides, it takes its share of the group `default`, where workflows run.
 *
 * Throws `OptionsInvalid` if the port is none.
 *
 * @param address where the other nodes reach this one
 * @param more what else to set. `shardsPerGroup` and all times must be the same on all nodes. Workflows are spread over
 *   `shardsPerGroup` (12) shards: raise it if more nodes than that are to run them
 * @since 0.1.0
 * @category configuration
 */
export const shardingConfig = (address: Address, more: Partial<Config> = {}): Partial<Config> => {
  Rule.validateOrThrow("ClusterNode.shardingConfig", rules.address, address)
  const groups = ["default", groupOf(address)]
  return {
    ...common,
    runnerAddress: Option.some(RunnerAddress.make(address.host, address.port)),
    availableShardGroups: groups,
    assignedShardGroups: groups,
    ...more
  }
}

/**
 * The configuration for a process without calls, which commands those of the nodes: with `clientOnly: true` of
 * `NodeClusterSocket.layer`.
 *
 * @since 0.1.0
 * @category configuration
 */
export const clientConfig = (more: Partial<Config> = {}): Partial<Config> => ({
  ...common,
  runnerAddress: Option.none(),
  ...more
})

/**
 * The node did not get its own shard group, so other nodes cannot reach its calls.
 *
 * @since 0.1.0
 * @category errors
 */
export class GroupNotAcquired extends TaggedError<GroupNotAcquired>()("GroupNotAcquired", {
  group: Schema.String,
  afterMs: Schema.Number
}) {
  override get message(): string {
    return `The shard group ${this.group} was not acquired within ${this.afterMs / 1000} seconds. Give @effect/cluster the configuration of ClusterNode.shardingConfig, with the same address, and look at its log and at the database.`
  }
}

/** Locks of a process that died at the same address run out first. */
const acquiredWithin = "1 minute"

/** So many ids have a shard of each number among them. */
const probes = 2_000

/** Until other nodes reach this one: until all shards of its group are its own. */
const acquired = (address: Address): Effect.Effect<void, GroupNotAcquired, Sharding> =>
  Effect.gen(function* () {
    const sharding = yield* Sharding
    const group = groupOf(address)
    const shards = new Map<string, ShardId.ShardId>()
    for (let id = 0; id < probes; id += 1) {
      const shard = sharding.getShardId(EntityId.make(`${group}/${id}`), group)
      shards.set(shard.toString(), shard)
    }
    const isWhole = Effect.sync(() => [...shards.values()].every((shard) => sharding.hasShardId(shard)))
    yield* Effect.repeat(Effect.delay(isWhole, "50 millis"), { until: (whole) => whole }).pipe(
      Effect.timeoutFail({
        duration: acquiredWithin,
        onTimeout: () => new GroupNotAcquired({ group, afterMs: Duration.toMillis(acquiredWithin) })
      })
    )
  })

/**
 * A node that runs this agent. It is built when other nodes reach it. When it stops, it gives its calls away while they
 * still reach it.
 *
 * It needs `@effect/cluster` with the configuration of `shardingConfig`, a directory, and journals that all nodes share,
 * such as those of `SessionJournalSql`.
 *
 * @example
 * ```ts
 * import { NodeClusterSocket } from "@effect/platform-node"
 * import { PgClient } from "@effect/sql-pg"
 * import { Layer, Redacted } from "effect"
 * import { Agent, OpenAiRealtime } from "effect-realtime"
 * import { CallDirectory, ClusterNode, OneAtATime } from "effect-realtime/cluster"
 * import * as SessionJournalSql from "effect-realtime/SessionJournalSql"
 *
 * const agent = Agent.make("Desk", { instructions: "Help the caller." })
 * const address = { host: "10.0.0.1", port: 34431 }
 *
 * export const Node = ClusterNode.layer(agent, { address }).pipe(
 *   Layer.provideMerge(Layer.mergeAll(SessionJournalSql.layer, CallDirectory.layerSql, OpenAiRealtime.layerConfig())),
 *   Layer.provideMerge(
 *     OneAtATime.build(
 *       NodeClusterSocket.layer({ storage: "sql", shardingConfig: ClusterNode.shardingConfig(address) })
 *     )
 *   ),
 *   Layer.provide(PgClient.layer({ url: Redacted.make("postgres://user:password@10.0.0.9/calls") }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <E, R>(
  agent: Agent.Agent<E, R>,
  options: CallHost.HostOptions<NoInfer<E>>
): Layer.Layer<
  CallHost.CallHost | Calls.Calls | Door,
  OptionsInvalid | AddressInUse | DirectoryFailed | GroupNotAcquired,
  Sharding | CallDirectory | RealtimeModel | SessionJournal | R
> => {
  // Finalizers run in this order: the drain, while the door still answers; the door; the host.
  const drain = Layer.scopedDiscard(
    Effect.flatMap(CallHost.CallHost, (host) => Effect.addFinalizer(() => Effect.orDie(host.drain())))
  )
  return drain.pipe(
    Layer.provideMerge(CallEntity.layer),
    Layer.provideMerge(CallHost.layer(agent, options)),
    Layer.provideMerge(Calls.layer),
    Layer.provideMerge(CallEntity.layerDoor),
    Layer.provide(Layer.effectDiscard(acquired(options.address)))
  )
}

/**
 * Only the client: commands from a process that has no calls.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerClient: Layer.Layer<Calls.Calls, never, Sharding | CallDirectory> = Layer.provide(
  Calls.layer,
  CallEntity.layerDoor
)
