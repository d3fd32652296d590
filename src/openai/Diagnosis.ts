/** Messages about failed connections: what went wrong, and what to do next. */
import * as Duration from "effect/Duration"
import { adviceOn, fatalCodeIn } from "../protocol/Severity.js"
import type { Failure } from "./WebSocket.js"

/** The server's message, if its refusal is an OpenAI-style error object. */
const serverMessage = (body: string): string | undefined => {
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed !== "object" || parsed === null || !("error" in parsed)) return undefined
    const error = parsed.error
    if (typeof error === "string") return error
    return typeof error === "object" && error !== null && "message" in error && typeof error.message === "string"
      ? error.message
      : undefined
  } catch {
    return undefined
  }
}

const checkEndpoint = "Check that the URL is the one of a Realtime endpoint."

const refusal = (status: number): string => {
  if (status >= 200 && status < 300) {
    return `The server answered, but did not switch to a WebSocket. ${checkEndpoint}`
  }
  if (status >= 300 && status < 400) return "The server redirects to another address. Give that address as the URL."
  if (status >= 500) return "The server cannot accept the connection at the moment. Try again later."
  switch (status) {
    case 400:
      return "The server does not accept the request. Check the URL, its query, and the name of the model."
    case 401:
      return "The server does not accept the API key. Check that it is complete, not revoked or expired, and meant for this server."
    case 403:
      return "The API key has no access here. Check its permissions, the project, the organization, and whether the model is open to your account and region."
    case 404:
      return "There is no such endpoint or model. Check the URL and the name of the model (or deployment)."
    case 408:
      return "The server timed out during the handshake. Try again."
    case 426:
      return `The server expects another kind of connection. ${checkEndpoint}`
    case 429:
      return "The rate limit is reached. Wait and try again. If it happens again, check the account's limits and quota."
    default:
      return "The server refused the connection. Check the URL, the API key and the name of the model."
  }
}

/** The message for a handshake that was answered with something other than an upgrade. */
export const refused = (status: number, body: string): string => {
  const said = serverMessage(body)
  return `${adviceOn(fatalCodeIn(body)) ?? refusal(status)} (HTTP ${status})${said === undefined ? "" : ` The server said: ${said.slice(0, 500)}`}`
}

const failure = (code: string | undefined, host: string): string => {
  switch (code) {
    case "ECONNREFUSED":
      return `Nothing listens at ${host}. Check the URL's host and port, and that the server runs.`
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The host name ${host} cannot be resolved. Check the URL's host, and this machine's network and DNS.`
    case "ECONNRESET":
      return `${host} closed the connection during the handshake. Try again. ${checkEndpoint}`
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `${host} cannot be reached. Check this machine's network, and any firewalls and proxies.`
    case "EPROTO":
      return `${host} does not speak TLS as expected. Check whether the URL should begin with ws:// instead of wss://.`
    default:
      return code !== undefined && /CERT|SIGNATURE|SELF_SIGNED|TLS|SSL/.test(code)
        ? `The certificate of ${host} is not accepted. Check the URL's host, this machine's clock, and its trusted certificates.`
        : `The connection to ${host} could not be opened. Check the URL, the API key and the network.`
  }
}

/** The message for an attempt whose handshake was never answered. */
export const failed = ({ code, message }: Failure, host: string): string =>
  `${failure(code, host)}${message === "" ? "" : ` (${message})`}`

const loss = (code: number): string => {
  switch (code) {
    case 1000:
      return "The server closed the connection."
    case 1001:
      return "The server is going away, or the session has reached its maximum duration. Connect again."
    case 1005:
      return "The server closed the connection without a code. Connect again."
    case 1006:
      return "The connection broke without a closing handshake. Check the network, and connect again."
    case 1002:
    case 1003:
    case 1007:
      return "One side broke the WebSocket protocol. Check that nothing on the way changes the traffic."
    case 1008:
      return "The server closed the connection because of its policy. Check the API key, and what was sent last."
    case 1009:
      return "A message was too big. Send less in one event, or raise `maxFrameBytes` if it came from the server."
    case 1011:
    case 1012:
    case 1013:
    case 1014:
      return "The server failed, is restarting, or is overloaded. Connect again after a pause."
    default:
      return "The server closed the connection for a reason of its own. Check its reason, and what was sent last."
  }
}

/** The message for a connection that looks open, but is silent. */
export const silent = (forMs: number): string =>
  `The server went silent: nothing came from it for ${Duration.format(Duration.millis(forMs))}, not even the answer to a ping. Check the network, and connect again. If the server does not answer pings, set \`pingInterval\` to Infinity.`

/** The message for an open connection that ended. */
export const lost = (code: number, reason: string): string =>
  `${adviceOn(fatalCodeIn(reason)) ?? loss(code)} (code ${code}${reason === "" ? "" : `: ${reason}`})`
