/**
 * One response: its items, and the events that announce them in the order of the real API.
 */
import type { Ids } from "./Ids.js"
import type { McpCall, McpPart } from "./McpParts.js"
import { endOf, type McpCallItem, type McpRuns } from "./McpRuns.js"
import type { Emit } from "./Outgoing.js"
import type { RateLimit } from "./RateLimit.js"
import type { ServerConversation } from "./ServerConversation.js"
import { type CallItem, type Content, type McpItem, type MessageItem, type ServerItem, tokensOf } from "./ServerItem.js"
import type { JsonObject } from "./Shape.js"
import { audioTokens, type InputTokens, usage } from "./Usage.js"

export interface ResponseOptions {
  readonly ids: Ids
  readonly emit: Emit
  /** Where the items go; nowhere for an out-of-band response. */
  readonly conversation: ServerConversation | undefined
  /** How many items of the conversation had come when it was read. */
  readonly seen: number
  readonly conversationId: string
  readonly modality: "text" | "audio"
  readonly metadata: { readonly [key: string]: string } | null
  readonly maxOutputTokens: number | "inf"
  readonly inputTokens: InputTokens
  readonly rateLimits: ReadonlyArray<RateLimit>
  /** Format and voice, as the response object shows them. */
  readonly audio: JsonObject
  /** Remembers what a client was asked to approve. */
  readonly asked: (requestId: string, call: McpCall) => void
  /** Runs a call of an MCP tool beside the responses, now that this one is over. */
  readonly left: McpRuns["left"]
  /** Plays the audio, where the server does so itself. Absent: it is sent. */
  readonly play: ((itemId: string, ms: number) => void) | undefined
  /** It has ended, and said so. */
  readonly done: (response: ServerResponse) => void
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
  | { readonly _tag: "McpCall"; readonly item: McpCallItem; readonly index: number; text: string }

export class ServerResponse {
  readonly id: string
  readonly #options: ResponseOptions
  readonly #items: Array<ServerItem> = []
  #open: Open = { _tag: "Nothing" }
  /** The calls of MCP tools that run when the response is over. */
  readonly #left: Array<{ readonly item: McpCallItem; readonly call: McpCall; readonly output_index: number }> = []
  #outputTokens = 0
  /** What was counted by who knows better than the estimate. */
  #counted: { readonly input: number; readonly output: number } | undefined
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

  /** How long what was said so far takes to play, in milliseconds. */
  get audioMs(): number {
    return this.#audioMs
  }

  /** Whether the output has reached `max_output_tokens`. */
  get full(): boolean {
    const { maxOutputTokens } = this.#options
    return maxOutputTokens !== "inf" && this.#outputTokens + audioTokens(this.#audioMs) >= maxOutputTokens
  }

  begin(): void {
    const { emit, rateLimits } = this.#options
    emit({ type: "response.created", response: this.#snapshot(undefined) })
    emit({ type: "rate_limits.updated", rate_limits: rateLimits })
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
    // From here on, the item has a part that can be truncated.
    this.#options.conversation?.replace({ ...item, content: [this.#content("")] })
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

  startMcpCall(call: McpCall): void {
    if (!this.active) return
    const item: McpCallItem = {
      id: this.#itemId(),
      type: "mcp_call",
      server_label: call.serverLabel,
      name: call.name,
      arguments: "",
      approval_request_id: call.approvalRequestId,
      output: null,
      error: null
    }
    this.#add(item)
    this.#open = { _tag: "McpCall", item, index: this.#items.length - 1, text: "" }
  }

  /** The next piece of what is being said, or of the arguments. */
  delta(delta: string): void {
    const open = this.#open
    if (!this.active || open._tag === "Nothing") return
    open.text += delta
    this.#outputTokens += tokensOf(delta)
    const place = this.#place(open.item.id)
    const { emit } = this.#options
    if (open._tag === "Call") {
      emit({ type: "response.function_call_arguments.delta", ...place, call_id: open.item.call_id, delta })
    } else if (open._tag === "McpCall") {
      emit({ type: "response.mcp_call_arguments.delta", ...place, delta })
    } else if (this.modality === "text") {
      emit({ type: "response.output_text.delta", ...place, content_index: 0, delta })
    } else {
      emit({ type: "response.output_audio_transcript.delta", ...place, content_index: 0, delta })
    }
  }

  /** The next piece of speech, base64, `ms` long. */
  audio(delta: string, ms: number): void {
    const open = this.#open
    if (!this.active || open._tag !== "Message") return
    this.#audioMs += ms
    this.#options.conversation?.spoken(open.item.id, ms)
    const { emit, play } = this.#options
    if (play !== undefined) play(open.item.id, ms)
    else emit({ type: "response.output_audio.delta", ...this.#place(open.item.id), content_index: 0, delta })
  }

  /** The mind has counted its tokens, all of them text. */
  counted(input: number, output: number): void {
    this.#counted = { input, output }
  }

  /** The arguments of the MCP call are complete: its server is asked. */
  runMcpCall(): void {
    const open = this.#open
    if (!this.active || open._tag !== "McpCall") return
    const { conversation, emit } = this.#options
    const place = this.#place(open.item.id)
    emit({ type: "response.mcp_call_arguments.done", ...place, arguments: open.text })
    emit({ type: "response.mcp_call.in_progress", item_id: place.item_id, output_index: place.output_index })
    this.#open = { ...open, item: { ...open.item, arguments: open.text } }
    conversation?.replace(this.#open.item)
  }

  endMcpCall({ manner, result }: McpCall): void {
    const open = this.#open
    if (!this.active || open._tag !== "McpCall") return
    const ended = () => this.#options.emit({ type: endOf(result), item_id: open.item.id, output_index: open.index })
    if (manner.item !== "before") ended()
    this.#close(open.index, { ...open.item, ...result })
    if (manner.item === "before") ended()
  }

  /** The arguments of the MCP call are complete; its server is asked when the response is over. */
  leaveMcpCall(call: McpCall): void {
    const open = this.#open
    if (!this.active || open._tag !== "McpCall") return
    const { conversation, emit } = this.#options
    const item = { ...open.item, arguments: open.text }
    emit({ type: "response.mcp_call_arguments.done", ...this.#place(item.id), arguments: open.text })
    this.#items[open.index] = item
    conversation?.replace(item)
    this.#left.push({ item, call, output_index: open.index })
    this.#open = { _tag: "Nothing" }
  }

  /** Asks the client to approve the call of an MCP tool. */
  askApproval(call: McpCall): void {
    if (!this.active) return
    const item: McpItem = {
      id: this.#itemId(),
      type: "mcp_approval_request",
      server_label: call.serverLabel,
      name: call.name,
      arguments: call.arguments
    }
    this.#options.asked(item.id, call)
    this.#add(item)
    this.#close(this.#items.length - 1, item)
  }

  /** Lists the tools of an MCP server: in the conversation, not in the output. */
  listMcpTools(part: Extract<McpPart, { readonly _tag: "McpListTools" }>): void {
    if (!this.active) return
    const { conversation, emit } = this.#options
    const item_id = this.#itemId()
    const item = { id: item_id, type: "mcp_list_tools" as const, server_label: part.serverLabel }
    const previous = conversation?.insert({ ...item, tools: [] }, undefined)
    if (previous !== undefined) {
      emit({ type: "conversation.item.added", previous_item_id: previous, item: { ...item, tools: [] } })
    }
    emit({ type: "mcp_list_tools.in_progress", item_id })
    const tools = part.tools.map((tool) => ({ ...tool, input_schema: tool.input_schema ?? { type: "object" } }))
    emit({ type: `mcp_list_tools.${part.outcome}`, item_id })
    if (conversation?.has(item_id)) {
      conversation.replace({ ...item, tools })
      const previous_item_id = conversation.previousOf(item_id)
      emit({ type: "conversation.item.done", previous_item_id, item: { ...item, tools } })
    }
  }

  /** Ends the item that is open. Its `done` events come out whether or not it got to its end. */
  endItem(status: "completed" | "incomplete"): void {
    const open = this.#open
    if (!this.active) return
    switch (open._tag) {
      case "Nothing":
        break
      case "Message":
        this.#close(open.index, this.#endMessage(open.item, open.text, status))
        break
      case "Call":
        this.#close(open.index, this.#endCall(open.item, open.text, status))
        break
      case "McpCall":
        // An MCP call has no status: one that was cut off has neither an output nor an error.
        this.#close(open.index, { ...open.item, arguments: open.text })
        break
    }
  }

  /** Ends the response, whatever it was doing; what comes later is not sent any more. */
  finish(details: StatusDetails): void {
    if (!this.active) return
    this.endItem("incomplete")
    this.#status = details.type
    if (details.type === "failed") for (const { id } of this.#items) this.#options.conversation?.hasFailed(id)
    this.#options.emit({ type: "response.done", response: this.#snapshot(details) })
    for (const { call, item, output_index } of this.#left) {
      if (details.type === "completed") this.#options.left(item, call, { response_id: this.id, output_index })
    }
    this.#options.done(this)
  }

  #itemId(): string {
    const { ids, conversation } = this.#options
    return ids.unused("item", (id) => conversation?.has(id) === true)
  }

  #place(item_id: string) {
    return { response_id: this.id, item_id, output_index: this.#items.length - 1 }
  }

  #content(said: string): Content {
    return this.modality === "text" ? { type: "output_text", text: said } : { type: "output_audio", transcript: said }
  }

  #add(item: ServerItem): void {
    this.#items.push(item)
    const { conversation, emit } = this.#options
    emit({ type: "response.output_item.added", response_id: this.id, output_index: this.#items.length - 1, item })
    if (conversation !== undefined) {
      const previous_item_id = conversation.insert(item, undefined, this.#options.seen)
      emit({ type: "conversation.item.added", previous_item_id, item })
    }
  }

  #close(index: number, item: ServerItem): void {
    this.#open = { _tag: "Nothing" }
    this.#items[index] = item
    const { conversation, emit } = this.#options
    emit({ type: "response.output_item.done", response_id: this.id, output_index: index, item })
    if (conversation?.has(item.id)) {
      conversation.replace(item)
      emit({ type: "conversation.item.done", previous_item_id: conversation.previousOf(item.id), item })
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
    } else {
      emit({ type: "response.output_audio.done", ...place })
      emit({ type: "response.output_audio_transcript.done", ...place, transcript: said })
      emit({ type: "response.content_part.done", ...place, part: { type: "audio", transcript: said } })
    }
    return { ...item, status, content: [this.#content(said)] }
  }

  #snapshot(details: StatusDetails | undefined) {
    const { conversation, conversationId, metadata, maxOutputTokens, modality, audio, inputTokens } = this.#options
    const counted = this.#counted
    const input = counted === undefined ? inputTokens : { text: counted.input, audio: 0 }
    const output = { text: counted?.output ?? this.#outputTokens, audio: audioTokens(this.#audioMs) }
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
      usage: details === undefined ? null : usage(input, output),
      metadata
    }
  }
}
