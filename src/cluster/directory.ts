/** The interface of a directory, and what its rows say. */
import type * as Effect from "effect/Effect"
import type { AddressInUse, DirectoryFailed } from "./ClusterError.js"

/**
 * `moving`: its node closes it to give it away. `taking`: its node has it, and does not run it yet.
 *
 * @since 0.1.0
 * @category models
 */
export type CallState = "live" | "moving" | "taking" | "ended" | "failed"

/**
 * A call as one node has it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Holding {
  readonly callId: string
  readonly nodeId: string
  /** How often the call changed its node, counted from 1. */
  readonly epoch: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface CallRow extends Holding {
  readonly sessionId: string
  readonly state: CallState
}

/**
 * A row that was claimed. `before`: its state until then.
 *
 * @since 0.1.0
 * @category models
 */
export interface Claimed extends CallRow {
  readonly before: CallState
}

/**
 * @since 0.1.0
 * @category models
 */
export interface Located extends CallRow {
  /** The shard group of its node; absent if the node is forgotten. */
  readonly group: string | undefined
  /** Whether the lease of its node has not run out. */
  readonly isAlive: boolean
}

/**
 * One run of one process: a process that starts again is another node at the same address.
 *
 * @since 0.1.0
 * @category models
 */
export interface Node {
  readonly nodeId: string
  /** The shard group that only nodes of this address have. */
  readonly group: string
  readonly address: string
}

/**
 * @since 0.1.0
 * @category models
 */
export interface NodeState extends Node {
  /** Whether it takes calls. */
  readonly accepting: boolean
  readonly calls: number
  /** The version of the commands that it speaks. */
  readonly version: number
}

/**
 * @since 0.1.0
 * @category models
 */
export interface NodeRow extends NodeState {
  readonly isAlive: boolean
}

/**
 * What a claimer wants: one call, or as many as it has room for.
 *
 * @since 0.1.0
 * @category models
 */
export interface Claim {
  readonly nodeId: string
  readonly leaseMs: number
  readonly limit: number
  readonly callId?: string
}

/**
 * All times are those of the directory itself, so that the clocks of the nodes do not matter.
 *
 * @since 0.1.0
 * @category models
 */
export interface Service {
  /** Registers a node. Fails if another node of its address is alive. */
  readonly join: (node: NodeState, leaseMs: number) => Effect.Effect<void, AddressInUse | DirectoryFailed>
  /** Renews the lease of a node. `Lapsed`: it had run out, or the node was forgotten. */
  readonly renew: (node: NodeState, leaseMs: number) => Effect.Effect<"Kept" | "Lapsed", DirectoryFailed>
  /** Ends the lease of a node: what it has can be claimed at once. */
  readonly leave: (nodeId: string) => Effect.Effect<void, DirectoryFailed>
  readonly nodes: Effect.Effect<ReadonlyArray<NodeRow>, DirectoryFailed>
  /** Adds a live call. Returns whether there was none with this id. */
  readonly insert: (call: Holding & { readonly sessionId: string }) => Effect.Effect<boolean, DirectoryFailed>
  readonly find: (callId: string) => Effect.Effect<Located | undefined, DirectoryFailed>
  /** The calls of a node that have not ended. */
  readonly held: (nodeId: string) => Effect.Effect<ReadonlyArray<CallRow>, DirectoryFailed>
  /**
   * Takes calls of nodes whose leases have run out, for the next epoch and in the state `taking`. Gives nothing to a
   * node whose own lease has not held for a whole lease without a gap: after an outage of the directory all leases have
   * run out, and the living must renew theirs before anybody is declared dead.
   *
   * @param evict takes the journal of a session from its writer, in the same step
   */
  readonly claim: (
    claim: Claim,
    evict: (sessionId: string) => Effect.Effect<void, DirectoryFailed>
  ) => Effect.Effect<ReadonlyArray<Claimed>, DirectoryFailed>
  /** Changes the state of a call that has not ended. Returns whether the node still had it, in that epoch. */
  readonly change: (holding: Holding, state: CallState) => Effect.Effect<boolean, DirectoryFailed>
  /** Gives a call to another node, for the next epoch and in the state `taking`. Returns whether it could. */
  readonly give: (holding: Holding, toNodeId: string) => Effect.Effect<boolean, DirectoryFailed>
  /** Forgets calls that ended this long ago, and nodes without calls whose leases ran out this long ago. */
  readonly forget: (olderThanMs: number) => Effect.Effect<void, DirectoryFailed>
}
