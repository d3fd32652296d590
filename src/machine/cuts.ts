/** What is left of an item when not all of it was heard. */
import type { Item, Part } from "../Conversation.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import { wordsWithin } from "./Alignment.js"

/** How much of a part was heard. */
export interface Heard {
  readonly heardMs: number
  /** How much of its text, which is so long. */
  readonly length: (length: number) => number
  /** How much of its recording, in the format that it has. */
  readonly bytes: (format: AudioFormat) => number
}

export const isCut = (part: Part | undefined): boolean => part?._tag === "Audio" && part.cut !== undefined

/** Whether more of the item is to come. */
export const isBegun = (item: Item): item is Extract<Item, { readonly status: unknown }> =>
  "status" in item && item.status === "in_progress"

/** The item, had nothing more of it come. */
export const ended = (item: Item): Item => (isBegun(item) ? { ...item, status: "incomplete" } : item)

const unheard: Heard = { heardMs: 0, length: () => 0, bytes: () => 0 }

/** The item with no more of a part than was heard; nothing, where no less was left of it before. */
export const cutPart = (item: Item, contentIndex: number, { heardMs, length }: Heard): Item | undefined => {
  if (item._tag !== "Message" || contentIndex > item.content.length) return undefined
  // Sound may have come before a word of it.
  const part = item.content[contentIndex] ?? { _tag: "Audio", transcript: undefined }
  if (part._tag !== "Audio" || (part.cut !== undefined && part.cut.heardMs <= heardMs)) return undefined
  const { transcript } = part
  const heard = transcript === undefined ? undefined : wordsWithin(transcript, length(transcript.length))
  const content = item.content.slice()
  content[contentIndex] = { ...part, transcript: heard, cut: { heardMs } }
  return { ...item, content }
}

/** What is left of an item whose response was stopped; nothing, where that changes nothing. */
export const stopped = (
  item: Item,
  hasSound: (itemId: string, contentIndex: number) => boolean,
  blockedBy: string | undefined
): Item | undefined => {
  if (item._tag !== "Message") return undefined
  let left: Item = blockedBy === undefined ? item : { ...item, blockedBy }
  for (const index of item.content.keys()) {
    if (item.status === "in_progress" && !hasSound(item.id, index)) left = cutPart(left, index, unheard) ?? left
  }
  return left === item ? undefined : left
}

/** What the server says of an item after its response was stopped: how it ended, and no more words. */
export const unsaid = (known: Item | undefined, update: Item, blockedBy: string | undefined): Item => {
  if (update._tag !== "Message") return update
  const content = known?._tag === "Message" ? known.content : []
  const isWhole = update.content.every((part, index) => {
    const before = content[index]
    return part._tag !== "Text" || (before?._tag === "Text" && before.text === part.text)
  })
  // Written to its end on the server, and not here.
  const status = isWhole ? update.status : "incomplete"
  return { ...update, status, content, ...(blockedBy === undefined ? {} : { blockedBy }) }
}
