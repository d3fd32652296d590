import {
  OpenAIRealtimeSIP,
  OpenAIRealtimeWebSocket,
  type RealtimeAgent,
  type RealtimeItem,
  RealtimeSession,
  type RealtimeSessionConfig
} from "@openai/agents-realtime"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import { OpenAI } from "openai"
import { OpenAIRealtimeWS } from "openai/realtime/ws"
import type { RealtimeClientEvent, RealtimeServerEvent } from "openai/resources/realtime/realtime"
import { selfSigned } from "../../src/command/certificate.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"

/** What the agents SDK told its application, in order. */
export type Heard =
  | { readonly _tag: "Said"; readonly text: string }
  | { readonly _tag: "ToolStarted"; readonly tool: string }
  | { readonly _tag: "ToolEnded"; readonly tool: string; readonly result: string }
  | { readonly _tag: "ApprovalRequested"; readonly approve: () => Promise<void> }
  | { readonly _tag: "HandedOff"; readonly from: string; readonly to: string }
  | { readonly _tag: "AudioStarted" }
  | { readonly _tag: "AudioInterrupted" }
  | { readonly _tag: "Transported"; readonly type: string }
  | { readonly _tag: "Failed"; readonly error: unknown }

export interface AgentsClient {
  readonly session: RealtimeSession
  /** Hears up to the first one that fits, and gives it. A failure on the way ends the test. */
  readonly until: <T extends Heard["_tag"]>(
    tag: T,
    fits?: (heard: Extract<Heard, { readonly _tag: T }>) => boolean
  ) => Effect.Effect<Extract<Heard, { readonly _tag: T }>>
  readonly history: () => ReadonlyArray<RealtimeItem>
}

const is = <T extends Heard["_tag"]>(heard: Heard, tag: T): heard is Extract<Heard, { readonly _tag: T }> =>
  heard._tag === tag

/** `RealtimeSession` as its users make it, connected to a URL. */
export const agentsClient = (
  server: EmbeddedRealtime.Served,
  agent: RealtimeAgent,
  config: Partial<RealtimeSessionConfig> = {},
  callId?: string
) =>
  Effect.gen(function* () {
    const log = yield* Mailbox.make<Heard>()
    const hear = (heard: Heard) => void log.unsafeOffer(heard)
    const session = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new RealtimeSession(agent, {
            transport:
              callId === undefined
                ? new OpenAIRealtimeWebSocket({ url: server.url, useInsecureApiKey: true })
                : new OpenAIRealtimeSIP({ useInsecureApiKey: true }),
            model: "gpt-realtime",
            config
          })
      ),
      (opened) => Effect.sync(() => opened.close())
    )
    session.on("agent_end", (_context, _agent, text) => hear({ _tag: "Said", text }))
    session.on("agent_tool_start", (_context, _agent, { name }) => hear({ _tag: "ToolStarted", tool: name }))
    session.on("agent_tool_end", (_context, _agent, { name }, result) =>
      hear({ _tag: "ToolEnded", tool: name, result })
    )
    session.on("tool_approval_requested", (_context, _agent, { approvalItem }) =>
      hear({ _tag: "ApprovalRequested", approve: () => session.approve(approvalItem) })
    )
    session.on("agent_handoff", (_context, from, to) => hear({ _tag: "HandedOff", from: from.name, to: to.name }))
    session.on("audio", () => hear({ _tag: "AudioStarted" }))
    session.on("audio_interrupted", () => hear({ _tag: "AudioInterrupted" }))
    session.on("transport_event", ({ type }) => hear({ _tag: "Transported", type }))
    session.on("error", (error) => hear({ _tag: "Failed", error }))
    yield* Effect.promise(() =>
      session.connect({
        apiKey: "sk-test",
        ...(callId === undefined ? {} : { callId, url: `${server.url}?call_id=${callId}` })
      })
    )

    const until: AgentsClient["until"] = (tag, fits = () => true) =>
      Effect.gen(function* () {
        for (;;) {
          const heard = yield* Effect.orDie(log.take)
          if (is(heard, tag) && fits(heard)) return heard
          if (heard._tag === "Failed") return yield* Effect.die(heard.error)
        }
      })
    return { session, until, history: () => session.history } satisfies AgentsClient
  })

type Event<T extends RealtimeServerEvent["type"]> = Extract<RealtimeServerEvent, { readonly type: T }>

const isOf = <T extends RealtimeServerEvent["type"]>(event: RealtimeServerEvent, type: T): event is Event<T> =>
  event.type === type

export interface OpenAiClient {
  readonly send: (event: RealtimeClientEvent) => Effect.Effect<void>
  /** Reads up to the next event of a type, and gives all that it read. */
  readonly through: (type: RealtimeServerEvent["type"]) => Effect.Effect<ReadonlyArray<RealtimeServerEvent>>
  /** Reads up to the next event of a type, and gives it. */
  readonly until: <T extends RealtimeServerEvent["type"]>(type: T) => Effect.Effect<Event<T>>
}

/** A server for `OpenAIRealtimeWS`, which connects to `wss:` only, and the certificate that it has to trust. */
export const serveTls = (options: EmbeddedRealtime.Options) =>
  Effect.gen(function* () {
    const tls = yield* selfSigned("127.0.0.1")
    return { ...(yield* EmbeddedRealtime.serve({ ...options, tls })), certificate: tls.cert }
  })

/** `OpenAIRealtimeWS` as its users make it, after `session.created`. */
export const openAiClient = (server: Effect.Effect.Success<ReturnType<typeof serveTls>>) =>
  Effect.gen(function* () {
    const log = yield* Mailbox.make<RealtimeServerEvent, Error>()
    const baseURL = server.url.replace("wss:", "https:").replace("/realtime", "")
    const client = yield* Effect.acquireRelease(
      Effect.sync(
        () =>
          new OpenAIRealtimeWS(
            { model: "gpt-realtime", options: { ca: server.certificate } },
            new OpenAI({ apiKey: "sk-test", baseURL })
          )
      ),
      (opened) => Effect.sync(() => opened.close())
    )
    client.on("event", (event) => void log.unsafeOffer(event))
    // An error of the server is an event too; one of the transport is the end.
    client.on("error", (error) => {
      if (error.error === undefined) Effect.runSync(log.fail(error))
    })
    const through: OpenAiClient["through"] = (type) =>
      Effect.gen(function* () {
        const seen: Array<RealtimeServerEvent> = []
        for (;;) {
          const event = yield* Effect.orDie(log.take)
          seen.push(event)
          if (event.type === type) return seen
        }
      })
    const until: OpenAiClient["until"] = (type) =>
      Effect.gen(function* () {
        for (;;) {
          const event = yield* Effect.orDie(log.take)
          if (isOf(event, type)) return event
        }
      })
    yield* until("session.created")
    return { send: (event) => Effect.sync(() => client.send(event)), through, until } satisfies OpenAiClient
  })
