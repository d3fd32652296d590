import type { Item } from "../Conversation.js"
import * as Fold from "../journal/Fold.js"
import type { ClientEvent } from "../protocol/ClientEvent.js"
import type { AudioChunk, SessionEvent } from "../SessionEvent.js"
import * as Answers from "./answers.js"
import { both, type Law } from "./Law.js"
import { createdItem, isRecord, type Moment } from "./Observation.js"

/** What the application got of a part. */
interface Reached {
  /** The text, if it is written. */
  text: string
  bytes: number
  /** When its first audio was played, if any. */
  since: number | undefined
  /** How much of it was heard, if it was cut; otherwise absent. */
  cutMs: number | undefined
}

/** In milliseconds: the sum of rounding errors. */
const dust = 1

const keyOf = (itemId: string, contentIndex: number): string => `${itemId} ${contentIndex}`

/** How many characters of a part were heard at most within this much audio. */
const heardLength = ({ isComplete, pieces, sentMs, text }: Answers.Answer, heardMs: number): number => {
  if (heardMs <= 0) return 0
  // Words arrive before their audio. Those that arrive after all of it are late, and may stand anywhere in it.
  const isEarly = (behindMs: number) => behindMs < heardMs || (isComplete && behindMs >= sentMs)
  const arrived = pieces.reduce((sum, { behindMs, length }) => (isEarly(behindMs) ? sum + length : sum), 0)
  return isComplete && sentMs > 0 ? Math.min(arrived, Math.ceil((text.length * heardMs) / sentMs)) : arrived
}

/** The model's words in an item that a connection is sent. */
const toldBy = (event: ClientEvent): { readonly id: string; readonly text: string } | undefined => {
  const item = createdItem(event)
  if (item?.type !== "message" || item.role !== "assistant" || item.id === undefined) return undefined
  return { id: item.id, text: item.content.map((part) => ("text" in part ? part.text : "")).join("") }
}

const wordsOf = (item: Item): string =>
  item._tag === "Message"
    ? item.content
        .map((part) => (part._tag === "Text" ? part.text : part._tag === "Audio" ? part.transcript : ""))
        .join("")
    : ""

const isOver = (item: Item): boolean =>
  item._tag === "Message" && item.role === "assistant" && item.status !== "in_progress"

const begin = () => {
  const answers = Answers.make()
  const reached = new Map<string, Reached>()
  /** How much the server has kept of each part, each time that it cut it, in milliseconds. */
  const kept = new Map<string, Set<number>>()
  /** The original ids of items that have another id now. */
  const origins = new Map<string, string>()
  /** The last deleted item: the next created item may be what is left of it. */
  let deleted: string | undefined
  const blocked = new Set<string>()
  /** The state according to the journal. */
  let journal = Fold.make()

  const originOf = (itemId: string): string => origins.get(itemId) ?? itemId

  const reach = (itemId: string, contentIndex: number): Reached => {
    const known = reached.get(keyOf(itemId, contentIndex))
    if (known !== undefined) return known
    const fresh: Reached = { text: "", bytes: 0, since: undefined, cutMs: undefined }
    reached.set(keyOf(itemId, contentIndex), fresh)
    return fresh
  }

  const playedMs = (answer: Answers.Answer): number => {
    const { bytes } = reached.get(keyOf(answer.itemId, answer.contentIndex)) ?? { bytes: 0 }
    return (bytes * 1_000) / answer.bytesPerSecond
  }

  /**
   * Everything of an item that can have been played or read by now. With a time, only what can have been heard since
   * its audio began.
   */
  const heardOf = (itemId: string, now: number | undefined): string =>
    answers
      .of(itemId)
      .map((answer) => {
        const part = reached.get(keyOf(itemId, answer.contentIndex))
        // Words without audio count as text.
        if (answer.sentMs === 0) return part?.text ?? ""
        const played = playedMs(answer)
        const since = part?.since
        // A server that cuts by itself has played as much as it keeps, and knows best.
        const elapsed =
          now === undefined || since === undefined
            ? played
            : Math.max(now - since + dust, answer.isTruncated ? answer.leftMs : 0)
        const ms = Math.min(played, elapsed, part?.cutMs ?? played)
        return ms >= Math.floor(answer.sentMs) && answer.isComplete
          ? answer.text
          : answer.text.slice(0, heardLength(answer, ms))
      })
      .join("")

  const check = (itemId: string, text: string, what: string, now?: number): ReadonlyArray<string> => {
    const origin = originOf(itemId)
    if (answers.of(origin).length === 0 || text === "") return []
    const heard = heardOf(origin, now)
    return heard.startsWith(text)
      ? []
      : [`${what} ${JSON.stringify(text)} as ${itemId}, but only ${JSON.stringify(heard)} was heard.`]
  }

  const sent = (event: ClientEvent): ReadonlyArray<string> => {
    const before = deleted
    deleted = event.type === "conversation.item.delete" ? event.item_id : undefined
    const told = toldBy(event)
    if (told === undefined) return []
    if (before !== undefined) origins.set(told.id, originOf(before))
    if (blocked.has(originOf(told.id))) return [`${told.id} was sent again, although a guardrail had stopped it.`]
    return check(told.id, told.text, "The model was sent")
  }

  const played = ({ bytes, contentIndex, itemId }: AudioChunk, atMs: number): void => {
    const part = reach(itemId, contentIndex)
    part.since ??= atMs
    part.bytes += bytes.length
  }

  const published = (event: SessionEvent, atMs: number): ReadonlyArray<string> => {
    if (event._tag === "TextDelta") reach(event.itemId, event.contentIndex).text += event.delta
    if (event._tag === "TextCompleted") reach(event.itemId, event.contentIndex).text = event.text
    if (event._tag !== "AudioInterrupted") return []
    const { contentIndex, heardMs, itemId } = event
    const part = reach(itemId, contentIndex)
    part.cutMs = Math.min(heardMs, part.cutMs ?? heardMs)
    const sinceMs = part.since === undefined ? 0 : atMs - part.since
    // A server that cuts by itself has played it, and knows best. While the journal is slow, it may cut again before
    // anyone is told.
    return heardMs <= sinceMs + dust || kept.get(keyOf(itemId, contentIndex))?.has(heardMs) === true
      ? []
      : [`${heardMs} ms of ${itemId} count as heard, but it began ${sinceMs} ms ago.`]
  }

  /** Whoever asked for it. */
  const answered = (event: { readonly [key: string]: unknown }): void => {
    const { audio_end_ms: endMs, content_index: contentIndex, item_id: itemId, type } = event
    if (type !== "conversation.item.truncated" || typeof endMs !== "number") return
    if (typeof itemId !== "string" || typeof contentIndex !== "number") return
    const key = keyOf(itemId, contentIndex)
    kept.set(key, (kept.get(key) ?? new Set()).add(endMs))
    const part = reached.get(key)
    if (part !== undefined) part.cutMs = Math.min(endMs, part.cutMs ?? endMs)
  }

  /** A process that resumes the session only has the words that the user has heard. */
  const recovered = (atMs: number): ReadonlyArray<string> =>
    journal
      .recovered()
      .items.filter(isOver)
      .flatMap((item) => check(item.id, wordsOf(item), "Another process would send", atMs))

  return (moment: Moment): ReadonlyArray<string> => {
    answers.see(moment)
    switch (moment._tag) {
      case "Written":
        if (moment.place === "instead") journal = Fold.make()
        for (const record of moment.records) journal.apply(record)
        return []
      case "Answered":
        if (isRecord(moment.event)) answered(moment.event)
        return []
      case "Played":
        played(moment.chunk, moment.atMs)
        return []
      case "Published":
        return published(moment.event, moment.atMs)
      case "Sent":
        return sent(moment.event)
      case "AtRest":
        for (const item of moment.mirror.items) {
          if (item._tag === "Message" && item.blockedBy !== undefined) blocked.add(originOf(item.id))
        }
        return [
          ...moment.mirror.items
            .filter(isOver)
            .flatMap((item) => check(item.id, wordsOf(item), "The conversation has")),
          ...recovered(moment.atMs)
        ]
      default:
        return []
    }
  }
}

export const heard: Law = both(
  "Heard",
  "A connection is only sent the beginning of an answer that was played, and the conversation has no more of it. Nothing that a guardrail stopped is sent again. If the process died, another one would send no more than was heard.",
  // Where the server keeps the conversation and plays, it knows what was heard, and nothing is sent again.
  (scene) => (scene.traits.playback === "server" ? () => [] : begin())
)
