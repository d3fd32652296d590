import { type FunctionCallItem, type Item, isKnownItem, type McpApprovalRequestItem } from "../../protocol/Item.js"
import type { Response } from "../../protocol/Response.js"
import type { ServerEvent } from "../../protocol/ServerEvent.js"
import { classifyServerError } from "../../protocol/Severity.js"
import type { Parts } from "../Parts.js"
import { added, final, isMcpCall } from "./itemEvents.js"
import { fatal } from "./serverErrors.js"

/** Handles events about responses. Returns whether the event was one of them. */
export const routeResponseEvent = (event: ServerEvent, session: Parts): boolean => {
  const { calls, conversation, outbox, responses } = session
  switch (event.type) {
    case "response.created":
      responses.created(event.response)
      break
    case "response.output_item.added":
      responses.progressed(event.response_id)
      if (responses.isOutOfBand(event.response_id)) {
        if (isMcpCall(event.item)) session.hostedCalls.isBeside(event.item.id)
        break
      }
      added(begun(event.item), undefined, session, undefined, event.response_id)
      if (isMcpCall(event.item)) session.hostedCalls.seen(event.item, event.response_id)
      break
    case "response.output_item.done": {
      // A hosted call may run on when its response is over.
      if (isMcpCall(event.item)) responses.mentioned(event.response_id)
      else responses.progressed(event.response_id)
      if (responses.isOutOfBand(event.response_id)) {
        // There is no conversation in which such a call could be answered.
        if (isFunctionCall(event.item)) calls.abandoned(event.item, event.response_id)
        break
      }
      final(session.cuts.ended(conversation.put(event.item, undefined, event.response_id), "Ended"), session)
      if (isFunctionCall(event.item)) functionCall(event.item, event.response_id, session)
      if (isApprovalRequest(event.item)) session.hostedCalls.approvalRequested(event.item, event.response_id)
      if (isMcpCall(event.item)) session.hostedCalls.seen(event.item, event.response_id)
      break
    }
    case "response.done":
      responseDone(event.response, session)
      break
    case "response.output_text.delta":
      grew(event, "Text", session)
      break
    case "response.output_audio_transcript.delta":
      grew(event, "Audio", session)
      break
    case "response.output_text.done":
      completed(event, event.text, "Text", session)
      break
    case "response.output_audio_transcript.done":
      completed(event, event.transcript, "Audio", session)
      break
    case "response.output_audio.delta":
      responses.progressed(event.response_id)
      session.speech.audio(event)
      break
    case "response.output_audio.done":
      responses.progressed(event.response_id)
      session.speech.audioDone(event)
      outbox.publish({
        _tag: "AudioCompleted",
        responseId: event.response_id,
        itemId: event.item_id,
        contentIndex: event.content_index
      })
      break
    case "response.content_part.added":
    case "response.content_part.done":
    case "response.function_call_arguments.delta":
    case "response.function_call_arguments.done":
      // `arguments.done` does not run anything: it also comes for calls that were cut off.
      responses.progressed(event.response_id)
      break
    default:
      return false
  }
  return true
}

interface Part {
  readonly response_id: string
  readonly item_id: string
  readonly content_index: number
}

/** More of the text or transcript of what the model says. */
const grew = (event: Part & { readonly delta: string }, kind: "Text" | "Audio", session: Parts): void => {
  const { response_id: responseId, item_id: itemId, content_index: contentIndex, delta } = event
  session.responses.progressed(responseId)
  if (!session.speech.accepts(responseId)) return
  if (kind === "Audio") session.speech.words(event, delta)
  else session.telemetry.wrote(responseId)
  session.conversation.append(itemId, contentIndex, kind, delta)
  session.guardrails.said(responseId, { itemId, contentIndex, kind }, delta)
  session.outbox.publish({ _tag: "TextDelta", responseId, itemId, contentIndex, kind, delta })
}

const completed = (event: Part, text: string, kind: "Text" | "Audio", session: Parts): void => {
  const { response_id: responseId, item_id: itemId, content_index: contentIndex } = event
  session.responses.progressed(responseId)
  // A response that was stopped is not completed, whatever the server has of it.
  if (!session.speech.accepts(responseId)) return
  session.conversation.replace(itemId, contentIndex, kind, text)
  session.guardrails.saidAll(responseId, { itemId, contentIndex, kind }, text)
  session.outbox.publish({ _tag: "TextCompleted", responseId, itemId, contentIndex, kind, text })
}

/** A message that the model begins is in progress, even if the server does not say so. */
const begun = (item: Item): Item =>
  isKnownItem(item) && item.type === "message" ? { ...item, status: item.status ?? "in_progress" } : item

const isApprovalRequest = (item: Item): item is McpApprovalRequestItem =>
  isKnownItem(item) && item.type === "mcp_approval_request"

const isFunctionCall = (item: Item): item is FunctionCallItem => isKnownItem(item) && item.type === "function_call"

/** A call that was cut off is not run. If a server sends no status, the call is complete. */
const functionCall = (item: FunctionCallItem, responseId: string | undefined, { calls }: Parts): void => {
  if ((item.status ?? "completed") === "completed") calls.arrived(item, responseId)
  else calls.abandoned(item, responseId)
}

/** A call that is listed at the end of its response, and may not have been announced. */
const listed = (item: FunctionCallItem, response: Response, session: Parts): void => {
  const responseId = response.id ?? undefined
  if (session.calls.hasArrived(item, responseId)) return
  // Another connection must be sent the call, or it would not take its output.
  added(item, placeOf(item, response, session), session, (known) => final(known, session), responseId)
  session.calls.arrived(item, responseId)
}

/**
 * The item before a new one. A server announces what it adds, so that what is only listed was added before anything that
 * was heard of on this connection.
 */
const placeOf = (item: Item, { output }: Response, { continuity, conversation }: Parts): string | undefined => {
  const ids = output?.flatMap(({ id }) => id ?? []) ?? []
  const at = ids.indexOf(item.id ?? "")
  const isKnown = (id: string): boolean => conversation.get(id) !== undefined
  if (at < 0 || isKnown(ids[at] ?? "")) return undefined
  const next = ids.slice(at).find(isKnown)
  if (next !== undefined) return conversation.previousOf(next)
  const previous = ids.slice(0, at).findLast(isKnown)
  return previous === undefined || continuity.knewBefore(previous) ? continuity.lastBefore() : previous
}

const responseDone = (response: Response, session: Parts): void => {
  const { calls, guardrails, responses, speech } = session
  if (typeof response.id === "string") {
    speech.responseDone(response.id)
    guardrails.responseEnded(response.id)
  }
  for (const item of response.output ?? []) {
    if (!isFunctionCall(item)) continue
    // An item without a status is as complete as its response.
    const status = item.status ?? response.status ?? "completed"
    if (status === "completed" && !responses.wasOutOfBand(response)) listed(item, response, session)
    else calls.abandoned(item, response.id ?? undefined)
  }
  responses.done(response)
  const error = response.status_details?.error ?? {}
  // No other response would end differently.
  if (response.status === "failed" && classifyServerError(error) === "fatal") {
    fatal({ code: error.code ?? error.type, message: error.message ?? "No response can be made any more." }, session)
  }
}
