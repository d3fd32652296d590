/** Webhooks of OpenAI: their signatures (Standard Webhooks), and the calls that they announce. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { TaggedError } from "../common/TaggedError.js"
import { OptionsInvalid } from "../options/OptionsInvalid.js"

/**
 * Why a webhook is not believed. `Unsigned`: a header is missing, or is not what it should be. `Stale`: it was signed
 * too long ago, or is from the future. `Forged`: no signature fits a secret and the body. `Malformed`: the body is
 * signed, but is not an event.
 *
 * @since 0.1.0
 * @category errors
 */
export class WebhookRejected extends TaggedError<WebhookRejected>()("WebhookRejected", {
  reason: Schema.Literal("Unsigned", "Stale", "Forged", "Malformed"),
  /** What to do next. */
  message: Schema.String
}) {}

/**
 * Somebody calls over SIP. What the headers say comes from the caller's side: show it, and do not trust it. They keep
 * their order, and may repeat.
 *
 * @since 0.1.0
 * @category models
 */
export interface IncomingCall {
  readonly _tag: "IncomingCall"
  /** The id of the webhook: the same for each delivery. */
  readonly id: string
  /** For `accept` and the others. */
  readonly callId: string
  /** Milliseconds since 1970. */
  readonly createdAtMs: number
  readonly sipHeaders: ReadonlyArray<{ readonly name: string; readonly value: string }>
  /** How the audio of the line is protected, such as `srtp`; absent if the service does not say. */
  readonly mediaSecurity: string | undefined
}

/**
 * Another event than an incoming call. A ringing call may also be announced to GPT-Live (`live.transport.incoming`, or
 * `live.call.incoming` before), which this library does not speak: nothing need be done.
 *
 * @since 0.1.0
 * @category models
 */
export interface OtherWebhook {
  readonly _tag: "OtherWebhook"
  readonly id: string
  readonly type: string
  readonly data: unknown
}

/**
 * @since 0.1.0
 * @category models
 */
export type Webhook = IncomingCall | OtherWebhook

/**
 * The secret of a webhook, `whsec_…`. Several while one replaces another.
 *
 * @since 0.1.0
 * @category options
 */
export type Secrets = Redacted.Redacted | ReadonlyArray<Redacted.Redacted>

/**
 * A webhook as it came: its headers by lower-case name, and its body byte for byte.
 *
 * @since 0.1.0
 * @category models
 */
export interface Delivery {
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/** In seconds, both ways, as in the libraries of OpenAI and of Standard Webhooks. */
const tolerance = 300

/** How many signatures of one webhook are looked at: one for each secret in use. */
const maxSignatures = 32

const prefix = "whsec_"

type Key = Uint8Array<ArrayBuffer>

/** Bytes that Web Crypto takes. */
const owned = (bytes: Uint8Array): Key => new Uint8Array(bytes)

const keyIn = (secret: Redacted.Redacted): Either.Either<Key, void> => {
  const text = Redacted.value(secret).trim()
  const key = text.startsWith(prefix) ? Encoding.decodeBase64(text.slice(prefix.length)) : Either.left(undefined)
  return Either.isRight(key) && key.right.length > 0 ? Either.right(owned(key.right)) : Either.left(undefined)
}

/** The keys of secrets, or what is wrong with one. */
export const keysOf = (of: string, secrets: Secrets): Either.Either<ReadonlyArray<Key>, OptionsInvalid> => {
  const all = Redacted.isRedacted(secrets) ? [secrets] : secrets
  const keys = all.map((secret) => (Redacted.isRedacted(secret) ? keyIn(secret) : Either.left(undefined)))
  if (keys.length > 0 && keys.every(Either.isRight)) return Either.right(keys.map(({ right }) => right))
  const message =
    "`secret` should be the whole secret of the webhook, `whsec_` followed by base64, redacted, and is something else."
  return Either.left(new OptionsInvalid({ of, problems: [{ option: "secret", value: "<redacted>", message }] }))
}

const algorithm = { name: "HMAC", hash: "SHA-256" } as const

const imported = (key: Key, use: "sign" | "verify") =>
  Effect.promise(() => crypto.subtle.importKey("raw", key, algorithm, false, [use]))

const signed = (id: string, timestamp: string, body: Uint8Array): Key => {
  const head = new TextEncoder().encode(`${id}.${timestamp}.`)
  const all = new Uint8Array(head.length + body.length)
  all.set(head)
  all.set(body, head.length)
  return all
}

const unsigned = (header: string) =>
  new WebhookRejected({
    reason: "Unsigned",
    message: `The webhook's header ${header} is missing or unusable: it does not come from the service, or a proxy dropped the header.`
  })

const stale = new WebhookRejected({
  reason: "Stale",
  message: `The webhook was signed more than ${tolerance / 60} minutes from now: it is repeated by somebody else, or the clock of this machine is wrong.`
})

const forged = new WebhookRejected({
  reason: "Forged",
  message:
    "No signature of the webhook fits: it does not come from the service, the secret is another webhook's, or a proxy changed the body."
})

const malformed = new WebhookRejected({
  reason: "Malformed",
  message:
    "The webhook is signed, but its body is not an event that this library understands. Look at it at the service."
})

const Event = Schema.parseJson(
  Schema.Struct({
    type: Schema.String,
    created_at: Schema.optional(Schema.Finite),
    data: Schema.optional(Schema.Unknown)
  })
)

const IncomingData = Schema.Struct({
  call_id: Schema.NonEmptyString,
  sip_headers: Schema.optional(Schema.Array(Schema.Struct({ name: Schema.String, value: Schema.String }))),
  sip_media_security: Schema.optional(Schema.NullOr(Schema.String))
})

const decodeEvent = Schema.decodeEither(Event)
const decodeIncoming = Schema.decodeUnknownEither(IncomingData)

const eventIn = (id: string, body: Uint8Array): Either.Either<Webhook, WebhookRejected> =>
  Either.mapLeft(decodeEvent(new TextDecoder().decode(body)), () => malformed).pipe(
    Either.flatMap(({ created_at: createdAt, data, type }): Either.Either<Webhook, WebhookRejected> => {
      if (type !== "realtime.call.incoming") return Either.right({ _tag: "OtherWebhook", id, type, data })
      return Either.mapBoth(decodeIncoming(data), {
        onLeft: () => malformed,
        onRight: (call) => ({
          _tag: "IncomingCall",
          id,
          callId: call.call_id,
          createdAtMs: (createdAt ?? 0) * 1_000,
          sipHeaders: call.sip_headers ?? [],
          mediaSecurity: call.sip_media_security ?? undefined
        })
      })
    })
  )

/** With keys that were checked before. */
export const verifyWith = (
  { body, headers }: Delivery,
  keys: ReadonlyArray<Key>
): Effect.Effect<Webhook, WebhookRejected> =>
  Effect.gen(function* () {
    const { "webhook-id": id, "webhook-signature": signatures, "webhook-timestamp": timestamp } = headers
    if (id === undefined || id === "") return yield* unsigned("webhook-id")
    if (timestamp === undefined || !/^\d{1,15}$/.test(timestamp)) return yield* unsigned("webhook-timestamp")
    if (signatures === undefined) return yield* unsigned("webhook-signature")
    const now = yield* Clock.currentTimeMillis
    if (Math.abs(Math.floor(now / 1_000) - Number(timestamp)) > tolerance) return yield* stale
    const content = signed(id, timestamp, body)
    const given = signatures
      .split(" ", maxSignatures)
      .flatMap((one) => (one.startsWith("v1,") ? [Encoding.decodeBase64(one.slice(3))] : []))
      .flatMap((one) => (Either.isRight(one) ? [owned(one.right)] : []))
    for (const key of keys) {
      const usable = yield* imported(key, "verify")
      for (const one of given) {
        // In constant time.
        const fits = yield* Effect.promise(() => crypto.subtle.verify(algorithm, usable, one, content))
        if (fits) return yield* eventIn(id, body)
      }
    }
    return yield* forged
  })

/**
 * Checks that a webhook comes from the service, and reads it. Whoever has a webhook can send it again within five
 * minutes: compare its `id` with those that you have seen (`sip` does).
 *
 * @since 0.1.0
 * @category webhooks
 */
export const verify = (
  delivery: Delivery,
  secrets: Secrets
): Effect.Effect<Webhook, WebhookRejected | OptionsInvalid> =>
  Effect.flatMap(keysOf("Calls.verify", secrets), (keys) => verifyWith(delivery, keys))

/**
 * Signs a webhook as the service does, now, for tests of your own server.
 *
 * @since 0.1.0
 * @category webhooks
 */
export const sign = (
  event: { readonly id: string; readonly type: string; readonly data: unknown },
  secret: Redacted.Redacted
): Effect.Effect<Delivery & { readonly headers: Readonly<Record<string, string>> }, OptionsInvalid> =>
  Effect.gen(function* () {
    const [key] = yield* keysOf("Calls.sign", secret)
    const seconds = Math.floor((yield* Clock.currentTimeMillis) / 1_000)
    const text = JSON.stringify({ object: "event", created_at: seconds, ...event })
    const body = new TextEncoder().encode(text)
    const content = signed(event.id, String(seconds), body)
    const usable = yield* imported(key ?? new Uint8Array(1), "sign")
    const signature = new Uint8Array(yield* Effect.promise(() => crypto.subtle.sign(algorithm.name, usable, content)))
    return {
      body,
      headers: {
        "content-type": "application/json",
        "webhook-id": event.id,
        "webhook-timestamp": String(seconds),
        "webhook-signature": `v1,${Encoding.encodeBase64(signature)}`
      }
    }
  })
