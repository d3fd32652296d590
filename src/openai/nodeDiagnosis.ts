/** What Node tells of failed attempts, and a browser does not: what went wrong, and what to do next. */
import { adviceOn, fatalCodeIn } from "../protocol/Severity.js"

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

/** What the system's code for a failed attempt means. Nothing for a code that says no more than that it failed. */
export const failure = (code: string | undefined, host: string): string | undefined => {
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
        : undefined
  }
}
