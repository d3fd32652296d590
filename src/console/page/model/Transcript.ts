/** What was said and written, line by line, including words that were cut off before anyone heard them. */
import { type Item, type Message, textOf } from "../../../Conversation.js"
import type { Entry } from "./Entry.js"

export interface Line {
  readonly id: string
  readonly who: Message["role"]
  /** The agent that had the conversation, for lines of the agent. */
  readonly agent: string
  readonly atMs: number
  /** What was heard or read. */
  readonly text: string
  /** What the model had produced when it was cut off, but nobody heard. */
  readonly unheard: string
  /** `Failed`: the user's speech could not be transcribed. */
  readonly state: "Open" | "Done" | "Cut" | "Failed"
}

/** The number of lines that are shown. Older ones are dropped. */
const maxLines = 500

export class Transcript {
  readonly #lines = new Map<string, Line>()
  /** The words of each content part so far, by item and content index. */
  readonly #parts = new Map<string, Map<number, string>>()

  get lines(): ReadonlyArray<Line> {
    return [...this.#lines.values()]
  }

  /** @param agent who has the conversation now */
  apply(entry: Entry, agent: string): void {
    if (entry._tag !== "Event") return
    const { atMs, event } = entry
    switch (event._tag) {
      case "ItemAdded":
      case "ItemCompleted":
        this.#item(event.item, atMs, agent)
        return
      case "ItemCut":
        this.#cut(event.item, atMs, agent)
        return
      case "ItemDeleted":
        this.#lines.delete(event.itemId)
        this.#parts.delete(event.itemId)
        return
      case "TextDelta":
        this.#write(event.itemId, event.contentIndex, (text) => text + event.delta, "Open", atMs, agent)
        return
      case "TextCompleted":
        this.#write(event.itemId, event.contentIndex, () => event.text, "Done", atMs, agent)
        return
      case "UserTranscriptDelta":
        this.#write(event.itemId, event.contentIndex, (text) => text + event.delta, "Open", atMs, agent, "user")
        return
      case "UserTranscriptCompleted":
        this.#write(event.itemId, event.contentIndex, () => event.transcript, "Done", atMs, agent, "user")
        return
      case "UserTranscriptFailed":
        this.#write(event.itemId, event.contentIndex, () => event.message, "Failed", atMs, agent, "user")
        return
      case "EventsMissed":
        if (event.snapshot === undefined) return
        this.#lines.clear()
        this.#parts.clear()
        for (const item of event.snapshot.conversation.items) this.#item(item, atMs, event.snapshot.agent)
        return
      default:
        return
    }
  }

  #item(item: Item, atMs: number, agent: string): void {
    if (item._tag !== "Message") return
    const known = this.#lines.get(item.id)
    const text = textOf(item)
    const state = item.status === "in_progress" ? "Open" : "Done"
    if (known === undefined) {
      this.#put({ id: item.id, who: item.role, agent, atMs, text, unheard: "", state })
    } else if (known.state === "Open") {
      this.#put({ ...known, text: text === "" ? known.text : text, state })
    }
  }

  #cut(item: Item, atMs: number, agent: string): void {
    if (item._tag !== "Message") return
    const text = textOf(item)
    const known = this.#lines.get(item.id)
    const full = known === undefined ? text : known.text + known.unheard
    this.#put({
      id: item.id,
      who: item.role,
      agent: known?.agent ?? agent,
      atMs: known?.atMs ?? atMs,
      text,
      unheard: full.slice(text.length),
      state: "Cut"
    })
  }

  #write(
    id: string,
    index: number,
    change: (text: string) => string,
    state: Line["state"],
    atMs: number,
    agent: string,
    who: Line["who"] = "assistant"
  ): void {
    const known = this.#lines.get(id)
    // Words that arrive after a cut were already on their way, and nobody hears them.
    if (known?.state === "Cut") return
    const parts = this.#parts.get(id) ?? new Map<number, string>()
    this.#parts.set(id, parts.set(index, change(parts.get(index) ?? "")))
    const text = [...parts.values()].join(" ")
    this.#put({ id, who, agent: known?.agent ?? agent, atMs: known?.atMs ?? atMs, text, unheard: "", state })
  }

  #put(line: Line): void {
    this.#lines.set(line.id, line)
    if (this.#lines.size <= maxLines) return
    for (const id of this.#lines.keys()) {
      this.#lines.delete(id)
      this.#parts.delete(id)
      return
    }
  }
}
