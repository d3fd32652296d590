import { mayPass } from "../protocol/Severity.js"
import type { SessionEvent } from "../SessionEvent.js"
import { both, type Law } from "./Law.js"

/** The longest pause of a session between two attempts if the server names no time, in milliseconds. */
const longestPause = 8_000

/** A failure or a refusal for a temporary reason, with the request that it was for, if any. */
const setBack = (event: SessionEvent): { readonly requestId: string | undefined } | undefined => {
  if (event._tag === "ResponseRefused") return mayPass({ code: event.code ?? null }) ? event : undefined
  if (event._tag !== "ResponseDone" || event.status !== "failed") return undefined
  return mayPass({ code: event.reason ?? null }) ? event : undefined
}

export const patience: Law = both(
  "Patience",
  "A response that is refused or fails for a temporary reason is requested again for as long as the session's options say.",
  ({ program, retryWithinMs }) => {
    /** When each request first failed on this connection. */
    const since = new Map<string, number>()
    /** When an answer that the server began by itself first failed. The request that replaces it keeps its time limit. */
    let unasked: number | undefined
    /** Requests that got no reply. For these, only the number of retries is limited. */
    const silent = new Set<string>()
    /** Requests that failed before this time may be given up, because of an interruption. */
    let interruptedAt: number | undefined
    const interrupted = (now: number): void => {
      interruptedAt = now
      for (const requestId of since.keys()) silent.add(requestId)
    }
    return ({ atMs, ...moment }) => {
      if (moment._tag === "Step" && program.steps[moment.index]?.action._tag === "Interrupts") interrupted(atMs)
      // Requests that are given up then are published before the speech begins.
      if (moment._tag === "Answered" && moment.event["type"] === "input_audio_buffer.speech_started") interrupted(atMs)
      if (moment._tag !== "Published") return []
      const { event } = moment
      // Requests that would answer a stopped question are given up too.
      if (event._tag === "GuardrailTripped" && event.subject === "Input") interrupted(atMs)
      if (event._tag === "ConnectionLost") {
        since.clear()
        unasked = undefined
      }
      const setback = setBack(event)
      if (setback !== undefined) {
        const { requestId } = setback
        if (requestId === undefined) unasked ??= atMs
        else if (!since.has(requestId)) since.set(requestId, unasked ?? atMs)
        if (requestId !== undefined && atMs === interruptedAt) silent.add(requestId)
      } else if (event._tag === "ResponseDone" && event.status === "completed") unasked = undefined
      if (event._tag === "ResponseStalled" && event.requestId !== undefined) silent.add(event.requestId)
      if (event._tag !== "ResponseLost" || event.requestId === undefined || silent.has(event.requestId)) return []
      const first = since.get(event.requestId)
      return first === undefined || atMs - first >= retryWithinMs - longestPause
        ? []
        : [`${event.requestId} was given up ${(atMs - first) / 1_000} seconds after it was first refused.`]
    }
  }
)
