/**
 * How bad it is: one table for server errors, closed connections and refused handshakes.
 *
 * @since 0.1.0
 */

/**
 * - `benign`: the harmless loser of a race; nothing to tell anybody.
 * - `recoverable`: the session goes on; the application hears of it.
 * - `transient`: this connection is over; a new one may well work.
 * - `fatal`: trying again gives the same answer.
 *
 * @since 0.1.0
 * @category models
 */
export type Severity = "benign" | "recoverable" | "transient" | "fatal"

const fatalCodes: ReadonlySet<string> = new Set([
  "account_deactivated",
  "billing_hard_limit_reached",
  "credit_balance_exhausted",
  "insufficient_quota",
  "invalid_api_key",
  "model_not_found"
])

/**
 * Classifies an `error` event, or the error of a failed response. Servers fill `code` and `type` unevenly, so a fatal
 * code counts in either field.
 *
 * @since 0.1.0
 * @category classification
 */
export const classifyServerError = (error: {
  readonly code?: string | null | undefined
  readonly type?: string | null | undefined
  readonly message?: string | null | undefined
}): Severity => {
  const { code, message, type } = error
  if (fatalCodes.has(code ?? "") || fatalCodes.has(type ?? "")) return "fatal"
  if (code === "session_expired" || type === "session_expired") return "transient"
  if (code === "response_cancel_not_active") return "benign"
  // A truncation that came after its item had ended, or had been cut already.
  if (code === "invalid_value" && (message ?? "").includes("already shorter than")) return "benign"
  return "recoverable"
}

/**
 * Whether the same request may well be taken when it is made again, after an `error` that refused it or the error of a
 * failed response: the server, or a limit of the moment, is to blame. An error without a name counts as the server's.
 *
 * @since 0.1.0
 * @category classification
 */
export const mayPass = (error: {
  readonly code?: string | null | undefined
  readonly type?: string | null | undefined
}): boolean => {
  const name = error.code ?? error.type ?? "server_error"
  return classifyServerError(error) !== "fatal" && (passingCodes.has(name) || name.includes("rate_limit"))
}

const passingCodes: ReadonlySet<string> = new Set([
  "server_error",
  "internal_error",
  "internal_server_error",
  "overloaded",
  "overloaded_error",
  "server_overloaded",
  "service_unavailable",
  "slow_down"
])

const transientCloses: ReadonlySet<number> = new Set([
  1000, // closed in good order by a server that was not asked to: a deployment, an idle limit
  1001, // going away; also the end of OpenAI's 60 minutes
  1005, // closed without a code
  1006, // the connection dropped
  1011, // internal error
  1012, // restart
  1013, // try again later
  1014, // bad gateway
  4408, // by the habit of 4000 + HTTP status: request timeout
  4429 // by the same habit: too many requests
])

/**
 * Classifies the close code (RFC 6455, section 7.4) of a connection that the other side ended.
 *
 * Fatal are the codes that say that this client's frames are at fault (1002 protocol, 1003 data type, 1007 encoding,
 * 1008 policy, 1009 size, 1010 extension, 1015 TLS), and the application codes 4000–4999, in which servers say things
 * like "unauthorised". Of those, 4408, 4429 and 4500–4599 read as the HTTP status of the same ending and are
 * transient.
 *
 * @since 0.1.0
 * @category classification
 */
export const classifyClose = (code: number): "transient" | "fatal" =>
  transientCloses.has(code) || (code >= 4500 && code <= 4599) ? "transient" : "fatal"

/**
 * Classifies the HTTP status with which a server refused the WebSocket handshake. Transient are 408, 425, 429 and 5xx;
 * everything else (a key, a URL or a model that is wrong; a redirect, which WebSocket clients do not follow) is fatal.
 *
 * @since 0.1.0
 * @category classification
 */
export const classifyHandshake = (status: number): "transient" | "fatal" =>
  status === 408 || status === 425 || status === 429 || (status >= 500 && status <= 599) ? "transient" : "fatal"
