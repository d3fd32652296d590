/** Keeps secrets out of errors, spans, and messages from servers and platforms. */

import * as Either from "effect/Either"
import * as Encoding from "effect/Encoding"
import * as Redacted from "effect/Redacted"

export type Redact = (text: string) => string

/** Shorter values are not secrets, and would be found in every text. */
const minSecretLength = 4

/** Query parameters that are useful in an error, and never secret. */
const openParameters = new Set(["model", "deployment", "api-version", "intent", "call_id"])

/** Frequent data may contain a short secret by chance: a word, or a piece of audio. */
const minSecretLengthInFrames = 16

/**
 * The forms in which a secret may come back: unchanged, percent-encoded, or in JSON text, where slashes may be escaped
 * too.
 */
const spellings = (secret: string): ReadonlyArray<string> => {
  const inJson = JSON.stringify(secret).slice(1, -1)
  return [
    secret,
    Either.getOrElse(Encoding.encodeUriComponent(secret), () => secret),
    inJson,
    inJson.replaceAll("/", "\\/")
  ]
}

/** One pass for all of them, because every piece of audio goes through here. */
const redactorOf = (secrets: ReadonlyArray<string>): Redact => {
  if (secrets.length === 0) return (text) => text
  const found = Array.from(new Set(secrets.flatMap(spellings)))
    // A secret that contains another one is replaced first, otherwise the rest of it would stay.
    .sort((a, b) => b.length - a.length)
    .map((secret) => secret.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"))
  const anyOfThem = new RegExp(found.join("|"), "g")
  return (text) => text.replace(anyOfThem, "<redacted>")
}

/** A shorter beginning of a secret reveals nothing: most keys of a provider begin alike. */
const minCut = 8

/** How much of a secret is at the end of the text. */
const lengthOfCut = (text: string, secret: string): number => {
  for (let length = Math.min(secret.length - 1, text.length); length >= minCut; length -= 1) {
    if (text.endsWith(secret.slice(0, length))) return length
  }
  return 0
}

/** Redacts each of the secrets in a message about a connection, including one that is cut off at the end. */
export const redactor = (secrets: ReadonlyArray<string>): Redact => {
  const hidden = secrets.filter((secret) => secret.length >= minSecretLength)
  const redact = redactorOf(hidden)
  return (text) => {
    const shown = redact(text)
    const cut = Math.max(0, ...hidden.map((secret) => lengthOfCut(shown, secret)))
    return cut === 0 ? shown : `${shown.slice(0, -cut)}<redacted>`
  }
}

/** Redacts each of the longer secrets in frames from a server. */
export const frameRedactor = (secrets: ReadonlyArray<string>): Redact =>
  redactorOf(secrets.filter((secret) => secret.length >= minSecretLengthInFrames))

const secretHeader = /auth|key|token|secret|cookie|passw/i

export type Header = readonly [name: string, value: string, isRedacted: boolean]

/** The headers of an option, with their values. */
export const headersOf = (
  headers: Readonly<Record<string, string | Redacted.Redacted>> | undefined
): ReadonlyArray<Header> =>
  Object.entries(headers ?? {}).map(
    ([name, value]): Header => (Redacted.isRedacted(value) ? [name, Redacted.value(value), true] : [name, value, false])
  )

/**
 * The secrets in headers: values that are `Redacted`, or whose names say so, and the part after a scheme, as in `Bearer
 * …`.
 */
export const secretsOf = (headers: ReadonlyArray<Header>): ReadonlyArray<string> =>
  headers.flatMap(([name, value, isRedacted]) =>
    isRedacted || secretHeader.test(name) ? [value, ...value.trim().split(/\s+/).slice(1)] : []
  )

/** The secrets in a URL: its password, also as encoded in a header, and the values of unknown query parameters. */
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

/** A URL without its user, password and fragment, with the values of unknown query parameters hidden. */
export const showUrl = (url: URL): string => {
  const query = [...url.searchParams].map(
    ([name, value]) => `${encodeURIComponent(name)}=${openParameters.has(name) ? encodeURIComponent(value) : "***"}`
  )
  return `${url.protocol}//${url.host}${url.pathname}${query.length === 0 ? "" : `?${query.join("&")}`}`
}

/** Text that may not be a URL, up to its query, without a possible user and password. */
export const showAddress = (text: string): string => (text.split(/[?#]/)[0] ?? "").replace(/[^/]*@/, "").slice(0, 200)
