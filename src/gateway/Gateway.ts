/**
 * Bridges WebSocket clients to sessions: each accepted client gets a call, which is a session of its own.
 *
 * A client sends audio, text and decisions, and gets the session's events and audio; see `GatewayProtocol`. Every
 * resource that a client can use is limited; see `Options`. If the socket of a call breaks, the call continues and waits
 * for its client.
 *
 * @since 0.1.0
 */
import * as Headers from "@effect/platform/Headers"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FiberRef from "effect/FiberRef"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { quietlyWithin } from "../common/quietly.js"
import { TaggedError } from "../common/TaggedError.js"
import { tell } from "../common/tell.js"
import type { OptionsInvalid } from "../options/OptionsInvalid.js"
import * as Rule from "../options/Rule.js"
import * as rules from "../options/rules.js"
import type { RealtimeModel } from "../RealtimeModel.js"
import * as Attendance from "../serving/Attendance.js"
import { peerOf } from "../serving/Peer.js"
import { check, type Refusal } from "./Admission.js"
import { type Identity, Unauthorized } from "./Authentication.js"
import { attend } from "./attend.js"
import * as Calls from "./Calls.js"
import { type Options, resolve } from "./Options.js"

export { OptionsInvalid } from "../options/OptionsInvalid.js"
export { type Authenticate, type Handshake, type Identity, token, Unauthorized } from "./Authentication.js"
export type { Home, Sessions, Unavailable } from "./Home.js"
export { type Call, CallRefused, defaults, type Failed, type Options } from "./Options.js"

/**
 * A gateway. Its calls end when the scope closes in which it was made.
 *
 * @since 0.1.0
 * @category models
 */
export interface Gateway {
  /** Upgrades a request to a WebSocket, and serves it until it closes. Mount it at a path of your choice. */
  readonly app: HttpApp.Default
  /** The number of calls, including those that wait to be resumed. */
  readonly calls: Effect.Effect<number>
  /**
   * Accepts no more calls, notifies the clients, lets their calls continue for `drainWithin`, and then ends those that are
   * left. Meanwhile, a client that lost its socket may still resume its call.
   */
  readonly drain: Effect.Effect<void>
}

/** How long sockets may take to close after all calls have ended. */
const farewell = "2 seconds"

/**
 * Makes a gateway without serving it. To serve it, use `serve`, or mount `app` in your own router.
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
    const sockets = yield* Attendance.make

    const authenticate = (handshake: Parameters<typeof options.authenticate>[0]) =>
      quietlyWithin(Effect.suspend(() => options.authenticate(handshake)).pipe(Effect.provide(context)), {
        duration: limits.authenticationTimeout,
        onTimeout: () => new Unauthorized({ reason: "its authentication took too long." })
      }).pipe(
        Effect.tapError(({ message }) => Effect.logDebug(message)),
        Effect.mapError(
          (): Refusal => ({ status: 401, message: "Send the token that this server was configured with." })
        ),
        Effect.catchAllDefect((defect) => {
          const { onFailed } = options
          if (onFailed !== undefined)
            tell(onFailed, { _tag: "NotAuthenticated", cause: Cause.die(defect) }, () => undefined)
          return Effect.zipRight(
            Effect.logWarning(
              "A client was not let in, because the option `authenticate` died. `onFailed` gets what it died with."
            ),
            Effect.fail<Refusal>({ status: 500, message: "Nobody can be let in now. The log of the gateway says why." })
          )
        })
      )

    const app: HttpApp.Default = Effect.gen(function* () {
      const request = yield* HttpServerRequest
      const peer = peerOf(request.source)
      const handshake = yield* check(request, limits)
      if (pending >= limits.maxPending) {
        return yield* Effect.fail<Refusal>({
          status: 503,
          message: "Too many clients are connecting. Try again later."
        })
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
        yield* Effect.scoped(Effect.zipRight(sockets.attend, attend(socket, peer, identity, calls, limits, opened)))
        return HttpServerResponse.empty()
        // The platform runs its apps in an uninterruptible region, where even a timeout could not interrupt them.
      }).pipe(Effect.interruptible, Effect.ensuring(opened))
    }).pipe(
      Effect.catchAll(({ message, status }) =>
        Effect.succeed(HttpServerResponse.text(message, { status, headers: { connection: "close" } }))
      )
    )

    const drain = Effect.zipRight(
      calls.drain,
      // So that each client reads why its socket was closed.
      sockets.none.pipe(Effect.interruptible, Effect.timeoutOption(farewell), Effect.asVoid)
    )
    return { app, calls: Effect.sync(calls.size), drain }
  })

/**
 * Other machines can reach the server, and the options do not allow it.
 *
 * @since 0.1.0
 * @category errors
 */
export class NotLoopback extends TaggedError<NotLoopback>()("NotLoopback", {
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
  /** The app to serve. Default: only the gateway, at every path. */
  readonly app?: HttpApp.Default
  /** Who may reach the server. Default: `"loopback"`, only programs on this machine. */
  readonly reach?: "loopback" | "everyone"
}

const isLoopback = (hostname: string): boolean => /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(hostname)

/**
 * Serves a gateway until the scope closes, and then drains it (`drain`). The server must outlive this scope, as the server
 * of a layer does: a server that is made in the same scope is closed first, and waits for its sockets.
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
    // Spans contain the headers of a request, and a browser sends its token as a subprotocol.
    const redacted = [...(yield* FiberRef.get(Headers.currentRedactedNames)), "sec-websocket-protocol"]
    yield* Effect.locally(HttpServer.serveEffect(app), Headers.currentRedactedNames, redacted)
    yield* Effect.addFinalizer(() => gateway.drain)
  })

/**
 * Serves only a gateway, at every path.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = <I extends Identity, E, R, RA = never, RC = never>(
  options: Options<I, E, R, RA, RC> & ServeOptions
): Layer.Layer<never, OptionsInvalid | NotLoopback, HttpServer.HttpServer | RealtimeModel | R | RA | RC> =>
  Layer.scopedDiscard(Effect.flatMap(make(options), (gateway) => serve(gateway, options)))
