/** The target of a connection: its address, headers and subprotocols, and how they are shown in messages. */
import * as Either from "effect/Either"
import * as Redacted from "effect/Redacted"
import * as Discretion from "../common/Discretion.js"
import { ConnectFailed, sideband, type Traits } from "../RealtimeModel.js"
import type { Authentication, Options } from "./Options.js"
import { defaultModel, defaultUrl } from "./Options.js"

export interface Endpoint {
  /** With everything in it. Only for the socket. */
  readonly url: string
  /** Without secrets. For errors and spans. */
  readonly shownUrl: string
  readonly protocols: ReadonlyArray<string>
  readonly headers: Readonly<Record<string, string>>
  /** The call that it stands beside, if any. */
  readonly callId: string | undefined
  /** What is different on its connections. Absent: nothing. */
  readonly traits: Traits
  /** Removes the secrets of this endpoint from text of others. */
  readonly redact: Discretion.Redact
  /** The same for frames from a server, which may repeat what it was sent. Short secrets stay. */
  readonly redactFrame: Discretion.Redact
}

/** A query with one of these already names the target; the server refuses a second one. */
const targets = ["model", "deployment", "intent", "call_id"]

const schemes: Readonly<Record<string, string>> = {
  "ws:": "ws:",
  "wss:": "wss:",
  "http:": "ws:",
  "https:": "wss:"
}

/**
 * Sets the model, or the call, in a query, and preserves the rest of it byte for byte. `requested`: the model for this
 * connection.
 */
const withTarget = (url: URL, options: EndpointOptions, requested: string | undefined): void => {
  if (targets.some((name) => url.searchParams.has(name))) return
  const model = requested ?? options.model ?? defaultModel
  const [name, value] = options.callId === undefined ? ["model", model] : ["call_id", options.callId]
  if (value === "" || (name === "model" && options.model === null)) return
  url.search = `${url.search === "" ? "?" : `${url.search}&`}${name}=${encodeURIComponent(value)}`
}

const credentials = (authentication: Authentication, key: string): Array<readonly [name: string, value: string]> => {
  switch (authentication) {
    case "bearer":
      return [["Authorization", `Bearer ${key}`]]
    case "api-key":
      return [["api-key", key]]
    case "subprotocol":
    case "none":
      return []
  }
}

/** Later headers win, whatever their case. */
const merge = (headers: ReadonlyArray<readonly [name: string, value: string]>): Record<string, string> =>
  Object.fromEntries(new Map(headers.map((header) => [header[0].toLowerCase(), header])).values())

const subprotocols = (options: EndpointOptions, key: string): ReadonlyArray<string> => [
  "realtime",
  `openai-insecure-api-key.${key}`,
  ...(options.organization === undefined ? [] : [`openai-organization.${options.organization}`]),
  ...(options.project === undefined ? [] : [`openai-project.${options.project}`])
]

/** The options that do not depend on the key. */
export interface EndpointOptions extends Omit<Options, "apiKey"> {
  /** Its name in telemetry. Default: OpenAI's. */
  readonly provider?: string
}

export interface Keys {
  readonly key: Redacted.Redacted
  /** Keys of other connections to the same server, which may repeat them. */
  readonly others: ReadonlyArray<Redacted.Redacted>
}

/**
 * @param model the model for this connection
 * @param sendsHeaders whether the WebSocket can send headers
 * @param protocolsOf the subprotocols that carry a key. Default: OpenAI's
 */
export const make = (
  options: EndpointOptions,
  keys: Keys,
  model: string | undefined,
  sendsHeaders: boolean,
  protocolsOf: (key: string) => ReadonlyArray<string> = (key) => subprotocols(options, key)
): Either.Either<Endpoint, ConnectFailed> => {
  const key = Redacted.value(keys.key).trim()
  const authentication = options.authentication ?? (sendsHeaders ? "bearer" : "subprotocol")
  const ownHeaders = Discretion.headersOf(options.headers)
  const shown = authentication === "none" ? [] : [keys.key, ...keys.others].map((one) => Redacted.value(one).trim())
  const hidden = [...shown, ...Discretion.secretsOf(ownHeaders)]
  const given = String(options.url ?? defaultUrl)
  const redact = Discretion.redactor(hidden)
  const fail = (url: string, message: string) => Either.left(new ConnectFailed({ url, message }))

  if (!URL.canParse(given)) {
    return fail(
      redact(Discretion.showAddress(given)),
      `The address of the Realtime endpoint is not a URL. Give one such as ${defaultUrl}.`
    )
  }
  const url = new URL(given)
  const scheme = schemes[url.protocol]
  if (scheme === undefined) {
    return fail(
      redact(Discretion.showUrl(url)),
      `"${url.protocol}" is not a protocol for a Realtime endpoint. Use wss:// or https:// (ws:// or http:// on a local machine).`
    )
  }
  url.protocol = scheme
  url.hash = ""
  withTarget(url, options, model)
  const callId = url.searchParams.get("call_id") ?? undefined
  const shownUrl = redact(Discretion.showUrl(url))

  if (authentication !== "none" && key === "") {
    return fail(
      shownUrl,
      'The API key is empty. Set OPENAI_API_KEY (with layerConfig) or give `apiKey`; for a server that needs no key, use `authentication: "none"`.'
    )
  }
  const bySubprotocol = authentication === "subprotocol"
  if (!sendsHeaders && (ownHeaders.length > 0 || authentication === "bearer" || authentication === "api-key")) {
    return fail(
      shownUrl,
      'This platform\'s WebSocket cannot send headers. Use `authentication: "subprotocol"` with an ephemeral key, and no `headers`; or connect from a server.'
    )
  }
  const headers = merge([
    ...credentials(authentication, key),
    ...(options.organization === undefined || bySubprotocol
      ? []
      : [["OpenAI-Organization", options.organization] as const]),
    ...(options.project === undefined || bySubprotocol ? [] : [["OpenAI-Project", options.project] as const]),
    ...ownHeaders.map(([name, value]) => [name, value] as const)
  ])
  const secrets = [...hidden, ...Discretion.secretsOfUrl(url)]
  return Either.right({
    url: url.href,
    shownUrl,
    protocols: bySubprotocol ? protocolsOf(key) : [],
    headers: sendsHeaders ? headers : {},
    callId,
    traits: {
      ...(callId === undefined ? {} : sideband),
      ...(options.provider === undefined ? {} : { provider: options.provider })
    },
    redact: Discretion.redactor(secrets),
    redactFrame: Discretion.frameRedactor(secrets)
  })
}
