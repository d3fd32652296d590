/**
 * The content parts that a speaker plays: turns news into orders for the worklet, which knows parts by number, and the
 * worklet's progress into reports. It has no side effects.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { maxWaitingSeconds } from "./bounds.js"
import type { News } from "./Client.js"

/**
 * How much of a content part was heard, in milliseconds from its beginning.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlayedReport {
  readonly itemId: string
  readonly contentIndex: number
  readonly heardMs: number | "finished"
}

/** What the worklet is to do. */
export type Order =
  | { readonly part: number; readonly samples: Float32Array }
  | { readonly part: number; readonly complete: true }
  | { readonly part: number; readonly drop: true }

/** What the worklet has played of a part, in samples. */
const Progress = Schema.Struct({
  part: Schema.Number,
  frames: Schema.Number,
  finished: Schema.optionalWith(Schema.Boolean, { exact: true })
})

const readProgress = Schema.decodeUnknownOption(Progress)

interface Part {
  readonly number: number
  readonly itemId: string
  readonly contentIndex: number
  /** In samples. */
  sent: number
  played: number
  /** `Cut`: too much waited, and the rest is not played. `Dropped`: it was interrupted. */
  state: "Playing" | "Cut" | "Dropped"
}

/** How many parts are remembered. Longer ago, nothing arrives for a part. */
const maxParts = 256

export class Parts {
  readonly #parts = new Map<string, Part>()
  readonly #byNumber = new Map<number, Part>()
  #count = 0
  #waiting = 0

  /**
   * @param rate in samples per second
   * @param decode converts audio in the session's format
   */
  constructor(
    private readonly rate: number,
    private readonly decode: (bytes: Uint8Array) => Float32Array
  ) {}

  take(news: News): Order | undefined {
    if (news._tag === "Audio") {
      const { bytes, contentIndex, itemId } = news.chunk
      return this.#add(this.#find(itemId, contentIndex) ?? this.#begin(itemId, contentIndex), this.decode(bytes))
    }
    const { event } = news
    if (event._tag === "AudioCompleted") {
      const part = this.#find(event.itemId, event.contentIndex)
      return part === undefined ? undefined : { part: part.number, complete: true }
    }
    if (event._tag !== "AudioInterrupted") return undefined
    // A part may be interrupted before any of it has arrived. It is then remembered, so that nothing of it is played.
    const part = this.#find(event.itemId, event.contentIndex) ?? this.#begin(event.itemId, event.contentIndex)
    part.state = "Dropped"
    this.#waiting -= part.sent - part.played
    part.played = part.sent
    return { part: part.number, drop: true }
  }

  /**
   * @param data a message of the worklet
   * @param delayMs the time from the worklet to the ear
   */
  reported(data: unknown, delayMs: number): PlayedReport | undefined {
    const progress = Option.getOrUndefined(readProgress(data))
    const part = progress === undefined ? undefined : this.#byNumber.get(progress.part)
    if (progress === undefined || part === undefined || part.state === "Dropped") return undefined
    this.#waiting -= progress.frames - part.played
    part.played = progress.frames
    const { contentIndex, itemId } = part
    if (progress.finished === true && part.state === "Playing") return { itemId, contentIndex, heardMs: "finished" }
    return { itemId, contentIndex, heardMs: Math.max(0, (progress.frames * 1_000) / this.rate - delayMs) }
  }

  #add(part: Part, samples: Float32Array): Order | undefined {
    if (part.state === "Playing" && this.#waiting + samples.length > maxWaitingSeconds * this.rate) part.state = "Cut"
    if (part.state !== "Playing") return undefined
    part.sent += samples.length
    this.#waiting += samples.length
    return { part: part.number, samples }
  }

  #find(itemId: string, contentIndex: number): Part | undefined {
    return this.#parts.get(`${contentIndex} ${itemId}`)
  }

  #begin(itemId: string, contentIndex: number): Part {
    this.#count += 1
    const part: Part = { number: this.#count, itemId, contentIndex, sent: 0, played: 0, state: "Playing" }
    this.#parts.set(`${contentIndex} ${itemId}`, part)
    this.#byNumber.set(part.number, part)
    this.#forgetOldest()
    return part
  }

  #forgetOldest(): void {
    for (const [key, part] of this.#parts) {
      if (this.#parts.size <= maxParts) return
      this.#parts.delete(key)
      this.#byNumber.delete(part.number)
      this.#waiting -= part.sent - part.played
    }
  }
}
