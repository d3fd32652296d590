import type { ServerError } from "../../protocol/ServerEvent.js"
import { classifyServerError } from "../../protocol/Severity.js"
import { ConnectionLost } from "../../RealtimeModel.js"
import type { Destinations } from "./Destinations.js"
import { acknowledged } from "./itemEvents.js"

/** Whether the error answers something of ours, and who sent that has heard of it. */
const isRefusal = (
  eventId: string | undefined,
  error: ServerError,
  { calls, configuration, edits, inputAudio, replayRefused, responses }: Destinations
): boolean => {
  edits.refused(eventId)
  if (eventId !== undefined) inputAudio.refused(eventId)
  return (
    configuration.refused(eventId, error) ||
    (eventId !== undefined &&
      (replayRefused(eventId, error) || responses.refused(eventId, error) || calls.outputRefused(eventId, error)))
  )
}

/** What the server may have has nothing to do any more where it does: sent a second time, or told again. */
const isDone = (eventId: string | undefined, { code, message }: ServerError, to: Destinations): boolean => {
  if (eventId === undefined) return false
  const isResent = to.isResent(eventId)
  const mayBeThere = isResent || to.isReplayed(eventId)
  const isThere = mayBeThere && (code === "item_create_duplicate_id" || message.includes("already exists"))
  const isGone = isResent && (code === "item_delete_invalid_item_id" || message.includes("does not exist"))
  if (!isThere && !isGone) return false
  to.edits.refused(eventId)
  // An item of ours is created by an event of the same id.
  if (isThere) acknowledged(eventId, to)
  return true
}

/** An error ends the session, the connection, or nothing but what it answers. */
export const routeError = (error: ServerError, to: Destinations): void => {
  const { code, event_id, message, param, type } = error
  const eventId = event_id ?? undefined
  switch (classifyServerError(error)) {
    case "benign":
      to.note(`A race that nobody lost by: ${message} (${code ?? type})`)
      return
    case "transient":
      to.lost(
        new ConnectionLost({ code: 1001, reason: code ?? "", message: `The server ends the connection: ${message}` })
      )
      return
    case "fatal":
      // A model that does not exist may be one that an update of ours named: then the session is as it was.
      if (code === "model_not_found" && isRefusal(eventId, error, to)) return
      to.fatal(error)
      return
    case "recoverable":
      if (isDone(eventId, error, to)) return
      if (isRefusal(eventId, error, to)) return
      to.publish({
        _tag: "ServerErrorReceived",
        type,
        code: code ?? undefined,
        message,
        param: param ?? undefined,
        eventId
      })
  }
}
