/**
 * One response: its items, and the events that announce them in the order of the real API.
 */
import type { Ids } from "./Ids.js"
import type { FunctionTool } from "./Mind.js"
import type { Emit } from "./Outgoing.js"
import type { ServerConversation } from "./ServerConversation.js"
import { type CallItem, type MessageItem, type ServerItem, textOf, tokensOf } from "./ServerItem.js"
import type { JsonObject } from "./Shape.js"

export interface ResponseOptions {
  readonly ids: Ids
  readonly emit: Emit
  /** Where the items go; nowhere for an out-of-band response. */
  readonly conversation: ServerConversation | undefined
  readonly conversationId: string
  readonly modality: "text" | "audio"
  readonly metadata: { readonly [key: string]: string } | null
  readonly maxOutputTokens: number | "inf"
  readonly inputTokens: number
  /** Format and voice, as the response object shows them. */
  readonly audio: JsonObject
}

export interface StatusDetails {
  readonly type: "completed" | "cancelled" | "failed" | "incomplete"
  readonly reason?: "turn_detected" | "client_cancelled" | "max_output_tokens" | "content_filter"
  readonly error?: { readonly type: string; readonly code: string; readonly message: string }
}

type Open =
  | { readonly _tag: "Nothing" }
  | { readonly _tag: "Message"; readonly item: MessageItem; readonly index: number; text: string }
  | { readonly _tag: "Call"; readonly item: CallItem; readonly index: number; text: string }

export class ServerResponse {
  readonly id: string
  readonly #options: ResponseOptions
  readonly #items: Array<ServerItem> = []
  #open: Open = { _tag: "Nothing" }
  #outputTokens = 0
  #audioMs = 0
  #status: "in_progress" | StatusDetails["type"] = "in_progress"

  constructor(options: ResponseOptions) {
    this.#options = options
    this.id = options.ids.next("resp")
  }

  get active(): boolean {
    return this.#status === "in_progress"
  }

  get inBand(): boolean {
    return this.#options.conversation !== undefined
  }

  get modality(): "text" | "audio" {
    return this.#options.modality
  }

  /** Whether the output has reached `max_output_tokens`. */
  get full(): boolean {
    const { maxOutputTokens } = this.#options
    return maxOutputTokens !== "inf" && this.#outputTokens >= maxOutputTokens
  }

  begin(): void {
    this.#options.emit({ type: "response.created", response: this.#snapshot(undefined) })
    this.#options.emit({
      type: "rate_limits.updated",
      rate_limits: [
        { name: "requests", limit: 1_000, remaining: 999, reset_seconds: 0.06 },
        { name: "tokens", limit: 50_000, remaining: 45_000, reset_seconds: 6 }
      ]
    })
  }

  startMessage(phase: string | undefined): void {
    if (!this.active) return
    const item: MessageItem = {
      id: this.#itemId(),
      object: "realtime.item",
      type: "message",
      role: "assistant",
      status: "in_progress",
      ...(phase === undefined ? {} : { phase }),
      content: []
    }
    this.#add(item)
    this.#open = { _tag: "Message", item, index: this.#items.length - 1, text: "" }
    const part =
      this.modality === "text" ? { type: "text" as const, text: "" } : { type: "audio" as const, transcript: "" }
    this.#options.emit({ type: "response.content_part.added", ...this.#place(item.id), content_index: 0, part })
  }

  startCall(name: string, callId: string | undefined): void {
    if (!this.active) return
    const { ids, conversation } = this.#options
    const item: CallItem = {
      id: this.#itemId(),
      object: "realtime.item",
      type: "function_call",
      status: "in_progress",
      name,
      call_id: callId ?? ids.unused("call", (id) => conversation?.call(id) !== undefined),
      arguments: ""
    }
    this.#add(item)
    this.#open = { _tag: "Call", item, index: this.#items.length - 1, text: "" }
  }

  /** The next piece of what is being said, or of the arguments. */
  delta(delta: string): void {
    const open = this.#open
    if (!this.active || open._tag === "Nothing") return
    open.text += delta
    this.#outputTokens += tokensOf(delta)
    const place = this.#place(open.item.id)
    if (open._tag === "Call") {
      const call_id = open.item.call_id
      this.#options.emit({ type: "response.function_call_arguments.delta", ...place, call_id, delta })
    } else if (this.modality === "text") {
      this.#options.emit({ type: "response.output_text.delta", ...place, content_index: 0, delta })
    } else {
      this.#options.emit({ type: "response.output_audio_transcript.delta", ...place, content_index: 0, delta })
    }
  }

  /** The next piece of speech, base64, `ms` long. */
  audio(delta: string, ms: number): void {
    const open = this.#open
    if (!this.active || open._tag !== "Message") return
    this.#audioMs += ms
    this.#options.conversation?.spoken(open.item.id, ms)
    this.#options.emit({ type: "response.output_audio.delta", ...this.#place(open.item.id), content_index: 0, delta })
  }

  /** Ends the item that is open. Its `done` events come out whether or not it got to its end. */
  endItem(status: "completed" | "incomplete"): void {
    const open = this.#open
    if (!this.active || open._tag === "Nothing") return
    this.#open = { _tag: "Nothing" }
    const item =
      open._tag === "Call"
        ? this.#endCall(open.item, open.text, status)
        : this.#endMessage(open.item, open.text, status)
    this.#items[open.index] = item
    const { conversation, emit } = this.#options
    emit({ type: "response.output_item.done", response_id: this.id, output_index: open.index, item })
    if (conversation?.has(item.id)) {
      conversation.replace(item)
      emit({ type: "conversation.item.done", previous_item_id: conversation.previousOf(item.id), item })
    }
  }

  /** Ends the response, whatever it was doing; what comes later is not sent any more. */
  finish(details: StatusDetails): void {
    if (!this.active) return
    this.endItem("incomplete")
    this.#status = details.type
    this.#options.emit({ type: "response.done", response: this.#snapshot(details) })
  }

  #itemId(): string {
    const { ids, conversation } = this.#options
    return ids.unused("item", (id) => conversation?.has(id) === true)
  }

  #place(item_id: string) {
    return { response_id: this.id, item_id, output_index: this.#items.length - 1 }
  }

  #add(item: ServerItem): void {
    this.#items.push(item)
    const { conversation, emit } = this.#options
    emit({ type: "response.output_item.added", response_id: this.id, output_index: this.#items.length - 1, item })
    if (conversation !== undefined) {
      emit({ type: "conversation.item.added", previous_item_id: conversation.insert(item, undefined), item })
    }
  }

  #endCall(item: CallItem, args: string, status: "completed" | "incomplete"): CallItem {
    this.#options.emit({
      type: "response.function_call_arguments.done",
      ...this.#place(item.id),
      call_id: item.call_id,
      name: item.name,
      arguments: args
    })
    return { ...item, status, arguments: args }
  }

  #endMessage(item: MessageItem, said: string, status: "completed" | "incomplete"): MessageItem {
    const place = { ...this.#place(item.id), content_index: 0 }
    const { emit } = this.#options
    if (this.modality === "text") {
      emit({ type: "response.output_text.done", ...place, text: said })
      emit({ type: "response.content_part.done", ...place, part: { type: "text", text: said } })
      return { ...item, status, content: [{ type: "output_text", text: said }] }
    }
    emit({ type: "response.output_audio.done", ...place })
    emit({ type: "response.output_audio_transcript.done", ...place, transcript: said })
    emit({ type: "response.content_part.done", ...place, part: { type: "audio", transcript: said } })
    return { ...item, status, content: [{ type: "output_audio", transcript: said }] }
  }

  #snapshot(details: StatusDetails | undefined) {
    const { conversation, conversationId, metadata, maxOutputTokens, modality, audio } = this.#options
    return {
      object: "realtime.response" as const,
      id: this.id,
      status: this.#status,
      status_details: details === undefined || details.type === "completed" ? null : details,
      output: [...this.#items],
      conversation_id: conversation === undefined ? null : conversationId,
      output_modalities: [modality],
      max_output_tokens: maxOutputTokens,
      audio,
      usage: details === undefined ? null : this.#usage(),
      metadata
    }
  }

  #usage() {
    const { inputTokens } = this.#options
    // About one token for 50 ms of what is said aloud.
    const audioTokens = Math.ceil(this.#audioMs / 50)
    const textTokens = this.#outputTokens
    return {
      total_tokens: inputTokens + textTokens + audioTokens,
      input_tokens: inputTokens,
      output_tokens: textTokens + audioTokens,
      input_token_details: {
        text_tokens: inputTokens,
        audio_tokens: 0,
        image_tokens: 0,
        cached_tokens: 0,
        cached_tokens_details: { text_tokens: 0, audio_tokens: 0, image_tokens: 0 }
      },
      output_token_details: { text_tokens: textTokens, audio_tokens: audioTokens }
    }
  }
}

/** What a response reads before it says anything. */
export const inputTokens = (
  conversation: ReadonlyArray<ServerItem>,
  instructions: string,
  tools: ReadonlyArray<FunctionTool>
): number => {
  let tokens = tokensOf(instructions)
  for (const tool of tools) tokens += tokensOf(tool.name + tool.description + JSON.stringify(tool.parameters))
  for (const item of conversation) {
    switch (item.type) {
      case "message":
        tokens += tokensOf(textOf(item))
        break
      case "function_call":
        tokens += tokensOf(item.name + item.arguments)
        break
      case "function_call_output":
        tokens += tokensOf(item.output)
        break
      default:
        break
    }
  }
  return tokens
}
