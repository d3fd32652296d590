/** What all connections of one embedded server share, over any transport. */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import { type Attached, attach, type Transport } from "./attach.js"
import { makeMemory } from "./Budget.js"
import type { Call } from "./Call.js"
import * as Calls from "./Calls.js"
import type { Dialect } from "./Dialect.js"
import { type Fault, first } from "./Fault.js"
import type { Action } from "./FaultAction.js"
import type { McpServer } from "./McpImports.js"
import type { Mind } from "./Mind.js"
import type { RateLimits } from "./RateLimit.js"
import { router } from "./router/Router.js"
import type { Activity, ServerConnection } from "./ServerConnection.js"
import { ServerConversation } from "./ServerConversation.js"
import { SESSION_MS } from "./SessionSettings.js"
import { toneVoice } from "./ToneVoice.js"
import type { Transcribe } from "./Transcription.js"
import type { TurnDetection } from "./TurnDetection.js"
import type { Voice } from "./Voice.js"
import { loudness } from "./VoiceActivity.js"

/**
 * @since 0.1.0
 * @category options
 */
export interface Options {
  /** Decides what to say and what to call. Default: the `router`, which takes a moment to load. */
  readonly mind?: Mind
  /** The model of sessions that do not ask for one. Default: `gpt-realtime`. */
  readonly model?: string
  /** Time between two pieces of a response. Default: none in memory, 5 ms over a socket. */
  readonly pace?: Duration.DurationInput
  /** The sound of spoken answers. Default: `toneVoice()`. */
  readonly voice?: Voice
  /** How many times faster than real time audio is generated. Default: as fast as `pace` allows. */
  readonly realtimeFactor?: number
  /** Finds the user's turns in audio. Default: by loudness. */
  readonly turnDetection?: TurnDetection
  /** Gives transcripts of the user's speech: by itself, the embedded server does not understand speech. */
  readonly transcribe?: Transcribe
  /** The MCP servers that it finds, by label. It finds no tools at others. Default: none. */
  readonly mcpServers?: { readonly [label: string]: McpServer }
  /** The content of `rate_limits.updated`. Default: ample limits. */
  readonly rateLimits?: RateLimits
  readonly faults?: ReadonlyArray<Fault>
  /**
   * The maximum duration of a session. Default: 60 minutes, as on the real API. The session then ends with the error
   * `session_expired` and the close code 1001.
   */
  readonly maxSessionDuration?: Duration.DurationInput
  /**
   * The number of the first connection. Default: 1. A server that replaces another one can continue its numbers, so
   * that its ids are new to its clients.
   */
  readonly firstConnection?: number
  /**
   * Whether all connections share one conversation that outlives them, as with a `call_id` on the real API. A response
   * in progress still ends with its connection. Default: each connection has its own conversation.
   */
  readonly keepsConversation?: boolean
  /** Speaks the protocol as another provider's server does, to try a client of it. Default: `"openai"`. */
  readonly dialect?: Dialect
  /** Called with everything that happens, for a log. */
  readonly observe?: (activity: Activity) => void
}

/** The outcome of a handshake. */
export type Welcome =
  | {
      readonly _tag: "Welcome"
      readonly connection: number
      readonly model: string
      /** The call that the connection will stand beside. */
      readonly call: Call | undefined
    }
  | {
      readonly _tag: "Refused"
      readonly status: number
      readonly body: string
      readonly retryAfterMs: number | undefined
    }

export interface Server {
  /** Whether connections join the existing conversation. */
  readonly keepsConversation: boolean
  readonly calls: Calls.Calls
  /** Numbers a connection, and applies the faults for its handshake. `callId`: the call that it will stand beside. */
  readonly welcome: (model: string | undefined, callId?: string) => Effect.Effect<Welcome>
  readonly attach: (
    welcome: Extract<Welcome, { readonly _tag: "Welcome" }>,
    transport: Transport
  ) => Effect.Effect<Attached, never, Scope.Scope>
  readonly connections: Effect.Effect<ReadonlyArray<ServerConnection>>
  readonly nextConnection: Effect.Effect<ServerConnection>
  /** The latest connection. Waits for the first one. */
  readonly connection: Effect.Effect<ServerConnection>
}

/** How many connections are kept for tests. */
const REMEMBERED = 1_000

export const make = (options: Options, pace: Duration.DurationInput): Effect.Effect<Server> =>
  Effect.gen(function* () {
    const think = yield* (options.mind ?? router).start
    const opened = yield* Mailbox.make<ServerConnection>({ capacity: REMEMBERED, strategy: "sliding" })
    const some = yield* Deferred.make<void>()
    const faults = options.faults ?? []
    const voice = options.voice ?? toneVoice()
    const connections: Array<ServerConnection> = []
    const memory = makeMemory()
    const conversation = options.keepsConversation === true ? new ServerConversation() : undefined
    const manners = {
      think,
      pace: Duration.decode(options.pace ?? pace),
      voice,
      realtimeFactor: options.realtimeFactor,
      rateLimits: options.rateLimits
    }
    const ways = {
      manners,
      turnDetection: options.turnDetection ?? loudness,
      transcribe: options.transcribe,
      mcpServers: options.mcpServers ?? {},
      maxDuration: Duration.decode(options.maxSessionDuration ?? SESSION_MS),
      memory
    }
    const model = options.model ?? "gpt-realtime"
    const calls = yield* Calls.make({ ...ways, model })
    let count = (options.firstConnection ?? 1) - 1

    const welcome = (asked: string | undefined, callId?: string): Effect.Effect<Welcome> =>
      Effect.gen(function* () {
        count += 1
        const connection = count
        for (const action of first(faults, { _tag: "Connecting", connection }) ?? []) {
          const refused = yield* atHandshake(action)
          if (refused !== undefined) return refused
        }
        const call = callId === undefined ? undefined : calls.find(callId)
        if (callId !== undefined && call?.session === undefined) return noCall(callId)
        return { _tag: "Welcome", connection, model: asked ?? model, call }
      })

    return {
      keepsConversation: conversation !== undefined,
      calls,
      welcome,
      attach: ({ call, connection, model }, transport) =>
        attach(
          {
            number: connection,
            model,
            faults,
            ...ways,
            dialect: options.dialect,
            conversation,
            call: call?.session === undefined ? undefined : { call, session: call.session },
            observe: options.observe ?? (() => undefined)
          },
          transport
        ).pipe(
          Effect.tap((attached) => {
            connections.push(attached.connection)
            if (connections.length > REMEMBERED) connections.shift()
            opened.unsafeOffer(attached.connection)
            Deferred.unsafeDone(some, Effect.void)
          })
        ),
      connections: Effect.sync(() => [...connections]),
      // The mailbox is never ended, so taking from it cannot fail.
      nextConnection: Effect.orDie(opened.take),
      connection: Effect.flatMap(Deferred.await(some), () => Effect.orDie(Effect.fromNullable(connections.at(-1))))
    }
  })

/** As the real API answers for a call that is over, or not known yet. */
const noCall = (callId: string): Welcome => ({
  _tag: "Refused",
  status: 404,
  body: JSON.stringify({
    error: {
      message: `No session found for call_id '${callId}'.`,
      type: "invalid_request_error",
      code: "call_id_not_found",
      param: null
    }
  }),
  retryAfterMs: undefined
})

const atHandshake = (action: Action): Effect.Effect<Extract<Welcome, { readonly _tag: "Refused" }> | undefined> => {
  switch (action._tag) {
    case "Wait":
      return Effect.as(Effect.sleep(action.duration), undefined)
    case "Hang":
      return Effect.never
    case "RefuseHandshake":
      return Effect.succeed({
        _tag: "Refused",
        status: action.status,
        body: action.body,
        retryAfterMs: action.retryAfterMs
      })
    default:
      return Effect.succeed(undefined)
  }
}
