/**
 * The conversation of one connection: items by id, in their order. It has no bound but the length of its session: as
 * on the real API, only the client deletes from it.
 */

import type { Kept } from "./Budget.js"
import type { CallItem, MessageItem, ServerItem } from "./ServerItem.js"
import { type Refusal, refusal } from "./Shape.js"

/** What an item takes besides its text, in maps and lists. Bytes, as measured. */
const OVERHEAD = 400

export class ServerConversation {
  readonly #items = new Map<string, ServerItem>()
  readonly #order: Array<string> = []
  /** Length of what was said aloud, by either side, in milliseconds, by item. */
  readonly #audioMs = new Map<string, number>()
  /** What the user said, as base64, by item and part: as much of it as the server has room for. */
  readonly #heard = new Map<string, Map<number, Kept<string>>>()
  /** Items that were cut: nothing that comes later makes them longer, or gives them their words back. */
  readonly #truncated = new Set<string>()
  readonly #outputs: Array<{ readonly callId: string; readonly output: string }> = []

  /** How long it is as text, about. */
  get length(): number {
    return this.snapshot().reduce((length, item) => length + OVERHEAD + JSON.stringify(item).length, 0)
  }

  /** Nobody needs it any more. */
  forget(): void {
    for (const all of [this.#items, this.#audioMs, this.#heard, this.#truncated]) all.clear()
    for (const list of [this.#order, this.#outputs]) list.length = 0
  }

  has(id: string): boolean {
    return this.#items.has(id)
  }

  get(id: string): ServerItem | undefined {
    return this.#items.get(id)
  }

  get last(): string | null {
    return this.#order.at(-1) ?? null
  }

  snapshot(): ReadonlyArray<ServerItem> {
    const items: Array<ServerItem> = []
    for (const id of this.#order) {
      const item = this.#items.get(id)
      if (item !== undefined) items.push(item)
    }
    return items
  }

  /** Every output that was accepted, with those of a call that was answered twice. */
  get outputs(): ReadonlyArray<{ readonly callId: string; readonly output: string }> {
    return this.#outputs
  }

  call(callId: string): CallItem | undefined {
    for (const item of this.#items.values()) {
      if (item.type === "function_call" && item.call_id === callId) return item
    }
    return undefined
  }

  /** Says why an item cannot be put there, if it can't. */
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

  /** Puts an item after `previous` (`root`: in front; nothing: at the end), and gives the id it now follows. */
  insert(item: ServerItem, previous: string | null | undefined): string | null {
    this.#items.set(item.id, item)
    if (item.type === "function_call_output") this.#outputs.push({ callId: item.call_id, output: item.output })
    const { last } = this
    if (previous === null || previous === undefined || previous === last) {
      this.#order.push(item.id)
      return last
    }
    const at = previous === "root" ? 0 : this.#order.indexOf(previous) + 1
    this.#order.splice(at, 0, item.id)
    return this.#order[at - 1] ?? null
  }

  replace(item: ServerItem): void {
    if (!this.#items.has(item.id)) return
    const cut = item.type === "message" && this.#truncated.has(item.id)
    this.#items.set(item.id, cut ? withoutTranscript(item) : item)
  }

  previousOf(id: string): string | null {
    return this.#order[this.#order.indexOf(id) - 1] ?? null
  }

  delete(id: string): boolean {
    if (!this.#items.delete(id)) return false
    this.#order.splice(this.#order.indexOf(id), 1)
    this.#audioMs.delete(id)
    this.#heard.delete(id)
    this.#truncated.delete(id)
    return true
  }

  spoken(id: string, ms: number): void {
    if (!this.#truncated.has(id)) this.#audioMs.set(id, (this.#audioMs.get(id) ?? 0) + ms)
  }

  heard(id: string, contentIndex: number, audio: Kept<string>): void {
    if (!this.#items.has(id)) return
    const parts = this.#heard.get(id) ?? new Map<number, Kept<string>>()
    this.#heard.set(id, parts.set(contentIndex, audio))
  }

  /** The audio of this part of the user's, as base64. */
  audio(id: string, contentIndex: number): string | undefined {
    return this.#heard.get(id)?.get(contentIndex)?.value
  }

  audioMs(id: string): number {
    return this.#audioMs.get(id) ?? 0
  }

  /** Cuts what was said at `endMs`; says why that cannot be, if it can't. */
  truncate(id: string, contentIndex: number, endMs: number): Refusal | undefined {
    const item = this.#items.get(id)
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
    this.#audioMs.set(id, endMs)
    this.#truncated.add(id)
    this.replace(item)
    return undefined
  }

  #refuseApproval(requestId: string): Refusal | undefined {
    const param = "item.approval_request_id"
    if (this.get(requestId)?.type !== "mcp_approval_request") {
      return refusal("invalid_value", `Approval request with id '${requestId}' not found in conversation.`, param)
    }
    for (const item of this.#items.values()) {
      if (item.type === "mcp_approval_response" && item.approval_request_id === requestId) {
        return refusal("invalid_value", `Approval request with id '${requestId}' was answered already.`, param)
      }
    }
    return undefined
  }
}

/** The server does not know which words were heard, so it forgets them all. */
const withoutTranscript = (item: MessageItem): MessageItem => ({
  ...item,
  content: item.content.map((part) => (part.type === "output_audio" ? { type: "output_audio", transcript: "" } : part))
})
