import type { Usage } from "../../protocol/Response.js"
import type { ToolError } from "../../ToolError.js"

/**
 * The names in spans and metrics: those of OpenTelemetry's GenAI conventions 0.1.0, and the library's own names for
 * everything else. The conventions are still in development, so each name is written only here.
 */

/** The attributes of a span. `undefined` values are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | ReadonlyArray<string> | undefined>>

/** The operation name of a response. */
export const operation = "chat"

export const ofSession = (agent: string, sessionId: string, model: string | undefined): Attributes => ({
  "gen_ai.operation.name": "invoke_agent",
  "gen_ai.agent.name": agent,
  "gen_ai.conversation.id": sessionId,
  "gen_ai.request.model": model
})

export const ofResponse = (response: {
  readonly responseId: string
  readonly requestId: string | undefined
  readonly sessionId: string
  readonly agent: string
  readonly model: string | undefined
  readonly provider: string
}): Attributes => ({
  "gen_ai.operation.name": operation,
  "gen_ai.provider.name": response.provider,
  "gen_ai.request.model": response.model,
  "gen_ai.conversation.id": response.sessionId,
  "gen_ai.agent.name": response.agent,
  "gen_ai.response.id": response.responseId,
  "effect_realtime.request.id": response.requestId
})

/** How a response ended, in the server's words. */
export interface ResponseEnd {
  readonly status: string
  readonly reason?: string | undefined
  readonly usage?: Usage | undefined
}

const failedStatuses: ReadonlySet<string> = new Set(["failed", "incomplete", "stalled"])

/** Absent if the response did what it should: an interruption by the caller is not a failure. */
export const errorTypeOf = ({ reason, status }: ResponseEnd): string | undefined =>
  failedStatuses.has(status) ? (reason ?? status) : undefined

export const ofResponseEnd = (end: ResponseEnd): Attributes => {
  const { input_token_details: input, output_token_details: output, ...usage } = end.usage ?? {}
  return {
    "gen_ai.response.finish_reasons": [end.status === "completed" ? "stop" : (end.reason ?? end.status)],
    "effect_realtime.response.status": end.status,
    "error.type": errorTypeOf(end),
    "gen_ai.usage.input_tokens": usage.input_tokens ?? undefined,
    "gen_ai.usage.text.input_tokens": input?.text_tokens ?? undefined,
    "gen_ai.usage.audio.input_tokens": input?.audio_tokens ?? undefined,
    "gen_ai.usage.image.input_tokens": input?.image_tokens ?? undefined,
    "gen_ai.usage.cache_read.input_tokens": input?.cached_tokens ?? undefined,
    "gen_ai.usage.output_tokens": usage.output_tokens ?? undefined,
    "gen_ai.usage.text.output_tokens": output?.text_tokens ?? undefined,
    "gen_ai.usage.audio.output_tokens": output?.audio_tokens ?? undefined
  }
}

export const ofCall = (call: {
  readonly callId: string
  readonly tool: string
  readonly agent: string
  readonly sessionId: string
}): Attributes => ({
  "gen_ai.operation.name": "execute_tool",
  "gen_ai.tool.name": call.tool,
  "gen_ai.tool.type": "function",
  "gen_ai.tool.call.id": call.callId,
  "gen_ai.agent.name": call.agent,
  "gen_ai.conversation.id": call.sessionId
})

/** Tags and ids only: the message of a failure may contain personal data. */
export const ofCallFailure = (error: ToolError): Attributes => ({
  "error.type": error._tag,
  "effect_realtime.failure.tag": error._tag === "ToolFailure" ? error.failureTag : undefined,
  "effect_realtime.incident.id": error._tag === "ToolDefect" ? error.incidentId : undefined
})

export const ofHandoff = (from: string, to: string): Attributes => ({
  "effect_realtime.handoff.source": from,
  "effect_realtime.handoff.target": to
})

export const ofGuardrail = (name: string, subject: string): Attributes => ({
  "effect_realtime.guardrail.name": name,
  "effect_realtime.guardrail.subject": subject
})

export const ofVerdict = (hasTripped: boolean): Attributes => ({ "effect_realtime.guardrail.tripped": hasTripped })

export const ofLoss = (code: number): Attributes => ({ "effect_realtime.close.code": code })

export const ofAttempts = (attempts: number): Attributes => ({ "effect_realtime.reconnect.attempts": attempts })

/** Whether audio or text came first, and how long it took. */
export const ofFirstChunk = (kind: "speech" | "text", seconds: number): Attributes => ({
  "gen_ai.output.type": kind,
  "gen_ai.response.time_to_first_chunk": seconds
})
