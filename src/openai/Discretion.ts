/**
 * Keeps secrets out of what is shown: errors, spans, and what a server or a platform says back.
 */

export type Redact = (text: string) => string

/** Shorter ones are no secrets, and would be found in every text. */
const minSecretLength = 4

/** Query parameters that are worth reading in an error, and never secret. */
const openParameters = new Set(["model", "deployment", "api-version", "intent", "call_id"])

/** Replaces each of the secrets, also where it is percent-encoded. */
export const redactor = (secrets: ReadonlyArray<string>): Redact => {
  const found = secrets
    .filter((secret) => secret.length >= minSecretLength)
    .flatMap((secret) => [secret, encodeURIComponent(secret)])
    // A secret that contains another one goes first, or the rest of it would stay.
    .sort((a, b) => b.length - a.length)
  return (text) => found.reduce((shown, secret) => shown.replaceAll(secret, "<redacted>"), text)
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
