/**
 * The door of a node for the calls that it has: an entity of `@effect/cluster` for each call, in a shard group of the
 * node's own. The group is made of the node's address, so that no node that joins or leaves moves the door. The session
 * itself lives in `CallHost`: whatever happens to the entity, the call goes on.
 *
 * @since 0.1.0
 */
import { ShardGroup } from "@effect/cluster/ClusterSchema"
import * as Entity from "@effect/cluster/Entity"
import type { Sharding } from "@effect/cluster/Sharding"
import * as Rpc from "@effect/rpc/Rpc"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { CallHost } from "./CallHost.js"
import { type Envelope, Refusal, Reply } from "./Command.js"
import { Door, type Unanswered } from "./Door.js"

/**
 * The one message: a command with its id and its version.
 *
 * @since 0.1.0
 * @category rpcs
 */
export const Carry = Rpc.make("Carry", {
  payload: Schema.Struct({
    version: Schema.Number,
    commandId: Schema.String,
    callId: Schema.String,
    command: Schema.Unknown,
    again: Schema.optionalWith(Schema.Boolean, { exact: true })
  }),
  success: Reply,
  error: Refusal
})

/** What stands before the first slash of an entity's id. */
const groupOf = (entityId: string): string => entityId.slice(0, entityId.indexOf("/"))

/**
 * Its ids are `<group>/<callId>`.
 *
 * @since 0.1.0
 * @category entities
 */
export const CallEntity = Entity.make("effect-realtime/Call", [Carry]).annotate(ShardGroup, groupOf)

/**
 * Answers for the calls of this node. An entity does one thing at a time by default; a change of the agent waits for the
 * model's server, and must not hold up an interruption.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<never, never, CallHost | Sharding> = CallEntity.toLayer(
  Effect.map(CallHost, (host) => ({ Carry: ({ payload }: { readonly payload: Envelope }) => host.carry(payload) })),
  { concurrency: "unbounded" }
)

/**
 * Sends commands through the doors of the nodes.
 *
 * @since 0.1.0
 * @category layers
 */
export const layerDoor: Layer.Layer<Door, never, Sharding> = Layer.effect(
  Door,
  Effect.map(CallEntity.client, (client) => ({
    send: (group, envelope) =>
      client(`${group}/${envelope.callId}`)
        .Carry(envelope)
        .pipe(
          Effect.mapError((error) => (isRefusal(error) ? error : unanswered(error.message))),
          // A socket that breaks under a request is a defect in `@effect/cluster`.
          Effect.catchAllDefect((defect) => Effect.fail(unanswered(String(defect))))
        )
  }))
)

const unanswered = (reason: string): Unanswered => ({ _tag: "Unanswered", reason })

const isRefusal = Schema.is(Refusal)
