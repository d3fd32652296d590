/**
 * What the model said aloud, for those who want to keep it: one recording for each audio part, bounded all together. The
 * oldest give way, and stay marked. Adding costs the same however long a part is, and reading copies nothing.
 */

import type { Item, Recording } from "../Conversation.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"

export interface Recordings {
  /** More of a part, which keeps the format of its first bytes. They are copied: whoever gave them may change them. */
  readonly add: (itemId: string, contentIndex: number, bytes: Uint8Array, format: AudioFormat) => void
  /** Nothing more comes for this part: it takes no more memory than it needs. */
  readonly complete: (itemId: string, contentIndex: number) => void
  /** No more than so many bytes of a part, in the format that it has, were heard. */
  readonly cut: (itemId: string, contentIndex: number, heardBytes: (format: AudioFormat) => number) => void
  readonly forget: (itemId: string) => void
  readonly forgetPart: (itemId: string, contentIndex: number) => void
  /** Another id for the same item. */
  readonly rename: (from: string, to: string) => void
  /** The parts of an item of which anything is known, in the order in which they began. */
  readonly partsOf: (itemId: string) => Iterable<number>
  /** The same object until the part changes. */
  readonly get: (itemId: string, contentIndex: number) => Recording | undefined
  /** The bytes that are kept now. */
  readonly size: () => number
}

interface Entry {
  itemId: string
  readonly contentIndex: number
  readonly format: AudioFormat
  /** More than what is used, while the part grows. */
  memory: Uint8Array<ArrayBuffer>
  used: number
  state: "Kept" | "Dropped"
  shown: Recording | undefined
}

/** 64 MiB: 23 minutes of 16 bit PCM at 24,000 samples a second, or two hours and 20 minutes of G.711. */
export const defaultMaxBytes = 64 * 1024 * 1024

/** What an application's wish means in bytes; absent where nothing is to be kept. */
export const maxBytesOf = (keep: boolean | { readonly maxBytes: number }): number | undefined =>
  typeof keep === "object" ? keep.maxBytes : keep ? defaultMaxBytes : undefined

/**
 * @param maxBytes how much is kept; a part that alone is longer is dropped too
 * @param changed another recording is there for a part of this item
 * @param gaveWay so many bytes of this part were dropped for want of room
 */
export const make = (
  maxBytes: number,
  changed: (itemId: string) => void,
  gaveWay: (itemId: string, contentIndex: number, bytes: number, format: AudioFormat) => void = () => undefined
): Recordings => {
  const items = new Map<string, Map<number, Entry>>()
  /** In the order in which they began. */
  const kept = new Set<Entry>()
  let size = 0

  const find = (itemId: string, contentIndex: number): Entry | undefined => items.get(itemId)?.get(contentIndex)

  const begin = (itemId: string, contentIndex: number, format: AudioFormat): Entry => {
    const memory = new Uint8Array(0)
    const entry: Entry = { itemId, contentIndex, format, memory, used: 0, state: "Kept", shown: undefined }
    const parts = items.get(itemId)
    if (parts === undefined) items.set(itemId, new Map([[contentIndex, entry]]))
    else parts.set(contentIndex, entry)
    kept.add(entry)
    return entry
  }

  /** What was shown before keeps its own bytes. */
  const move = (entry: Entry, capacity: number): void => {
    const memory = new Uint8Array(capacity)
    memory.set(entry.memory.subarray(0, entry.used))
    entry.memory = memory
    entry.shown = undefined
  }

  const shorten = (entry: Entry, used: number): void => {
    size -= entry.used - used
    entry.used = used
    move(entry, used)
  }

  const drop = (entry: Entry): void => {
    kept.delete(entry)
    shorten(entry, 0)
    entry.state = "Dropped"
  }

  return {
    add: (itemId, contentIndex, bytes, format) => {
      const entry = find(itemId, contentIndex) ?? begin(itemId, contentIndex, format)
      if (entry.state === "Dropped") return
      const used = entry.used + bytes.length
      if (used > entry.memory.length) move(entry, Math.max(used, 2 * entry.memory.length))
      entry.memory.set(bytes, entry.used)
      entry.used = used
      entry.shown = undefined
      size += bytes.length
      changed(itemId)
      for (const oldest of kept) {
        if (size <= maxBytes) break
        const dropped = oldest.used
        drop(oldest)
        changed(oldest.itemId)
        gaveWay(oldest.itemId, oldest.contentIndex, dropped, oldest.format)
      }
    },
    complete: (itemId, contentIndex) => {
      const entry = find(itemId, contentIndex)
      if (entry === undefined || entry.used === entry.memory.length) return
      move(entry, entry.used)
      changed(itemId)
    },
    cut: (itemId, contentIndex, heardBytes) => {
      const entry = find(itemId, contentIndex)
      if (entry === undefined) return
      const heard = heardBytes(entry.format)
      if (heard >= entry.used) return
      shorten(entry, heard)
      changed(itemId)
    },
    forget: (itemId) => {
      for (const entry of items.get(itemId)?.values() ?? []) drop(entry)
      items.delete(itemId)
    },
    forgetPart: (itemId, contentIndex) => {
      const parts = items.get(itemId)
      const entry = parts?.get(contentIndex)
      if (parts === undefined || entry === undefined) return
      drop(entry)
      parts.delete(contentIndex)
      if (parts.size === 0) items.delete(itemId)
    },
    rename: (from, to) => {
      const parts = items.get(from)
      if (parts === undefined || items.has(to)) return
      items.delete(from)
      items.set(to, parts)
      for (const entry of parts.values()) entry.itemId = to
    },
    partsOf: (itemId) => items.get(itemId)?.keys() ?? [],
    get: (itemId, contentIndex) => {
      const entry = find(itemId, contentIndex)
      if (entry === undefined) return undefined
      entry.shown ??=
        entry.state === "Dropped"
          ? { _tag: "Dropped" }
          : { _tag: "Kept", format: entry.format, bytes: entry.memory.subarray(0, entry.used) }
      return entry.shown
    },
    size: () => size
  }
}

/** An item with what is kept of it. Audio may come before a word of it, or without one. */
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
