import type { Owed } from "./RequestLine.js"

/** Nobody wants the response any more. */
interface Stop {
  /** The guardrail that stops it, if one does. */
  readonly by: string | undefined
  /** Something new was said or asked since, which another response may answer. */
  isPast: boolean
}

/**
 * A request was refused because a response is active that this side does not know yet. Nothing is requested until that
 * response has shown itself, or has been awaited for as long as an active one.
 */
export class Collision {
  #pending: { readonly owed: Owed; readonly until: number; stop: Stop | undefined } | undefined

  /** @param eventWithin how long the other response may be silent, in milliseconds */
  constructor(private readonly eventWithin: number) {}

  /** The request for this was refused. */
  began(owed: Owed, now: number): void {
    this.#pending = { owed, until: now + this.eventWithin, stop: undefined }
  }

  /** The other response is over, or no longer awaited. */
  ended(): void {
    this.#pending = undefined
  }

  isPending(): boolean {
    return this.#pending !== undefined
  }

  /** What is active is stopped. `by`: the guardrail that does so, if one does. */
  stop(by = this.#pending?.stop?.by): void {
    if (this.#pending !== undefined) this.#pending.stop = { by, isPast: false }
  }

  /** Something new was said or asked: what begins unasked from now on may answer this. */
  spareOthers(): void {
    const stop = this.#pending?.stop
    if (stop !== undefined) stop.isPast = true
  }

  /** What stops a response that has begun unasked, if anything does. `isUnseen`: it may have begun long ago. */
  stopOf(isUnseen: boolean): Pick<Stop, "by"> | undefined {
    const stop = this.#pending?.stop
    return stop?.isPast === true && !isUnseen ? undefined : stop
  }

  /** Takes what the refused request is for, if nothing was heard of the other response in time. */
  takeOverdue(now: number): Owed | undefined {
    if (this.deadline() > now) return undefined
    const owed = this.#pending?.owed
    this.#pending = undefined
    return owed
  }

  /** When to give the other response up, if ever. */
  deadline(): number {
    return this.#pending?.until ?? Number.POSITIVE_INFINITY
  }
}
