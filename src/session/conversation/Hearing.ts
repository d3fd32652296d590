import type { Message } from "../../Conversation.js"
import type { HeardPart } from "../../journal/Record.js"
import { ended, isBegun } from "../../machine/cuts.js"
import type { Parts } from "../Parts.js"

/** So much less than what was heard may be known, in milliseconds. */
const interval = 1000

/** Where what is to be heard ends sooner, it is looked at again so much later at least. */
const minInterval = 250

/**
 * How far the user has heard what the model says, as the journal knows it: where this process dies while the model
 * speaks, the next one tells the words that were heard by then, and no others. Written once a second while something is
 * heard, which costs a chunk of audio nothing.
 */
export class Hearing {
  readonly #session: Parts

  /** Items that the journal takes for not heard to their end, and what it last knew of them. */
  readonly #open = new Map<string, string>()
  /** Items that the model is to go on after, as the journal knows it. */
  readonly #owing = new Set<string>()
  #writeAt: number | undefined

  constructor(session: Parts) {
    this.#session = session
  }

  /** The item is written down. Gives its parts that are not heard to their end, if any. */
  written(itemId: string, isOwed: boolean): ReadonlyArray<HeardPart> | undefined {
    const parts = this.#unheard().get(itemId)
    // Where it was known already, this does not reach the journal: it is written again.
    if (parts !== undefined) this.#open.set(itemId, "")
    if (isOwed) this.#owing.add(itemId)
    else this.#owing.delete(itemId)
    return parts
  }

  /** Whether the model is to go on after this item, as the journal knows it. */
  isOwed(itemId: string): boolean {
    return this.#owing.has(itemId)
  }

  removed(itemId: string): void {
    this.#owing.delete(itemId)
  }

  /** The last answer is asked for again: whoever takes up the session asks for it, if this process dies before. */
  owed(): void {
    const { conversation, recorder } = this.#session
    if (!recorder.isOn()) return
    // A call that was cut off is told to nobody.
    const last = conversation
      .snapshot()
      .items.findLast((item) => item._tag !== "FunctionCall" || item.status !== "incomplete")
    if (last?._tag !== "Message" || last.role !== "assistant") return
    recorder.item(ended(last), conversation.previousOf(last.id), true)
  }

  /** The item has another id. */
  renamed(from: string, to: string): void {
    const { conversation, recorder } = this.#session
    const item = conversation.get(to)
    const isOwed = this.isOwed(from)
    recorder.removed(from)
    if (item !== undefined) recorder.item(item, conversation.previousOf(to), isOwed)
  }

  /** Somebody wants no more of what was said. */
  settled(): void {
    const { conversation, recorder } = this.#session
    for (const itemId of Array.from(this.#owing)) {
      const item = conversation.get(itemId)
      if (item === undefined) this.#owing.delete(itemId)
      else recorder.item(ended(item), conversation.previousOf(itemId))
    }
  }

  /** There is more to hear, or the application said what was heard. */
  goesOn(): void {
    if (this.#writeAt === undefined && this.#session.recorder.isOn()) this.#writeAt = this.#session.now() + interval
  }

  /** Writes down what was heard by now. */
  write(): void {
    if (this.#session.recorder.isOn()) this.#write()
  }

  deadline(): number | undefined {
    return this.#writeAt
  }

  timePassed(): void {
    const now = this.#session.now()
    if (this.#writeAt === undefined || this.#writeAt > now) return
    this.#writeAt = undefined
    if (!this.#session.recorder.isOn() || !this.#write()) return
    // The end is known as soon as it is heard.
    const endsAt = this.#session.speech.endsAt() ?? now
    this.#writeAt = now + Math.min(interval, Math.max(endsAt - now, minInterval))
  }

  /** Of each item that is not heard to its end, the parts that are not. */
  #unheard(): Map<string, Array<HeardPart>> {
    const { conversation, speech } = this.#session
    const found = new Map<string, Array<HeardPart>>()
    for (const { contentIndex, heard, itemId } of speech.unheard()) {
      // What is said beside the conversation is in no journal.
      const item = conversation.get(conversation.idOf(itemId) ?? "")
      if (item?._tag !== "Message") continue
      const part = item.content[contentIndex]
      const transcript = part?._tag === "Audio" ? (part.transcript ?? "") : ""
      const parts = found.get(item.id) ?? this.#silent(item, itemId)
      found.set(item.id, parts)
      parts.push({ contentIndex, heardMs: heard.heardMs, length: heard.length(transcript.length) })
    }
    return found
  }

  /** The parts whose sound is still to come. `itemId`: as the server knows the item. */
  #silent(item: Message, itemId: string): Array<HeardPart> {
    if (item.status !== "in_progress") return []
    return item.content.flatMap((part, contentIndex) =>
      part._tag === "Audio" && !this.#session.speech.hasSound(itemId, contentIndex)
        ? [{ contentIndex, heardMs: 0, length: 0 }]
        : []
    )
  }

  /** Whether anything was heard since it was written before. */
  #write(): boolean {
    const { conversation, recorder } = this.#session
    const found = this.#unheard()
    let hasMoved = false
    for (const [itemId, parts] of found) {
      const text = JSON.stringify(parts)
      if (this.#open.get(itemId) === text) continue
      this.#open.set(itemId, text)
      hasMoved = true
      const item = conversation.get(itemId)
      // One that is still being said is written down as it would be if that ended now.
      if (item !== undefined && isBegun(item)) {
        this.#owing.add(itemId)
        recorder.begun(ended(item), conversation.previousOf(itemId), parts)
      }
      recorder.heard(itemId, parts)
    }
    for (const itemId of this.#open.keys()) {
      if (found.has(itemId)) continue
      const item = conversation.get(itemId)
      // Its words may be ahead of its sound.
      if (item !== undefined && isBegun(item)) continue
      this.#open.delete(itemId)
      recorder.heard(itemId, [])
    }
    return hasMoved
  }
}
