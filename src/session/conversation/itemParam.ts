import type { Item, Part } from "../../Conversation.js"
import type { ItemParam, UserMessageParam } from "../../protocol/ItemParam.js"

/** An item that a client may put into a conversation again: audio only as its transcript, a call with its output. */
export const paramOf = (item: Item, id: string): ItemParam | undefined => {
  switch (item._tag) {
    case "FunctionCall": {
      const { arguments: text, callId, name } = item
      return { type: "function_call", id, call_id: callId, name, arguments: text }
    }
    case "FunctionCallOutput":
      return { type: "function_call_output", id, call_id: item.callId, output: item.output }
    case "Other":
      return undefined
    case "Message": {
      const texts = item.content.flatMap(wordsOf)
      switch (item.role) {
        case "assistant":
          return {
            type: "message",
            id,
            role: "assistant",
            content: texts.map((text) => ({ type: "output_text", text }))
          }
        case "system":
          return { type: "message", id, role: "system", content: texts.map((text) => ({ type: "input_text", text })) }
        case "user":
          return { type: "message", id, role: "user", content: item.content.flatMap(userPart) }
      }
    }
  }
}

const wordsOf = (part: Part): ReadonlyArray<string> => {
  const text = part._tag === "Text" ? part.text : part._tag === "Audio" ? part.transcript : undefined
  return text === undefined || text === "" ? [] : [text]
}

const userPart = (part: Part): UserMessageParam["content"] => {
  if (part._tag !== "Image") return wordsOf(part).map((text) => ({ type: "input_text", text }))
  return part.url === undefined ? [] : [{ type: "input_image", image_url: part.url }]
}
