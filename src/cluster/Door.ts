import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Envelope, Refusal, Reply } from "./Command.js"

/** Nobody is known to have carried out the command. */
export interface Unanswered {
  readonly _tag: "Unanswered"
  readonly reason: string
}

/**
 * Sends a command to the node of a shard group. It may wait forever if no node has the group.
 *
 * @since 0.1.0
 * @category tags
 */
export class Door extends Context.Tag("effect-realtime/cluster/Door")<
  Door,
  { readonly send: (group: string, envelope: Envelope) => Effect.Effect<Reply, Refusal | Unanswered> }
>() {}
