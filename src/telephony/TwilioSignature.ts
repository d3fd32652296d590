/**
 * Whether a request comes from Twilio: its signature, in both forms.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { encodeBase64 } from "../audio/Base64.js"
import { equal } from "../serving/secrets.js"
import { isUsable } from "./account.js"
import { StreamNotTrusted } from "./StreamError.js"

/**
 * A request as it arrived.
 *
 * @since 0.1.0
 * @category models
 */
export interface SignedRequest {
  /**
   * The URL that Twilio called, as it is written in its console or in your TwiML, character by character: with the scheme
   * (`https`, or `wss` for a media stream), the host, the path and the query. Behind a proxy, it is the public one.
   */
  readonly url: string
  /** The fields of the form, with all values of a repeated one. A media stream has none. */
  readonly fields?: { readonly [name: string]: string | ReadonlyArray<string> }
  /** The names are in lower case. */
  readonly headers: { readonly [name: string]: string | undefined }
}

type Algorithm = "SHA-1" | "SHA-256"

const encoder = new TextEncoder()

const hmac = (algorithm: Algorithm, key: Redacted.Redacted<string>, text: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const how = { name: "HMAC", hash: algorithm }
    const secret = await crypto.subtle.importKey("raw", encoder.encode(Redacted.value(key)), how, false, ["sign"])
    return encodeBase64(new Uint8Array(await crypto.subtle.sign("HMAC", secret, encoder.encode(text))))
  })

/** The URL, and the name and value of each field, sorted by name; equal values of a field count once. */
const signedText = ({ fields = {}, url }: Omit<SignedRequest, "headers">): string =>
  Object.keys(fields)
    .toSorted()
    .reduce((text, name) => {
      const value = fields[name] ?? ""
      const values = typeof value === "string" ? [value] : Array.from(new Set(value)).toSorted()
      return values.reduce((all, one) => all + name + one, text)
    }, url)

/**
 * The signature of a request, for tests that play Twilio. Default algorithm: SHA-1, that of `X-Twilio-Signature`.
 *
 * @since 0.1.0
 * @category signatures
 */
export const sign = (
  authToken: Redacted.Redacted<string>,
  request: Omit<SignedRequest, "headers">,
  algorithm: Algorithm = "SHA-1"
): Effect.Effect<string> => hmac(algorithm, authToken, signedText(request))

/** Says that a request is signed with a shared key, and how. */
const settingsHeader = "x-twilio-webhooks-signature-settings"

const algorithmOf = ({ headers }: SignedRequest): Algorithm | undefined => {
  const settings = headers[settingsHeader]
  if (settings === undefined) return "SHA-1"
  const named = /(?:^|,)\s*algorithm=([^,\s]+)/.exec(settings)?.[1]
  return named === "HMAC_SHA256" ? "SHA-256" : named === "HMAC_SHA1" ? "SHA-1" : undefined
}

/**
 * Succeeds if the request was signed with this token: with SHA-1, or with SHA-256 if its header
 * `X-Twilio-Webhooks-Signature-Settings` says so (`key=…,algorithm=HMAC_SHA256`). The token is then that key's. The time
 * does not depend on what is wrong. With an empty token, no request was.
 *
 * @since 0.1.0
 * @category signatures
 */
export const verify = (
  authToken: Redacted.Redacted<string>,
  request: SignedRequest
): Effect.Effect<void, StreamNotTrusted> =>
  Effect.gen(function* () {
    const distrust = new StreamNotTrusted({ reason: "Signature", callId: undefined })
    const algorithm = algorithmOf(request)
    const shown = request.headers["x-twilio-signature"]
    if (algorithm === undefined || shown === undefined || !isUsable(authToken)) return yield* distrust
    const expected = yield* sign(authToken, request, algorithm)
    if (!(yield* equal(expected, shown))) return yield* distrust
  })
