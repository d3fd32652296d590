/**
 * Hand-written checks for the events that make up most of a call's traffic: several times faster than schemas.
 *
 * @since 0.1.0
 */
import type {
  ResponseFunctionCallArgumentsDelta,
  ResponseOutputAudioDelta,
  ResponseOutputAudioTranscriptDelta,
  ResponseOutputTextDelta
} from "./ResponseEvent.js"

type Delta =
  | ResponseOutputAudioDelta
  | ResponseOutputTextDelta
  | ResponseOutputAudioTranscriptDelta
  | ResponseFunctionCallArgumentsDelta

const isIndex = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value)

const isText = (value: unknown): boolean => typeof value === "string"

const isAbsentOrText = (value: unknown): boolean => value === undefined || value === null || isText(value)

const isPosition = (json: { readonly [key: string]: unknown }): boolean =>
  isText(json["delta"]) &&
  isText(json["item_id"]) &&
  isText(json["response_id"]) &&
  isIndex(json["output_index"]) &&
  isAbsentOrText(json["event_id"])

/**
 * Accepts what the schemas of these events accept, for values from `JSON.parse`.
 *
 * @since 0.1.0
 * @category guards
 */
export const isDelta = (json: {
  readonly [key: string]: unknown
}): json is { readonly [key: string]: unknown } & Delta => {
  switch (json["type"]) {
    case "response.output_audio.delta":
    case "response.output_text.delta":
    case "response.output_audio_transcript.delta":
      return isPosition(json) && isIndex(json["content_index"])
    case "response.function_call_arguments.delta":
      return isPosition(json) && isAbsentOrText(json["call_id"])
    default:
      return false
  }
}
