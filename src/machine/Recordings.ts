/**
 * Recordings of the model's speech: one for each audio part, limited in total. The oldest are dropped first, and marked
 * as dropped. Adding costs the same for a part of any length, and reading copies nothing.
 */

import type { Item, Recording } from "../Conversation.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"

interface Entry {
  itemId: string
  readonly contentIndex: number
  readonly format: AudioFormat
  /** Larger than what is used, while the part grows. */
  memory: Uint8Array<ArrayBuffer>
  used: number
  state: "Kept" | "Dropped"
  shown: Recording | undefined
}

/** 64 MiB: 23 minutes of 16-bit PCM at 24,000 samples per second, or 2 hours and 20 minutes of G.711. */
export const defaultMaxBytes = 64 * 1024 * 1024

/** The application's option in bytes; absent if nothing is kept. */
export const maxBytesOf = (keep: boolean | { readonly maxBytes: number }): number | undefined =>
  typeof keep === "object" ? keep.maxBytes : keep ? defaultMaxBytes : undefined

export class Recordings {
  readonly #items = new Map<string, Map<number, Entry>>()
  /** In the order in which they began. */
  readonly #kept = new Set<Entry>()
  #size = 0

  /**
   * @param maxBytes how much is kept; a part that is longer is dropped too
   * @param changed called when the recording of a part of this item changed
   * @param gaveWay called when this many bytes of a part were dropped to save room
   */
  constructor(
    private readonly maxBytes: number,
    private readonly changed: (itemId: string) => void,
    private readonly gaveWay: (itemId: string, contentIndex: number, bytes: number, format: AudioFormat) => void = () =>
      undefined
  ) {}

  /**
   * More of a part, which keeps the format of its first bytes. The bytes are copied, because the caller may change
   * them.
   */
  add(itemId: string, contentIndex: number, bytes: Uint8Array, format: AudioFormat): void {
    const entry = this.#find(itemId, contentIndex) ?? this.#begin(itemId, contentIndex, format)
    if (entry.state === "Dropped") return
    const used = entry.used + bytes.length
    if (used > entry.memory.length) this.#move(entry, Math.max(used, 2 * entry.memory.length))
    entry.memory.set(bytes, entry.used)
    entry.used = used
    entry.shown = undefined
    this.#size += bytes.length
    this.changed(itemId)
    for (const oldest of this.#kept) {
      if (this.#size <= this.maxBytes) break
      const dropped = oldest.used
      this.#drop(oldest)
      this.changed(oldest.itemId)
      this.gaveWay(oldest.itemId, oldest.contentIndex, dropped, oldest.format)
    }
  }

  /** The part is complete: it takes no more memory than it needs. */
  complete(itemId: string, contentIndex: number): void {
    const entry = this.#find(itemId, contentIndex)
    if (entry === undefined || entry.used === entry.memory.length) return
    this.#move(entry, entry.used)
    this.changed(itemId)
  }

  /** Only this many bytes of a part, in its format, were heard. */
  cut(itemId: string, contentIndex: number, heardBytes: (format: AudioFormat) => number): void {
    const entry = this.#find(itemId, contentIndex)
    if (entry === undefined) return
    const heard = heardBytes(entry.format)
    if (heard >= entry.used) return
    this.#shorten(entry, heard)
    this.changed(itemId)
  }

  forget(itemId: string): void {
    for (const entry of this.#items.get(itemId)?.values() ?? []) this.#drop(entry)
    this.#items.delete(itemId)
  }

  forgetPart(itemId: string, contentIndex: number): void {
    const parts = this.#items.get(itemId)
    const entry = parts?.get(contentIndex)
    if (parts === undefined || entry === undefined) return
    this.#drop(entry)
    parts.delete(contentIndex)
    if (parts.size === 0) this.#items.delete(itemId)
  }

  /** Another id for the same item. */
  rename(from: string, to: string): void {
    const parts = this.#items.get(from)
    if (parts === undefined || this.#items.has(to)) return
    this.#items.delete(from)
    this.#items.set(to, parts)
    for (const entry of parts.values()) entry.itemId = to
  }

  /** The parts of an item with a recording, in the order in which they began. */
  partsOf(itemId: string): Iterable<number> {
    return this.#items.get(itemId)?.keys() ?? []
  }

  /** The same object until the part changes. */
  get(itemId: string, contentIndex: number): Recording | undefined {
    const entry = this.#find(itemId, contentIndex)
    if (entry === undefined) return undefined
    entry.shown ??=
      entry.state === "Dropped"
        ? { _tag: "Dropped" }
        : { _tag: "Kept", format: entry.format, bytes: entry.memory.subarray(0, entry.used) }
    return entry.shown
  }

  /** The number of bytes that are kept now. */
  size(): number {
    return this.#size
  }

  #find(itemId: string, contentIndex: number): Entry | undefined {
    return this.#items.get(itemId)?.get(contentIndex)
  }

  #begin(itemId: string, contentIndex: number, format: AudioFormat): Entry {
    const memory = new Uint8Array(0)
    const entry: Entry = { itemId, contentIndex, format, memory, used: 0, state: "Kept", shown: undefined }
    const parts = this.#items.get(itemId)
    if (parts === undefined) this.#items.set(itemId, new Map([[contentIndex, entry]]))
    else parts.set(contentIndex, entry)
    this.#kept.add(entry)
    return entry
  }

  /** Recordings that were returned earlier keep their own bytes. */
  #move(entry: Entry, capacity: number): void {
    const memory = new Uint8Array(capacity)
    memory.set(entry.memory.subarray(0, entry.used))
    entry.memory = memory
    entry.shown = undefined
  }

  #shorten(entry: Entry, used: number): void {
    this.#size -= entry.used - used
    entry.used = used
    this.#move(entry, used)
  }

  #drop(entry: Entry): void {
    this.#kept.delete(entry)
    this.#shorten(entry, 0)
    entry.state = "Dropped"
  }
}

/** An item with its recordings. Audio may arrive before its words, or without any. */
export const shownIn = (item: Item, recordings: Recordings): Item => {
  if (item._tag !== "Message") return item
  const { content, id } = item
  const behind = recordings.get(id, content.length)
  const parts = content.map((part, index) => {
    const recording = part._tag === "Audio" ? recordings.get(id, index) : undefined
    return recording === undefined ? part : { ...part, recording }
  })
  if (behind !== undefined) parts.push({ _tag: "Audio", transcript: undefined, recording: behind })
  return parts.every((part, index) => part === content[index]) ? item : { ...item, content: parts }
}
