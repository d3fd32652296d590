import type { Item } from "../../Conversation.js"
import { ended, type Heard } from "../../machine/cuts.js"
import type { Truncation } from "../../machine/Playback.js"
import type { ClientEvent } from "../../protocol/ClientEvent.js"
import type { Parts } from "../Parts.js"

/** The responses that a guardrail stopped. */
export interface Blocked {
  /** The guardrail's name. */
  readonly by: string
  readonly responseIds: Iterable<string>
}

/**
 * Removes words that nobody heard from the conversation. The cut goes to everyone who has them: the mirror, the
 * journal, the application, and a server that was sent them.
 */
export class Cuts {
  readonly #session: Parts

  constructor(session: Parts) {
    this.#session = session
  }

  /** Cuts a part to what was heard. */
  cut(itemId: string, contentIndex: number, heard: Heard): void {
    const item = this.#session.conversation.cut(itemId, contentIndex, heard)
    if (item !== undefined) this.#changed(item)
  }

  /** Nothing more of the stopped responses is heard. Nothing of the blocked ones is sent to another server. */
  stop(blocked?: Blocked): void {
    const { conversation, speech } = this.#session
    const hasSound = (itemId: string, contentIndex: number): boolean => speech.hasSound(itemId, contentIndex)
    if (blocked !== undefined) {
      for (const responseId of blocked.responseIds) {
        for (const item of conversation.block(responseId, blocked.by, hasSound)) this.#changed(item)
      }
    }
    for (const item of conversation.stop((responseId) => !speech.accepts(responseId), hasSound)) this.#changed(item)
  }

  /**
   * This item ended, because the server said so or with its connection. If it is incomplete, some of its words have no
   * audio.
   */
  ended(item: Item | undefined, how: "Ended" | "Lost"): Item | undefined {
    if (item?._tag !== "Message" || item.role !== "assistant" || item.status !== "incomplete") return item
    for (const [index, part] of item.content.entries()) {
      if (part._tag === "Audio" && part.cut === undefined) this.#session.speech.cutShort(item.id, index, how)
    }
    return this.#session.conversation.get(item.id)
  }

  /**
   * Another process died or ended before more of the item was heard. `isOwed`: whether the model must go on after it.
   */
  leftBehind(item: Item, isOwed: boolean): void {
    const { outbox, recorder } = this.#session
    // No more of it will come that could be heard.
    recorder.item(ended(item), isOwed)
    outbox.publish({ _tag: "ItemCut", item })
  }

  #changed(item: Item): void {
    this.leftBehind(item, false)
    this.#session.retelling.correct(item)
  }
}

/** Makes the server keep only this much of a part's audio. */
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
