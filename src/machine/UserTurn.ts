/**
 * The user's turn, if the server responds to it by itself. The server's response will see everything that the session
 * wants to speak about, so the session holds back its own requests in the meantime, up to a limit. And the response is
 * owed: once the user's speech is an item of the conversation, a response must begin.
 */
import type { Owed } from "./RequestLine.js"

/** All times in milliseconds. */
export interface Options {
  /** From the end of the user's speech to the server's response. Default: 2,000. */
  readonly serverReplyWithin: number
  /** How long the user's speech may hold back a request. Default: 60,000. */
  readonly speechHoldsAtMost: number
  /** From a turn to the beginning of a response, before the session requests it. Default: 10,000. */
  readonly createdWithin: number
  /** Whether the server responds to the user's speech by itself (turn detection with `create_response`). */
  readonly serverReplies: () => boolean
}

export const defaults = {
  serverReplyWithin: 2_000,
  speechHoldsAtMost: 60_000,
  createdWithin: 10_000
} satisfies Partial<Options>

/** What the server's turn detection has found, and not made into an item. */
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

  /** Nobody spoke for so long that the server treats it as a turn. */
  timedOut(now: number): void {
    if (this.options.serverReplies()) this.#ended(now)
  }

  /** The audio of the turn was dropped. */
  cleared(): void {
    if (this.#heard === "Nothing") return
    this.#heard = "Nothing"
    this.#heldUntil = undefined
  }

  /** An item was made from the speech. Returns whether it is a turn that the server answers. */
  committed(now: number): boolean {
    // If the client committed the turn itself, the server does not answer it by itself.
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

  /** Like `owed`, and the caller handles it from now on. */
  takeOwed(): Owed | undefined {
    const owed = this.#debt?.owed
    this.#debt = undefined
    return owed
  }

  /** Takes the response that the server has not begun in time. */
  takeOverdue(now: number): Owed | undefined {
    return this.#overdueAt() <= now ? this.takeOwed() : undefined
  }

  /** The server began a response by itself. */
  serverReplied(): void {
    // Speech that goes on is another turn, and gets another response.
    if (this.#heard === "Speech") return
    this.#heard = "Nothing"
    this.#heldUntil = undefined
  }

  timePassed(now: number): void {
    if (this.#heldUntil !== undefined && this.#heldUntil <= now) this.#heldUntil = undefined
  }

  /** Forgets the turn. */
  reset(): void {
    this.#heard = "Nothing"
    this.#heldUntil = undefined
    this.#debt = undefined
  }

  /** Whether the user has spoken, and the server has not made an item of it yet. */
  awaitsServer(): boolean {
    return this.#heard === "Turn" && this.#heldUntil !== undefined
  }

  /** Whether the session's own requests wait for this turn. */
  isHolding(): boolean {
    return this.#heldUntil !== undefined
  }

  /** When to act on the turn, if ever. */
  deadline(): number {
    return Math.min(this.#heldUntil ?? Number.POSITIVE_INFINITY, this.#overdueAt())
  }

  #ended(now: number): void {
    this.#heard = "Turn"
    this.#heldUntil = now + this.options.serverReplyWithin
  }

  /** Nobody is interrupted: if the user goes on speaking after a turn, that speech is awaited first. */
  #overdueAt(): number {
    return this.#debt === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(this.#debt.due, this.#heldUntil ?? this.#debt.due)
  }
}
