import { forgetOldest } from "../../common/forgetOldest.js"

/** How many turns and responses are remembered. A verdict on an older one comes too late. */
const maxRemembered = 64

/**
 * The order in which the user's turns and the model's responses began. A response that began after a turn and
 * before the next one answers that turn. A transcript, and so a verdict, may arrive after later turns have begun.
 */
export class TurnOrder {
  readonly #turns = new Map<string, number>()
  readonly #responses = new Map<string, number>()
  #latest = 0

  /** How many turns of the user have begun, which is the number of the latest turn. */
  get latest(): number {
    return this.#latest
  }

  /** The user begins to say or writes this item. */
  turnBegan(itemId: string): void {
    if (this.#turns.has(itemId)) return
    this.#latest += 1
    this.#turns.set(itemId, this.#latest)
    forgetOldest(this.#turns, maxRemembered)
  }

  /**
   * A turn of an earlier process, and what it began to answer it with. It comes before all that began in this process,
   * except responses before the user's first turn, which also answer it.
   */
  recovered(itemId: string, responseIds: ReadonlyArray<string>): void {
    this.#turns.set(itemId, 0)
    for (const responseId of responseIds) this.#responses.set(responseId, 0)
  }

  /** A response began, inside or outside the conversation. */
  responseBegan(responseId: string): void {
    if (this.#responses.has(responseId)) return
    this.#responses.set(responseId, this.#latest)
    forgetOldest(this.#responses, maxRemembered)
  }

  /** The number of this item's turn. A turn whose beginning was not seen counts as the latest. */
  turnOf(itemId: string): number {
    return this.#turns.get(itemId) ?? this.#latest
  }

  /** The responses that answer this turn, the oldest first. */
  answersTo(turn: number): ReadonlyArray<string> {
    return Array.from(this.#responses).flatMap(([responseId, began]) => (began === turn ? responseId : []))
  }
}
