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

/** The same of a server that did not let anybody in: the client's words do not have the status. */
export const refusalOf = (error: unknown): string => {
  const status = Predicate.hasProperty(error, "code") && typeof error.code === "number" ? error.code : 0
  return status >= 400 && status < 600 ? `HTTP ${status}: ${reasonOf(error)}` : reasonOf(error)
}

/** As a sentence that another one can follow. */
export const sentence = (words: string): string => (/[.!?…]$/.test(words) ? words : `${words}.`)
