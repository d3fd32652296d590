import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { AddressInUse } from "./ClusterError.js"
import type { CallRow, Holding, NodeState, Service } from "./directory.js"

interface Node extends NodeState {
  /** Since when its lease has held without a gap. */
  readonly since: number
  readonly expiresAt: number
}

interface Call extends CallRow {
  readonly updatedAt: number
}

const isOpen = ({ state }: CallRow): boolean => state !== "ended" && state !== "failed"

const rowOf = ({ callId, epoch, nodeId, sessionId, state }: CallRow): CallRow => ({
  callId,
  epoch,
  nodeId,
  sessionId,
  state
})

export const make = (): Service => {
  const nodes = new Map<string, Node>()
  const calls = new Map<string, Call>()
  // A claim waits for the journals that it evicts: nothing else may happen meanwhile.
  const lock = Effect.unsafeMakeSemaphore(1)
  const step = <A>(body: (now: number) => A): Effect.Effect<A> =>
    lock.withPermits(1)(Effect.map(Clock.currentTimeMillis, body))

  const isAlive = (nodeId: string, now: number): boolean => (nodes.get(nodeId)?.expiresAt ?? 0) >= now

  const renew = (node: NodeState, leaseMs: number, now: number): "Kept" | "Lapsed" => {
    const before = nodes.get(node.nodeId)
    const isKept = before !== undefined && before.expiresAt >= now
    nodes.set(node.nodeId, { ...node, since: isKept ? before.since : now, expiresAt: now + leaseMs })
    return isKept ? "Kept" : "Lapsed"
  }

  const update = (holding: Holding, to: Partial<CallRow>, now: number): boolean => {
    const call = calls.get(holding.callId)
    if (call === undefined || !isOpen(call)) return false
    if (call.nodeId !== holding.nodeId || call.epoch !== holding.epoch) return false
    calls.set(call.callId, { ...call, ...to, updatedAt: now })
    return true
  }

  return {
    join: (node, leaseMs) =>
      Effect.flatten(
        step((now) => {
          const rival = [...nodes.values()].find(
            ({ group, nodeId }) => group === node.group && nodeId !== node.nodeId && isAlive(nodeId, now)
          )
          if (rival !== undefined) return new AddressInUse({ address: node.address, nodeId: rival.nodeId })
          renew(node, leaseMs, now)
          return Effect.void
        })
      ),
    renew: (node, leaseMs) => step((now) => renew(node, leaseMs, now)),
    leave: (nodeId) =>
      step((now) => {
        const node = nodes.get(nodeId)
        if (node !== undefined) nodes.set(nodeId, { ...node, accepting: false, expiresAt: now - 1 })
      }),
    nodes: step((now) =>
      Array.from(nodes.values(), ({ accepting, address, calls, group, nodeId, version }) => ({
        ...{ nodeId, group, address, accepting, calls, version },
        isAlive: isAlive(nodeId, now)
      }))
    ),
    insert: (call) =>
      step((now) => {
        if (calls.has(call.callId)) return false
        calls.set(call.callId, { ...call, state: "live", updatedAt: now })
        return true
      }),
    find: (callId) =>
      step((now) => {
        const call = calls.get(callId)
        if (call === undefined) return undefined
        return { ...rowOf(call), group: nodes.get(call.nodeId)?.group, isAlive: isAlive(call.nodeId, now) }
      }),
    held: (nodeId) =>
      step(() => [...calls.values()].filter((call) => isOpen(call) && call.nodeId === nodeId).map(rowOf)),
    claim: ({ callId, leaseMs, limit, nodeId }, evict) =>
      lock.withPermits(1)(
        Effect.gen(function* () {
          const now = yield* Clock.currentTimeMillis
          const claimer = nodes.get(nodeId)
          if (claimer === undefined || !claimer.accepting || claimer.expiresAt < now) return []
          if (claimer.since > now - leaseMs) return []
          const orphans = [...calls.values()]
            .filter((call) => isOpen(call) && call.nodeId !== nodeId && !isAlive(call.nodeId, now))
            .filter((call) => callId === undefined || call.callId === callId)
            .sort((one, other) => one.updatedAt - other.updatedAt)
            .slice(0, limit)
          for (const { sessionId } of orphans) yield* evict(sessionId)
          return orphans.map((call) => {
            const taken: Call = { ...call, nodeId, epoch: call.epoch + 1, state: "taking", updatedAt: now }
            calls.set(call.callId, taken)
            return { ...rowOf(taken), before: call.state }
          })
        })
      ),
    change: (holding, state) => step((now) => update(holding, { state }, now)),
    give: (holding, toNodeId) =>
      step((now) => update(holding, { nodeId: toNodeId, epoch: holding.epoch + 1, state: "taking" }, now)),
    forget: (olderThanMs) =>
      step((now) => {
        for (const call of calls.values()) {
          if (!isOpen(call) && call.updatedAt < now - olderThanMs) calls.delete(call.callId)
        }
        const busy = new Set(Array.from(calls.values(), (call) => call.nodeId))
        for (const { expiresAt, nodeId } of nodes.values()) {
          if (expiresAt < now - olderThanMs && !busy.has(nodeId)) nodes.delete(nodeId)
        }
      })
  }
}
