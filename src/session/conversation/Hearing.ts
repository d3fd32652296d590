import type { Message } from "../../Conversation.js"
import type { HeardPart } from "../../journal/Record.js"
import { ended, isBegun } from "../../machine/cuts.js"
import type { Parts } from "../Parts.js"

/** The journal may be behind what was heard by this much, in milliseconds. */
const interval = 1000

/** If the audio ends sooner, wait at least this long before the next check. */
const minInterval = 250

/**
 * Records in the journal how far the user has heard the model. If this process dies while the model speaks, the next
 * one keeps only the words that were heard by then. It is written once a second while something is heard, and costs
 * nothing per chunk of audio.
 */
export class Hearing {
  readonly #session: Parts

  /** Items that according to the journal are not heard to the end, with their last record. */
  readonly #open = new Map<string, string>()
  /** Items that the model must go on after, according to the journal. */
  readonly #owing = new Set<string>()
  #writeAt: number | undefined

  constructor(session: Parts) {
    this.#session = session
  }

  /** The item was written down. Returns its parts that are not heard to the end, if any. */
  written(itemId: string, isOwed: boolean): ReadonlyArray<HeardPart> | undefined {
    const parts = this.#unheard().get(itemId)
    // If the journal already has the item, this is not written with it: write it again.
    if (parts !== undefined) this.#open.set(itemId, "")
    if (isOwed) this.#owing.add(itemId)
    else this.#owing.delete(itemId)
    return parts
  }

  /** Whether the model must go on after this item, according to the journal. */
  isOwed(itemId: string): boolean {
    return this.#owing.has(itemId)
  }

  removed(itemId: string): void {
    this.#owing.delete(itemId)
  }

  /**
   * The last answer is requested again. If this process dies before that, the process that resumes the session requests
   * it.
   */
  owed(): void {
    const { conversation, recorder } = this.#session
    if (!recorder.isOn()) return
    // A call that was cut off is not sent to any server.
    const last = conversation
      .snapshot()
      .items.findLast((item) => item._tag !== "FunctionCall" || item.status !== "incomplete")
    if (last?._tag !== "Message" || last.role !== "assistant") return
    recorder.item(ended(last), true)
  }

  /** The item has another id now. */
  renamed(from: string, to: string): void {
    const { conversation, recorder } = this.#session
    const item = conversation.get(to)
    const isOwed = this.isOwed(from)
    recorder.removed(from)
    if (item !== undefined) recorder.item(item, isOwed)
  }

  /** What was said is no longer owed. */
  settled(): void {
    const { conversation, recorder } = this.#session
    for (const itemId of Array.from(this.#owing)) {
      const item = conversation.get(itemId)
      if (item === undefined) this.#owing.delete(itemId)
      else recorder.item(ended(item))
    }
  }

  /** There is more to hear, or the application reported what was heard. */
  goesOn(): void {
    if (this.#writeAt === undefined && this.#session.recorder.isOn()) this.#writeAt = this.#session.now() + interval
  }

  /** Writes down what was heard so far. */
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
    // The end is written as soon as it is heard.
    const endsAt = this.#session.speech.endsAt() ?? now
    this.#writeAt = now + Math.min(interval, Math.max(endsAt - now, minInterval))
  }

  /** For each item that is not heard to the end, the parts that are not. */
  #unheard(): Map<string, Array<HeardPart>> {
    const { conversation, speech } = this.#session
    const found = new Map<string, Array<HeardPart>>()
    for (const { contentIndex, heard, itemId } of speech.unheard()) {
      // Out-of-band responses are not in the journal.
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

  /** The parts whose audio has not started to arrive. `itemId`: the id that the server knows. */
  #silent(item: Message, itemId: string): Array<HeardPart> {
    if (item.status !== "in_progress") return []
    return item.content.flatMap((part, contentIndex) =>
      part._tag === "Audio" && !this.#session.speech.hasSound(itemId, contentIndex)
        ? [{ contentIndex, heardMs: 0, length: 0 }]
        : []
    )
  }

  /** Returns whether anything was heard since the last record. */
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
      // An item that is still being spoken is written as if it ended now.
      if (item !== undefined && isBegun(item)) {
        this.#owing.add(itemId)
        recorder.begun(ended(item), parts)
      }
      recorder.heard(itemId, parts)
    }
    for (const itemId of this.#open.keys()) {
      if (found.has(itemId)) continue
      const item = conversation.get(itemId)
      // Its words may be ahead of its audio.
      if (item !== undefined && isBegun(item)) continue
      this.#open.delete(itemId)
      recorder.heard(itemId, [])
    }
    return hasMoved
  }
}
