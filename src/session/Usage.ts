import type { Usage as ResponseUsage } from "../protocol/Response.js"

/**
 * The total of tokens that the session's responses have used. Each response counts the whole conversation as input.
 *
 * @since 0.1.0
 * @category models
 */
export interface Usage {
  /** The number of responses that the server has counted. */
  readonly responses: number
  readonly totalTokens: number
  readonly inputTokens: number
  readonly inputTextTokens: number
  readonly inputAudioTokens: number
  readonly inputImageTokens: number
  /** The input tokens that came from the server's cache, which cost less. */
  readonly cachedTokens: number
  readonly outputTokens: number
  readonly outputTextTokens: number
  readonly outputAudioTokens: number
}

export const none: Usage = {
  responses: 0,
  totalTokens: 0,
  inputTokens: 0,
  inputTextTokens: 0,
  inputAudioTokens: 0,
  inputImageTokens: 0,
  cachedTokens: 0,
  outputTokens: 0,
  outputTextTokens: 0,
  outputAudioTokens: 0
}

export const add = (sum: Usage, usage: ResponseUsage): Usage => {
  const input = usage.input_token_details ?? {}
  const output = usage.output_token_details ?? {}
  return {
    responses: sum.responses + 1,
    totalTokens: sum.totalTokens + (usage.total_tokens ?? 0),
    inputTokens: sum.inputTokens + (usage.input_tokens ?? 0),
    inputTextTokens: sum.inputTextTokens + (input.text_tokens ?? 0),
    inputAudioTokens: sum.inputAudioTokens + (input.audio_tokens ?? 0),
    inputImageTokens: sum.inputImageTokens + (input.image_tokens ?? 0),
    cachedTokens: sum.cachedTokens + (input.cached_tokens ?? 0),
    outputTokens: sum.outputTokens + (usage.output_tokens ?? 0),
    outputTextTokens: sum.outputTextTokens + (output.text_tokens ?? 0),
    outputAudioTokens: sum.outputAudioTokens + (output.audio_tokens ?? 0)
  }
}
