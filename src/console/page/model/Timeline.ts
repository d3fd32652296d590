/** The time axis: spans in lanes, and the levels of both voices. */
import type { Entry } from "./Entry.js"
import { levelMs } from "./Entry.js"
import { problemOf } from "./Problems.js"

export const lanes = ["User", "Agent", "Tools", "Responses", "Errors"] as const
export type Lane = (typeof lanes)[number]

export interface Span {
  readonly key: string
  readonly lane: Lane
  /** Milliseconds from the beginning of the call. */
  readonly fromMs: number
  /** Absent while the span continues. */
  readonly toMs: number | undefined
  readonly label: string
  readonly tone: "Plain" | "Good" | "Waiting" | "Bad"
}

export interface Level {
  readonly atMs: number
  /** The loudest sample, from 0 to 1. */
  readonly level: number
}

/** How many spans and levels are kept. Older ones are not shown. */
const maxSpans = 1_000
const maxLevels = 12_000

/** The width of events without a duration, in milliseconds. */
const momentMs = 120

export class Timeline {
  readonly #spans = new Map<string, Span>()
  readonly #levels: Record<"User" | "Agent", Array<Level>> = { User: [], Agent: [] }
  /** When the last of the model's audio so far finishes playing. */
  #spokenUntil = 0
  #count = 0

  get spans(): ReadonlyArray<Span> {
    return [...this.#spans.values()]
  }

  levels(lane: "User" | "Agent"): ReadonlyArray<Level> {
    return this.#levels[lane]
  }

  apply(entry: Entry): void {
    const { atMs } = entry
    const problem = problemOf(entry)
    if (problem !== undefined) {
      this.#moment("Errors", atMs, `${problem.title}: ${problem.message}`, "Bad")
    }
    switch (entry._tag) {
      case "Heard":
        this.#level("User", { atMs, level: entry.level })
        return
      case "Spoken":
        this.#spoken(entry)
        return
      case "Event":
        this.#event(entry)
        return
      // What the user says is shown when the model has it.
      case "Typed":
      case "Released":
      case "Problem":
        return
    }
  }

  #event({ atMs, event }: Extract<Entry, { readonly _tag: "Event" }>): void {
    switch (event._tag) {
      case "ItemAdded": {
        const { item } = event
        if (item._tag !== "Message" || item.role !== "user" || item.content.every(({ _tag }) => _tag !== "Text")) return
        this.#moment("User", atMs, "Typed", "Plain")
        return
      }
      case "SpeechStarted":
        this.#open("speech", "User", atMs, "Speech", "Plain")
        return
      case "SpeechStopped":
        this.#close("speech", atMs, "Plain")
        return
      case "TextDelta":
        if (event.kind === "Text") this.#open(`text ${event.itemId}`, "Agent", atMs, "Text", "Plain")
        return
      case "TextCompleted":
        this.#close(`text ${event.itemId}`, atMs, "Plain")
        return
      case "AudioInterrupted":
        this.#interrupted(event.itemId, event.heardMs)
        return
      case "ToolApprovalRequested":
        this.#open(`call ${event.call.callId}`, "Tools", atMs, `${event.call.tool}, to be approved`, "Waiting")
        return
      case "ToolStarted":
        this.#open(`call ${event.call.callId}`, "Tools", atMs, event.call.tool, "Waiting")
        return
      case "ToolSucceeded":
        this.#open(`call ${event.call.callId}`, "Tools", atMs - event.durationMs, event.call.tool, "Good")
        this.#close(`call ${event.call.callId}`, atMs, "Good")
        return
      case "ToolFailed":
        this.#open(`call ${event.call.callId}`, "Tools", atMs - event.durationMs, event.call.tool, "Bad")
        this.#close(`call ${event.call.callId}`, atMs, "Bad")
        return
      case "ResponseStarted":
        this.#open(`response ${event.responseId}`, "Responses", atMs, "Response", "Plain")
        return
      case "ResponseDone":
        this.#close(
          `response ${event.responseId}`,
          atMs,
          event.status === "completed" ? "Good" : event.status === "failed" ? "Bad" : "Waiting",
          `Response, ${event.status}`
        )
        return
      case "HandedOff":
        this.#moment("Agent", atMs, `${event.from} hands over to ${event.to}`, "Good")
        return
      case "ConnectionLost":
        this.#open("connection", "Errors", atMs, "No connection to the model", "Bad")
        return
      case "Reconnected":
        this.#close("connection", atMs, "Bad")
        return
      case "SessionEnded":
        for (const span of this.#spans.values()) if (span.toMs === undefined) this.#close(span.key, atMs, span.tone)
        return
      default:
        return
    }
  }

  #spoken({ atMs, durationMs, itemId, levels }: Extract<Entry, { readonly _tag: "Spoken" }>): void {
    const begin = Math.max(atMs, this.#spokenUntil)
    this.#spokenUntil = begin + durationMs
    for (const [index, level] of levels.entries()) this.#level("Agent", { atMs: begin + index * levelMs, level })
    const key = `audio ${itemId}`
    const known = this.#spans.get(key)
    const fromMs = known?.fromMs ?? begin
    this.#put({ key, lane: "Agent", fromMs, toMs: this.#spokenUntil, label: "Speech", tone: known?.tone ?? "Plain" })
  }

  #interrupted(itemId: string, heardMs: number): void {
    const known = this.#spans.get(`audio ${itemId}`)
    if (known === undefined) return
    const toMs = known.fromMs + heardMs
    this.#spokenUntil = toMs
    const levels = this.#levels.Agent
    const cut = levels.findIndex((level) => level.atMs >= toMs)
    if (cut >= 0) levels.length = cut
    this.#put({ ...known, toMs, label: "Speech, interrupted", tone: "Waiting" })
  }

  #open(name: string, lane: Lane, fromMs: number, label: string, tone: Span["tone"]): void {
    const known = this.#spans.get(name)
    if (known !== undefined && known.toMs === undefined) {
      this.#put({ ...known, label, tone })
      return
    }
    // A span that has ended keeps its place. The next one with its name is a new span.
    if (known !== undefined) {
      this.#count += 1
      this.#spans.delete(name)
      this.#put({ ...known, key: `${name} ${this.#count}` })
    }
    this.#put({ key: name, lane, fromMs: Math.max(0, fromMs), toMs: undefined, label, tone })
  }

  #close(name: string, toMs: number, tone: Span["tone"], label?: string): void {
    const known = this.#spans.get(name)
    if (known === undefined || known.toMs !== undefined) return
    this.#put({ ...known, toMs, tone, label: label ?? known.label })
  }

  #moment(lane: Lane, atMs: number, label: string, tone: Span["tone"]): void {
    this.#count += 1
    this.#put({ key: `moment ${this.#count}`, lane, fromMs: atMs, toMs: atMs + momentMs, label, tone })
  }

  #put(span: Span): void {
    this.#spans.set(span.key, span)
    if (this.#spans.size <= maxSpans) return
    for (const key of this.#spans.keys()) {
      this.#spans.delete(key)
      return
    }
  }

  #level(lane: "User" | "Agent", level: Level): void {
    const levels = this.#levels[lane]
    levels.push(level)
    if (levels.length > maxLevels) levels.splice(0, maxLevels / 10)
  }
}
