/**
 * The user's turn, where the server responds to it by itself. That response will see all that the session has to speak
 * of, so what the session would ask for meanwhile is held; no turn holds it for ever. And it is owed: once what the user
 * said is an item of the conversation, a response must begin.
 */
import type { Owed } from "./RequestLine.js"

/** All times in milliseconds. */
export interface Options {
  /** From the end of the user's speech to the response that the server makes of it. Default: 2,000. */
  readonly serverReplyWithin: number
  /** The longest that the user's speech holds a request. Default: 60,000. */
  readonly speechHoldsAtMost: number
  /** From a turn to the beginning of a response, before it is asked for. Default: 10,000. */
  readonly createdWithin: number
  /** Whether the server responds to the user's speech by itself (turn detection with `create_response`). */
  readonly serverReplies: () => boolean
}

export const defaults = {
  serverReplyWithin: 2_000,
  speechHoldsAtMost: 60_000,
  createdWithin: 10_000
} satisfies Partial<Options>

/** What the server's turn detection has heard, and not made an item of. */
type Heard = "Nothing" | "Speech" | "Turn"

export class UserTurn {
  #heard: Heard = "Nothing"
  #heldUntil: number | undefined
  #debt: { readonly owed: Owed; readonly due: number } | undefined

  constructor(private readonly options: Options) {}

  speechStarted(now: number): void {
    if (!this.options.serverReplies()) return
    this.#heard = "Speech"
    this.#heldUntil = now + this.options.speechHoldsAtMost
  }

  speechStopped(now: number): void {
    if (this.#heard === "Speech") this.#ended(now)
  }

  /** Nobody spoke for so long that the server makes a turn of that. */
  timedOut(now: number): void {
    if (this.options.serverReplies()) this.#ended(now)
  }

  /** What was heard is dropped. */
  cleared(): void {
    if (this.#heard === "Nothing") return
    this.#heard = "Nothing"
    this.#heldUntil = undefined
  }

  /** An item was made of what was heard. Whether that is a turn that the server answers. */
  committed(now: number): boolean {
    // What the client committed itself, the server does not answer by itself.
    if (this.#heard === "Nothing" || !this.options.serverReplies()) return false
    this.#heard = "Nothing"
    this.#heldUntil = now + this.options.serverReplyWithin
    return true
  }

  /** The server owes this response to the turn. */
  owe(owed: Owed, now: number): void {
    this.#debt = { owed, due: now + this.options.createdWithin }
  }

  /** The response that is owed, if there is one. */
  owed(): Owed | undefined {
    return this.#debt?.owed
  }

  /** As `owed`, and somebody else sees to it from now on. */
  takeOwed(): Owed | undefined {
    const owed = this.#debt?.owed
    this.#debt = undefined
    return owed
  }

  /** Takes what the server has not begun in time. */
  takeOverdue(now: number): Owed | undefined {
    return this.#overdueAt() <= now ? this.takeOwed() : undefined
  }

  /** The server began a response of its own. */
  serverReplied(): void {
    // Speech that goes on is another turn, and gets another response.
    if (this.#heard === "Speech") return
    this.#heard = "Nothing"
    this.#heldUntil = undefined
  }

  timePassed(now: number): void {
    if (this.#heldUntil !== undefined && this.#heldUntil <= now) this.#heldUntil = undefined
  }

  /** Nothing is known of a turn any more. */
  reset(): void {
    this.#heard = "Nothing"
    this.#heldUntil = undefined
    this.#debt = undefined
  }

  /** The user has spoken, and the server has not said what it makes of that. */
  awaitsServer(): boolean {
    return this.#heard === "Turn" && this.#heldUntil !== undefined
  }

  /** Whether requests of the session's own wait for this turn. */
  isHolding(): boolean {
    return this.#heldUntil !== undefined
  }

  /** When something is to be done about it, if ever. */
  deadline(): number {
    return Math.min(this.#heldUntil ?? Number.POSITIVE_INFINITY, this.#overdueAt())
  }

  #ended(now: number): void {
    this.#heard = "Turn"
    this.#heldUntil = now + this.options.serverReplyWithin
  }

  /** Nobody is spoken over: who goes on speaking after a turn is heard out first. */
  #overdueAt(): number {
    return this.#debt === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(this.#debt.due, this.#heldUntil ?? this.#debt.due)
  }
}
