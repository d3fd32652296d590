/**
 * The conversation of one connection: items by id, in order. Only the length of its session limits it: as on the real
 * API, only the client deletes items. So the cost of an event must not grow with the conversation: values that others
 * need are counted and indexed as it changes, and its list is made on demand.
 */

import type { Kept } from "./Budget.js"
import { type CallItem, type MessageItem, type ServerItem, textOf } from "./ServerItem.js"
import { type Refusal, refusal } from "./Shape.js"
import { type InputTokens, tokensOfItem } from "./Usage.js"

/** The size of an item besides its text, in maps and lists. Bytes, as measured. */
const OVERHEAD = 400

interface Node {
  item: ServerItem
  /** Its number in order of arrival; 0 if it was inserted before others, which count as having seen it. */
  readonly arrival: number
  /** How many items had arrived when the response that made this item read the conversation. */
  seen: number | undefined
  /** The tokens that a response reads of it. */
  tokens: InputTokens
  previous: Node | undefined
  next: Node | undefined
}

/** Where an item was cut, in milliseconds, and all that it said. */
interface Cut {
  readonly endMs: number
  readonly ofMs: number
  readonly text: string
}

const NO_TOKENS: InputTokens = { text: 0, audio: 0 }

export class ServerConversation {
  readonly #nodes = new Map<string, Node>()
  #first: Node | undefined
  #last: Node | undefined
  #tokens = NO_TOKENS
  #arrivals = 0
  /** The list as it was last returned, until something changes. */
  #shown: ReadonlyArray<ServerItem> | undefined
  /** Calls by call id: a client may have brought several with the same id. */
  readonly #calls = new Map<string, Set<string>>()
  /** Approval requests that were answered. */
  readonly #decided = new Set<string>()
  /** The length of the audio of each item, from either side, in milliseconds. */
  readonly #audioMs = new Map<string, number>()
  /** The user's audio, as base64, by item and part, as far as the server has room for it. */
  readonly #heard = new Map<string, Map<number, Kept<string>>>()
  /** Items that were cut: later events do not make them longer, or restore their words. */
  readonly #truncated = new Map<string, Cut>()
  readonly #outputs: Array<{ readonly callId: string; readonly output: string }> = []

  /** Its approximate length as text. */
  get length(): number {
    const cut = [...this.#truncated.values()].reduce((length, { text }) => length + text.length, 0)
    return this.snapshot().reduce((length, item) => length + OVERHEAD + JSON.stringify(item).length, cut)
  }

  /** It is no longer needed. */
  forget(): void {
    for (const all of [this.#nodes, this.#calls, this.#decided, this.#audioMs, this.#heard, this.#truncated])
      all.clear()
    this.#outputs.length = 0
    this.#first = undefined
    this.#last = undefined
    this.#tokens = NO_TOKENS
    this.#shown = undefined
  }

  has(id: string): boolean {
    return this.#nodes.has(id)
  }

  get(id: string): ServerItem | undefined {
    return this.#nodes.get(id)?.item
  }

  get last(): string | null {
    return this.#last?.item.id ?? null
  }

  /** The same list until something changes. */
  snapshot(): ReadonlyArray<ServerItem> {
    if (this.#shown !== undefined) return this.#shown
    const items: Array<ServerItem> = []
    for (let node = this.#first; node !== undefined; node = node.next) items.push(node.item)
    this.#shown = items
    return items
  }

  /** The items that had arrived when `arrivals` was this number, in their present state and order. */
  arrived(arrivals: number): ReadonlyArray<ServerItem> {
    if (arrivals >= this.#arrivals) return this.snapshot()
    return this.snapshot().filter(({ id }) => (this.#nodes.get(id)?.arrival ?? 0) <= arrivals)
  }

  /** The tokens that a response reads if it begins now. */
  get tokens(): InputTokens {
    return this.#tokens
  }

  /** How many items have ever arrived. */
  get arrivals(): number {
    return this.#arrivals
  }

  /**
   * Whether the response that made an item had read another one. Items from a client count as having read everything.
   */
  hasSeen(made: string, other: string): boolean {
    const seen = this.#nodes.get(made)?.seen
    const arrival = this.#nodes.get(other)?.arrival
    return seen === undefined || arrival === undefined || arrival <= seen
  }

  /** Marks an item of a failed response: it answers nothing that the response had read. */
  hasFailed(id: string): void {
    const node = this.#nodes.get(id)
    if (node?.item.type === "message") node.seen = 0
  }

  /** All accepted outputs, including repeated ones for a call. */
  get outputs(): ReadonlyArray<{ readonly callId: string; readonly output: string }> {
    return this.#outputs
  }

  call(callId: string): CallItem | undefined {
    for (const id of this.#calls.get(callId) ?? []) {
      const item = this.get(id)
      if (item?.type === "function_call") return item
    }
    return undefined
  }

  /** Returns why an item cannot be inserted there, if it cannot. */
  refuse(item: ServerItem, previous: string | null | undefined): Refusal | undefined {
    if (this.has(item.id)) {
      return refusal("item_create_duplicate_id", `Item with id '${item.id}' already exists in conversation.`, "item.id")
    }
    if (item.type === "function_call_output" && this.call(item.call_id) === undefined) {
      return refusal(
        "invalid_tool_call_id",
        `Tool call ID '${item.call_id}' not found in conversation.`,
        "item.call_id"
      )
    }
    if (item.type === "mcp_approval_response") {
      const problem = this.#refuseApproval(item.approval_request_id)
      if (problem !== undefined) return problem
    }
    if (previous !== null && previous !== undefined && previous !== "root" && !this.has(previous)) {
      return refusal(
        "invalid_value",
        `Previous item with id '${previous}' not found in conversation.`,
        "previous_item_id"
      )
    }
    return undefined
  }

  /**
   * Inserts an item after `previous` (`root`: at the front; absent: at the end), and returns the id that it now
   * follows. `seen`: how many items had arrived when the response that makes it read the conversation.
   */
  insert(item: ServerItem, previous: string | null | undefined, seen?: number): string | null {
    // A client may have taken the id of a turn that was announced to it.
    this.delete(item.id)
    const behind = this.#behind(previous)
    this.#arrivals += 1
    const arrival = behind === this.#last ? this.#arrivals : 0
    const node: Node = { item, arrival, seen, tokens: NO_TOKENS, previous: undefined, next: undefined }
    this.#link(node, behind)
    this.#nodes.set(item.id, node)
    this.#index(item)
    this.#changed(node)
    return node.previous?.item.id ?? null
  }

  /** Replaces an item with its new state. It stays of the same kind. */
  replace(item: ServerItem): void {
    const node = this.#nodes.get(item.id)
    if (node === undefined) return
    const cut = this.#truncated.get(item.id)
    if (cut !== undefined && item.type === "message") {
      // What is replaced after the cut has no words any more, or all of them, where it was still being said.
      this.#truncated.set(item.id, { ...cut, text: textOf(item) || cut.text })
      node.item = withoutTranscript(item)
    } else node.item = item
    this.#changed(node)
  }

  /** What a listener heard of an item that was cut, about: the words that fit into its part of the time. */
  heardOf(id: string): string | undefined {
    const cut = this.#truncated.get(id)
    if (cut === undefined) return undefined
    const { endMs, ofMs, text } = cut
    return endMs >= ofMs ? text : text.slice(0, Math.floor((text.length * endMs) / ofMs)).replace(/\s*\S*$/, "")
  }

  previousOf(id: string): string | null {
    return this.#nodes.get(id)?.previous?.item.id ?? null
  }

  delete(id: string): boolean {
    const node = this.#nodes.get(id)
    if (node === undefined) return false
    this.#nodes.delete(id)
    this.#unlink(node)
    this.#unindex(node.item)
    this.#count(node, NO_TOKENS)
    this.#shown = undefined
    this.#audioMs.delete(id)
    this.#heard.delete(id)
    this.#truncated.delete(id)
    return true
  }

  spoken(id: string, ms: number): void {
    if (!this.#truncated.has(id)) this.#lasts(id, this.audioMs(id) + ms)
  }

  heard(id: string, contentIndex: number, audio: Kept<string>): void {
    if (!this.#nodes.has(id)) return
    const parts = this.#heard.get(id) ?? new Map<number, Kept<string>>()
    this.#heard.set(id, parts.set(contentIndex, audio))
  }

  /** The audio of this part of the user's item, as base64. */
  audio(id: string, contentIndex: number): string | undefined {
    return this.#heard.get(id)?.get(contentIndex)?.value
  }

  audioMs(id: string): number {
    return this.#audioMs.get(id) ?? 0
  }

  /** Cuts audio at `endMs`. Returns why that is not possible, if it is not. */
  truncate(id: string, contentIndex: number, endMs: number): Refusal | undefined {
    const item = this.get(id)
    if (item === undefined) {
      return refusal(
        "item_truncate_invalid_item_id",
        `Error truncating item: the item with id '${id}' does not exist.`,
        "item_id"
      )
    }
    const part = item.type === "message" ? item.content[contentIndex] : undefined
    if (item.type !== "message" || part?.type !== "output_audio") {
      return refusal("invalid_value", "Only model output audio messages can be truncated", "content_index")
    }
    const length = Math.round(this.audioMs(id))
    if (endMs > length) {
      return refusal("invalid_value", `Audio content of ${length}ms is already shorter than ${endMs}ms`, "audio_end_ms")
    }
    this.#lasts(id, endMs)
    const cut = this.#truncated.get(id)
    this.#truncated.set(id, { endMs, ofMs: cut?.ofMs ?? length, text: cut?.text ?? "" })
    this.replace(item)
    return undefined
  }

  #refuseApproval(requestId: string): Refusal | undefined {
    const param = "item.approval_request_id"
    if (this.get(requestId)?.type !== "mcp_approval_request") {
      return refusal("invalid_value", `Approval request with id '${requestId}' not found in conversation.`, param)
    }
    if (this.#decided.has(requestId)) {
      return refusal("invalid_value", `Approval request with id '${requestId}' was answered already.`, param)
    }
    return undefined
  }

  /** Records the length of an item's audio. */
  #lasts(id: string, ms: number): void {
    this.#audioMs.set(id, ms)
    const node = this.#nodes.get(id)
    if (node !== undefined) this.#count(node, tokensOfItem(node.item, ms))
  }

  #changed(node: Node): void {
    this.#shown = undefined
    this.#count(node, tokensOfItem(node.item, this.audioMs(node.item.id)))
  }

  /** Changes how many tokens a response reads of this item. */
  #count(node: Node, tokens: InputTokens): void {
    const { audio, text } = this.#tokens
    this.#tokens = { text: text - node.tokens.text + tokens.text, audio: audio - node.tokens.audio + tokens.audio }
    node.tokens = tokens
  }

  #index(item: ServerItem): void {
    if (item.type === "function_call") {
      const calls = this.#calls.get(item.call_id) ?? new Set<string>()
      this.#calls.set(item.call_id, calls.add(item.id))
    }
    if (item.type === "function_call_output") this.#outputs.push({ callId: item.call_id, output: item.output })
    if (item.type === "mcp_approval_response") this.#decided.add(item.approval_request_id)
  }

  #unindex(item: ServerItem): void {
    if (item.type === "mcp_approval_response") this.#decided.delete(item.approval_request_id)
    if (item.type !== "function_call") return
    const calls = this.#calls.get(item.call_id)
    calls?.delete(item.id)
    if (calls?.size === 0) this.#calls.delete(item.call_id)
  }

  #behind(previous: string | null | undefined): Node | undefined {
    if (previous === null || previous === undefined) return this.#last
    return previous === "root" ? undefined : this.#nodes.get(previous)
  }

  /** Inserts it after this one; without one, at the front. */
  #link(node: Node, previous: Node | undefined): void {
    const next = previous === undefined ? this.#first : previous.next
    node.previous = previous
    node.next = next
    if (previous === undefined) this.#first = node
    else previous.next = node
    if (next === undefined) this.#last = node
    else next.previous = node
  }

  #unlink(node: Node): void {
    if (node.previous === undefined) this.#first = node.next
    else node.previous.next = node.next
    if (node.next === undefined) this.#last = node.previous
    else node.next.previous = node.previous
  }
}

/** The server does not know which words were heard, so it removes all of them. */
const withoutTranscript = (item: MessageItem): MessageItem => ({
  ...item,
  content: item.content.map((part) => (part.type === "output_audio" ? { type: "output_audio", transcript: "" } : part))
})
