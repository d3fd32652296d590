/**
 * A model in memory that follows a script, for tests of your own agents. It uses the clock of its caller: under
 * `TestClock`, an hour of conversation takes no time.
 *
 * It is the embedded server with a script as its mind: it checks, refuses and answers events as it does over the
 * network.
 *
 * @since 0.1.0
 * @module
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as EmbeddedRealtime from "./EmbeddedRealtime.js"
import type { ClientEvent } from "./protocol/ClientEvent.js"
import type { ServerEvent } from "./protocol/ServerEvent.js"
import type { RealtimeModel } from "./RealtimeModel.js"

export { call, cutShort, fail, pause, SCRIPT_ENDED, say, stall, type Turn } from "./EmbeddedRealtime.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface ScriptedModel {
  readonly model: typeof RealtimeModel.Service
  /** The model to run a session with. */
  readonly layer: Layer.Layer<RealtimeModel>
  /** All client events so far, over all connections, in order. */
  readonly sent: Effect.Effect<ReadonlyArray<ClientEvent>>
  /** The outputs that the model accepted, in order. A call that was answered twice appears twice. */
  readonly outputs: Effect.Effect<ReadonlyArray<{ readonly callId: string; readonly output: string }>>
  /** The events that the model refused with an `error`. Empty if the session makes no mistakes. */
  readonly refused: Effect.Effect<ReadonlyArray<EmbeddedRealtime.RefusedEvent>>
  /**
   * The next client event of a type on the latest connection: the first call gives the first one, the second call the
   * second one. Events that have already arrived count.
   */
  readonly next: <Type extends ClientEvent["type"]>(
    type: Type
  ) => Effect.Effect<Extract<ClientEvent, { readonly type: Type }>>
  /** Sends a server event of your own. */
  readonly push: (event: ServerEvent) => Effect.Effect<void>
  /** Ends the latest connection: with a CLOSE frame if you give a code, otherwise without one. */
  readonly drop: (code?: number, reason?: string) => Effect.Effect<void>
  /** A turn of the user, as voice activity detection reports it, and the response to it. */
  readonly userSays: (text: string) => Effect.Effect<void>
  /** The latest connection. Waits for the first one. */
  readonly connection: Effect.Effect<EmbeddedRealtime.ServerConnection>
  readonly connections: Effect.Effect<ReadonlyArray<EmbeddedRealtime.ServerConnection>>
}

/**
 * Starts a model with a script: one turn for each response, whether the session asked for it or the model began it
 * after a turn of the user. A turn is a list of parts, or a function that returns one. After the end of the script, the
 * model only says `SCRIPT_ENDED`, so that no session waits forever.
 *
 * @example
 * ```ts
 * import { ScriptedModel } from "effect-realtime"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const model = yield* ScriptedModel.make([
 *     [ScriptedModel.call("get_weather", { city: "Paris" }, { callId: "call_1" })],
 *     [ScriptedModel.say("Sunny.")]
 *   ])
 *   // … run a session with model.layer, and then:
 *   return yield* model.outputs // [{ callId: "call_1", output: "…" }]
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (
  turns: ReadonlyArray<EmbeddedRealtime.Turn>,
  options: Omit<EmbeddedRealtime.Options, "mind"> = {}
): Effect.Effect<ScriptedModel> =>
  Effect.map(EmbeddedRealtime.make({ ...options, mind: EmbeddedRealtime.script(turns) }), (server) => {
    const { connection, connections, layer, model } = server

    const all = <A>(
      pick: (connection: EmbeddedRealtime.ServerConnection) => Effect.Effect<ReadonlyArray<A>>
    ): Effect.Effect<ReadonlyArray<A>> =>
      Effect.flatMap(connections, (list) => Effect.map(Effect.forEach(list, pick), (lists) => lists.flat()))

    return {
      model,
      layer,
      sent: all((one) => one.received),
      outputs: all((one) => one.outputs),
      refused: all((one) => one.refused),
      next: (type) => Effect.flatMap(connection, (one) => one.next(type)),
      push: (event) => Effect.flatMap(connection, (one) => one.push(event)),
      drop: (code, reason) =>
        Effect.flatMap(connection, (one) => (code === undefined ? one.drop : one.close(code, reason))),
      userSays: (text) => Effect.flatMap(connection, (one) => one.userSays(text)),
      connection,
      connections
    }
  })
