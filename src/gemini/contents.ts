/** Items of a conversation as Gemini's contents. */
import type { ItemParam } from "../protocol/ItemParam.js"
import { nestsTooDeeply } from "../protocol/nesting.js"
import type { Json } from "./Wire.js"

export type Content = { readonly role: "user" | "model"; readonly parts: ReadonlyArray<Json> }

/** What is no JSON, or cannot be written again, is told as text. */
const parsed = (text: string): unknown => {
  try {
    const value: unknown = JSON.parse(text)
    return nestsTooDeeply(value) ? undefined : value
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value)

/** Gemini's arguments are an object: text that is none is passed on as text. */
const argsOf = (text: string): Json => {
  const args = parsed(text)
  return isObject(args) ? args : { arguments: text }
}

/** What Gemini is told as the name of a function: an empty one, as its own call may have, it does not take. */
export const namedFor = (name: string): string => (name === "" ? "unnamed" : name)

/** A result is an object too: `output` for a result, `error` for what went wrong, as the model reads it. */
export const resultOf = (output: string): Json => {
  const result = parsed(output)
  return isObject(result) && "error" in result
    ? { error: result["error"] }
    : { output: isObject(result) ? result : output }
}

/** A data URI, such as `data:image/png;base64,…`. */
const imageOf = (uri: string): Json | undefined => {
  const [, mimeType, data] = /^data:([^;,]+);base64,(.*)$/s.exec(uri) ?? []
  return mimeType === undefined || data === undefined ? undefined : { inlineData: { mimeType, data } }
}

/**
 * What Gemini is told of an item. A string: why it cannot be told. `nameOf`: the function that was called with this id.
 * System messages are told as the user's, because a conversation has no others.
 */
export const contentOf = (item: ItemParam, nameOf: (callId: string) => string | undefined): Content | string => {
  switch (item.type) {
    case "message": {
      const parts: Array<Json> = []
      for (const part of item.content) {
        switch (part.type) {
          case "input_text":
          case "output_text":
            parts.push({ text: part.text })
            break
          case "input_audio":
          case "output_audio":
            if (part.transcript === undefined) return "Gemini takes audio only as it is spoken: give its transcript."
            parts.push({ text: part.transcript })
            break
          case "input_image": {
            const image = imageOf(part.image_url)
            if (image === undefined) return "Gemini takes an image only as a data URI with base64."
            parts.push(image)
          }
        }
      }
      return { role: item.role === "assistant" ? "model" : "user", parts }
    }
    case "function_call": {
      const id = item.call_id ?? item.id
      return {
        role: "model",
        parts: [
          {
            functionCall: {
              ...(id === undefined ? {} : { id }),
              name: namedFor(item.name),
              args: argsOf(item.arguments)
            }
          }
        ]
      }
    }
    case "function_call_output": {
      const name = nameOf(item.call_id)
      if (name === undefined) return `Tool call ID '${item.call_id}' not found in conversation.`
      return {
        role: "user",
        parts: [{ functionResponse: { id: item.call_id, name: namedFor(name), response: resultOf(item.output) } }]
      }
    }
    default:
      return `Gemini has no items of the type ${item.type}: it reaches no MCP servers.`
  }
}

/** Its words, for a model that takes words only as input. */
export const wordsOf = ({ parts }: Content): string =>
  parts.map((part) => (typeof part["text"] === "string" ? part["text"] : JSON.stringify(part))).join("\n")
