/**
 * Which node has which call. The directory is the truth: a call belongs to the node and the epoch that its row names,
 * and each change says which node and epoch it expects, so that of two nodes that want the same call one gets it.
 *
 * @since 0.1.0
 */
import type { SqlClient } from "@effect/sql/SqlClient"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { DirectoryFailed } from "./ClusterError.js"
import type { Service } from "./directory.js"
import * as memory from "./directoryMemory.js"
import * as sql from "./directorySql.js"

export type {
  CallRow,
  CallState,
  Claim,
  Claimed,
  Holding,
  Located,
  Node,
  NodeRow,
  NodeState,
  Service
} from "./directory.js"

/**
 * @since 0.1.0
 * @category tags
 */
export class CallDirectory extends Context.Tag("effect-realtime/CallDirectory")<CallDirectory, Service>() {}

/**
 * A directory in memory: for tests, and for one process. It goes by the clock of whoever uses it.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerMemory: Layer.Layer<CallDirectory> = Layer.sync(CallDirectory, memory.make)

/**
 * A directory in PostgreSQL, in the tables `effect_realtime_node` and `effect_realtime_call`, which are made if they are
 * not there. Other databases are refused with `DirectoryFailed`.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerSql: Layer.Layer<CallDirectory, DirectoryFailed, SqlClient> = Layer.effect(CallDirectory, sql.make)
