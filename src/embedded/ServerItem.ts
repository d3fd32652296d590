/** Items of the embedded server's conversation, in the form in which they are sent. */
import type { ItemParam } from "../protocol/ItemParam.js"

type GivenContent = Extract<ItemParam, { readonly type: "message" }>["content"][number]

/** @category conversations */
export type ItemStatus = "completed" | "incomplete" | "in_progress"

/**
 * One part of a message. Audio is kept outside the conversation, as in the events of the real API.
 *
 * @since 0.1.0
 * @category conversations
 */
export type Content =
  | { readonly type: "input_text"; readonly text: string }
  | { readonly type: "input_audio"; readonly transcript: string | null }
  | { readonly type: "input_image"; readonly image_url?: string; readonly detail?: "auto" | "low" | "high" }
  | { readonly type: "output_text"; readonly text: string }
  | { readonly type: "output_audio"; readonly transcript: string }

/**
 * @since 0.1.0
 * @category conversations
 */
export interface MessageItem {
  readonly id: string
  readonly object: "realtime.item"
  readonly type: "message"
  readonly role: "system" | "user" | "assistant"
  readonly status: ItemStatus
  readonly content: ReadonlyArray<Content>
  /** `commentary` for what reasoning models say before a call. */
  readonly phase?: string
}

/**
 * @since 0.1.0
 * @category conversations
 */
export interface CallItem {
  readonly id: string
  readonly object: "realtime.item"
  readonly type: "function_call"
  readonly status: ItemStatus
  readonly name: string
  readonly call_id: string
  readonly arguments: string
}

/**
 * @since 0.1.0
 * @category conversations
 */
export interface OutputItem {
  readonly id: string
  readonly object: "realtime.item"
  readonly type: "function_call_output"
  readonly status: ItemStatus
  readonly call_id: string
  readonly output: string
}

/**
 * Items of remote MCP servers: from a client, or from a script.
 *
 * @since 0.1.0
 * @category conversations
 */
export type McpItem = Extract<ItemParam, { readonly type: `mcp_${string}` }> & { readonly id: string }

/**
 * @since 0.1.0
 * @category conversations
 */
export type ServerItem = MessageItem | CallItem | OutputItem | McpItem

const contentFromClient = (part: GivenContent): Content => {
  switch (part.type) {
    case "input_text":
    case "output_text":
      return part
    case "input_audio":
      return { type: "input_audio", transcript: part.transcript ?? null }
    case "input_image":
      return part
    case "output_audio":
      return { type: "output_audio", transcript: part.transcript ?? "" }
  }
}

/** An item from the client, with generated ids if it has none. Its shape was checked before. */
export const fromClient = (
  given: ItemParam,
  make: { readonly id: () => string; readonly callId: () => string }
): ServerItem => {
  const id = given.id ?? make.id()
  switch (given.type) {
    case "message":
      return {
        id,
        object: "realtime.item",
        type: "message",
        role: given.role,
        status: given.status ?? "completed",
        content: given.content.map(contentFromClient)
      }
    case "function_call":
      return {
        id,
        object: "realtime.item",
        type: "function_call",
        status: given.status ?? "completed",
        name: given.name,
        call_id: given.call_id ?? make.callId(),
        arguments: given.arguments
      }
    case "function_call_output":
      return {
        id,
        object: "realtime.item",
        type: "function_call_output",
        status: given.status ?? "completed",
        call_id: given.call_id,
        output: given.output
      }
    default:
      return { ...given, id }
  }
}

const textOfPart = (part: Content): string => {
  switch (part.type) {
    case "input_text":
    case "output_text":
      return part.text
    case "input_audio":
    case "output_audio":
      return part.transcript ?? ""
    case "input_image":
      return ""
  }
}

/** The text or transcript of a message, all parts together. */
export const textOf = (item: MessageItem): string =>
  item.content
    .map(textOfPart)
    .filter((part) => part !== "")
    .join(" ")

/** About four characters per token: a stable estimate, so that tests can assert usage. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4)
