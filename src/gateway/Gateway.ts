/**
 * Bridges WebSocket clients to sessions: each client that is let in has a call, which is a session of its own.
 *
 * A client sends audio, text and decisions, and gets the session's events and audio; see `GatewayProtocol`. Everything
 * that a client may use up has a bound: see `Options`. A call whose socket breaks goes on, and waits for its client.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import { check, type Refusal } from "./Admission.js"
import { type Identity, Unauthorized } from "./Authentication.js"
import { attend } from "./attend.js"
import * as Calls from "./Calls.js"
import { type Options, resolve } from "./Options.js"
import { peerOf } from "./Peer.js"

export { OptionsInvalid } from "../options/OptionsInvalid.js"
export { type Authenticate, type Handshake, type Identity, token, Unauthorized } from "./Authentication.js"
export { type Call, CallRefused, defaults, type Options } from "./Options.js"

/**
 * A gateway. Its calls end with the scope that it was made in.
 *
 * @since 0.1.0
 * @category models
 */
export interface Gateway {
  /** Upgrades a request to a WebSocket, and serves it to its end. Mount it at a path of your choice. */
  readonly app: HttpApp.Default
  /** How many calls there are, with those that wait to be resumed. */
  readonly calls: Effect.Effect<number>
  /**
   * Takes no more calls, tells the clients, lets them come to an end for `drainWithin`, and ends those that are left. A
   * client that lost its socket may still resume its call meanwhile.
   */
  readonly drain: Effect.Effect<void>
}

/** How long sockets may take to close, when all calls have ended. */
const farewell = "2 seconds"

/**
 * Makes a gateway, and serves nothing yet: `serve` does, or your own router with `app`.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make = <I extends Identity, E, R, RA = never, RC = never>(
  options: Options<I, E, R, RA, RC>
): Effect.Effect<Gateway, OptionsInvalid, Scope.Scope | RealtimeModel | R | RA | RC> =>
  Effect.gen(function* () {
    yield* Rule.validate("Gateway.make", rules.gateway, options)
    const limits = resolve(options)
    const context = yield* Effect.context<RA>()
    const calls = yield* Calls.make(options, limits)
    let pending = 0
    let sockets = 0
    /** Open while there is no socket. */
    const noSocket = yield* Effect.makeLatch(true)
    const attended = Effect.acquireRelease(
      Effect.suspend(() => {
        sockets += 1
        return noSocket.close
      }),
      () =>
        Effect.suspend(() => {
          sockets -= 1
          return sockets === 0 ? noSocket.open : Effect.void
        })
    )

    const authenticate = (handshake: Parameters<typeof options.authenticate>[0]) =>
      options.authenticate(handshake).pipe(
        Effect.provide(context),
        Effect.timeoutFail({
          duration: limits.authenticationTimeout,
          onTimeout: () => new Unauthorized({ reason: "its authentication took too long." })
        }),
        Effect.tapError(({ message }) => Effect.logDebug(message)),
        Effect.mapError((): Refusal => ({ status: 401, message: "Show the token that this server was given." }))
      )

    const app: HttpApp.Default = Effect.gen(function* () {
      const request = yield* HttpServerRequest
      const peer = peerOf(request.source)
      const handshake = yield* check(request, limits)
      if (pending >= limits.maxPending) {
        return yield* Effect.fail<Refusal>({ status: 503, message: "Too many clients connect. Try again later." })
      }
      pending += 1
      let isPending = true
      const opened = Effect.sync(() => {
        if (isPending) pending -= 1
        isPending = false
      })
      return yield* Effect.gen(function* () {
        const identity = yield* authenticate(handshake)
        const socket = yield* Effect.mapError(
          request.upgrade,
          (): Refusal => ({ status: 426, message: "Connect with a WebSocket." })
        )
        yield* Effect.scoped(Effect.zipRight(attended, attend(socket, peer, identity, calls, limits, opened)))
        return HttpServerResponse.empty()
        // The platform runs its apps where nothing can be interrupted, not even by a timeout.
      }).pipe(Effect.interruptible, Effect.ensuring(opened))
    }).pipe(
      Effect.catchAll(({ message, status }) =>
        Effect.succeed(HttpServerResponse.text(message, { status, headers: { connection: "close" } }))
      )
    )

    const drain = Effect.zipRight(
      calls.drain,
      // So that each client reads why its socket was closed.
      noSocket.await.pipe(Effect.interruptible, Effect.timeoutOption(farewell), Effect.asVoid)
    )
    return { app, calls: Effect.sync(calls.size), drain }
  })

/**
 * The server listens to other machines, and the gateway was not told that it may.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotLoopback extends Schema.TaggedError<NotLoopback>("effect-realtime/NotLoopback")("NotLoopback", {
  hostname: Schema.String
}) {
  override get message(): string {
    return `The server listens on ${this.hostname}, where other machines reach it. Listen on 127.0.0.1 or, if that is wanted, say \`reach: "everyone"\`, and put TLS in front of it.`
  }
}

/**
 * @since 0.1.0
 * @category options
 */
export interface ServeOptions {
  /** What is served. Default: the gateway alone, at every path. */
  readonly app?: HttpApp.Default
  /** Who may reach the server. Default: `"loopback"`, only programs on this machine. */
  readonly reach?: "loopback" | "everyone"
}

const isLoopback = (hostname: string): boolean => /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(hostname)

/**
 * Serves a gateway until the scope closes; then it lets the calls come to an end first (`drain`). The server has to outlive
 * it, as that of a layer does: one that is made in the same scope is closed first, and waits for its sockets.
 *
 * @since 0.1.0
 * @category constructors
 */
export const serve = (
  gateway: Gateway,
  { app = gateway.app, reach = "loopback" }: ServeOptions = {}
): Effect.Effect<void, NotLoopback, HttpServer.HttpServer | Scope.Scope> =>
  Effect.gen(function* () {
    const { address } = yield* HttpServer.HttpServer
    if (reach === "loopback" && address._tag === "TcpAddress" && !isLoopback(address.hostname)) {
      return yield* new NotLoopback({ hostname: address.hostname })
    }
    // Spans have a request's headers, and a browser's token is among its subprotocols.
    const redacted = [...(yield* FiberRef.get(Headers.currentRedactedNames)), "sec-websocket-protocol"]
    yield* Effect.locally(HttpServer.serveEffect(app), Headers.currentRedactedNames, redacted)
    yield* Effect.addFinalizer(() => gateway.drain)
  })

/**
 * A gateway that is served alone, at every path.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <I extends Identity, E, R, RA = never, RC = never>(
  options: Options<I, E, R, RA, RC> & ServeOptions
): Layer.Layer<never, OptionsInvalid | NotLoopback, HttpServer.HttpServer | RealtimeModel | R | RA | RC> =>
  Layer.scopedDiscard(Effect.flatMap(make(options), (gateway) => serve(gateway, options)))
