/** Why something went wrong with a server, in words for a log. */
import * as Predicate from "effect/Predicate"

/** `fetch` says only that it failed. The reason is in its cause, which has no words of its own for several addresses. */
const causeOf = (error: Error): string => {
  const { cause } = error
  if (!(cause instanceof Error)) return ""
  const words = cause.message === "" && Predicate.hasProperty(cause, "code") ? String(cause.code) : cause.message
  return words === "" || error.message.includes(words) ? "" : ` (${words})`
}

/** Without the codes that the client puts before the words. */
export const reasonOf = (error: unknown): string => {
  const words = error instanceof Error ? `${error.message}${causeOf(error)}` : String(error)
  return words.replace(/^MCP error -?\d+: /, "")
}

const statusOf = (error: unknown): number =>
  Predicate.hasProperty(error, "code") && typeof error.code === "number" ? error.code : 0

/** The same of a server that did not let anybody in: the client's words do not have the status. */
export const refusalOf = (error: unknown): string => {
  const status = statusOf(error)
  return status >= 400 && status < 600 ? `HTTP ${status}: ${reasonOf(error)}` : reasonOf(error)
}

/** Whether the server was found, and wants to know who asks. */
export const wantsCredentials = (error: unknown): boolean => statusOf(error) === 401 || statusOf(error) === 403

/** Whether a line came that the client cannot read: no JSON, or JSON that is no message, as some write their log. */
export const isNotMcp = (error: Error): boolean => error instanceof SyntaxError || error.name === "ZodError"

/** As a sentence that another one can follow. */
export const sentence = (words: string): string => (/[.!?…]$/.test(words) ? words : `${words}.`)
