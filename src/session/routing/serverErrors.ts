import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { ServerError } from "../../protocol/ServerEvent.js"
import { classifyServerError } from "../../protocol/Severity.js"
import { ConnectionLost } from "../../RealtimeModel.js"
import { ServerFailed } from "../../SessionError.js"
import type { Parts } from "../Parts.js"
import { acknowledged } from "./itemEvents.js"

/** Whether the error answers an event of this session, and its sender was told. */
const isRefusal = (
  eventId: string | undefined,
  error: ServerError,
  { calls, configuration, edits, inputAudio, responses, retelling }: Parts
): boolean => {
  edits.refused(eventId)
  if (eventId !== undefined) inputAudio.refused(eventId)
  return (
    configuration.refused(eventId, error) ||
    (eventId !== undefined &&
      (retelling.refused(eventId, error) || responses.refused(eventId, error) || calls.outputRefused(eventId, error)))
  )
}

/** An event that was sent a second time had already been carried out. */
const isDone = (eventId: string | undefined, { code, message }: ServerError, session: Parts): boolean => {
  if (eventId === undefined) return false
  const isResent = session.retelling.isResent(eventId)
  const mayBeThere = isResent || session.retelling.isReplayed(eventId)
  const isThere = mayBeThere && (code === "item_create_duplicate_id" || message.includes("already exists"))
  const isGone = isResent && (code === "item_delete_invalid_item_id" || message.includes("does not exist"))
  if (!isThere && !isGone) return false
  session.edits.refused(eventId)
  // The event that creates an item has the same id as the item.
  if (isThere) acknowledged(eventId, session)
  return true
}

/** The server reported an error that ends the session. */
export const fatal = (
  { code, message }: { readonly code?: string | null | undefined; readonly message: string },
  { outbox }: Parts
): void => outbox.end(Exit.fail(new ServerFailed({ code: code ?? undefined, reason: message })))

/** An error ends the session, the connection, or only what it answers. */
export const routeError = (error: ServerError, session: Parts): void => {
  const { code, event_id, message, param, type } = error
  const eventId = event_id ?? undefined
  switch (classifyServerError(error)) {
    case "benign":
      session.outbox.run(Effect.logDebug(`A race without consequences: ${message} (${code ?? type})`))
      return
    case "transient":
      session.connections.lost(
        new ConnectionLost({ code: 1001, reason: code ?? "", message: `The server ends the connection: ${message}` })
      )
      return
    case "fatal":
      // An unknown model may be one that an update of this session named: then the session stays as it was.
      if (code === "model_not_found" && isRefusal(eventId, error, session)) return
      fatal(error, session)
      return
    case "recoverable":
      if (isDone(eventId, error, session)) return
      if (isRefusal(eventId, error, session)) return
      session.outbox.publish({
        _tag: "ServerErrorReceived",
        type,
        code: code ?? undefined,
        message,
        param: param ?? undefined,
        eventId
      })
  }
}
