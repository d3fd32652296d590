/** Secrets that a server gives out and compares. */
import * as Effect from "effect/Effect"
import * as Encoding from "effect/Encoding"

const encoder = new TextEncoder()

const digest = (text: string): Effect.Effect<Uint8Array> =>
  Effect.map(
    Effect.promise(() => crypto.subtle.digest("SHA-256", encoder.encode(text))),
    (buffer) => new Uint8Array(buffer)
  )

/**
 * Whether two secrets are equal. The time does not depend on their contents: the whole digests are compared, and a client
 * cannot choose a digest byte by byte.
 */
export const equal = (one: string, other: string): Effect.Effect<boolean> =>
  Effect.zipWith(digest(one), digest(other), (a, b) => {
    let difference = 0
    for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0)
    return difference === 0
  })

/** Proves that whoever made it knows the secret: HMAC with SHA-256, in base64url. */
export const proof = (secret: string, text: string): Effect.Effect<string> =>
  Effect.promise(async () => {
    const hmac = { name: "HMAC", hash: "SHA-256" }
    const key = await crypto.subtle.importKey("raw", encoder.encode(secret), hmac, false, ["sign"])
    return Encoding.encodeBase64Url(new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text))))
  })

/** Stands for a secret where it is looked up: the time of a look-up says nothing about the secret. */
export const fingerprint = (text: string): Effect.Effect<string> => Effect.map(digest(text), Encoding.encodeBase64Url)

/** 128 random bits, in base64url. */
export const secret = (): string => Encoding.encodeBase64Url(crypto.getRandomValues(new Uint8Array(16)))
