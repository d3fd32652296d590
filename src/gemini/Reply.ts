/** One turn of the model as a response of the session's protocol: its items, and the events that announce them. */
import type { FunctionCallItem, Item, MessageItem } from "../protocol/Item.js"
import type { Response } from "../protocol/Response.js"
import type { Line } from "./Line.js"
import type { Voice } from "./Sound.js"
import type { FunctionCall, Usage } from "./Wire.js"

export interface ReplyOptions {
  readonly id: string
  readonly line: Line
  readonly speaks: boolean
  readonly voice: Voice
  /** Of the request that it answers. */
  readonly metadata: Response["metadata"]
}

/** How a response ends. */
export type End =
  | { readonly status: "completed" }
  | { readonly status: "cancelled"; readonly reason: "turn_detected" | "client_cancelled" }
  | { readonly status: "incomplete"; readonly reason: "max_output_tokens" | "content_filter" }
  | { readonly status: "failed"; readonly code: string; readonly message: string }

/** The message that is being said or written. */
interface Open {
  readonly id: string
  readonly index: number
  readonly previous: string | null
  text: string
  /** Whether its audio is complete. */
  isHeard: boolean
}

export class Reply {
  readonly id: string
  readonly #options: ReplyOptions
  readonly #items: Array<Item> = []
  #open: Open | undefined
  /** The message that ended last: late words and audio are its. */
  #last: Open | undefined

  constructor(options: ReplyOptions) {
    this.#options = options
    this.id = options.id
    options.line.emit({ type: "response.created", response: this.#response("in_progress") })
  }

  /** More words: written, or said. */
  words(delta: string): void {
    const open = this.#message()
    open.text += delta
    const type = this.#options.speaks ? "response.output_audio_transcript.delta" : "response.output_text.delta"
    this.#options.line.emit({ type, ...this.#place(open), delta })
  }

  /** More speech, base64. Returns `false` if it is not audio. */
  audio(data: string, rate: number): boolean {
    const delta = this.#options.voice.convert(data, rate)
    if (delta === undefined) return false
    const open = this.#message()
    if (delta !== "") this.#options.line.emit({ type: "response.output_audio.delta", ...this.#place(open), delta })
    return true
  }

  /** Everything of the message was made. It may still be played. */
  generated(): void {
    const open = this.#open
    if (open === undefined || open.isHeard || !this.#options.speaks) return
    open.isHeard = true
    const rest = this.#options.voice.flush()
    if (rest !== "") this.#options.line.emit({ type: "response.output_audio.delta", ...this.#place(open), delta: rest })
    this.#options.line.emit({ type: "response.output_audio.done", ...this.#place(open) })
  }

  call({ args, id, name }: FunctionCall & { readonly id: string }): void {
    this.#endMessage("completed")
    const { line } = this.#options
    const index = this.#items.length
    const itemId = line.newId("item")
    const previous_item_id = line.follow(itemId)
    const text = JSON.stringify(args)
    const begun: FunctionCallItem = {
      type: "function_call",
      id: itemId,
      object: "realtime.item",
      status: "in_progress",
      name,
      call_id: id,
      arguments: ""
    }
    const done: FunctionCallItem = { ...begun, status: "completed", arguments: text }
    const place = { response_id: this.id, output_index: index }
    line.emit({ type: "response.output_item.added", ...place, item: begun })
    line.emit({ type: "conversation.item.added", previous_item_id, item: begun })
    line.emit({
      type: "response.function_call_arguments.done",
      ...place,
      item_id: itemId,
      call_id: id,
      name,
      arguments: text
    })
    this.#items[index] = done
    line.emit({ type: "response.output_item.done", ...place, item: done })
    line.emit({ type: "conversation.item.done", previous_item_id, item: done })
  }

  /** Words or speech that come after the end: Gemini promises no order. Returns `false` if there is no message for it. */
  late(words: string | undefined, audio: { readonly data: string; readonly rate: number } | undefined): boolean {
    const last = this.#last
    if (last === undefined) return false
    if (words !== undefined && this.#options.speaks) {
      last.text += words
      this.#options.line.emit({ type: "response.output_audio_transcript.delta", ...this.#place(last), delta: words })
    }
    if (audio === undefined) return true
    const delta = this.#options.voice.convert(audio.data, audio.rate)
    if (delta !== undefined && delta !== "") {
      this.#options.line.emit({ type: "response.output_audio.delta", ...this.#place(last), delta })
    }
    return true
  }

  end(end: End, usage: Usage | undefined): void {
    this.#endMessage(end.status === "completed" ? "completed" : "incomplete")
    this.#options.line.emit({ type: "response.done", response: this.#response(end.status, end, usage) })
  }

  #message(): Open {
    if (this.#open !== undefined) return this.#open
    const { line, speaks } = this.#options
    const id = line.newId("item")
    const index = this.#items.length
    const open: Open = { id, index, previous: line.follow(id), text: "", isHeard: false }
    const item = this.#item(open, "in_progress", [])
    this.#items[index] = item
    line.emit({ type: "response.output_item.added", response_id: this.id, output_index: index, item })
    line.emit({ type: "conversation.item.added", previous_item_id: open.previous, item })
    const part = speaks ? ({ type: "audio", transcript: "" } as const) : ({ type: "text", text: "" } as const)
    line.emit({ type: "response.content_part.added", ...this.#place(open), part })
    this.#open = open
    return open
  }

  #endMessage(status: "completed" | "incomplete"): void {
    const open = this.#open
    if (open === undefined) return
    const { line, speaks } = this.#options
    const { index, previous, text } = open
    this.generated()
    const place = this.#place(open)
    if (speaks) line.emit({ type: "response.output_audio_transcript.done", ...place, transcript: text })
    else line.emit({ type: "response.output_text.done", ...place, text })
    const part = speaks ? ({ type: "audio", transcript: text } as const) : ({ type: "text", text } as const)
    line.emit({ type: "response.content_part.done", ...place, part })
    const content = speaks
      ? { type: "output_audio" as const, transcript: text }
      : { type: "output_text" as const, text }
    const item = this.#item(open, status, [content])
    this.#items[index] = item
    line.emit({ type: "response.output_item.done", response_id: this.id, output_index: index, item })
    line.emit({ type: "conversation.item.done", previous_item_id: previous, item })
    this.#open = undefined
    this.#last = open
  }

  #place({ id, index }: Open) {
    return { response_id: this.id, item_id: id, output_index: index, content_index: 0 }
  }

  #item({ id }: Open, status: NonNullable<MessageItem["status"]>, content: MessageItem["content"]): MessageItem {
    return { type: "message", id, object: "realtime.item", role: "assistant", status, content }
  }

  #response(status: NonNullable<Response["status"]>, end?: End, usage?: Usage): Response {
    return {
      object: "realtime.response",
      id: this.id,
      status,
      status_details: end === undefined || end.status === "completed" ? null : detailsOf(end),
      output: [...this.#items],
      conversation_id: "conv_gemini",
      output_modalities: [this.#options.speaks ? "audio" : "text"],
      metadata: this.#options.metadata ?? null,
      usage: usage === undefined ? null : usageOf(usage)
    }
  }
}

const detailsOf = (end: Exclude<End, { readonly status: "completed" }>): NonNullable<Response["status_details"]> =>
  end.status === "failed"
    ? { type: "failed", error: { type: "server_error", code: end.code, message: end.message } }
    : { type: end.status, reason: end.reason }

const usageOf = ({ cached, prompt, promptOf, response, responseOf, total }: Usage): NonNullable<Response["usage"]> => ({
  total_tokens: total,
  input_tokens: prompt,
  output_tokens: response,
  input_token_details: {
    text_tokens: promptOf.text,
    audio_tokens: promptOf.audio,
    image_tokens: promptOf.image,
    cached_tokens: cached
  },
  output_token_details: { text_tokens: responseOf.text, audio_tokens: responseOf.audio }
})
