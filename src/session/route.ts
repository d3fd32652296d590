import * as Predicate from "effect/Predicate"
import type { Item as ConversationItem } from "../Conversation.js"
import type { ConversationMirror } from "../machine/Conversation.js"
import type { ServerFrame } from "../protocol/Codec.js"
import { type FunctionCallItem, type Item, isKnownItem, type McpApprovalRequestItem } from "../protocol/Item.js"
import type { Response } from "../protocol/Response.js"
import type { ServerError, ServerEvent } from "../protocol/ServerEvent.js"
import { classifyServerError } from "../protocol/Severity.js"
import { ConnectionLost } from "../RealtimeModel.js"
import type { SessionEvent } from "../SessionEvent.js"
import type { Calls } from "./calls/Calls.js"
import type { McpApprovals } from "./calls/McpApprovals.js"
import type { InputAudio } from "./connection/InputAudio.js"
import type { Edits } from "./conversation/Edits.js"
import type { Guardrails } from "./guardrails/Guardrails.js"
import type { Recorder } from "./Recorder.js"
import type { Responses } from "./Responses.js"
import type { Speech } from "./Speech.js"
import type { Configuration } from "./settings/Configuration.js"

/** Who hears of what the server sends. */
export interface Destinations {
  readonly calls: Omit<Calls<never>, "reported" | "offerOf">
  readonly mcpApprovals: McpApprovals
  readonly guardrails: Guardrails
  readonly responses: Responses
  readonly speech: Speech
  readonly configuration: Configuration
  readonly conversation: ConversationMirror
  readonly edits: Edits
  readonly inputAudio: InputAudio
  readonly recorder: Recorder
  /** Who has the conversation. */
  readonly agent: () => string
  readonly publish: (event: SessionEvent<never>) => void
  /** Whether this item was told to the server again: its announcement is no news. */
  readonly isReplayed: (itemId: string) => boolean
  /** The server said that it ends the connection. */
  readonly lost: (error: ConnectionLost) => void
  /** Nothing that anybody has to do something about: for the log of who looks closely. */
  readonly note: (message: string) => void
  /** The server reported an error that ends the session. */
  readonly fatal: (error: { readonly code?: string | null | undefined; readonly message: string }) => void
}

/** Takes one frame from the wire to whom it concerns. What concerns nobody is published as it came. */
export const route = (frame: ServerFrame, to: Destinations): void => {
  switch (frame._tag) {
    case "Known":
      routeEvent(frame.event, to)
      break
    case "Salvaged":
      violation(frame.violation, to)
      routeEvent(frame.event, to)
      break
    case "Unknown":
      signOfLife(frame.event, to)
      to.publish({ _tag: "ServerEventReceived", type: frame.type, event: frame.event })
      break
    case "Malformed":
      violation(frame.violation, to)
      break
  }
}

const violation = (
  { type, message, excerpt }: Extract<ServerFrame, { _tag: "Malformed" }>["violation"],
  to: Destinations
): void => to.publish({ _tag: "ProtocolViolation", type, message, excerpt })

const routeEvent = (event: ServerEvent, to: Destinations): void => {
  const { calls, configuration, conversation, guardrails, mcpApprovals, publish, responses, speech } = to
  switch (event.type) {
    case "session.updated":
      configuration.confirmed(event.session)
      to.recorder.settings(to.agent(), configuration.confirmedSettings())
      publish({ _tag: "SessionUpdated", session: event.session })
      break
    case "error":
      serverError(event.error, to)
      break

    case "conversation.item.created":
    case "conversation.item.added":
      if (!isToldAgain(event.item, to)) {
        added(event.item, event.previous_item_id ?? undefined, to)
        const item = conversation.get(event.item.id ?? "")
        // A server may announce an item but once, and what is to be acknowledged below is written down before.
        if (event.type === "conversation.item.created" || item?._tag !== "Other") final(item, to)
      }
      acknowledge(event.item, to)
      break
    case "conversation.item.done": {
      if (isToldAgain(event.item, to)) {
        acknowledge(event.item, to)
        break
      }
      const item = conversation.put(event.item, event.previous_item_id ?? undefined)
      final(item, to)
      acknowledge(event.item, to)
      if (item !== undefined) publish({ _tag: "ItemCompleted", item })
      break
    }
    case "conversation.item.deleted":
      to.edits.acknowledged(event.item_id)
      if (!conversation.remove(event.item_id)) break
      to.recorder.removed(event.item_id)
      publish({ _tag: "ItemDeleted", itemId: event.item_id })
      break
    case "conversation.item.input_audio_transcription.delta":
    case "conversation.item.input_audio_transcription.completed":
    case "conversation.item.input_audio_transcription.failed":
      transcription(event, to)
      break
    case "input_audio_buffer.timeout_triggered":
      publish({
        _tag: "IdleTimedOut",
        itemId: event.item_id,
        audioStartMs: event.audio_start_ms,
        audioEndMs: event.audio_end_ms
      })
      break
    case "input_audio_buffer.dtmf_event_received":
      publish({ _tag: "DtmfReceived", key: event.event, receivedAt: event.received_at })
      break
    case "rate_limits.updated":
      publish({
        _tag: "RateLimitsUpdated",
        limits: event.rate_limits.map(({ limit, name, remaining, reset_seconds }) => ({
          name: name ?? "",
          limit: limit ?? 0,
          remaining: remaining ?? 0,
          resetSeconds: reset_seconds ?? 0
        }))
      })
      break
    case "mcp_list_tools.in_progress":
    case "mcp_list_tools.completed":
    case "mcp_list_tools.failed":
    case "response.mcp_call.in_progress":
    case "response.mcp_call.completed":
    case "response.mcp_call.failed":
      // They name no response, and a hosted tool may take its time.
      for (const id of responses.active()) responses.progressed(id)
      publish({
        _tag: "McpProgressed",
        itemId: event.item_id,
        what: event.type.startsWith("mcp_list_tools") ? "ListTools" : "Call",
        state: event.type.endsWith("in_progress")
          ? "InProgress"
          : event.type.endsWith("failed")
            ? "Failed"
            : "Completed"
      })
      break

    case "input_audio_buffer.speech_started":
      calls.turnBegan()
      guardrails.turnBegan(event.item_id)
      if (configuration.speechInterrupts()) {
        calls.interrupt()
        // The server stops by itself, and only the application knows what was heard.
        speech.interrupt()
      }
      responses.speechStarted()
      to.inputAudio.turnBegan()
      publish({ _tag: "SpeechStarted", itemId: event.item_id })
      break
    case "input_audio_buffer.speech_stopped":
      responses.speechStopped()
      to.inputAudio.turnEnded()
      publish({ _tag: "SpeechStopped", itemId: event.item_id })
      break

    case "input_audio_buffer.committed":
      // In push-to-talk, nothing else tells which item is the user's turn.
      guardrails.turnBegan(event.item_id)
      publish({ _tag: "ServerEventReceived", type: event.type, event })
      break

    case "response.created":
      responses.created(event.response)
      break
    case "response.output_item.added":
      responses.progressed(event.response_id)
      if (!responses.isOutOfBand(event.response_id)) added(event.item, undefined, to)
      break
    case "response.output_item.done": {
      responses.progressed(event.response_id)
      if (responses.isOutOfBand(event.response_id)) {
        // There is no conversation in which such a call could be answered.
        if (isFunctionCall(event.item)) calls.abandoned(event.item, event.response_id)
        break
      }
      const item = conversation.put(event.item, undefined)
      final(item, to)
      if (isFunctionCall(event.item)) functionCall(event.item, event.response_id, to)
      if (isApprovalRequest(event.item)) mcpApprovals.requested(event.item, event.response_id)
      break
    }
    case "response.done":
      responseDone(event.response, to)
      break
    case "response.output_text.delta":
    case "response.output_audio_transcript.delta": {
      const kind = event.type === "response.output_text.delta" ? "Text" : "Audio"
      const { response_id: responseId, item_id: itemId, content_index: contentIndex, delta } = event
      responses.progressed(responseId)
      if (!speech.accepts(responseId)) break
      conversation.append(itemId, contentIndex, kind, delta)
      guardrails.said(responseId, { itemId, contentIndex }, delta)
      publish({ _tag: "TextDelta", responseId, itemId, contentIndex, kind, delta })
      break
    }
    case "response.output_text.done":
    case "response.output_audio_transcript.done": {
      const isText = event.type === "response.output_text.done"
      const kind = isText ? "Text" : "Audio"
      const text = isText ? event.text : event.transcript
      const { response_id: responseId, item_id: itemId, content_index: contentIndex } = event
      responses.progressed(responseId)
      conversation.replace(itemId, contentIndex, kind, text)
      if (speech.accepts(responseId)) guardrails.saidAll(responseId, { itemId, contentIndex }, text)
      publish({ _tag: "TextCompleted", responseId, itemId, contentIndex, kind, text })
      break
    }
    case "response.output_audio.delta":
      responses.progressed(event.response_id)
      speech.audio(event)
      break
    case "response.output_audio.done":
      responses.progressed(event.response_id)
      speech.audioDone(event)
      publish({
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
      // Nothing is run on `arguments.done`: it also comes for calls that were cut off.
      responses.progressed(event.response_id)
      break

    default:
      signOfLife(event, to)
      publish({ _tag: "ServerEventReceived", type: event.type, event })
      break
  }
}

/** An event that means nothing here still shows that its response goes on. */
const signOfLife = (event: unknown, { responses }: Destinations): void => {
  if (Predicate.hasProperty(event, "response_id") && typeof event.response_id === "string")
    responses.progressed(event.response_id)
}

/** What the user said, in words. It comes beside the model's answer, before its own item or after. */
const transcription = (
  event: Extract<
    ServerEvent,
    { readonly type: `conversation.item.input_audio_transcription.${"delta" | "completed" | "failed"}` }
  >,
  to: Destinations
): void => {
  const { conversation, guardrails, publish } = to
  const at = { itemId: event.item_id, contentIndex: event.content_index ?? 0 }
  switch (event.type) {
    case "conversation.item.input_audio_transcription.delta":
      publish({ _tag: "UserTranscriptDelta", ...at, delta: event.delta ?? "" })
      break
    case "conversation.item.input_audio_transcription.completed":
      conversation.replace(at.itemId, at.contentIndex, "Audio", event.transcript)
      final(conversation.get(at.itemId), to)
      guardrails.heard(at.itemId, event.transcript)
      publish({ _tag: "UserTranscriptCompleted", ...at, transcript: event.transcript })
      break
    case "conversation.item.input_audio_transcription.failed": {
      const { code, message } = event.error
      const text = message ?? "What the user said could not be transcribed."
      publish({ _tag: "UserTranscriptFailed", ...at, code: code ?? undefined, message: text })
      break
    }
  }
}

/** The item will not change, but for a transcript that comes late. Written down before anybody hears of it. */
const final = (item: ConversationItem | undefined, { conversation, recorder }: Destinations): void => {
  if (item === undefined || ("status" in item && item.status === "in_progress")) return
  recorder.item(item, conversation.previousOf(item.id))
}

/** An item that the server had on another connection, or from another process: its announcement is no news. */
const isToldAgain = (item: Item, { isReplayed }: Destinations): boolean =>
  typeof item.id === "string" && isReplayed(item.id)

/** The server has an item of ours: an output, or a message. */
const acknowledge = (item: Item, { calls, edits, responses }: Destinations): void => {
  if (typeof item.id !== "string") return
  edits.acknowledged(item.id)
  calls.itemAcknowledged(item.id)
  responses.itemAcknowledged(item.id)
}

/** Said once, though an item of a response is announced twice: in the response, and in the conversation. */
const added = (wire: Item, previousItemId: string | undefined, { conversation, publish }: Destinations): void => {
  const isNew = conversation.get(wire.id ?? "") === undefined
  const item = conversation.put(wire, previousItemId)
  if (isNew && item !== undefined) publish({ _tag: "ItemAdded", item })
}

const isApprovalRequest = (item: Item): item is McpApprovalRequestItem =>
  isKnownItem(item) && item.type === "mcp_approval_request"

const isFunctionCall = (item: Item): item is FunctionCallItem => isKnownItem(item) && item.type === "function_call"

/** A call that was cut off is not run. A server that says no status at all means a call that is complete. */
const functionCall = (item: FunctionCallItem, responseId: string | undefined, { calls }: Destinations): void => {
  if ((item.status ?? "completed") === "completed") calls.arrived(item, responseId)
  else calls.abandoned(item, responseId)
}

const responseDone = (response: Response, to: Destinations): void => {
  const { calls, guardrails, responses, speech } = to
  if (typeof response.id === "string") {
    speech.responseDone(response.id)
    guardrails.responseEnded(response.id)
  }
  for (const item of response.output ?? []) {
    if (!isFunctionCall(item)) continue
    // Without a status of its own, an item is as complete as its response.
    const status = item.status ?? response.status ?? "completed"
    const isOutOfBand = response.id !== undefined && response.id !== null && responses.isOutOfBand(response.id)
    if (status === "completed" && !isOutOfBand) calls.listed(item, response.id ?? undefined)
    else calls.abandoned(item, response.id ?? undefined)
  }
  responses.done(response)
  const error = response.status_details?.error ?? {}
  // No other response would end otherwise.
  if (response.status === "failed" && classifyServerError(error) === "fatal") {
    to.fatal({ code: error.code ?? error.type, message: error.message ?? "No response can be made any more." })
  }
}

/** Whether the error answers something of ours, and who sent that has heard of it. */
const isRefusal = (
  eventId: string | undefined,
  error: ServerError,
  { calls, configuration, edits, responses }: Destinations
): boolean => {
  edits.refused(eventId)
  return (
    configuration.refused(eventId, error) ||
    (eventId !== undefined && (responses.refused(eventId, error) || calls.outputRefused(eventId, error)))
  )
}

const serverError = (error: ServerError, to: Destinations): void => {
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
