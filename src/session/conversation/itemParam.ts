import type { Item, Part } from "../../Conversation.js"
import type { ItemParam, UserMessageParam } from "../../protocol/ItemParam.js"

/** What is kept of the user's speech. */
export interface Kept {
  /** The audio of a part without a transcript, if there is any. */
  readonly get: (itemId: string, contentIndex: number) => object | undefined
  /** The audio of a part without a transcript, as base64 in the session's audio format. */
  readonly told: (itemId: string, contentIndex: number) => string | undefined
}

/**
 * The item as a client can create it again: audio as its transcript, cut to what was heard, or the user's audio itself;
 * a call with its output. `undefined` for what a guardrail stopped.
 */
export const paramOf = (item: Item, id: string, kept: Kept): ItemParam | undefined => {
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
      if (item.blockedBy !== undefined) return undefined
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
          return {
            type: "message",
            id,
            role: "user",
            content: item.content.flatMap((part, index) => userPart(part, () => kept.told(item.id, index)))
          }
      }
    }
  }
}

/** A part of a message that cannot be sent: an image whose content is not known, or audio without words or sound. */
export const unknownPart = (item: Item, hasAudio: (contentIndex: number) => boolean): "Image" | "Audio" | undefined => {
  if (item._tag !== "Message") return undefined
  const isUnknown = (part: Part, index: number): boolean => {
    if (part._tag === "Image") return part.url === undefined
    if (part._tag !== "Audio" || part.transcript !== undefined || part.cut !== undefined) return false
    return item.role !== "user" || !hasAudio(index)
  }
  const part = item.content.find(isUnknown)
  return part === undefined || part._tag === "Text" ? undefined : part._tag
}

/** Whether nothing is left to send: a server refuses a message without content. */
export const isEmpty = (param: ItemParam): boolean => param.type === "message" && param.content.length === 0

const wordsOf = (part: Part): ReadonlyArray<string> => {
  const text = part._tag === "Text" ? part.text : part._tag === "Audio" ? part.transcript : undefined
  return text === undefined || text === "" ? [] : [text]
}

const userPart = (part: Part, told: () => string | undefined): UserMessageParam["content"] => {
  if (part._tag === "Image") {
    const { detail, url } = part
    if (url === undefined) return []
    return [{ type: "input_image", image_url: url, ...(detail === undefined ? {} : { detail }) }]
  }
  const audio = part._tag === "Audio" && (part.transcript ?? "").trim() === "" ? told() : undefined
  if (audio !== undefined) return [{ type: "input_audio", audio }]
  return wordsOf(part).map((text) => ({ type: "input_text", text }))
}
