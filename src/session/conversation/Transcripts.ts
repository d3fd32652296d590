import { forgetOldest } from "../../machine/forgetOldest.js"
import type { Parts } from "../Parts.js"

/** How long a transcript, or an item, is waited for. Milliseconds. */
export const within = 10_000

/** Turns that may wait at a time: a user says fewer while a transcript takes. */
const maxAwaited = 32

interface Awaited {
  readonly what: "Item" | "Transcript"
  readonly until: number
}

/**
 * The turns of the user that the server has not written down yet, and those that it never will: what another connection
 * would not be told in words, and what nobody can read. A move to a fresh connection waits for them, for so long.
 */
export class Transcripts {
  readonly #session: Parts

  /** In the order of their times. */
  readonly #awaited = new Map<string, Awaited>()
  /** Of which it was said that they are missing. */
  readonly #told = new Set<string>()

  constructor(session: Parts) {
    this.#session = session
  }

  /** The user has ended this turn: its item is to come. */
  turnEnded(itemId: string): void {
    this.#begin(itemId, "Item")
  }

  /** The server made the item: its transcript is to come, if the session asked for any. */
  committed(itemId: string): void {
    if (this.#session.configuration.transcribes()) this.#begin(itemId, "Transcript")
    else this.failed(itemId)
  }

  /** It came, or the item is gone. */
  settled(itemId: string): void {
    this.#awaited.delete(itemId)
  }

  /** The turn is in the conversation, and its words do not come: that is said once. */
  failed(itemId: string): void {
    this.#awaited.delete(itemId)
    if (this.#told.has(itemId)) return
    this.#told.add(itemId)
    forgetOldest(this.#told, maxAwaited)
    this.#session.guardrails.notHeard(itemId)
  }

  /** `livesOn`: the server keeps the conversation, and may tell the next connection what it writes down. */
  disconnected(livesOn: boolean): void {
    if (livesOn) return
    // Due at once, and no sooner: what follows from it is for the next connection.
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

  /** Nobody waits for it any more. */
  #giveUp(itemId: string, { what }: Awaited): void {
    if (what === "Transcript") this.failed(itemId)
    else this.#awaited.delete(itemId)
  }
}
