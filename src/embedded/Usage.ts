/** How many tokens a response reads and produces: a stable estimate, so that tests can assert usage. */
import type { FunctionTool } from "./Mind.js"
import { type ServerItem, textOf, tokensOf } from "./ServerItem.js"

/** Milliseconds of the user's audio per token. */
const INPUT_MS_PER_TOKEN = 100
/** Milliseconds of the model's audio per token. */
const OUTPUT_MS_PER_TOKEN = 50

export interface InputTokens {
  readonly text: number
  readonly audio: number
}

export const audioTokens = (ms: number): number => Math.ceil(ms / OUTPUT_MS_PER_TOKEN)

const textTokens = (item: ServerItem): number => {
  switch (item.type) {
    case "message":
      return tokensOf(textOf(item))
    case "function_call":
      return tokensOf(item.name + item.arguments)
    case "function_call_output":
      return tokensOf(item.output)
    case "mcp_call":
      return tokensOf(item.name + item.arguments + (item.output ?? ""))
    case "mcp_list_tools":
      return tokensOf(JSON.stringify(item.tools))
    case "mcp_approval_request":
    case "mcp_approval_response":
      return 0
  }
}

/** The tokens that a response reads of an item. The user's audio counts by its length. */
export const tokensOfItem = (item: ServerItem, spokenMs: number): InputTokens =>
  item.type === "message" && item.role === "user" && spokenMs > 0
    ? { text: 0, audio: Math.ceil(spokenMs / INPUT_MS_PER_TOKEN) }
    : { text: textTokens(item), audio: 0 }

/** The tokens that a response reads of several items. */
export const tokensOfItems = (items: ReadonlyArray<ServerItem>, spokenMs: (id: string) => number): InputTokens => {
  let [text, audio] = [0, 0]
  for (const item of items) {
    const tokens = tokensOfItem(item, spokenMs(item.id))
    text += tokens.text
    audio += tokens.audio
  }
  return { text, audio }
}

/** The tokens that a response reads before it says anything. */
export const inputTokens = (
  conversation: InputTokens,
  instructions: string,
  tools: ReadonlyArray<FunctionTool>
): InputTokens => {
  let text = conversation.text + tokensOf(instructions)
  for (const tool of tools) text += tokensOf(tool.name + tool.description + JSON.stringify(tool.parameters))
  return { text, audio: conversation.audio }
}

/** The `usage` of a response. */
export const usage = (input: InputTokens, output: InputTokens) => ({
  total_tokens: input.text + input.audio + output.text + output.audio,
  input_tokens: input.text + input.audio,
  output_tokens: output.text + output.audio,
  input_token_details: {
    text_tokens: input.text,
    audio_tokens: input.audio,
    image_tokens: 0,
    cached_tokens: 0,
    cached_tokens_details: { text_tokens: 0, audio_tokens: 0, image_tokens: 0 }
  },
  output_token_details: { text_tokens: output.text, audio_tokens: output.audio }
})
