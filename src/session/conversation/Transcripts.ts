import { forgetOldest } from "../../common/forgetOldest.js"
import type { Parts } from "../Parts.js"

/** How long to wait for a transcript or an item. Milliseconds. */
export const within = 10_000

/** How many turns may wait at a time: more than a user can say while one is transcribed. */
const maxAwaited = 32

interface Awaited {
  readonly what: "Item" | "Transcript"
  readonly until: number
}

/**
 * The user's turns that the server has not transcribed yet, and those that it never will: another connection cannot be
 * sent their words, and nobody can read them. A move to a new connection waits for them, up to a limit.
 */
export class Transcripts {
  readonly #session: Parts

  /** In order of their deadlines. */
  readonly #awaited = new Map<string, Awaited>()
  /** Turns that were already reported as missing. */
  readonly #told = new Set<string>()

  constructor(session: Parts) {
    this.#session = session
  }

  /** The user has ended this turn: its item will follow. */
  turnEnded(itemId: string): void {
    this.#begin(itemId, "Item")
  }

  /** The server made the item: its transcript will follow, if the session asked for transcripts. */
  committed(itemId: string): void {
    if (this.#session.configuration.transcribes()) this.#begin(itemId, "Transcript")
    else this.failed(itemId)
  }

  /** The transcript came, or the item is gone. */
  settled(itemId: string): void {
    this.#awaited.delete(itemId)
  }

  /** The turn is in the conversation, but its words will not come. This is published once. */
  failed(itemId: string): void {
    this.#awaited.delete(itemId)
    if (this.#told.has(itemId)) return
    this.#told.add(itemId)
    forgetOldest(this.#told, maxAwaited)
    this.#session.guardrails.notHeard(itemId)
  }

  /** `livesOn`: the server keeps the conversation, and may send transcripts to the next connection. */
  disconnected(livesOn: boolean): void {
    if (livesOn) return
    // Due at once, but not earlier: its consequences are for the next connection.
    const until = this.#session.now()
    for (const [itemId, { what }] of this.#awaited) {
      if (what === "Item") this.#awaited.delete(itemId)
      else this.#awaited.set(itemId, { what, until })
    }
  }

  isIdle(): boolean {
    return this.#awaited.size === 0
  }

  deadline(): number | undefined {
    return this.#awaited.values().next().value?.until
  }

  timePassed(): void {
    for (const [itemId, one] of this.#awaited) {
      if (one.until > this.#session.now()) return
      this.#giveUp(itemId, one)
    }
  }

  #begin(itemId: string, what: Awaited["what"]): void {
    const awaited = this.#awaited
    awaited.delete(itemId)
    awaited.set(itemId, { what, until: this.#session.now() + within })
    const [oldest] = awaited
    if (awaited.size > maxAwaited && oldest !== undefined) this.#giveUp(...oldest)
  }

  /** Stops waiting. */
  #giveUp(itemId: string, { what }: Awaited): void {
    if (what === "Transcript") this.failed(itemId)
    else this.#awaited.delete(itemId)
  }
}
