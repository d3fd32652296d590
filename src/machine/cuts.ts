/** What is left of an item of which not everything was heard. */
import type { Item, Part } from "../Conversation.js"
import type { AudioFormat } from "../protocol/SessionConfig.js"
import { wordsWithin } from "./Alignment.js"

/** How much of a part was heard. */
export interface Heard {
  readonly heardMs: number
  /** How much of its text, given the text's length. */
  readonly length: (length: number) => number
  /** How many bytes of its recording, in its format. */
  readonly bytes: (format: AudioFormat) => number
}

export const isCut = (part: Part | undefined): boolean => part?._tag === "Audio" && part.cut !== undefined

/** Whether the item is not complete yet. */
export const isBegun = (item: Item): item is Extract<Item, { readonly status: unknown }> =>
  "status" in item && item.status === "in_progress"

/** The item as it is if nothing more comes. */
export const ended = (item: Item): Item => (isBegun(item) ? { ...item, status: "incomplete" } : item)

const unheard: Heard = { heardMs: 0, length: () => 0, bytes: () => 0 }

/** The item, with the part cut to what was heard; `undefined` if the part was already cut to that or less. */
export const cutPart = (item: Item, contentIndex: number, { heardMs, length }: Heard): Item | undefined => {
  if (item._tag !== "Message" || contentIndex > item.content.length) return undefined
  // Audio may arrive before its words.
  const part = item.content[contentIndex] ?? { _tag: "Audio", transcript: undefined }
  if (part._tag !== "Audio" || (part.cut !== undefined && part.cut.heardMs <= heardMs)) return undefined
  const { transcript } = part
  const heard = transcript === undefined ? undefined : wordsWithin(transcript, length(transcript.length))
  const content = item.content.slice()
  content[contentIndex] = { ...part, transcript: heard, cut: { heardMs } }
  return { ...item, content }
}

/** What is left of an item whose response was stopped; `undefined` if that changes nothing. */
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

/** An update of an item after its response was stopped: how it ended, without new words. */
export const unsaid = (known: Item | undefined, update: Item, blockedBy: string | undefined): Item => {
  if (update._tag !== "Message") return update
  const content = known?._tag === "Message" ? known.content : []
  const isWhole = update.content.every((part, index) => {
    const before = content[index]
    return part._tag !== "Text" || (before?._tag === "Text" && before.text === part.text)
  })
  // Complete on the server, but not here.
  const status = isWhole ? update.status : "incomplete"
  return { ...update, status, content, ...(blockedBy === undefined ? {} : { blockedBy }) }
}
