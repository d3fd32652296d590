/**
 * All failures between a mind and its chat endpoint. Each becomes the error of the failed response, and says what to do.
 */
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import { isObject } from "../embedded/Shape.js"
import { adviceOn, fatalCodeIn } from "../protocol/Severity.js"
import { errorIn } from "./Chunk.js"

/** Ends the response as `failed`, with this code and message. */
export class ChatFailed extends Data.TaggedError("ChatFailed")<{
  /**
   * The codes of the Realtime API: `server_error` and `rate_limit_exceeded` may be temporary, and a session asks again.
   * Others, such as `invalid_request_error`, are final.
   */
  readonly code: string
  readonly message: string
}> {}

/** How much of an endpoint's message is shown, in characters. */
const LONGEST_QUOTE = 500

const quoted = (said: string): string => {
  const text = said.trim().replace(/\s+/g, " ")
  return text === "" ? "" : ` The endpoint said: ${text.slice(0, LONGEST_QUOTE)}`
}

/** The message in the body of a refusal, whether or not it is an error object. */
const saidIn = (body: string): { readonly code: string | undefined; readonly message: string } => {
  try {
    const json: unknown = JSON.parse(body)
    // FastAPI, which many servers use, has `detail` instead of `error`.
    const detail = isObject(json) ? (json["detail"] ?? json["message"]) : undefined
    const message = typeof detail === "string" ? detail : body
    return (isObject(json) ? errorIn(json) : undefined) ?? { code: undefined, message }
  } catch {
    return { code: undefined, message: /^\s*</.test(body) ? "" : body }
  }
}

interface Refusal {
  readonly code: string
  readonly advice: string
}

const byStatus = (status: number): Refusal => {
  if (status >= 500 || status === 408 || status === 425) {
    return {
      code: "server_error",
      advice: "The chat endpoint cannot answer at the moment. Check its log, and ask again."
    }
  }
  switch (status) {
    case 401:
      return {
        code: "invalid_api_key",
        advice: "The chat endpoint does not accept the API key. Give the key that belongs to this endpoint."
      }
    case 403:
      return {
        code: "permission_denied",
        advice:
          "The chat endpoint refuses access. Check what the API key may do, and which clients the endpoint accepts."
      }
    case 404:
      return {
        code: "not_found",
        advice:
          "The chat endpoint has no such address or model. Check that the URL ends where `/chat/completions` follows, usually with `/v1`, and that the model's name is one that the endpoint has."
      }
    case 413:
      return {
        code: "invalid_request_error",
        advice: "The conversation is too large for the chat endpoint. Delete older items, or begin a new session."
      }
    case 429:
      return {
        code: "rate_limit_exceeded",
        advice: "The chat endpoint's rate limit is reached. Wait, or raise the limit."
      }
    default:
      return status < 300 || status >= 400
        ? {
            code: "invalid_request_error",
            advice:
              "The chat endpoint does not accept the request. Check that the model supports what the session asks for: tools, images, and the length of the conversation."
          }
        : {
            code: "invalid_request_error",
            advice: "The chat endpoint redirects elsewhere. Give that address as the URL."
          }
  }
}

/**
 * An answer with a status other than 200.
 *
 * @param retryAfterMs how long the endpoint asks the client to wait
 */
export const refused = (status: number, body: string, retryAfterMs: number | undefined): ChatFailed => {
  const said = saidIn(body)
  const fatal = fatalCodeIn(`${said.code ?? ""} ${body}`)
  const { advice, code } = byStatus(status)
  const named = code === "invalid_request_error" ? (said.code ?? code) : code
  // A session reads the delay from the message, as it does with the real API.
  const again = retryAfterMs === undefined ? "" : ` Please try again in ${retryAfterMs}ms.`
  return new ChatFailed({
    code: fatal ?? named,
    message: `${adviceOn(fatal) ?? advice} (HTTP ${status})${again}${quoted(said.message)}`
  })
}

/** An error in the middle of a stream. */
export const gaveUp = ({
  code,
  message
}: {
  readonly code: string | undefined
  readonly message: string
}): ChatFailed => {
  const fatal = fatalCodeIn(`${code ?? ""} ${message}`)
  const isLimit = code?.includes("rate_limit") === true
  return new ChatFailed({
    code: fatal ?? (isLimit ? "rate_limit_exceeded" : "server_error"),
    message: `${adviceOn(fatal) ?? "The chat endpoint gave up in the middle of its answer. Check its log, and ask again."}${quoted(message)}`
  })
}

const lost = (message: string): ChatFailed => new ChatFailed({ code: "server_error", message })

/** The platform's code for the innermost cause of a failure, such as `ECONNREFUSED`. */
const codeOf = (cause: unknown): string | undefined => {
  let found: string | undefined
  let error = cause
  for (let depth = 0; depth < 8 && typeof error === "object" && error !== null; depth += 1) {
    if ("code" in error && typeof error.code === "string") found = error.code
    error = "cause" in error ? error.cause : undefined
  }
  return found
}

const reason = (code: string | undefined, where: string): string => {
  switch (code) {
    case "ECONNREFUSED":
      return `Nothing listens at ${where}. Start the chat endpoint there, or check the URL's host and port.`
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `The host name ${where} cannot be resolved. Check the URL's host, and this machine's network and DNS.`
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "UND_ERR_CONNECT_TIMEOUT":
      return `${where} cannot be reached. Check this machine's network, and any firewalls and proxies.`
    case "EPROTO":
    case "ERR_SSL_WRONG_VERSION_NUMBER":
      return `${where} does not speak TLS as expected. Check whether the URL should begin with http:// instead of https://.`
    default:
      return code !== undefined && /CERT|SIGNATURE|SELF_SIGNED|TLS|SSL/.test(code)
        ? `The certificate of ${where} is not accepted. Check the URL's host, this machine's clock, and its trusted certificates.`
        : `The request to ${where} failed. Check that a chat endpoint runs there, and ask again.`
  }
}

/** The request was not answered. */
export const unreachable = (cause: unknown, where: string): ChatFailed => {
  const code = codeOf(cause)
  return lost(`${reason(code, where)}${code === undefined ? "" : ` (${code})`}`)
}

/** The endpoint sent nothing for too long. */
export const silent = (timeout: Duration.Duration): ChatFailed =>
  lost(
    `The chat endpoint sent nothing for ${Duration.format(timeout)}. If it was loading the model, ask again; if the model is slow, raise the mind's \`timeout\`.`
  )

/** The stream ended before the answer was complete. */
export const brokenOff: ChatFailed = lost(
  "The chat endpoint ended its stream in the middle of the answer. Check its log, and ask again."
)

/** The endpoint sent something that is not JSON. */
export const unreadable = (data: string): ChatFailed =>
  lost(
    `The chat endpoint sent data that is not JSON. Check that the URL is that of an OpenAI-compatible endpoint.${quoted(data)}`
  )

/** The answer is neither a stream of events nor JSON. */
export const foreign = (contentType: string): ChatFailed =>
  new ChatFailed({
    code: "invalid_request_error",
    message: `The chat endpoint answers with ${contentType === "" ? "no content type" : contentType.slice(0, 100)}. Check that the URL is that of an OpenAI-compatible endpoint: it usually ends with \`/v1\`.`
  })

/** A call without the name of a function. */
export const nameless: ChatFailed = lost(
  "The model called a tool without naming it. Ask again, or use a model that is made for tools."
)

/** The answer does not end. */
export const endless = (mebibytes: number): ChatFailed =>
  lost(`The chat endpoint sent more than ${mebibytes} MiB in one answer. Check whether the model repeats itself.`)
