/** The audio of the user's turns without a transcript, according to a session's records. */
import type { Item } from "../Conversation.js"
import type { TurnAudioKept } from "./Record.js"

export interface TurnAudio {
  readonly keep: (kept: TurnAudioKept) => void
  /** Without an index: the whole item. Returns how many characters of audio were dropped. */
  readonly drop: (itemId: string, contentIndex?: number) => number
  /** The item may have a transcript now. Returns how many characters of audio it replaces. */
  readonly changed: (itemId: string) => number
  /** Adds the audio of an item's parts without words, in order. */
  readonly addTo: (found: Array<TurnAudioKept>, itemId: string) => void
  /** Records that replace the records so far. */
  readonly records: () => Iterable<TurnAudioKept>
}

export const make = (itemOf: (itemId: string) => Item | undefined): TurnAudio => {
  const items = new Map<string, Map<number, TurnAudioKept>>()

  const drop = (itemId: string, isMeant: (contentIndex: number) => boolean): number => {
    const parts = items.get(itemId)
    if (parts === undefined) return 0
    let characters = 0
    for (const [contentIndex, { audio }] of parts) {
      if (!isMeant(contentIndex)) continue
      parts.delete(contentIndex)
      characters += audio.length
    }
    if (parts.size === 0) items.delete(itemId)
    return characters
  }

  return {
    keep: (kept) => {
      const parts = items.get(kept.itemId) ?? new Map<number, TurnAudioKept>()
      items.set(kept.itemId, parts.set(kept.contentIndex, kept))
    },
    drop: (itemId, contentIndex) => drop(itemId, (index) => contentIndex === undefined || contentIndex === index),
    changed: (itemId) => drop(itemId, (contentIndex) => hasWords(itemOf(itemId), contentIndex)),
    addTo: (found, itemId) => {
      const parts = items.get(itemId)
      if (parts === undefined) return
      const item = itemOf(itemId)
      const silent = Array.from(parts.values()).filter(({ contentIndex }) => !hasWords(item, contentIndex))
      found.push(...silent.sort((one, other) => one.contentIndex - other.contentIndex))
    },
    *records() {
      for (const parts of items.values()) yield* parts.values()
    }
  }
}

const hasWords = (item: Item | undefined, contentIndex: number): boolean => {
  const part = item?._tag === "Message" ? item.content[contentIndex] : undefined
  return part?._tag === "Audio" && (part.transcript ?? "").trim() !== ""
}
