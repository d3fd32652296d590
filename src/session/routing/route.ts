import * as Predicate from "effect/Predicate"
import type { ServerFrame } from "../../protocol/Codec.js"
import type { Item } from "../../protocol/Item.js"
import type { ServerEvent } from "../../protocol/ServerEvent.js"
import type { Destinations } from "./Destinations.js"
import { added, final, routeItemEvent } from "./itemEvents.js"
import { routeResponseEvent } from "./responseEvents.js"
import { routeError } from "./serverErrors.js"

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

/** As the server sent it: for who asked for events of this type, or because there is no event of ours. */
const publishRaw = (event: ServerEvent, { publish }: Destinations): void =>
  publish({ _tag: "ServerEventReceived", type: event.type, event })

const routeEvent = (event: ServerEvent, to: Destinations): void => {
  const isPublished = to.wantsRaw(event.type)
  if (isPublished) publishRaw(event, to)
  if (routeItemEvent(event, to) || routeResponseEvent(event, to)) return
  const { calls, configuration, guardrails, publish, responses, speech } = to
  switch (event.type) {
    case "session.updated":
      configuration.confirmed(event.session)
      to.recorder.settings(to.agent(), configuration.confirmedSettings())
      publish({ _tag: "SessionUpdated", session: event.session })
      break
    case "error":
      routeError(event.error, to)
      break
    case "input_audio_buffer.timeout_triggered":
      to.inputAudio.turnPassed(event.item_id, event.audio_start_ms, event.audio_end_ms)
      responses.idleTimedOut()
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
      responses.limited(event.rate_limits)
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
      if (event.type === "response.mcp_call.completed" || event.type === "response.mcp_call.failed") {
        to.hostedCalls.ended(event.item_id)
      }
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
        // But only in the conversation.
        responses.interruptBeside()
      }
      responses.speechStarted()
      to.inputAudio.turnBegan(event.item_id, event.audio_start_ms)
      publish({ _tag: "SpeechStarted", itemId: event.item_id, audioStartMs: event.audio_start_ms })
      break
    case "input_audio_buffer.speech_stopped":
      responses.speechStopped()
      to.inputAudio.turnEnded(event.item_id, event.audio_end_ms)
      to.transcripts.turnEnded(event.item_id)
      publish({ _tag: "SpeechStopped", itemId: event.item_id, audioEndMs: event.audio_end_ms })
      break

    case "input_audio_buffer.committed":
      // In push-to-talk, nothing else tells which item is the user's turn.
      guardrails.turnBegan(event.item_id)
      to.inputAudio.committed(event.item_id)
      responses.turnCommitted()
      // The item is there from now on, also if the connection is lost before it is announced.
      added(spokenItem(event.item_id), event.previous_item_id ?? undefined, to, (item) => final(item, to))
      // Last, for a verdict may stop the answer that the server now owes.
      to.transcripts.committed(event.item_id)
      if (!isPublished) publishRaw(event, to)
      break
    case "input_audio_buffer.cleared":
      responses.speechCleared()
      if (!isPublished) publishRaw(event, to)
      break
    default:
      signOfLife(event, to)
      if (!isPublished) publishRaw(event, to)
      break
  }
}

/** What the user said aloud, before anybody has written it down. */
const spokenItem = (id: string): Item => ({
  type: "message",
  id,
  role: "user",
  status: "completed",
  content: [{ type: "input_audio" }]
})

/** An event that means nothing here still shows that its response goes on. */
const signOfLife = (event: unknown, { responses }: Destinations): void => {
  if (Predicate.hasProperty(event, "response_id") && typeof event.response_id === "string")
    responses.progressed(event.response_id)
}
