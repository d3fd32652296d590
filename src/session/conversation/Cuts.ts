import type { Item } from "../../Conversation.js"
import type { ConversationMirror } from "../../machine/Conversation.js"
import { ended, type Heard } from "../../machine/cuts.js"
import type { Truncation } from "../../machine/Playback.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { SessionEvent } from "../../SessionEvent.js"
import type { Recorder } from "../Recorder.js"

/**
 * What the model said and nobody heard leaves the conversation for good: from here it goes to whoever has it, the mirror,
 * the journal, the application, and a server that was told it.
 */
export interface Cuts {
  /** Only so much of a part was heard. */
  readonly cut: (itemId: string, contentIndex: number, heard: Heard) => void
  /** Nothing more of these responses is heard, of which some parts have no sound. `blockedBy`: the guardrail's name. */
  readonly stop: (
    isStopped: (responseId: string) => boolean,
    hasSound: (itemId: string, contentIndex: number) => boolean,
    blockedBy: string | undefined
  ) => void
  /** This item ended, by the server's word or with its connection: where it is incomplete, some words have no sound. */
  readonly ended: (item: Item | undefined, how: "Ended" | "Lost") => Item | undefined
  /** Another process died, or ended, before more of it was heard. Whether the model is to go on after it. */
  readonly leftBehind: (item: Item, isOwed: boolean) => void
}

export interface Environment {
  readonly conversation: ConversationMirror
  readonly recorder: Recorder
  readonly publish: (event: SessionEvent<never>) => void
  /** Cuts a part where its sound ended. */
  readonly cutShort: (itemId: string, contentIndex: number, how: "Ended" | "Lost") => void
  /** This is all that is left of the item. */
  readonly tell: (item: Item) => void
}

export const make = ({ conversation, cutShort, publish, recorder, tell }: Environment): Cuts => {
  const publishCut = (item: Item, isOwed = false): void => {
    // No more of it is to come that would be heard.
    recorder.item(ended(item), conversation.previousOf(item.id), { isOwed })
    publish({ _tag: "ItemCut", item })
  }
  const changed = (item: Item): void => {
    publishCut(item)
    tell(item)
  }

  return {
    cut: (itemId, contentIndex, heard) => {
      const item = conversation.cut(itemId, contentIndex, heard)
      if (item !== undefined) changed(item)
    },
    stop: (isStopped, hasSound, blockedBy) => {
      for (const item of conversation.stop(isStopped, hasSound, blockedBy)) changed(item)
    },
    leftBehind: publishCut,
    ended: (item, how) => {
      if (item?._tag !== "Message" || item.role !== "assistant" || item.status !== "incomplete") return item
      for (const [index, part] of item.content.entries()) {
        if (part._tag === "Audio" && part.cut === undefined) cutShort(item.id, index, how)
      }
      return conversation.get(item.id)
    }
  }
}

/** Leaves the server with so much of the audio of a part. */
export const truncation = (
  eventId: string,
  { contentIndex, heardMs, itemId }: Pick<Truncation, "contentIndex" | "heardMs" | "itemId">
): ClientEvent => ({
  type: "conversation.item.truncate",
  event_id: eventId,
  item_id: itemId,
  content_index: contentIndex,
  audio_end_ms: heardMs
})
