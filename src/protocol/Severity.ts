/**
 * The severity of failures: one table for server errors, closed connections and refused handshakes.
 *
 * @since 0.1.0
 */

/**
 * - `benign`: the harmless result of a race; it is not reported.
 * - `recoverable`: the session goes on, and the application is told.
 * - `transient`: this connection is over; a new one may work.
 * - `fatal`: a retry would fail the same way.
 *
 * @since 0.1.0
 * @category models
 */
export type Severity = "benign" | "recoverable" | "transient" | "fatal"

const pay = "Trying again does not help: check the account's plan, its credit and its limits, and pay or raise them."

/** The codes that are final, wherever they appear, and what to do. */
const fatalCodes: ReadonlyMap<string, string> = new Map([
  ["account_deactivated", "The account is closed. Use a key of another one, or ask the provider why."],
  ["billing_hard_limit_reached", `The account's spending limit is reached. ${pay}`],
  ["billing_not_active", `The account's billing is not active. ${pay}`],
  ["credit_balance_exhausted", `The account's credit is used up. ${pay}`],
  ["insufficient_quota", `The account's quota is used up. ${pay}`],
  [
    "invalid_api_key",
    "The API key is wrong. Check that it is complete, not revoked or expired, and meant for this server."
  ],
  ["model_not_found", "There is no such model for this key. Check its name, and whether it is open to the account."],
  [
    "unsupported_country_region_territory",
    "The provider does not serve this country or region. Connect from one that it serves."
  ]
])

/**
 * What to do about an error whose code is final, in a sentence. Absent for other codes.
 *
 * @since 0.1.0
 * @category classification
 */
export const adviceOn = (code: string | undefined): string | undefined =>
  code === undefined ? undefined : fatalCodes.get(code)

/**
 * The final code that a text names anywhere: the body of a refused handshake, which may be cut off, or the reason of a
 * closed connection.
 *
 * @since 0.1.0
 * @category classification
 */
export const fatalCodeIn = (text: string): string | undefined =>
  text.match(/\w+/g)?.find((word) => fatalCodes.has(word))

/**
 * Classifies an `error` event, or the error of a failed response. Servers fill `code` and `type` inconsistently, so a
 * fatal code counts in either field.
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
  // A truncation that came after its item had ended, or had already been cut.
  if (code === "invalid_value" && (message ?? "").includes("already shorter than")) return "benign"
  return "recoverable"
}

/**
 * Whether the same request may be accepted later, after an `error` that refused it or the error of a failed response:
 * the cause is the server, or a temporary limit. An error without a name counts as the server's.
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
  1000, // closed normally, but not by this side: a deployment, an idle limit
  1001, // going away; also the end of OpenAI's 60 minutes
  1005, // closed without a code
  1006, // the connection dropped
  1011, // internal error
  1012, // restart
  1013, // try again later
  1014, // bad gateway
  4408, // by the convention of 4000 + HTTP status: request timeout
  4429 // by the same convention: too many requests
])

/**
 * Classifies the close code (RFC 6455, section 7.4) of a connection that the other side closed.
 *
 * Codes that blame this client's frames are fatal (1002 protocol, 1003 data type, 1007 encoding, 1008 policy, 1009
 * size, 1010 extension, 1015 TLS), and so are the application codes 4000–4999, which servers use for reasons such as
 * "unauthorised". Of those, 4408, 4429 and 4500–4599 are read as an HTTP status and are transient. If the `reason`
 * names a final code, such as `insufficient_quota`, every code is fatal.
 *
 * @since 0.1.0
 * @category classification
 */
export const classifyClose = (code: number, reason = ""): "transient" | "fatal" =>
  (transientCloses.has(code) || (code >= 4500 && code <= 4599)) && fatalCodeIn(reason) === undefined
    ? "transient"
    : "fatal"

/**
 * Classifies a refused WebSocket handshake by its HTTP status and `body`. Transient are 408, 425, 429 and 5xx, unless
 * the body names a final code (OpenAI uses 429 both for rate limits and for a used-up quota). Everything else is fatal:
 * an invalid key, URL or model, or a redirect, which WebSocket clients do not follow.
 *
 * @since 0.1.0
 * @category classification
 */
export const classifyHandshake = (status: number, body = ""): "transient" | "fatal" =>
  (status === 408 || status === 425 || status === 429 || (status >= 500 && status <= 599)) &&
  fatalCodeIn(body) === undefined
    ? "transient"
    : "fatal"
