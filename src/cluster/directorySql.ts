/**
 * The directory in PostgreSQL. Each change is one statement, and all times are the database's. Columns are named one by
 * one, so that a node of a later version may add some that an earlier one does not know.
 */
import * as SqlClient from "@effect/sql/SqlClient"
import type { SqlError } from "@effect/sql/SqlError"
import * as Effect from "effect/Effect"
import { isParseError, type ParseError } from "effect/ParseResult"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { storageReason } from "../common/storageReason.js"
import { AddressInUse, DirectoryFailed } from "./ClusterError.js"
import type { NodeState, Service } from "./directory.js"

/** Drivers give big numbers as text. */
const Whole = Schema.Union(Schema.Number, Schema.NumberFromString)
const State = Schema.Literal("live", "moving", "taking", "ended", "failed")

const call = {
  callId: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("call_id")),
  sessionId: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("session_id")),
  nodeId: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("node_id")),
  epoch: Whole,
  state: State
}
const isAlive = Schema.propertySignature(Schema.Boolean).pipe(Schema.fromKey("is_alive"))
const group = Schema.propertySignature(Schema.String).pipe(Schema.fromKey("shard_group"))

const decodeCalls = Schema.decodeUnknown(Schema.Array(Schema.Struct(call)))
const decodeClaimed = Schema.decodeUnknown(Schema.Array(Schema.Struct({ ...call, before: State })))
const decodeLocated = Schema.decodeUnknown(
  Schema.Array(
    Schema.Struct({
      ...call,
      group: Schema.propertySignature(Schema.NullOr(Schema.String)).pipe(Schema.fromKey("shard_group")),
      isAlive
    })
  )
)
const decodeNodes = Schema.decodeUnknown(
  Schema.Array(
    Schema.Struct({
      nodeId: call.nodeId,
      group,
      address: Schema.String,
      accepting: Schema.Boolean,
      calls: Whole,
      version: Whole,
      isAlive
    })
  )
)
const decodeRenewed = Schema.decodeUnknown(Schema.Array(Schema.Struct({ lapsed: Schema.Boolean })))
const decodeRivals = Schema.decodeUnknown(Schema.Array(Schema.Struct({ nodeId: call.nodeId })))

export const make: Effect.Effect<Service, DirectoryFailed, SqlClient.SqlClient> = Effect.gen(function* () {
  // Column names are used as written here, even if the application transforms its own.
  const sql = (yield* SqlClient.SqlClient).withoutTransforms()
  const supported = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  if (!supported) {
    return yield* new DirectoryFailed({ operation: "start", reason: "It needs PostgreSQL, as of @effect/sql-pg." })
  }

  const createTables = Effect.zipRight(
    sql`
    CREATE TABLE IF NOT EXISTS effect_realtime_node (
      node_id TEXT PRIMARY KEY,
      shard_group TEXT NOT NULL,
      address TEXT NOT NULL,
      accepting BOOLEAN NOT NULL,
      calls INTEGER NOT NULL,
      version INTEGER NOT NULL,
      since TIMESTAMPTZ NOT NULL,
      expires_at TIMESTAMPTZ NOT NULL
    )`,
    Effect.zipRight(
      sql`
      CREATE TABLE IF NOT EXISTS effect_realtime_call (
        call_id TEXT PRIMARY KEY,
        session_id TEXT NOT NULL,
        node_id TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        state TEXT NOT NULL,
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
      )`,
      sql`
      CREATE INDEX IF NOT EXISTS effect_realtime_call_open ON effect_realtime_call (node_id)
        WHERE state IN ('live', 'moving', 'taking')`
    )
  )
  // If two processes create a table at once, PostgreSQL lets one of them fail.
  yield* createTables.pipe(Effect.retry({ times: 3 }), failing("make its tables"))

  const lease = (leaseMs: number) => sql`${leaseMs}::double precision * interval '1 millisecond'`

  /** A lease that had run out begins anew: `since` is the time of this statement. */
  const renewed = ({ accepting, address, calls, group, nodeId, version }: NodeState, leaseMs: number) =>
    Effect.flatMap(
      sql`
      INSERT INTO effect_realtime_node (node_id, shard_group, address, accepting, calls, version, since, expires_at)
      VALUES (${nodeId}, ${group}, ${address}, ${accepting}, ${calls}, ${version}, now(), now() + ${lease(leaseMs)})
      ON CONFLICT (node_id) DO UPDATE SET
        accepting = EXCLUDED.accepting, calls = EXCLUDED.calls, version = EXCLUDED.version,
        since = CASE WHEN effect_realtime_node.expires_at < now() THEN now() ELSE effect_realtime_node.since END,
        expires_at = EXCLUDED.expires_at
      RETURNING since = now() AS lapsed`,
      decodeRenewed
    )

  /** At once for all nodes of an address, or both would find nobody. */
  const joined = (node: NodeState, leaseMs: number) =>
    Effect.gen(function* () {
      yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`effect-realtime ${node.group}`}, 0))`
      const rivals = yield* Effect.flatMap(
        sql`
        SELECT node_id FROM effect_realtime_node
        WHERE shard_group = ${node.group} AND node_id <> ${node.nodeId} AND expires_at >= now()`,
        decodeRivals
      )
      const [rival] = rivals
      if (rival !== undefined) return yield* new AddressInUse({ address: node.address, nodeId: rival.nodeId })
      yield* renewed(node, leaseMs)
    })

  const open = sql.literal("state IN ('live', 'moving', 'taking')")
  const hasRows = Effect.map((rows: ReadonlyArray<unknown>) => rows.length > 0)

  return {
    join: (node, leaseMs) => failing("register a node")(sql.withTransaction(joined(node, leaseMs))),
    renew: (node, leaseMs) =>
      renewed(node, leaseMs).pipe(
        Effect.map(([row]) => (row?.lapsed === false ? "Kept" : "Lapsed")),
        failing("renew the lease of a node")
      ),
    leave: (nodeId) =>
      sql`
      UPDATE effect_realtime_node SET accepting = FALSE, expires_at = now() - interval '1 millisecond'
      WHERE node_id = ${nodeId}`.pipe(Effect.asVoid, failing("end the lease of a node")),
    nodes: sql`
      SELECT node_id, shard_group, address, accepting, calls, version, expires_at >= now() AS is_alive
      FROM effect_realtime_node`.pipe(Effect.flatMap(decodeNodes), failing("list the nodes")),
    insert: ({ callId, epoch, nodeId, sessionId }) =>
      sql`
      INSERT INTO effect_realtime_call (call_id, session_id, node_id, epoch, state)
      VALUES (${callId}, ${sessionId}, ${nodeId}, ${epoch}, 'live')
      ON CONFLICT (call_id) DO NOTHING RETURNING call_id`.pipe(hasRows, failing("add a call")),
    find: (callId) =>
      // PostgreSQL refuses a text with it, so no call has it. Ids often come from an address that a client sent.
      (callId.includes("\u0000")
        ? Effect.succeed([])
        : sql`
      SELECT c.call_id, c.session_id, c.node_id, c.epoch, c.state, n.shard_group,
        COALESCE(n.expires_at >= now(), FALSE) AS is_alive
      FROM effect_realtime_call c LEFT JOIN effect_realtime_node n ON n.node_id = c.node_id
      WHERE c.call_id = ${callId}`
      ).pipe(
        Effect.flatMap(decodeLocated),
        Effect.map(([row]) => (row === undefined ? undefined : { ...row, group: row.group ?? undefined })),
        failing("find a call")
      ),
    held: (nodeId) =>
      sql`
      SELECT call_id, session_id, node_id, epoch, state FROM effect_realtime_call
      WHERE node_id = ${nodeId} AND ${open}`.pipe(Effect.flatMap(decodeCalls), failing("list the calls of a node")),
    claim: ({ callId, leaseMs, limit, nodeId }, evict) =>
      sql`
      WITH orphan AS (
        SELECT c.call_id, c.state
        FROM effect_realtime_call c LEFT JOIN effect_realtime_node n ON n.node_id = c.node_id
        WHERE c.state IN ('live', 'moving', 'taking') AND c.node_id <> ${nodeId}
          AND (n.expires_at IS NULL OR n.expires_at < now())
          AND ${callId === undefined ? sql.literal("TRUE") : sql`c.call_id = ${callId}`}
          AND EXISTS (
            SELECT 1 FROM effect_realtime_node m
            WHERE m.node_id = ${nodeId} AND m.accepting AND m.expires_at >= now()
              AND m.since <= now() - ${lease(leaseMs)})
        ORDER BY c.updated_at LIMIT ${limit}
        FOR UPDATE OF c SKIP LOCKED)
      UPDATE effect_realtime_call c
      SET node_id = ${nodeId}, epoch = c.epoch + 1, state = 'taking', updated_at = now()
      FROM orphan WHERE c.call_id = orphan.call_id
      RETURNING c.call_id, c.session_id, c.node_id, c.epoch, c.state, orphan.state AS before`.pipe(
        Effect.flatMap(decodeClaimed),
        Effect.tap((rows) => Effect.forEach(rows, ({ sessionId }) => evict(sessionId), { discard: true })),
        sql.withTransaction,
        failing("claim calls")
      ),
    change: ({ callId, epoch, nodeId }, state) =>
      sql`
      UPDATE effect_realtime_call SET state = ${state}, updated_at = now()
      WHERE call_id = ${callId} AND node_id = ${nodeId} AND epoch = ${epoch} AND ${open}
      RETURNING call_id`.pipe(hasRows, failing("change the state of a call")),
    give: ({ callId, epoch, nodeId }, toNodeId) =>
      sql`
      UPDATE effect_realtime_call SET node_id = ${toNodeId}, epoch = epoch + 1, state = 'taking', updated_at = now()
      WHERE call_id = ${callId} AND node_id = ${nodeId} AND epoch = ${epoch} AND ${open}
      RETURNING call_id`.pipe(hasRows, failing("give a call away")),
    forget: (olderThanMs) =>
      Effect.zipRight(
        sql`
        DELETE FROM effect_realtime_call
        WHERE state IN ('ended', 'failed') AND updated_at < now() - ${lease(olderThanMs)}`,
        sql`
        DELETE FROM effect_realtime_node n WHERE n.expires_at < now() - ${lease(olderThanMs)}
          AND NOT EXISTS (SELECT 1 FROM effect_realtime_call c WHERE c.node_id = n.node_id)`
      ).pipe(Effect.asVoid, failing("forget what is over"))
  }
})

type Storage = SqlError | ParseError

/** A transaction whose end fails dies in `@effect/sql`: here it is a failure like the others. */
const failing =
  (operation: string) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, Exclude<E, Extract<E, Storage>> | DirectoryFailed, R> => {
    const failed = (reason: string) => Effect.fail(new DirectoryFailed({ operation, reason }))
    return self.pipe(
      Effect.catchIf(isOfStorage<E>, (error) => failed(storageReason(error))),
      Effect.catchAllDefect((defect) => failed(storageReason(defect)))
    )
  }

const isOfStorage = <E>(error: E): error is Extract<E, Storage> =>
  Predicate.isTagged(error, "SqlError") || isParseError(error)
