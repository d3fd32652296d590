/**
 * The user's turn, where the server responds to it by itself: that response will see all that the session has to speak
 * of, so what the session would ask for meanwhile is held. No turn holds it for ever.
 */

/** All times in milliseconds. */
export interface Options {
  /** From the end of the user's speech to the response that the server makes of it. Default: 2,000. */
  readonly serverReplyWithin: number
  /** The longest that the user's speech holds a request. Default: 60,000. */
  readonly speechHoldsAtMost: number
  /** Whether the server responds to the user's speech by itself (turn detection with `create_response`). */
  readonly serverReplies: () => boolean
}

export const defaults = {
  serverReplyWithin: 2_000,
  speechHoldsAtMost: 60_000
} satisfies Partial<Options>

type State =
  | { readonly _tag: "Quiet" }
  | { readonly _tag: "Speaking"; readonly until: number }
  | { readonly _tag: "AwaitingServer"; readonly until: number }

export interface UserTurn {
  readonly speechStarted: (now: number) => void
  readonly speechStopped: (now: number) => void
  /** The server made a response of its own. */
  readonly serverReplied: () => void
  readonly timePassed: (now: number) => void
  /** Nothing is known of a turn any more. */
  readonly reset: () => void
  /** The user has spoken, and the server has not answered yet. */
  readonly awaitsServer: () => boolean
  /** Whether requests of the session's own wait for this turn. */
  readonly isHolding: () => boolean
  /** When the turn stops holding them, if it does. */
  readonly deadline: () => number
}

export const make = (options: Options): UserTurn => {
  let state: State = quiet
  return {
    speechStarted: (now) => {
      if (options.serverReplies()) state = { _tag: "Speaking", until: now + options.speechHoldsAtMost }
    },
    speechStopped: (now) => {
      if (state._tag === "Speaking") state = { _tag: "AwaitingServer", until: now + options.serverReplyWithin }
    },
    serverReplied: () => {
      if (state._tag === "AwaitingServer") state = quiet
    },
    timePassed: (now) => {
      if (state._tag !== "Quiet" && state.until <= now) state = quiet
    },
    reset: () => {
      state = quiet
    },
    awaitsServer: () => state._tag === "AwaitingServer",
    isHolding: () => state._tag !== "Quiet",
    deadline: () => (state._tag === "Quiet" ? Number.POSITIVE_INFINITY : state.until)
  }
}

const quiet: State = { _tag: "Quiet" }
