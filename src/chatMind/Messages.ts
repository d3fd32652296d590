/**
 * Converts a realtime conversation to the messages of a chat.
 *
 * A chat is stricter: each call of the assistant must be followed at once by its output, with nothing in between. In a
 * realtime conversation, the user may speak while a tool runs, and a response may be requested before all outputs are
 * there.
 */

import { inOrder } from "../embedded/inOrder.js"
import type { Request } from "../embedded/Mind.js"
import { type CallItem, type MessageItem, type ServerItem, textOf } from "../embedded/ServerItem.js"
import { isObject } from "../embedded/Shape.js"

/** One part of what a user shows and says. */
type UserPart =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image_url"; readonly image_url: { readonly url: string; readonly detail?: string } }

export interface ChatCall {
  readonly id: string
  readonly type: "function"
  readonly function: { readonly name: string; readonly arguments: string }
}

export type ChatMessage =
  | { readonly role: "system"; readonly content: string }
  | { readonly role: "user"; readonly content: string | ReadonlyArray<UserPart> }
  | { readonly role: "assistant"; readonly content: string | null; readonly tool_calls?: ReadonlyArray<ChatCall> }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string }

/** Replaces an output that is not available yet. */
export const STILL_RUNNING = "This call is still running. Its output comes later."

/** Replaces speech without a transcript. */
export const NOT_UNDERSTOOD = "[The user said something that was not understood.]"

/** The part of a request that is used. */
export type Asked = Pick<Request, "conversation" | "hasSeen" | "heard" | "instructions" | "modality">

/** The messages for a request, its instructions first. `spoken` is added to these if the answer is to be spoken. */
export const messagesOf = (asked: Asked, spoken: string): ReadonlyArray<ChatMessage> => {
  const { heard, instructions, modality } = asked
  const system = [instructions, modality === "audio" ? spoken : ""].filter((text) => text.trim() !== "").join("\n\n")
  // What the user said while the model spoke is not answered yet, wherever it is in the conversation.
  const conversation = inOrder(asked)
  const chat = new Chat(conversation, heard)
  for (const item of conversation) chat.add(item)
  return [...(system === "" ? [] : [{ role: "system" as const, content: system }]), ...chat.messages()]
}

/** A turn of the assistant: its text, then its calls. */
interface Turn {
  readonly _tag: "Turn"
  text: string
  readonly calls: Array<Called>
}

/** A call with its output, if there is one. */
interface Called {
  readonly name: string
  readonly arguments: string
  readonly output: string | undefined
}

type Entry = Turn | { readonly _tag: "Message"; readonly message: ChatMessage }

class Chat {
  readonly #entries: Array<Entry> = []
  /** The first output of each call. */
  readonly #outputs = new Map<string, string>()
  readonly #callIds = new Set<string>()

  readonly #heard: Request["heard"]

  constructor(conversation: ReadonlyArray<ServerItem>, heard: Request["heard"]) {
    this.#heard = heard
    for (const item of conversation) {
      if (item.type === "function_call") this.#callIds.add(item.call_id)
      if (item.type === "function_call_output" && !this.#outputs.has(item.call_id)) {
        this.#outputs.set(item.call_id, item.output)
      }
    }
  }

  add(item: ServerItem): void {
    switch (item.type) {
      case "message":
        this.#message(item)
        break
      case "function_call":
        this.#call(item)
        break
      case "function_call_output":
        // The output is stored with its call. If the call is gone, only the output is known.
        if (!this.#callIds.has(item.call_id)) this.#called({ name: "unknown", arguments: "{}", output: item.output })
        break
      case "mcp_call":
        this.#called({
          name: item.name,
          arguments: item.arguments,
          output: item.output ?? (item.error ? JSON.stringify({ error: item.error }) : undefined)
        })
        break
      default:
        // Lists of tools, and approvals, have no equivalent in a chat.
        break
    }
  }

  /** Ids are counted: some endpoints only accept ids of nine letters and digits. */
  messages(): ReadonlyArray<ChatMessage> {
    let count = 0
    return this.#entries.flatMap((entry): ReadonlyArray<ChatMessage> => {
      if (entry._tag === "Message") return [entry.message]
      const content = entry.text === "" ? null : entry.text
      if (entry.calls.length === 0) return [{ role: "assistant", content }]
      const calls = entry.calls.map((called) => {
        count += 1
        return { ...called, id: `call${String(count).padStart(5, "0")}` }
      })
      return [
        {
          role: "assistant",
          content,
          tool_calls: calls.map(({ arguments: args, id, name }) => ({
            id,
            type: "function",
            function: { name, arguments: asObject(args) }
          }))
        },
        ...calls.map(({ id, output }) => ({
          role: "tool" as const,
          tool_call_id: id,
          content: output ?? STILL_RUNNING
        }))
      ]
    })
  }

  #message(item: MessageItem): void {
    switch (item.role) {
      case "system":
        this.#put({ role: "system", content: textOf(item) })
        break
      case "user":
        this.#user(item)
        break
      case "assistant": {
        const text = textOf(item) || cutShort(this.#heard(item.id))
        // Nothing is left of a message that was cut before any of it was heard.
        if (text.trim() === "") break
        const last = this.#entries.at(-1)
        if (last?._tag === "Turn" && last.calls.length === 0) last.text = `${last.text}\n${text}`
        else this.#entries.push({ _tag: "Turn", text, calls: [] })
        break
      }
    }
  }

  /** Merges consecutive messages, because some models only support turns that alternate. */
  #user(item: MessageItem): void {
    const content = contentOf(item)
    const last = this.#entries.at(-1)
    if (last?._tag === "Message" && last.message.role === "user") {
      const before = last.message.content
      const joined =
        typeof before === "string" && typeof content === "string"
          ? `${before}\n${content}`
          : [...partsOf(before), ...partsOf(content)]
      this.#entries.splice(-1, 1, { _tag: "Message", message: { role: "user", content: joined } })
    } else this.#put({ role: "user", content })
  }

  #call(item: CallItem): void {
    const output = this.#outputs.get(item.call_id)
    // A call that was cut off while it was written does not run.
    if (item.status === "incomplete" && output === undefined) return
    this.#called({ name: item.name, arguments: item.arguments, output })
  }

  #called(called: Called): void {
    const last = this.#entries.at(-1)
    if (last?._tag === "Turn") last.calls.push(called)
    else this.#entries.push({ _tag: "Turn", text: "", calls: [called] })
  }

  #put(message: ChatMessage): void {
    this.#entries.push({ _tag: "Message", message })
  }
}

/** Tells the model that its answer was cut off, so that it continues from there. */
const cutShort = (heard: string | undefined): string => (heard === undefined || heard === "" ? "" : `${heard}…`)

const partsOf = (content: string | ReadonlyArray<UserPart>): ReadonlyArray<UserPart> =>
  typeof content === "string" ? [{ type: "text", text: content }] : content

const contentOf = (item: MessageItem): string | ReadonlyArray<UserPart> => {
  const parts = item.content.flatMap((part): ReadonlyArray<UserPart> => {
    switch (part.type) {
      case "input_image":
        return part.image_url === undefined
          ? []
          : [
              {
                type: "image_url",
                image_url: { url: part.image_url, ...(part.detail === undefined ? {} : { detail: part.detail }) }
              }
            ]
      case "input_audio":
        return [{ type: "text", text: part.transcript || NOT_UNDERSTOOD }]
      case "output_audio":
        return [{ type: "text", text: part.transcript }]
      default:
        return [{ type: "text", text: part.text }]
    }
  })
  if (parts.some(({ type }) => type === "image_url")) return parts
  return parts.map((part) => (part.type === "text" ? part.text : "")).join(" ")
}

/** Some endpoints refuse the whole conversation if a model once wrote arguments that are not a JSON object. */
const asObject = (text: string): string => {
  try {
    return isObject(JSON.parse(text)) ? text : JSON.stringify({ value: text })
  } catch {
    return JSON.stringify({ invalid: text })
  }
}
