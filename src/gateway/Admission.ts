/**
 * Checks a request before it is upgraded: that it is a valid WebSocket request, that its host and origin are allowed, and
 * which token the client sent.
 */
import type { HttpServerRequest } from "@effect/platform/HttpServerRequest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type { Handshake } from "./Authentication.js"
import type { Limits } from "./Options.js"
import { subprotocol, tokenPrefix } from "./Protocol.js"

/** Why a request was refused: an HTTP status, and a message that says what to do. */
export interface Refusal {
  readonly status: 400 | 401 | 403 | 405 | 421 | 426 | 500 | 503
  readonly message: string
}

const refuse = (status: Refusal["status"], message: string): Either.Either<never, Refusal> =>
  Either.left({ status, message })

/** An HTTP token (RFC 9110, section 5.6.2). */
const httpToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
/** 16 bytes in base64 (RFC 6455, section 4.1). */
const webSocketKey = /^[+/0-9A-Za-z]{22}==$/

/**
 * Checks that this is a valid WebSocket request. This repeats the checks of the platform, because a platform answers an
 * invalid request itself and does not report it.
 */
const checkUpgrade = ({ headers, method }: HttpServerRequest): Either.Either<ReadonlyArray<string>, Refusal> => {
  if (headers["upgrade"]?.toLowerCase() !== "websocket") return refuse(426, "Connect with a WebSocket.")
  if (method !== "GET") return refuse(405, "A WebSocket handshake must be a GET request.")
  if (!webSocketKey.test(headers["sec-websocket-key"] ?? "") || headers["sec-websocket-version"] !== "13") {
    return refuse(400, "Sec-WebSocket-Key or Sec-WebSocket-Version is not valid (RFC 6455).")
  }
  const offered = (headers["sec-websocket-protocol"] ?? "").split(",").map((protocol) => protocol.trim())
  // The platform selects the first one.
  if (offered[0] !== subprotocol) return refuse(400, `Offer the subprotocol ${subprotocol} first.`)
  if (!offered.every((protocol) => httpToken.test(protocol)) || new Set(offered).size < offered.length) {
    return refuse(400, "Sec-WebSocket-Protocol is not valid (RFC 6455).")
  }
  return Either.right(offered)
}

/** The host without its port. */
const nameOf = (host: string): string => host.replace(/:\d*$/, "")

const isKnownHost = (host: string, hosts: ReadonlyArray<string>): boolean =>
  hosts.includes(host) || hosts.includes(nameOf(host))

const isKnownOrigin = (origin: string, host: string, origins: Limits["origins"]): boolean =>
  origins === "same"
    ? Either.try(() => new URL(origin).host).pipe(Either.getOrElse(() => "")) === host
    : origins.includes(origin)

const tokenOf = (
  headers: HttpServerRequest["headers"],
  offered: ReadonlyArray<string>
): Redacted.Redacted<string> | undefined => {
  const bearer = /^Bearer +(\S+)$/i.exec(headers["authorization"] ?? "")?.[1]
  if (bearer !== undefined) return Redacted.make(bearer)
  const encoded = offered.find((protocol) => protocol.startsWith(tokenPrefix))?.slice(tokenPrefix.length)
  if (encoded === undefined) return undefined
  return Either.match(Encoding.decodeBase64UrlString(encoded), {
    onLeft: () => undefined,
    onRight: (token) => Redacted.make(token)
  })
}

/** Checks everything except the identity of the client. */
export const check = (request: HttpServerRequest, limits: Limits): Effect.Effect<Handshake, Refusal> =>
  Effect.gen(function* () {
    const { headers } = request
    const host = (headers["host"] ?? "").toLowerCase()
    if (!isKnownHost(host, limits.hosts)) {
      return yield* refuse(421, "This server does not accept that host name. Add it to the gateway's `hosts` option.")
    }
    const origin = headers["origin"]
    if (origin !== undefined && !isKnownOrigin(origin.toLowerCase(), host, limits.origins)) {
      return yield* refuse(
        403,
        "Pages from this origin may not connect. Add the origin to the gateway's `origins` option."
      )
    }
    const offered = yield* checkUpgrade(request)
    return {
      token: tokenOf(headers, offered),
      headers,
      url: request.originalUrl,
      remoteAddress: Option.getOrUndefined(request.remoteAddress)
    }
  })
