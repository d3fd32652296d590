/**
 * Calls over many machines, on `@effect/cluster`: any node can control any call, a node that dies loses no call, and
 * a deployment ends none. It needs `@effect/cluster`, `@effect/rpc`, `@effect/sql` and `@effect/workflow`.
 *
 * @since 0.1.0
 * @module
 */
export * as CallDirectory from "./cluster/CallDirectory.js"
export * as CallEntity from "./cluster/CallEntity.js"
export * as CallHost from "./cluster/CallHost.js"
export * as Calls from "./cluster/Calls.js"
export * as ClusterError from "./cluster/ClusterError.js"
export * as ClusterNode from "./cluster/ClusterNode.js"
export * as Command from "./cluster/Command.js"
export * as DurableTool from "./cluster/DurableTool.js"
export * as Health from "./cluster/Health.js"
export * as OneAtATime from "./cluster/OneAtATime.js"
