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

/** All spellings of all of them. A secret that contains another one comes first, otherwise the rest of it would stay. */
const formsOf = (secrets: ReadonlyArray<string>): ReadonlyArray<string> =>
  Array.from(new Set(secrets.flatMap(spellings))).sort((a, b) => b.length - a.length)

/** Matches nothing if there is none. */
const anyOf = (forms: ReadonlyArray<string>): RegExp => {
  const sources = forms.map((form) => form.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"))
  return new RegExp(sources.length === 0 ? "(?!)" : sources.join("|"), "g")
}

/** One pass for all of them, because every piece of audio goes through here. */
const redactorOf = (secrets: ReadonlyArray<string>): Redact => {
  if (secrets.length === 0) return (text) => text
  const anyOfThem = anyOf(formsOf(secrets))
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

/** Where a text can be cut without cutting a secret: there, or where the secret begins that is there. */
const wholeFrom = (text: string, at: number, secrets: RegExp): number => {
  for (const { 0: found, index } of text.matchAll(secrets)) {
    if (index >= at) return at
    if (index + found.length > at) return index
  }
  return at
}

const isSecret = (value: string): boolean => value.length >= minSecretLength

/** Redacts each of the secrets in a message about a connection, including one that is cut off at the end. */
export const redactor = (secrets: ReadonlyArray<string>): Redact => {
  const hidden = secrets.filter(isSecret)
  const forms = formsOf(hidden)
  const redact = redactorOf(hidden)
  const anyOfThem = anyOf(forms)
  return (text) => {
    const cut = Math.max(0, ...forms.map((form) => lengthOfCut(text, form)))
    if (cut === 0) return redact(text)
    return `${redact(text.slice(0, wholeFrom(text, text.length - cut, anyOfThem)))}<redacted>`
  }
}

/** The end of a text that comes in pieces. */
export interface Ending {
  readonly add: (piece: string) => void
  /** At least so many characters of it, if there are, with each of the secrets redacted. */
  readonly text: () => string
}

/** It is never cut within a secret: the rest of one would not be known again. */
export const endingOf = (secrets: ReadonlyArray<string>, length: number): Ending => {
  const redact = redactor(secrets)
  const forms = formsOf(secrets.filter(isSecret))
  const anyOfThem = anyOf(forms)
  // A secret that has not come whole yet is not cut either.
  const kept = length + (forms[0]?.length ?? 0)
  let text = ""
  return {
    add: (piece) => {
      text += piece
      if (text.length > kept) text = text.slice(wholeFrom(text, text.length - kept, anyOfThem))
    },
    text: () => redact(text)
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
