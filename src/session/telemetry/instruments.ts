import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import { Instrument } from "./Instrument.js"

/** Every metric of a session. A test compares the names and units with the guide to observability. */

/** The boundaries of the GenAI conventions: 10 ms, doubled up to 82 s. */
const seconds = MetricBoundaries.exponential({ start: 0.01, factor: 2, count: 15 })

const duration = (name: string, attributes: ReadonlyArray<string>, description: string): Instrument =>
  new Instrument(name, Metric.histogram(name, seconds, description), "s", attributes)

const counter = (name: string, unit: string, attributes: ReadonlyArray<string>, description: string): Instrument =>
  new Instrument(name, Metric.counter(name, { description, incremental: true }), unit, attributes)

const gauge = (name: string, unit: string, description: string): Instrument =>
  new Instrument(name, Metric.gauge(name, { description }), unit, [])

const ofModel = ["gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"]

export const inferenceDuration = duration(
  "gen_ai.client.inference.duration",
  [...ofModel, "error.type"],
  "How long responses take, from the request to their end."
)

export const timeToFirstChunk = duration(
  "gen_ai.client.inference.time_to_first_chunk",
  [...ofModel, "gen_ai.output.type"],
  "How long the first audio or text of a response takes to come, from the request."
)

const tokens = (name: string, description: string): Instrument =>
  counter(`gen_ai.client.inference.usage.${name}`, "{token}", [...ofModel, "gen_ai.token.modality"], description)

export const inputTokens = tokens("input_tokens", "Tokens that responses have read.")

export const cachedTokens = tokens("cache_read.input_tokens", "Of the input tokens, those that came from the cache.")

export const outputTokens = tokens("output_tokens", "Tokens that responses have produced.")

export const toolDuration = duration(
  "gen_ai.execute_tool.duration",
  ["gen_ai.tool.name", "error.type"],
  "How long calls take, from their arrival to the output that the model reads."
)

export const calls = counter(
  "effect_realtime.calls",
  "{call}",
  ["gen_ai.tool.name", "effect_realtime.call.outcome"],
  "Calls that have ended, by outcome."
)

export const openCalls = gauge("effect_realtime.calls.open", "{call}", "Calls that have no result yet.")

export const responses = counter(
  "effect_realtime.responses",
  "{response}",
  ["effect_realtime.response.status"],
  "Responses that have ended, by status."
)

export const openSessions = gauge(
  "effect_realtime.sessions.open",
  "{session}",
  "Sessions that have begun and not ended."
)

export const reconnects = counter(
  "effect_realtime.reconnects",
  "{reconnect}",
  ["effect_realtime.reconnect.outcome"],
  "Lost connections that were replaced, or not."
)

export const reconnectDuration = duration(
  "effect_realtime.reconnect.duration",
  ["effect_realtime.reconnect.outcome"],
  "How long sessions are without a connection."
)

export const handoffs = counter(
  "effect_realtime.handoffs",
  "{handoff}",
  ["effect_realtime.handoff.source", "effect_realtime.handoff.target"],
  "Conversations that another agent has taken over."
)

export const guardrailTrips = counter(
  "effect_realtime.guardrail.trips",
  "{trip}",
  ["effect_realtime.guardrail.name", "effect_realtime.guardrail.subject"],
  "Guardrails that have tripped."
)

export const inputAudioDropped = counter(
  "effect_realtime.audio.input.dropped",
  "s",
  [],
  "Audio of users that was not sent to the model."
)

export const outputAudioDropped = counter(
  "effect_realtime.audio.output.dropped",
  "{chunk}",
  [],
  "Chunks of audio that a reader of `session.audio` was too slow for."
)
