import type { Message } from "../../Conversation.js"
import type { HeardPart } from "../../journal/Record.js"
import type { ConversationMirror } from "../../machine/Conversation.js"
import { ended, isBegun } from "../../machine/cuts.js"
import type { Recorder } from "../Recorder.js"
import type { Speech } from "../Speech.js"

/**
 * How far the user has heard what the model says, as the journal knows it: where this process dies while the model
 * speaks, the next one tells the words that were heard by then, and no others. Written once a second while something is
 * heard, which costs a chunk of audio nothing.
 */
export interface Hearing {
  /** The session's recorder, which writes down of each item how much of it was heard. */
  readonly recorder: Recorder
  /** There is more to hear, or the application said what was heard. */
  readonly goesOn: () => void
  /** The last answer is asked for again: whoever takes up the session asks for it, if this process dies before. */
  readonly owed: () => void
  /** Somebody wants no more of what was said. */
  readonly settled: () => void
  /** The item has another id. */
  readonly renamed: (from: string, to: string) => void
  /** What was heard by now. */
  readonly write: () => void
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

export interface Environment {
  readonly now: () => number
  readonly recorder: Recorder
  readonly conversation: Pick<ConversationMirror, "get" | "idOf" | "previousOf" | "snapshot">
  readonly speech: () => Pick<Speech, "endsAt" | "hasSound" | "unheard">
}

/** So much less than what was heard may be known, in milliseconds. */
const interval = 1000

/** Where what is to be heard ends sooner, it is looked at again so much later at least. */
const minInterval = 250

export const make = ({ conversation, now, recorder, speech }: Environment): Hearing => {
  /** Items that the journal takes for not heard to their end, and what it last knew of them. */
  const open = new Map<string, string>()
  /** Items that the model is to go on after, as the journal knows it. */
  const owing = new Set<string>()
  let writeAt: number | undefined

  /** Of each item that is not heard to its end, the parts that are not. */
  const unheard = (): Map<string, Array<HeardPart>> => {
    const found = new Map<string, Array<HeardPart>>()
    for (const { contentIndex, heard, itemId } of speech().unheard()) {
      // What is said beside the conversation is in no journal.
      const item = conversation.get(conversation.idOf(itemId) ?? "")
      if (item?._tag !== "Message") continue
      const part = item.content[contentIndex]
      const transcript = part?._tag === "Audio" ? (part.transcript ?? "") : ""
      const parts = found.get(item.id) ?? silent(item, itemId)
      found.set(item.id, parts)
      parts.push({ contentIndex, heardMs: heard.heardMs, length: heard.length(transcript.length) })
    }
    return found
  }

  /** The parts whose sound is still to come. `itemId`: as the server knows the item. */
  const silent = (item: Message, itemId: string): Array<HeardPart> =>
    item.status !== "in_progress"
      ? []
      : item.content.flatMap((part, contentIndex) =>
          part._tag === "Audio" && !speech().hasSound(itemId, contentIndex)
            ? [{ contentIndex, heardMs: 0, length: 0 }]
            : []
        )

  /** Whether anything was heard since it was written before. */
  const write = (): boolean => {
    const found = unheard()
    let hasMoved = false
    for (const [itemId, parts] of found) {
      const text = JSON.stringify(parts)
      if (open.get(itemId) === text) continue
      open.set(itemId, text)
      hasMoved = true
      const item = conversation.get(itemId)
      // One that is still being said is written down as it would be if that ended now.
      if (item !== undefined && isBegun(item)) {
        owing.add(itemId)
        recorder.begun(ended(item), conversation.previousOf(itemId), parts)
      }
      recorder.heard(itemId, parts)
    }
    for (const itemId of open.keys()) {
      if (found.has(itemId)) continue
      const item = conversation.get(itemId)
      // Its words may be ahead of its sound.
      if (item !== undefined && isBegun(item)) continue
      open.delete(itemId)
      recorder.heard(itemId, [])
    }
    return hasMoved
  }

  const writeItem: Recorder["item"] = (item, previousItemId, { isOwed = false } = {}) => {
    const parts = recorder.isOn() ? unheard().get(item.id) : undefined
    // Where it was known already, this does not reach the journal: it is written again.
    if (parts !== undefined) open.set(item.id, "")
    if (isOwed) owing.add(item.id)
    else owing.delete(item.id)
    recorder.item(item, previousItemId, { unheard: parts, isOwed })
  }

  return {
    recorder: {
      ...recorder,
      item: writeItem,
      moved: (item, previousItemId) => writeItem(item, previousItemId, { isOwed: owing.has(item.id) }),
      removed: (itemId) => {
        owing.delete(itemId)
        recorder.removed(itemId)
      }
    },
    owed: () => {
      // A call that was cut off is told to nobody.
      const last = conversation
        .snapshot()
        .items.findLast((item) => item._tag !== "FunctionCall" || item.status !== "incomplete")
      if (last?._tag !== "Message" || last.role !== "assistant") return
      writeItem(ended(last), conversation.previousOf(last.id), { isOwed: true })
    },
    renamed: (from, to) => {
      const item = conversation.get(to)
      const isOwed = owing.delete(from)
      recorder.removed(from)
      if (item !== undefined) writeItem(item, conversation.previousOf(to), { isOwed })
    },
    settled: () => {
      for (const itemId of Array.from(owing)) {
        const item = conversation.get(itemId)
        if (item === undefined) owing.delete(itemId)
        else writeItem(ended(item), conversation.previousOf(itemId))
      }
    },
    goesOn: () => {
      if (writeAt === undefined && recorder.isOn()) writeAt = now() + interval
    },
    write: () => {
      if (recorder.isOn()) write()
    },
    deadline: () => writeAt,
    timePassed: () => {
      if (writeAt === undefined || writeAt > now()) return
      writeAt = undefined
      if (!recorder.isOn() || !write()) return
      // The end is known as soon as it is heard.
      const endsAt = speech().endsAt() ?? now()
      writeAt = now() + Math.min(interval, Math.max(endsAt - now(), minInterval))
    }
  }
}
