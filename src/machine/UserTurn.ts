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

export interface UserTurn {
  readonly speechStarted: (now: number) => void
  readonly speechStopped: (now: number) => void
  /** Nobody spoke for so long that the server makes a turn of that. */
  readonly timedOut: (now: number) => void
  /** What was heard is dropped. */
  readonly cleared: () => void
  /** An item was made of what was heard. Whether that is a turn that the server answers. */
  readonly committed: (now: number) => boolean
  /** The server owes this response to the turn. */
  readonly owe: (owed: Owed, now: number) => void
  /** The response that is owed, if there is one. */
  readonly owed: () => Owed | undefined
  /** As `owed`, and somebody else sees to it from now on. */
  readonly takeOwed: () => Owed | undefined
  /** Takes what the server has not begun in time. */
  readonly takeOverdue: (now: number) => Owed | undefined
  /** The server began a response of its own. */
  readonly serverReplied: () => void
  readonly timePassed: (now: number) => void
  /** Nothing is known of a turn any more. */
  readonly reset: () => void
  /** The user has spoken, and the server has not said what it makes of that. */
  readonly awaitsServer: () => boolean
  /** Whether requests of the session's own wait for this turn. */
  readonly isHolding: () => boolean
  /** When something is to be done about it, if ever. */
  readonly deadline: () => number
}

export const make = (options: Options): UserTurn => {
  let heard: Heard = "Nothing"
  let heldUntil: number | undefined
  let debt: { readonly owed: Owed; readonly due: number } | undefined

  const ended = (now: number): void => {
    heard = "Turn"
    heldUntil = now + options.serverReplyWithin
  }

  const takeOwed = (): Owed | undefined => {
    const owed = debt?.owed
    debt = undefined
    return owed
  }

  /** Nobody is spoken over: who goes on speaking after a turn is heard out first. */
  const overdueAt = (): number =>
    debt === undefined ? Number.POSITIVE_INFINITY : Math.max(debt.due, heldUntil ?? debt.due)

  return {
    speechStarted: (now) => {
      if (!options.serverReplies()) return
      heard = "Speech"
      heldUntil = now + options.speechHoldsAtMost
    },
    speechStopped: (now) => {
      if (heard === "Speech") ended(now)
    },
    timedOut: (now) => {
      if (options.serverReplies()) ended(now)
    },
    cleared: () => {
      if (heard === "Nothing") return
      heard = "Nothing"
      heldUntil = undefined
    },
    committed: (now) => {
      // What the client committed itself, the server does not answer by itself.
      if (heard === "Nothing" || !options.serverReplies()) return false
      heard = "Nothing"
      heldUntil = now + options.serverReplyWithin
      return true
    },
    owe: (owed, now) => {
      debt = { owed, due: now + options.createdWithin }
    },
    owed: () => debt?.owed,
    takeOwed,
    takeOverdue: (now) => (overdueAt() <= now ? takeOwed() : undefined),
    serverReplied: () => {
      // Speech that goes on is another turn, and gets another response.
      if (heard === "Speech") return
      heard = "Nothing"
      heldUntil = undefined
    },
    timePassed: (now) => {
      if (heldUntil !== undefined && heldUntil <= now) heldUntil = undefined
    },
    reset: () => {
      heard = "Nothing"
      heldUntil = undefined
      debt = undefined
    },
    awaitsServer: () => heard === "Turn" && heldUntil !== undefined,
    isHolding: () => heldUntil !== undefined,
    deadline: () => Math.min(heldUntil ?? Number.POSITIVE_INFINITY, overdueAt())
  }
}
