/** How a request ended without a result, and whether the connection is still there. */
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js"
import * as Predicate from "effect/Predicate"
import { reasonOf } from "./reasonOf.js"

export type RequestFailed =
  /** The server answered with an error: a code of JSON-RPC, or a status of HTTP. */
  | { readonly _tag: "Refused"; readonly code: number; readonly reason: string }
  /** What the server answered cannot be read. The connection is as before. */
  | { readonly _tag: "Unreadable"; readonly reason: string }
  /** There is no answer, and none will come: the connection is gone. */
  | { readonly _tag: "Lost"; readonly reason: string }
  /** There was no connection to send it by, so the server never had it. */
  | { readonly _tag: "NotSent"; readonly reason: string }

/**
 * Whether the connection is gone must be known from elsewhere: the client's own code for that, -32000, is also what
 * servers use for any error of theirs.
 */
export const failureOf = (error: unknown, isOpen: boolean, discreet: (text: string) => string): RequestFailed => {
  const reason = discreet(reasonOf(error))
  // `fetch` fails with a TypeError if the server cannot be reached, or breaks off.
  if (!isOpen || error instanceof TypeError) return { _tag: "Lost", reason }
  const code = Predicate.hasProperty(error, "code") ? error.code : undefined
  return typeof code === "number" ? { _tag: "Refused", code, reason } : { _tag: "Unreadable", reason }
}

/** What servers answer over HTTP that do not know the session any more. Some do so with 400, which may mean anything. */
export const sessionGone = (error: unknown): "yes" | "maybe" | "no" => {
  if (!(error instanceof StreamableHTTPError)) return "no"
  if (error.code === 404 || error.code === 410) return "yes"
  return error.code === 400 ? "maybe" : "no"
}
