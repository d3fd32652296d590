/**
 * Identifies a client before it gets a socket.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"
import { OptionsInvalid } from "../options/OptionsInvalid.js"
import { equal } from "../serving/secrets.js"

/**
 * What a client sends before it gets a socket. Its Host and Origin headers have already been checked.
 *
 * @since 0.1.0
 * @category models
 */
export interface Handshake {
  /** From `Authorization: Bearer` or, for browsers, from the subprotocols. */
  readonly token: Redacted.Redacted<string> | undefined
  /** The names are in lower case. Cookies are included. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** As the client requested it, with the query. */
  readonly url: string
  /** The address of the peer. Behind a proxy, this is the proxy's address. */
  readonly remoteAddress: string | undefined
}

/**
 * Who a client is. A call can only be resumed by a client with the same `id`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Identity {
  readonly id: string
}

/**
 * The client is not accepted. It gets the status 401, but not the reason.
 *
 * @since 0.1.0
 * @category errors
 */
export class Unauthorized extends TaggedError<Unauthorized>()("Unauthorized", {
  /** For your log. */
  reason: Schema.String
}) {
  override get message(): string {
    return `The client was not let in: ${this.reason}`
  }
}

/**
 * The check that each client must pass.
 *
 * @since 0.1.0
 * @category models
 */
export type Authenticate<I extends Identity, R = never> = (handshake: Handshake) => Effect.Effect<I, Unauthorized, R>

/** 96 bits in base64, which cannot be guessed. */
const minTokenLength = 16

/**
 * One token for all clients, compared in constant time. The identity of every client is `{ id: "token" }`. Throws
 * `OptionsInvalid` if the token has fewer than 16 characters, because a short token can be guessed.
 *
 * @example
 * ```ts
 * import { Redacted } from "effect"
 * import { Gateway } from "effect-realtime/gateway"
 *
 * export const authenticate = Gateway.token(Redacted.make(process.env["GATEWAY_TOKEN"] ?? ""))
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const token = (expected: Redacted.Redacted<string>): Authenticate<Identity> => {
  if (!Redacted.isRedacted(expected) || Redacted.value(expected).length < minTokenLength) throw tooShort()
  return (handshake) =>
    Effect.gen(function* () {
      if (handshake.token === undefined) return yield* new Unauthorized({ reason: "it showed no token." })
      const isSame = yield* equal(Redacted.value(expected), Redacted.value(handshake.token))
      return isSame ? { id: "token" } : yield* new Unauthorized({ reason: "it showed another token." })
    })
}

const tooShort = () =>
  new OptionsInvalid({
    of: "Gateway.token",
    problems: [
      {
        option: "token",
        value: "a secret",
        message: `The token should be made with Redacted.make, and have at least ${minTokenLength} characters: shorter ones can be guessed. Make one of 32 random bytes, such as with \`openssl rand -base64 32\`.`
      }
    ]
  })
