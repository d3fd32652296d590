/**
 * Keeps secrets out of what is shown: errors, spans, and what a server or a platform says back.
 */

import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"

export type Redact = (text: string) => string

/** Shorter ones are no secrets, and would be found in every text. */
const minSecretLength = 4

/** Query parameters that are worth reading in an error, and never secret. */
const openParameters = new Set(["model", "deployment", "api-version", "intent", "call_id"])

/** What is heard all the time may hold a short one by chance: a word, or a piece of audio. */
const minSecretLengthInFrames = 16

/** A secret as it may come back: as it is, percent-encoded, or in JSON text, where slashes may be escaped too. */
const spellings = (secret: string): ReadonlyArray<string> => {
  const inJson = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    Either.getOrElse(Encoding.encodeUriComponent(secret), () => secret),
    inJson,
    inJson.replaceAll("/", "\\/")
  ]
}

/** One pass for all of them: each piece of audio goes through here. */
const redactorOf = (secrets: ReadonlyArray<string>): Redact => {
  if (secrets.length === 0) return (text) => text
  const found = Array.from(new Set(secrets.flatMap(spellings)))
    // A secret that contains another one goes first, or the rest of it would stay.
    .sort((a, b) => b.length - a.length)
    .map((secret) => secret.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"))
  const anyOfThem = new RegExp(found.join("|"), "g")
  return (text) => text.replace(anyOfThem, "<redacted>")
}

/** A shorter beginning of a secret tells nothing: most keys of a provider begin alike. */
const minCut = 8

/** How much of a secret the text ends with. */
const lengthOfCut = (text: string, secret: string): number => {
  for (let length = Math.min(secret.length - 1, text.length); length >= minCut; length -= 1) {
    if (text.endsWith(secret.slice(0, length))) return length
  }
  return 0
}

/** Replaces each of the secrets in what was said about a connection, also one that its end cuts off. */
export const redactor = (secrets: ReadonlyArray<string>): Redact => {
  const hidden = secrets.filter((secret) => secret.length >= minSecretLength)
  const redact = redactorOf(hidden)
  return (text) => {
    const shown = redact(text)
    const cut = Math.max(0, ...hidden.map((secret) => lengthOfCut(shown, secret)))
    return cut === 0 ? shown : `${shown.slice(0, -cut)}<redacted>`
  }
}

/** Replaces each of the longer secrets in what a server says over a connection. */
export const frameRedactor = (secrets: ReadonlyArray<string>): Redact =>
  redactorOf(secrets.filter((secret) => secret.length >= minSecretLengthInFrames))

const secretHeader = /auth|key|token|secret|cookie/i

/** The secrets in headers: values that are redacted, or whose names say so; and what follows a scheme, as in `Bearer …`. */
export const secretsOf = (
  headers: ReadonlyArray<readonly [name: string, value: string, isRedacted: boolean]>
): ReadonlyArray<string> =>
  headers.flatMap(([name, value, isRedacted]) =>
    isRedacted || secretHeader.test(name) ? [value, ...value.trim().split(/\s+/).slice(1)] : []
  )

/** The secrets in a URL: its password, also as a header has it, and what its query has in unknown parameters. */
export const secretsOfUrl = (url: URL): ReadonlyArray<string> => {
  const [user, password] = [decode(url.username), decode(url.password)]
  const basic = url.password === "" ? [] : [url.password, password, Encoding.encodeBase64(`${user}:${password}`)]
  const parameters = [...url.searchParams].flatMap(([name, value]) => (openParameters.has(name) ? [] : value))
  return [...basic, ...parameters]
}

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A URL without its user, password and fragment, and with the values of unknown query parameters hidden. */
export const showUrl = (url: URL): string => {
  const query = [...url.searchParams].map(
    ([name, value]) => `${encodeURIComponent(name)}=${openParameters.has(name) ? encodeURIComponent(value) : "***"}`
  )
  return `${url.protocol}//${url.host}${url.pathname}${query.length === 0 ? "" : `?${query.join("&")}`}`
}

/** What may not even be a URL, up to its query, without what may be a user and a password. */
export const showAddress = (text: string): string => (text.split(/[?#]/)[0] ?? "").replace(/[^/]*@/, "").slice(0, 200)
