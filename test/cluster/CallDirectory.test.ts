import * as LibsqlClient from "@effect/sql-libsql/LibsqlClient"
import { describe, expect, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { CallDirectory } from "../../src/cluster.js"
import { numRuns } from "../runs.js"
import { memory, overSql, sharedServer } from "./directories.js"
import * as Postgres from "./postgres.js"

type Directory = CallDirectory.Service

const leaseMs = 400

const nodeOf = (name: string, group = `n${name}`): CallDirectory.NodeState => ({
  nodeId: name,
  group,
  address: `${name}:1`,
  accepting: true,
  calls: 0,
  version: 1
})

const callOf = (callId: string, nodeId: string) => ({ callId, sessionId: `s-${callId}`, nodeId, epoch: 1 })

/** Nobody has a journal here. */
const evict = () => Effect.void

/** Keeps these nodes alive for more than a lease, so that they may claim. */
const live = (directory: Directory, ...names: ReadonlyArray<string>) =>
  Effect.repeatN(
    Effect.zipRight(
      Effect.forEach(names, (name) => directory.renew(nodeOf(name), leaseMs)),
      Effect.sleep(leaseMs / 4)
    ),
    5
  )

const server = sharedServer()

const storages: ReadonlyArray<
  readonly [name: string, isHere: boolean, make: Effect.Effect<Directory, unknown, Scope.Scope>]
> = [
  ["memory", true, memory],
  [`PostgreSQL${Postgres.where}`, Postgres.isHere, Effect.flatMap(server, ({ url }) => overSql(url))]
]

describe.each(storages)("The directory in %s", (_, isHere, make) => {
  it.scopedLive.skipIf(!isHere)("knows who has a call, until it ends", () =>
    Effect.gen(function* () {
      const directory = yield* make
      expect(yield* directory.find("alice")).toBeUndefined()
      // PostgreSQL has no text with it: such a call cannot be there.
      expect(yield* directory.find("ali\u0000ce")).toBeUndefined()
      yield* directory.join(nodeOf("one"), 60_000)
      expect(yield* directory.insert(callOf("alice", "one"))).toBe(true)
      expect(yield* directory.insert(callOf("alice", "two"))).toBe(false)
      const row = { ...callOf("alice", "one"), state: "live" }
      expect(yield* directory.find("alice")).toEqual({ ...row, group: "none", isAlive: true })
      expect(yield* directory.held("one")).toEqual([row])
      expect(yield* directory.nodes).toEqual([{ ...nodeOf("one"), isAlive: true }])

      const alice = { callId: "alice", nodeId: "one", epoch: 1 }
      expect(yield* directory.change({ ...alice, epoch: 2 }, "ended")).toBe(false)
      expect(yield* directory.change({ ...alice, nodeId: "two" }, "ended")).toBe(false)
      expect(yield* directory.change(alice, "ended")).toBe(true)
      expect(yield* directory.change(alice, "live")).toBe(false)
      expect(yield* directory.give(alice, "two")).toBe(false)
      expect(yield* directory.held("one")).toEqual([])
      expect(yield* directory.find("alice")).toMatchObject({ state: "ended" })
      yield* directory.forget(60_000)
      expect(yield* directory.find("alice")).toBeDefined()
      yield* Effect.sleep("20 millis")
      yield* directory.forget(0)
      expect(yield* directory.find("alice")).toBeUndefined()
    })
  )

  it.scopedLive.skipIf(!isHere)("gives a call away for the next epoch, and the giver can change nothing more", () =>
    Effect.gen(function* () {
      const directory = yield* make
      yield* directory.insert(callOf("alice", "one"))
      const before = { callId: "alice", nodeId: "one", epoch: 1 }
      expect(yield* directory.change(before, "moving")).toBe(true)
      expect(yield* directory.give(before, "two")).toBe(true)
      expect(yield* directory.give(before, "three")).toBe(false)
      expect(yield* directory.change(before, "live")).toBe(false)
      expect(yield* directory.held("two")).toEqual([{ ...callOf("alice", "two"), epoch: 2, state: "taking" }])
      expect(yield* directory.change({ ...before, nodeId: "two", epoch: 2 }, "live")).toBe(true)
    })
  )

  it.scopedLive.skipIf(!isHere)("lets only one node that is alive have an address", () =>
    Effect.gen(function* () {
      const directory = yield* make
      yield* directory.join(nodeOf("old", "address"), leaseMs)
      expect(yield* Effect.flip(directory.join(nodeOf("new", "address"), leaseMs))).toMatchObject({
        _tag: "AddressInUse",
        nodeId: "old"
      })
      yield* Effect.sleep(leaseMs + 100)
      yield* directory.join(nodeOf("new", "address"), leaseMs)
      const both = yield* Effect.forEach(
        ["a", "b"],
        (name) => Effect.either(directory.join(nodeOf(name, "shared"), leaseMs)),
        { concurrency: 2 }
      )
      expect(both.map(({ _tag }) => _tag).toSorted()).toEqual(["Left", "Right"])
    })
  )

  it.scopedLive.skipIf(!isHere)("lets the living claim the calls of the dead, with their journals", () =>
    Effect.gen(function* () {
      const directory = yield* make
      yield* directory.join(nodeOf("dead"), leaseMs)
      yield* Effect.forEach(["a", "b", "c"], (callId) => directory.insert(callOf(callId, "dead")))
      yield* directory.change({ callId: "b", nodeId: "dead", epoch: 1 }, "moving")
      yield* directory.change({ callId: "c", nodeId: "dead", epoch: 1 }, "ended")
      yield* directory.join(nodeOf("one"), leaseMs)
      yield* live(directory, "one")
      const evicted: Array<string> = []
      const noting = (sessionId: string) => Effect.sync(() => void evicted.push(sessionId))
      const first = yield* directory.claim({ nodeId: "one", leaseMs, limit: 1 }, noting)
      const rest = yield* directory.claim({ nodeId: "one", leaseMs, limit: 9 }, noting)
      expect([...first, ...rest].toSorted((x, y) => (x.callId < y.callId ? -1 : 1))).toEqual([
        { ...callOf("a", "one"), epoch: 2, state: "taking", before: "live" },
        { ...callOf("b", "one"), epoch: 2, state: "taking", before: "moving" }
      ])
      expect(evicted.toSorted()).toEqual(["s-a", "s-b"])
      expect(yield* directory.claim({ nodeId: "one", leaseMs, limit: 9 }, noting)).toEqual([])
    })
  )

  it.scopedLive.skipIf(!isHere)("declares nobody dead before the claimer's own lease has held for a whole one", () =>
    Effect.gen(function* () {
      const directory = yield* make
      const claim = (nodeId: string) => directory.claim({ nodeId, leaseMs, limit: 9 }, evict)
      yield* directory.join(nodeOf("one"), leaseMs)
      yield* directory.join(nodeOf("two"), leaseMs)
      yield* directory.insert(callOf("alice", "one"))
      // Nobody could renew for longer than a lease: the directory was away.
      yield* Effect.sleep(leaseMs + 100)
      expect(yield* claim("two")).toEqual([])
      expect(yield* directory.renew(nodeOf("two"), leaseMs)).toBe("Lapsed")
      expect(yield* directory.renew(nodeOf("two"), leaseMs)).toBe("Kept")
      expect(yield* claim("two")).toEqual([])
      expect(yield* directory.renew(nodeOf("one"), leaseMs)).toBe("Lapsed")
      yield* live(directory, "one", "two")
      expect(yield* claim("two")).toEqual([])
      yield* directory.leave("one")
      expect(yield* claim("unknown")).toEqual([])
      expect(yield* directory.claim({ nodeId: "two", leaseMs, limit: 9, callId: "bob" }, evict)).toEqual([])
      expect(yield* directory.claim({ nodeId: "two", leaseMs, limit: 9, callId: "alice" }, evict)).toHaveLength(1)
    })
  )
})

/** What a node may do with a call at any moment, whatever it believes. */
type Move =
  | { readonly _tag: "Change"; readonly node: string; readonly state: CallDirectory.CallState }
  | { readonly _tag: "Give"; readonly node: string; readonly to: string }
  | { readonly _tag: "Claim"; readonly node: string }
  | { readonly _tag: "Die"; readonly node: string }

const names = ["one", "two", "three"]
const node = fc.constantFrom(...names)
const move: fc.Arbitrary<Move> = fc.oneof(
  fc.record({
    _tag: fc.constant("Change" as const),
    node,
    state: fc.constantFrom<CallDirectory.CallState>("live", "moving")
  }),
  fc.record({ _tag: fc.constant("Give" as const), node, to: node }),
  fc.record({ _tag: fc.constant("Claim" as const), node }),
  fc.record({ _tag: fc.constant("Die" as const), node })
)

/**
 * Runs the moves of all nodes at once, in batches, each node with what it last knew. An epoch belongs to the node that
 * was told that it has it.
 */
const owners = (directories: ReadonlyArray<Directory>, callId: string, batches: ReadonlyArray<ReadonlyArray<Move>>) =>
  Effect.gen(function* () {
    const [any] = directories
    if (any === undefined) return []
    const leased = 3_600_000
    const told: Array<readonly [epoch: number, node: string]> = [[1, "one"]]
    /** The last epoch in which each node was told that it has the call. */
    const known = new Map([["one", 1]])
    yield* any.insert(callOf(callId, "one"))
    for (const batch of batches) {
      yield* Effect.forEach(
        batch,
        (move, index) =>
          Effect.gen(function* () {
            const directory = directories[index % directories.length] ?? any
            const holding = { callId, nodeId: move.node, epoch: known.get(move.node) ?? 1 }
            switch (move._tag) {
              case "Change":
                yield* directory.change(holding, move.state)
                break
              case "Give":
                if (yield* directory.give(holding, move.to)) {
                  told.push([holding.epoch + 1, move.to])
                  known.set(move.to, holding.epoch + 1)
                }
                break
              case "Claim": {
                // A lease of no length: the claimer's own has held for longer, and only the dead have lost theirs.
                const rows = yield* directory.claim({ nodeId: move.node, leaseMs: 0, limit: 1, callId }, evict)
                for (const { epoch } of rows) {
                  told.push([epoch, move.node])
                  known.set(move.node, epoch)
                }
                break
              }
              case "Die":
                yield* directory.leave(move.node)
                yield* Effect.sleep("2 millis")
                yield* directory.renew(nodeOf(move.node), leased)
                break
            }
          }),
        { concurrency: "unbounded" }
      )
    }
    return told
  })

describe("Whatever nodes do with a call", () => {
  const property = (
    storage: string,
    directories: Effect.Effect<ReadonlyArray<Directory>, unknown, Scope.Scope>,
    runs: number,
    isHere = true
  ) =>
    it.scopedLive.skipIf(!isHere)(
      `no epoch ever has two owners, in ${storage}`,
      () =>
        Effect.gen(function* () {
          const all = yield* directories
          const [any] = all
          if (any === undefined) return
          for (const name of names) yield* any.renew(nodeOf(name), 3_600_000)
          const programs = fc.sample(fc.array(fc.array(move, { minLength: 1, maxLength: 6 }), { maxLength: 6 }), runs)
          for (const [index, batches] of programs.entries()) {
            const told = yield* owners(all, `call-${index}`, batches)
            const epochs = told.map(([epoch]) => epoch)
            expect(new Set(epochs).size, JSON.stringify({ batches, told })).toBe(epochs.length)
            const row = yield* any.find(`call-${index}`)
            expect(row).toMatchObject({ epoch: Math.max(...epochs) })
            expect(told.find(([epoch]) => epoch === row?.epoch)?.[1]).toBe(row?.nodeId)
          }
        }),
      120_000
    )
  property(
    "memory",
    Effect.map(memory, (one) => [one, one]),
    numRuns(60)
  )
  property(
    `PostgreSQL${Postgres.where}`,
    Effect.flatMap(server, ({ url }) =>
      Effect.flatMap(overSql(url), (one) => Effect.map(overSql(url), (two) => [one, two]))
    ),
    numRuns(30),
    Postgres.isHere
  )
})

describe("A directory in another database", () => {
  it.scoped("is refused, with what to use instead", () =>
    Effect.gen(function* () {
      const layer = Layer.provide(CallDirectory.layerSql, LibsqlClient.layer({ url: ":memory:" }))
      const error = yield* Effect.flip(Layer.build(layer))
      expect(error.message).toContain("It needs PostgreSQL")
    })
  )
})
