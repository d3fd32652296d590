import { createServer } from "node:http"
import * as HttpServer from "@effect/platform/HttpServer"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import WebSocket from "ws"
import * as Agent from "../../src/Agent.js"
import * as EmbeddedRealtime from "../../src/EmbeddedRealtime.js"
import { Gateway, GatewayProtocol as Protocol } from "../../src/gateway.js"

export const secret = "a-token-of-enough-characters"

export const agent = Agent.make("Concierge", { instructions: "Help." })

/** A gateway on a port of its own, which admits clients with the secret to an agent without tools. */
export const options = {
  authenticate: Gateway.token(Redacted.make(secret)),
  call: () => Effect.succeed({ agent }),
  // A test that is over waits for no call.
  drainWithin: 0
}

export const httpServer = NodeHttpServer.make(() => createServer(), { port: 0, host: "127.0.0.1" })

export const portOf = ({ address }: HttpServer.HttpServer): number =>
  address._tag === "TcpAddress" ? address.port : Effect.runSync(Effect.dieMessage("The server has no port."))

/**
 * A gateway that is served on a port of its own until the scope closes, with an embedded server behind it. A server that is
 * given outlives it, as that of a layer does.
 */
export const serve = <I extends Gateway.Identity = Gateway.Identity, E = never>(
  more: Partial<Gateway.Options<I | Gateway.Identity, E, never>> = {},
  model: EmbeddedRealtime.Options = {},
  given?: HttpServer.HttpServer
) =>
  Effect.gen(function* () {
    const server = given ?? (yield* httpServer)
    const embedded = yield* EmbeddedRealtime.make(model)
    const gateway = yield* Effect.provide(Gateway.make({ ...options, ...more }), embedded.layer)
    yield* Effect.provideService(Gateway.serve(gateway), HttpServer.HttpServer, server)
    return { gateway, embedded, port: portOf(server) }
  })

const read = Schema.decodeUnknownSync(Schema.parseJson(Protocol.GatewayMessage))

/** A frame from the gateway, as a client reads it. */
export type Frame = Protocol.GatewayMessage | { readonly _tag: "Audio"; readonly chunk: Protocol.Audio }

/** The end of a socket. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A client of a few lines, which does only what it is told. */
export interface Client {
  readonly send: (message: Protocol.Opening | Protocol.ClientMessage) => void
  readonly sendRaw: (data: string | Uint8Array) => void
  /** The next frame. Fails with the end of the socket. */
  readonly next: Effect.Effect<Frame, Closed>
  /** The next frame of this kind, past all others. */
  readonly first: <T extends Frame["_tag"]>(tag: T) => Effect.Effect<Extract<Frame, { readonly _tag: T }>, Closed>
  /** The next event of this kind, past all other frames. */
  readonly event: <T extends EventTag>(tag: T) => Effect.Effect<EventOf<T>, Closed>
  readonly closed: Effect.Effect<Closed>
  readonly close: (code?: number) => void
  readonly terminate: () => void
  readonly pause: () => void
  readonly resume: () => void
}

type AnyEvent = Extract<Frame, { readonly _tag: "Event" }>["event"]
type EventTag = AnyEvent["_tag"]
type EventOf<T extends EventTag> = Extract<AnyEvent, { readonly _tag: T }>

export interface ConnectOptions {
  /** Default: `/`. */
  readonly path?: string
  readonly token?: string
  readonly protocols?: ReadonlyArray<string>
  readonly headers?: Readonly<Record<string, string>>
}

const isTag =
  <T extends Frame["_tag"]>(tag: T) =>
  (frame: Frame): frame is Extract<Frame, { readonly _tag: T }> =>
    frame._tag === tag

const isEvent =
  <T extends EventTag>(tag: T) =>
  (event: AnyEvent): event is EventOf<T> =>
    event._tag === tag

/** Connects; a refused handshake fails with its status. */
export const connect = (
  port: number,
  { headers = {}, path = "/", protocols, token = secret }: ConnectOptions = {}
): Effect.Effect<Client, { readonly status: number; readonly message: string }, Scope.Scope> =>
  Effect.gen(function* () {
    const inbox = yield* Mailbox.make<Frame, Closed>()
    const offered = protocols ?? [Protocol.subprotocol, Protocol.tokenProtocol(token)]
    const socket = yield* Effect.acquireRelease(
      Effect.async<WebSocket, { readonly status: number; readonly message: string }>((resume) => {
        const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, [...offered], { headers })
        socket.on("message", (data: Buffer, isBinary) => {
          const chunk = isBinary ? Protocol.decodeAudio(data) : undefined
          inbox.unsafeOffer(chunk === undefined ? read(data.toString("utf8")) : { _tag: "Audio", chunk })
        })
        socket.on("close", (code, reason) =>
          inbox.unsafeDone(Effect.runSync(Effect.exit(Effect.fail({ code, reason: reason.toString() }))))
        )
        socket.on("error", () => undefined)
        socket.once("open", () => resume(Effect.succeed(socket)))
        socket.once("unexpected-response", (_, response) => {
          const parts: Array<Buffer> = []
          response.on("data", (part: Buffer) => parts.push(part))
          response.on("end", () =>
            resume(Effect.fail({ status: response.statusCode ?? 0, message: Buffer.concat(parts).toString("utf8") }))
          )
        })
      }),
      (socket) => Effect.sync(() => socket.terminate())
    )
    const next = inbox.take.pipe(
      Effect.catchTag("NoSuchElementException", () => Effect.dieMessage("The inbox has ended."))
    )
    const first = <T extends Frame["_tag"]>(tag: T): Effect.Effect<Extract<Frame, { readonly _tag: T }>, Closed> => {
      const matches = isTag(tag)
      return Effect.flatMap(next, (frame) => (matches(frame) ? Effect.succeed(frame) : first(tag)))
    }
    const event = <T extends EventTag>(tag: T): Effect.Effect<EventOf<T>, Closed> => {
      const matches = isEvent(tag)
      return Effect.flatMap(first("Event"), (frame) =>
        matches(frame.event) ? Effect.succeed(frame.event) : event(tag)
      )
    }
    return {
      send: (message) => socket.send(JSON.stringify(message)),
      sendRaw: (data) => socket.send(data),
      next,
      first,
      event,
      closed: Effect.flip(Effect.forever(next)),
      close: (code) => socket.close(code),
      terminate: () => socket.terminate(),
      pause: () => socket.pause(),
      resume: () => socket.resume()
    }
  })
