/**
 * A realtime server on this machine that speaks the OpenAI Realtime protocol: in memory, as a `RealtimeModel` for demos
 * and tests, and over a WebSocket, for any client that can be pointed at a URL. It needs no key and no network.
 *
 * It has no language model. What it says and calls comes from a `Mind`: a script, a function, or by default a `router`
 * that picks the tool whose name and description fit the sentence best.
 *
 * @since 0.1.0
 * @module
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { serve as serveHere } from "#embedded/serve"
import type { EmbeddedCall } from "./embedded/Call.js"
import * as memory from "./embedded/memory.js"
import type { ListenFailed, PortTaken, Served, ServeOptions } from "./embedded/Served.js"
import * as Server from "./embedded/Server.js"
import type { ServerConnection } from "./embedded/ServerConnection.js"
import type { OptionsInvalid } from "./options/OptionsInvalid.js"
import * as Rule from "./options/Rule.js"
import * as rules from "./options/rules.js"
import type { RealtimeSession } from "./protocol/SessionConfig.js"
import { RealtimeModel } from "./RealtimeModel.js"

export type { CallEnding, EmbeddedCall } from "./embedded/Call.js"
export type { Dialect } from "./embedded/Dialect.js"
/**
 * Faults on demand: `Faults.dropAtEvent(5)`, or
 * `Faults.onServerEvent("response.done", [Faults.wait("1 second"), Faults.pass])`.
 *
 * @since 0.1.0
 * @category faults
 */
export * as Faults from "./embedded/Faults.js"
export type { McpServer } from "./embedded/McpImports.js"
export {
  type McpCall,
  type McpError,
  type McpManner,
  type McpPart,
  type McpResult,
  type McpTool,
  mcpApprovalRequest,
  mcpCall,
  mcpListTools
} from "./embedded/McpParts.js"
export {
  call,
  cutShort,
  type FunctionTool,
  fail,
  fromFunction,
  type Mind,
  type Part,
  type Parts,
  pause,
  type Request,
  SCRIPT_ENDED,
  say,
  sayDelta,
  script,
  stall,
  type Thought,
  type Turn,
  usage
} from "./embedded/Mind.js"
export type { RateLimit, RateLimits } from "./embedded/RateLimit.js"
export type { RefusedEvent } from "./embedded/Recorder.js"
export { router } from "./embedded/router/Router.js"
export { ListenFailed, PortTaken, type Served, type ServeOptions, type Tls } from "./embedded/Served.js"
export type { Options } from "./embedded/Server.js"
export type { Activity, Ending, ServerConnection } from "./embedded/ServerConnection.js"
export type { CallItem, McpItem, MessageItem, OutputItem, ServerItem } from "./embedded/ServerItem.js"
export type { JsonObject, Refusal } from "./embedded/Shape.js"
export { type ToneVoiceOptions, toneVoice } from "./embedded/ToneVoice.js"
export { type Transcribe, type Transcript, UNINTELLIGIBLE, type Utterance } from "./embedded/Transcription.js"
export type {
  AudioPiece,
  TurnChange,
  TurnDetection,
  TurnDetectionSettings,
  TurnDetector
} from "./embedded/TurnDetection.js"
export { type Speech, silentVoice, type Voice } from "./embedded/Voice.js"
export { OptionsInvalid } from "./options/OptionsInvalid.js"

/**
 * A server in memory, with access to its connections.
 *
 * @since 0.1.0
 * @category models
 */
export interface Embedded {
  /** The model for a session. Each `connect` opens a new connection, which uses the clock of its caller. */
  readonly model: typeof RealtimeModel.Service
  readonly layer: Layer.Layer<RealtimeModel>
  /** All connections so far (the latest 1,000), the oldest first, including those that have ended. */
  readonly connections: Effect.Effect<ReadonlyArray<ServerConnection>>
  /** The next connection: the first call gives the first one, and so on. A connection that is already open counts. */
  readonly nextConnection: Effect.Effect<ServerConnection>
  /** The latest connection. Waits for the first one. */
  readonly connection: Effect.Effect<ServerConnection>
  /**
   * Begins a call that the server carries, as over WebRTC or SIP: its audio is not sent, and the server plays it in real
   * time, on the clock of the caller. `session`: the settings that it is made with. Those that the real API refuses are a
   * defect. The call lives at most as long as the scope.
   */
  readonly beginCall: (session?: Omit<RealtimeSession, "type">) => Effect.Effect<CarriedCall, never, Scope.Scope>
}

/**
 * A call on a server in memory.
 *
 * @since 0.1.0
 * @category calls
 */
export interface CarriedCall extends EmbeddedCall {
  /** For the session beside the call. Each `connect` opens another connection; each of them sees every event. */
  readonly model: typeof RealtimeModel.Service
  readonly layer: Layer.Layer<RealtimeModel>
}

/**
 * Starts a server in memory, for a test that inspects it. Invalid options are a defect here.
 *
 * @example
 * ```ts
 * import { EmbeddedRealtime } from "effect-realtime"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const server = yield* EmbeddedRealtime.make({
 *     mind: EmbeddedRealtime.script([
 *       [EmbeddedRealtime.call("get_weather", { city: "Paris" })],
 *       [EmbeddedRealtime.say("It is sunny in Paris.")]
 *     ])
 *   })
 *   // … run a session with server.layer …
 *   const connection = yield* server.nextConnection
 *   return yield* connection.outputs
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = (options: Server.Options = {}): Effect.Effect<Embedded> =>
  Effect.map(
    Effect.zipRight(Effect.orDie(Rule.validate("EmbeddedRealtime", rules.embedded, options)), Server.make(options, 0)),
    (server) => {
      const model = RealtimeModel.of({ connect: (connectOptions) => memory.connect(server, connectOptions) })
      return {
        model,
        layer: Layer.succeed(RealtimeModel, model),
        connections: server.connections,
        nextConnection: server.nextConnection,
        connection: server.connection,
        beginCall: (session = {}) =>
          Effect.flatMap(server.calls.begin({ ...session, type: "realtime" }), (begun) => {
            if (begun._tag === "Refused") return Effect.dieMessage(begun.refusal.message)
            const { id, view } = begun.call
            const beside = RealtimeModel.of({ connect: (connectOptions) => memory.connect(server, connectOptions, id) })
            return Effect.succeed({ ...view, model: beside, layer: Layer.succeed(RealtimeModel, beside) })
          })
      }
    }
  )

/**
 * A server in memory as a layer.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (options: Server.Options = {}): Layer.Layer<RealtimeModel> =>
  Layer.effect(
    RealtimeModel,
    Effect.map(make(options), (embedded) => embedded.model)
  )

/**
 * Serves WebSockets on `ws://127.0.0.1:PORT/v1/realtime` until the scope closes. Each connection then gets a CLOSE
 * frame with code 1001, and has one second to answer it. `kill` ends the server like a crash: without CLOSE frames.
 * Node only.
 *
 * @example
 * ```ts
 * import { EmbeddedRealtime } from "effect-realtime"
 * import { Console, Effect } from "effect"
 *
 * const program = EmbeddedRealtime.serve({ port: 8080 }).pipe(
 *   Effect.tap((server) => Console.log(server.url)),
 *   Effect.zipRight(Effect.never),
 *   Effect.scoped
 * )
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = (
  options: ServeOptions = {}
): Effect.Effect<Served, OptionsInvalid | PortTaken | ListenFailed, Scope.Scope> =>
  Effect.gen(function* () {
    yield* Rule.validate("EmbeddedRealtime.serve", rules.serve, options)
    return yield* serveHere(options)
  })
