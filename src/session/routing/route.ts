import * as Predicate from "effect/Predicate"
import type { Item } from "../../protocol/Item.js"
import type { ServerEvent } from "../../protocol/ServerEvent.js"
import type { Frame } from "../../RealtimeModel.js"
import type { Parts } from "../Parts.js"
import { withoutSecrets } from "../settings/withoutSecrets.js"
import { added, final, routeItemEvent } from "./itemEvents.js"
import { routeResponseEvent } from "./responseEvents.js"
import { routeError } from "./serverErrors.js"

/**
 * Takes one frame from the server to the part that handles it. Events that no part handles are published as they came.
 */
export const route = (frame: Frame, session: Parts): void => {
  switch (frame._tag) {
    case "Known":
      routeEvent(frame.event, session)
      break
    case "Salvaged":
      violation(frame.violation, session)
      routeEvent(frame.event, session)
      break
    case "Unknown":
      signOfLife(frame.event, session)
      session.outbox.publish({ _tag: "ServerEventReceived", type: frame.type, event: frame.event })
      break
    case "Malformed":
      violation(frame.violation, session)
      break
    case "CallsCancelled":
      session.calls.takenBack(frame.callIds)
      break
  }
}

const violation = (
  { type, message, excerpt }: Extract<Frame, { _tag: "Malformed" }>["violation"],
  session: Parts
): void => session.outbox.publish({ _tag: "ProtocolViolation", type, message, excerpt })

/**
 * As the server sent it: because the application asked for events of this type, or there is no session event for it.
 */
const publishRaw = (event: ServerEvent, { outbox }: Parts): void =>
  outbox.publish({ _tag: "ServerEventReceived", type: event.type, event })

const routeEvent = (event: ServerEvent, session: Parts): void => {
  const isPublished = session.options.wantsRaw(event.type)
  if (isPublished) publishRaw(event, session)
  if (routeItemEvent(event, session) || routeResponseEvent(event, session)) return
  const { calls, configuration, outbox, responses } = session
  switch (event.type) {
    case "session.updated":
      configuration.confirmed(event.session)
      session.recorder.settings(session.agent, withoutSecrets(configuration.confirmedSettings()))
      outbox.publish({ _tag: "SessionUpdated", session: withoutSecrets(event.session) })
      break
    case "error":
      routeError(event.error, session)
      break
    case "input_audio_buffer.timeout_triggered":
      session.inputAudio.turnPassed(event.item_id, event.audio_start_ms, event.audio_end_ms)
      responses.idleTimedOut()
      outbox.publish({
        _tag: "IdleTimedOut",
        itemId: event.item_id,
        audioStartMs: event.audio_start_ms,
        audioEndMs: event.audio_end_ms
      })
      break
    case "input_audio_buffer.dtmf_event_received":
      outbox.publish({ _tag: "DtmfReceived", key: event.event, receivedAt: event.received_at })
      break
    case "rate_limits.updated":
      responses.limited(event.rate_limits)
      outbox.publish({
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
      mcpProgressed(event, session)
      break

    case "input_audio_buffer.speech_started":
      calls.turnBegan()
      session.guardrails.turnBegan(event.item_id)
      if (configuration.speechInterrupts()) {
        calls.interrupt()
        // The server stops by itself, but only the application knows what was heard.
        session.speech.interrupt(true)
        // The server only stops responses in the conversation.
        responses.interruptBeside()
      }
      responses.speechStarted()
      session.inputAudio.turnBegan(event.item_id, event.audio_start_ms)
      outbox.publish({ _tag: "SpeechStarted", itemId: event.item_id, audioStartMs: event.audio_start_ms })
      break
    case "input_audio_buffer.speech_stopped":
      responses.speechStopped()
      session.inputAudio.turnEnded(event.item_id, event.audio_end_ms)
      session.transcripts.turnEnded(event.item_id)
      outbox.publish({ _tag: "SpeechStopped", itemId: event.item_id, audioEndMs: event.audio_end_ms })
      break

    case "input_audio_buffer.committed":
      // In push-to-talk, nothing else tells which item is the user's turn.
      session.guardrails.turnBegan(event.item_id)
      session.inputAudio.committed(event.item_id)
      responses.turnCommitted()
      // The item exists from now on, even if the connection is lost before it is announced.
      added(spokenItem(event.item_id), event.previous_item_id ?? undefined, session, (item) => final(item, session))
      // Last, because a verdict may stop the answer that the server now owes.
      session.transcripts.committed(event.item_id)
      if (!isPublished) publishRaw(event, session)
      break
    case "output_audio_buffer.started":
    case "output_audio_buffer.stopped":
    case "output_audio_buffer.cleared":
      if (event.type === "output_audio_buffer.started") session.speech.started(event.response_id)
      else session.speech.stopped(event.response_id)
      if (!isPublished) publishRaw(event, session)
      break
    case "input_audio_buffer.cleared":
      responses.speechCleared()
      if (!isPublished) publishRaw(event, session)
      break
    default:
      signOfLife(event, session)
      if (!isPublished) publishRaw(event, session)
      break
  }
}

const mcpProgressed = (
  { item_id: itemId, type }: { readonly item_id: string; readonly type: string },
  { hostedCalls, hostedImports, outbox, responses }: Parts
): void => {
  // These events name no response, and a hosted tool may take its time.
  for (const id of responses.active()) responses.progressed(id)
  const what = type.startsWith("mcp_list") ? "ListTools" : "Call"
  const state = type.endsWith("in_progress") ? "InProgress" : type.endsWith("failed") ? "Failed" : "Completed"
  if (what === "Call" && state !== "InProgress") hostedCalls.ended(itemId)
  outbox.publish({ _tag: "McpProgressed", itemId, what, state })
  if (what === "ListTools") hostedImports?.progressed(itemId, state)
}

/** What the user said, before it is transcribed. */
const spokenItem = (id: string): Item => ({
  type: "message",
  id,
  role: "user",
  status: "completed",
  content: [{ type: "input_audio" }]
})

/** An unknown event still shows that its response goes on. */
const signOfLife = (event: unknown, { responses }: Parts): void => {
  if (Predicate.hasProperty(event, "response_id") && typeof event.response_id === "string")
    responses.progressed(event.response_id)
}
