import type { Item } from "../../Conversation.js"
import type { HeardPart } from "../../journal/Record.js"
import type { ConversationMirror } from "../../machine/Conversation.js"
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
  /** What was heard by now. */
  readonly write: () => void
  readonly deadline: () => number | undefined
  readonly timePassed: () => void
}

export interface Environment {
  readonly now: () => number
  readonly recorder: Recorder
  readonly conversation: Pick<ConversationMirror, "get" | "idOf" | "previousOf">
  readonly speech: () => Pick<Speech, "endsAt" | "unheard">
}

/** So much less than what was heard may be known, in milliseconds. */
const interval = 1000

/** Where what is to be heard ends sooner, it is looked at again so much later at least. */
const minInterval = 250

export const make = ({ conversation, now, recorder, speech }: Environment): Hearing => {
  /** Items that the journal takes for not heard to their end, and what it last knew of them. */
  const open = new Map<string, string>()
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
      const parts = found.get(item.id) ?? []
      found.set(item.id, parts)
      parts.push({ contentIndex, heardMs: heard.heardMs, length: heard.length(transcript.length) })
    }
    return found
  }

  /** One that is still being said is written down as it would be if that ended now. */
  const writeBegun = (item: Item, parts: ReadonlyArray<HeardPart>): void => {
    if (item._tag !== "Message" || item.status !== "in_progress") return
    const silent = item.content.flatMap((part, contentIndex) =>
      part._tag === "Audio" && !parts.some((one) => one.contentIndex === contentIndex)
        ? [{ contentIndex, heardMs: 0, length: 0 }]
        : []
    )
    recorder.item({ ...item, status: "incomplete" }, conversation.previousOf(item.id), [...parts, ...silent])
  }

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
      if (item !== undefined) writeBegun(item, parts)
      recorder.heard(itemId, parts)
    }
    for (const itemId of open.keys()) {
      if (found.has(itemId)) continue
      open.delete(itemId)
      recorder.heard(itemId, [])
    }
    return hasMoved
  }

  return {
    recorder: {
      ...recorder,
      item: (item, previousItemId) => {
        const parts = recorder.isOn() ? unheard().get(item.id) : undefined
        // Where it was known already, this does not reach the journal: it is written again.
        if (parts !== undefined) open.set(item.id, "")
        recorder.item(item, previousItemId, parts)
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
